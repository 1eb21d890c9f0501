"""A policy pack as a child process, and the proxy in front of it.

The engine tells a pack its stack by a call (ConfigureStack), and the pack's SDK reads it from the
environment when it starts. So a proxy takes the first calls, the pack starts once the stack is known, and
every later call is passed on unread.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

import grpc

from plugins import process, wire

_SERVICE = "/pulumirpc.Analyzer/"
_START_SECONDS = 120.0
_OWN = frozenset({"Handshake", "ConfigureStack"})


class PolicyPack:
    """One run of the pack in `folder`."""

    def __init__(self, folder: str, arguments: list[str], pwd: str, environment: dict[str, str]) -> None:
        self._folder, self._arguments, self._environment = folder, arguments, environment
        self._output: queue.Queue[Any] = queue.Queue()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: grpc.Channel | None = None
        self._started = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._server = grpc.server(ThreadPoolExecutor(max_workers=16), options=wire.OPTIONS)
        self._server.add_generic_rpc_handlers((_Proxy(self),))
        self._port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def messages(self) -> Iterator[Any]:
        """What the pack says, as the engine expects it: the port first, the exit code last."""
        yield wire.language.RunPluginResponse(stdout=f"{self._port}\n".encode())
        while True:
            message = self._output.get()
            yield message
            if message.WhichOneof("output") == "exitcode":
                return

    def end(self) -> None:
        """End the pack and its proxy."""
        self._ended.set()
        self._started.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        self._server.stop(0)
        self._output.put(wire.language.RunPluginResponse(exitcode=0))

    def configure(self, request: Any) -> None:
        """Start the pack for the stack that `request` (AnalyzerStackConfigureRequest) describes."""
        self._environment |= {
            "PULUMI_ORGANIZATION": request.organization,
            "PULUMI_PROJECT": request.project,
            "PULUMI_STACK": request.stack,
            "PULUMI_DRY_RUN": "true" if request.dry_run else "false",
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
        }
        if self._start() is None:
            return
        stub = wire.analyzer_grpc.AnalyzerStub(self._channel)
        try:
            stub.ConfigureStack(request)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                raise

    def channel(self) -> grpc.Channel | None:
        """The way to the pack, started without a stack where none was named; None where it did not start."""
        return self._start()

    def _start(self) -> grpc.Channel | None:
        with self._lock:
            if self._process is None and not self._ended.is_set():
                command = [sys.executable, "-u", "-m", "pulumi.policy", *self._arguments, self._folder]
                self._process = subprocess.Popen(
                    command,
                    cwd=self._folder,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
                threading.Thread(target=self._follow, args=(self._process,), daemon=True).start()
        self._started.wait(_START_SECONDS)
        return self._channel

    def _follow(self, running: subprocess.Popen[bytes]) -> None:
        assert running.stdout is not None
        assert running.stderr is not None
        errors = threading.Thread(target=self._copy, args=(running.stderr, "stderr"), daemon=True)
        errors.start()
        with process.child(running):
            first = running.stdout.readline()
            if first.strip().isdigit():
                self._channel = grpc.insecure_channel(f"127.0.0.1:{int(first)}", options=wire.OPTIONS)
            else:
                self._output.put(wire.language.RunPluginResponse(stdout=first))
            self._started.set()
            self._copy(running.stdout, "stdout")
            code = running.wait()
        errors.join(timeout=5)
        self._output.put(wire.language.RunPluginResponse(exitcode=0 if self._ended.is_set() else code))

    def _copy(self, stream: BinaryIO | Any, name: str) -> None:
        for line in stream:
            self._output.put(wire.language.RunPluginResponse(**{name: line}))


class _Proxy(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Passes calls on to the pack as bytes."""

    def __init__(self, pack: PolicyPack) -> None:
        self._pack = pack

    def service(self, details: Any) -> Any:
        """The handler of a method."""
        if not details.method.startswith(_SERVICE):
            return None
        name = details.method.removeprefix(_SERVICE)
        handler: Callable[[bytes, grpc.ServicerContext], bytes]
        handler = {"Handshake": self._handshake, "ConfigureStack": self._configure}.get(
            name, self._forward(details.method)
        )
        return grpc.unary_unary_rpc_method_handler(handler)

    def _handshake(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        return bytes(wire.analyzer.AnalyzerHandshakeResponse().SerializeToString())

    def _configure(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self._pack.configure(wire.analyzer.AnalyzerStackConfigureRequest.FromString(request))
        return bytes(wire.analyzer.AnalyzerStackConfigureResponse().SerializeToString())

    def _forward(self, method: str) -> Callable[[bytes, grpc.ServicerContext], bytes]:
        def forward(request: bytes, context: grpc.ServicerContext) -> bytes:
            channel = self._pack.channel()
            if channel is None:
                context.abort(
                    grpc.StatusCode.UNAVAILABLE, "the policy pack did not start; its own output says why"
                )
            assert channel is not None
            try:
                answer: bytes = channel.unary_unary(method)(request)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
            return answer

        return forward
