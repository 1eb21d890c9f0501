"""Run one policy pack: the child process of the language host.

Owns the server that the engine speaks to, from the first call to the last. The engine tells a pack its stack by a call
(ConfigureStack), and the pack's SDK reads it from the environment when it starts, and only then makes a server. So the
server here is there first, takes the stack, starts the pack as `python -m pulumi.policy` does, and is then the one that
the SDK believes to make: no call goes through a second process. It runs in the pack's environment and imports nothing
of this project. Does not own what the pack answers, nor how it ends (policy_pack.py).
"""

import contextlib
import importlib
import json
import os
import runpy
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# As with `python -m`: modules are looked for in the working folder, not in the folder of this script.
_HERE = Path(__file__).resolve().parent
sys.path[:] = [os.getcwd(), *(entry for entry in sys.path if Path(entry or ".").resolve() != _HERE)]  # noqa: PTH109

import grpc  # noqa: E402

_SERVICE = "/pulumirpc.Analyzer/"
_START_SECONDS = 120.0
_END_SECONDS = 5.0
_HEARD_SECONDS = 1.0
"""How long the output of a pack that does not start has to reach the user before the run fails: the engine shows
nothing any more afterwards."""
_THREADS = 4
"""As many as in the SDK's own server. The engine calls one after the other, so one or two of them ever start."""
_OPTIONS = [("grpc.max_receive_message_length", 400 * 1024 * 1024)]


class _Pack(grpc.GenericRpcHandler):  # type: ignore[misc]
    """The pack to the engine: what it answers as soon as it is served, and until then what starts it.

    `asked` is set by the first call, and `stack` is that call's request where it is ConfigureStack. Here nothing is
    imported, since the main thread does it at the same time, and the SDK's packages import each other.
    """

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.stack: bytes | None = None
        self._started = threading.Event()
        self._lock = threading.Lock()
        self._is_served = False
        self._handlers: list[Any] = []

    def service(self, details: Any) -> Any:
        """The handler of a method."""
        if details.method == f"{_SERVICE}Handshake":
            return grpc.unary_unary_rpc_method_handler(lambda request, context: b"")
        if self._is_served:
            return self._of_the_pack(details)
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._first(details, request, context)
        )

    def serve(self, handlers: Any) -> None:
        """Take the pack's own handlers."""
        self._handlers.extend(handlers)

    def start(self) -> None:
        """Let the pack's own handlers answer."""
        self._is_served = True
        self._started.set()

    def end(self) -> None:
        """Keep nobody waiting: the pack has ended, or will not start."""
        if self.asked.is_set() and not self._is_served:
            time.sleep(_HEARD_SECONDS)
        self._started.set()

    def _of_the_pack(self, details: Any) -> Any:
        return next((found for each in self._handlers if (found := each.service(details))), None)

    def _first(self, details: Any, request: bytes, context: Any) -> bytes:
        """Answer a call that came before the pack was served."""
        with self._lock:
            if not self.asked.is_set() and details.method == f"{_SERVICE}ConfigureStack":
                self.stack = request
            self.asked.set()
        self._started.wait(_START_SECONDS)
        if not self._is_served:
            context.abort(
                grpc.StatusCode.UNAVAILABLE, "the policy pack did not start; its own output says why"
            )
        own = self._of_the_pack(details)
        if own is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the policy pack has no {details.method}")
        answer: bytes = own.response_serializer(own.unary_unary(own.request_deserializer(request), context))
        return answer


class _Server:
    """The server as the SDK makes one: it is there already, and the SDK adds what it answers."""

    def __init__(self, server: Any, port: int, pack: _Pack) -> None:
        self._server, self._port, self._pack = server, port, pack

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """Let the pack answer with these."""
        self._pack.serve(handlers)

    def add_registered_method_handlers(self, service: str, handlers: Any) -> None:
        """The same handlers by another way, which is open to a server that has not started alone."""

    def add_insecure_port(self, address: str) -> int:
        """The port that there is."""
        return self._port

    def start(self) -> None:
        """The pack is ready."""
        self._pack.start()

    def stop(self, grace: float | None) -> threading.Event:
        """End the server itself."""
        ended: threading.Event = self._server.stop(grace)
        return ended


class _Grpc:
    """gRPC for the SDK, with one server."""

    def __init__(self, server: _Server) -> None:
        self._server = server

    def server(self, *arguments: Any, **named: Any) -> _Server:
        """The one that there is."""
        return self._server

    def __getattr__(self, name: str) -> Any:
        return getattr(grpc, name)


def _stack(request: bytes) -> dict[str, str]:
    """What the SDK reads about the stack, out of the bytes of an AnalyzerStackConfigureRequest."""
    messages: Any = importlib.import_module("pulumi.runtime.proto.analyzer_pb2")
    stack = messages.AnalyzerStackConfigureRequest.FromString(request)
    return {
        "PULUMI_ORGANIZATION": stack.organization,
        "PULUMI_PROJECT": stack.project,
        "PULUMI_STACK": stack.stack,
        "PULUMI_DRY_RUN": "true" if stack.dry_run else "false",
        "PULUMI_CONFIG": json.dumps(dict(stack.config)),
    }


def main() -> None:
    """Serve the pack that the last argument names, until it ends. Exits with its code."""
    pack = _Pack()
    server = grpc.server(ThreadPoolExecutor(max_workers=_THREADS), options=_OPTIONS)
    server.add_generic_rpc_handlers((pack,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    try:
        # Where the SDK is missing, the pack itself says so.
        with contextlib.suppress(ImportError):
            sdk: Any = importlib.import_module("pulumi_policy.policy")
            sdk.grpc = _Grpc(_Server(server, port, pack))
        pack.asked.wait()
        if pack.stack is not None:
            os.environ.update(_stack(pack.stack))
        runpy.run_module("pulumi.policy", run_name="__main__", alter_sys=True)
    finally:
        pack.end()
        server.stop(_END_SECONDS).wait()


if __name__ == "__main__":
    main()
