"""Machines that are one small HTTP server instead of API servers.

What tests with these prove is what the cloud does before and around an API server. They do not prove that a real one
accepts what the gateway sends (authentication, impersonation, RBAC); the tests marked `sandbox` do.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web


class Upstream:
    """An HTTP server in a thread that answers like this:

    `.../watch`: a first piece at once, the next one each time `more` is called, until the client goes (`gone`).
    `.../forbidden`: a Kubernetes 403. `.../exec`: a WebSocket that echoes. `.../serviceaccounts/NAME`: from
    `annotations`. Anything else: a JSON document that repeats the request.
    """

    def __init__(self) -> None:
        self.annotations: dict[str, dict[str, str]] = {}
        self.forbidden: dict[str, Any] = {}
        self.gone = threading.Event()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._up.wait(10)

    def more(self, piece: bytes) -> None:
        """Send a piece to the watcher."""
        self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)

    def close(self) -> None:
        """End the server. Fine if it has ended."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._up.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{machine}/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/exec"):
            return await self._echo(request)
        if request.query.get("watch"):
            return await self._watch(request)
        if request.path.endswith("/forbidden"):
            return web.json_response(self.forbidden, status=403)
        if "/serviceaccounts/" in request.path:
            annotations = self.annotations.get(request.path.rpartition("/")[2])
            if annotations is None:
                return web.json_response({}, status=404)
            return web.json_response({"metadata": {"annotations": annotations}})
        return web.json_response(
            {
                "method": request.method,
                "path": request.raw_path,
                "headers": [[name, value] for name, value in request.headers.items()],
                "body": (await request.read()).decode(),
            }
        )

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            await response.write(b"first\n")
            while True:
                await response.write(await self._pieces.get())
        finally:
            self.gone.set()

    @staticmethod
    async def _echo(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=["v5.channel.k8s.io"])
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await socket.send_bytes(b"echo " + message.data)
        return socket


class FakeMachines:
    """Machines behind which one Upstream stands. `hold` blocks create and delete while it is cleared.

    `nodes`: the Node objects by machine and pool; `applied`: objects by machine.
    """

    def __init__(self, upstream: Upstream | None = None) -> None:
        self._upstream = upstream
        self.alive: set[str] = set()
        self.nodes: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
        self.applied: dict[str, list[Mapping[str, Any]]] = {}
        self.started: list[str] = []
        self.hold = threading.Event()
        self.hold.set()
        self.busy = threading.Event()
        self.failure = ""

    def create(self, machine: str) -> None:
        self.busy.set()
        assert self.hold.wait(30)
        if self.failure:
            raise RuntimeError(self.failure)
        self.alive.add(machine)

    def start(self, machine: str) -> None:
        self.started.append(machine)
        self.alive.add(machine)

    def delete(self, machine: str) -> None:
        self.busy.set()
        assert self.hold.wait(30)
        self.alive.discard(machine)
        self.nodes.pop(machine, None)

    def set_nodes(self, machine: str, pool: str, nodes: Sequence[Mapping[str, Any]]) -> None:
        self.nodes.setdefault(machine, {})[pool] = list(nodes)

    def apply(self, machine: str, objects: Sequence[Mapping[str, Any]]) -> None:
        self.applied.setdefault(machine, []).extend(objects)

    def running(self) -> list[str]:
        return sorted(self.alive)

    def kubeconfig(self, machine: str) -> Path:
        return Path(f"/nowhere/{machine}")

    def server(self, machine: str) -> str:
        assert self._upstream is not None
        return f"http://127.0.0.1:{self._upstream.port}/{machine}"

    def tls(self, machine: str) -> ssl.SSLContext | None:
        return None
