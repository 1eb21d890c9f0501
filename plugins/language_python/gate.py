"""The gate between a confined program and the engine: what the program may ask for.

The engine runs with everything that the program must not have. It would read a file or fetch a URL for an
asset (to hash it), look for a plugin by any name (and the one of dynamic resources runs code that the program
sends), and call any address that is registered as a callback; a plugin reads a kubeconfig that is a path. So
each call is read here, and what leads out of the cell is refused. Calls that are let through are written anew
from what was understood, so that nothing passes unread.

Owns the list of calls, the checks of each and the measure of all. Does not own the cell itself. A refusal is
never silent: it fails the run, even where the program goes on.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from plugins import wire
from plugins.codec import SIGNATURE, UNKNOWN_MARK

NAME = "engine"
"""The socket's name in its folder."""

_resource: Any = importlib.import_module("pulumi.runtime.proto.resource_pb2")
_callback: Any = importlib.import_module("pulumi.runtime.proto.callback_pb2")
_empty: Any = importlib.import_module("google.protobuf.empty_pb2")

_PACKAGES = frozenset({"gcp", "kubernetes"})
_OF_PULUMI = frozenset({"pulumi:pulumi:Stack", *(f"pulumi:providers:{package}" for package in _PACKAGES)})
_VERSION = re.compile(r"v?[0-9A-Za-z.+-]{0,80}")
_ASSETS = {"c44067f5952c0a294b673a41bacd8c17": "asset", "0def7320c3a5731c473e5ecbe6d01bc7": "archive"}
_NOWHERE = "127.0.0.1:1"
_MOST_CALLS, _MOST_BYTES, _MOST_LOGGED = 200_000, 512 * 1024**2, 8 * 1024**2
_MOST_KEPT = 50
_THREADS = 160


class Refused(Exception):
    """The program asked for something that a confined program does not get."""


def _package(token: str, what: str) -> None:
    if token.partition(":")[0] not in _PACKAGES:
        raise Refused(
            f"{what} {token[:200]!r}: a confined program may use the packages {' and '.join(sorted(_PACKAGES))} alone"
        )


def _plugin(request: Any, what: str) -> None:
    if request.pluginDownloadURL or request.pluginChecksums or request.packageRef:
        raise Refused(f"{what}: a confined program may not say where a plugin comes from")
    if not _VERSION.fullmatch(request.version):
        raise Refused(f"{what}: {request.version[:80]!r} is no version of a plugin")


def _values(struct: Any, what: str) -> None:
    """Refuse an asset or archive that the engine would have to read or fetch, however deep it lies."""
    left = [struct]
    while left:
        fields = left.pop().fields
        if SIGNATURE in fields:
            kind = _ASSETS.get(fields[SIGNATURE].string_value)
            # The mere presence is enough: an empty path is a path to the engine.
            if kind is not None and ("path" in fields or "uri" in fields):
                place = fields["path" if "path" in fields else "uri"].string_value
                raise Refused(
                    f"{what}: the {kind} {place[:200]!r} would be read by the engine, outside of the cell; "
                    "a confined program may use assets of text alone"
                )
        queue = list(fields.values())
        while queue:
            value = queue.pop()
            if value.HasField("struct_value"):
                left.append(value.struct_value)
            elif value.HasField("list_value"):
                queue.extend(value.list_value.values)


def _kubeconfig(value: Any, what: str) -> None:
    """Refuse a kubeconfig that is the path of a file, which the plugin would read."""
    while value.HasField("struct_value") and "value" in value.struct_value.fields:
        # A secret or an output, around the value.
        value = value.struct_value.fields["value"]
    text, kind = value.string_value, value.WhichOneof("kind")
    is_document = text in ("", UNKNOWN_MARK) or "\n" in text or text.lstrip().startswith("{")
    if kind not in (None, "null_value") and not (kind == "string_value" and is_document):
        raise Refused(
            f"{what}: the kubeconfig {text[:200]!r} is no document, and as the path of a file it would be read "
            "outside of the cell"
        )


def _register(request: Any) -> None:
    kind = request.type
    what = f"resource {request.name[:200]!r} of type {kind[:200]!r}"
    if kind.startswith("pulumi:") and kind not in _OF_PULUMI:
        raise Refused(f"{what}: a confined program may not use this built-in type")
    if request.custom and not kind.startswith("pulumi:"):
        _package(kind, f"resource {request.name[:200]!r} of type")
    if request.remote:
        raise Refused(f"{what}: a confined program may not have a plugin construct a component")
    if request.transforms or request.envVarMappings:
        raise Refused(
            f"{what}: a confined program may not use transforms or environment variables of plugins"
        )
    _plugin(request, what)
    _values(request.object, what)
    if kind == "pulumi:providers:kubernetes" and "kubeconfig" in request.object.fields:
        _kubeconfig(request.object.fields["kubeconfig"], what)
    trigger = _resource.RegisterResourceRequest().object
    trigger.fields["trigger"].CopyFrom(request.replacement_trigger)
    _values(trigger, what)


def _read(request: Any) -> None:
    what = f"reading {request.name[:200]!r} of type {request.type[:200]!r}"
    _package(request.type, "reading a resource of type")
    _plugin(request, what)
    _values(request.properties, what)


def _call(request: Any) -> None:
    _package(request.tok, "function")
    _plugin(request, f"function {request.tok[:200]!r}")
    _values(request.args, f"function {request.tok[:200]!r}")


def _outputs(request: Any) -> None:
    _values(request.outputs, f"outputs of {request.urn[:200]!r}")


def _hook(request: Any) -> None:
    if request.on_dry_run:
        raise Refused(f"hook {request.name[:200]!r}: a confined program may not have the engine call it")
    request.callback.target = _NOWHERE


def _error_hook(request: Any) -> None:
    request.callback.target = _NOWHERE


def _anything(request: Any) -> None:
    pass


def _never(what: str) -> Callable[[Any], None]:
    def refuse(request: Any) -> None:
        raise Refused(f"a confined program may not {what}")

    return refuse


_MONITOR = "/pulumirpc.ResourceMonitor/"
_ENGINE = "/pulumirpc.Engine/"
_CALLS: dict[str, tuple[Any, Callable[[Any], None]]] = {
    _MONITOR + "GetDeploymentInfo": (_empty.Empty, _anything),
    _MONITOR + "SupportsFeature": (_resource.SupportsFeatureRequest, _anything),
    _MONITOR + "Invoke": (_resource.ResourceInvokeRequest, _call),
    _MONITOR + "Call": (_resource.ResourceCallRequest, _call),
    _MONITOR + "ReadResource": (_resource.ReadResourceRequest, _read),
    _MONITOR + "RegisterResource": (_resource.RegisterResourceRequest, _register),
    _MONITOR + "RegisterResourceOutputs": (_resource.RegisterResourceOutputsRequest, _outputs),
    _MONITOR + "RegisterResourceHook": (_resource.RegisterResourceHookRequest, _hook),
    _MONITOR + "RegisterErrorHook": (_resource.RegisterErrorHookRequest, _error_hook),
    _MONITOR + "RegisterStackTransform": (_callback.Callback, _never("use transforms")),
    _MONITOR + "RegisterStackInvokeTransform": (_callback.Callback, _never("use transforms")),
    _MONITOR + "RegisterPackage": (
        _resource.RegisterPackageRequest,
        _never("register a package of its own"),
    ),
    _MONITOR + "SignalAndWaitForShutdown": (_empty.Empty, _anything),
    _ENGINE + "Log": (wire.engine.LogRequest, _anything),
    _ENGINE + "GetRootResource": (wire.engine.GetRootResourceRequest, _anything),
    _ENGINE + "SetRootResource": (wire.engine.SetRootResourceRequest, _anything),
    _ENGINE + "RequirePulumiVersion": (wire.engine.RequirePulumiVersionRequest, _anything),
    _ENGINE + "StartDebugging": (wire.engine.StartDebuggingRequest, _never("have a debugger attached")),
}


def checked(method: str, request: bytes) -> bytes:
    """`request` of `method` as it may be passed on. Raises Refused."""
    if method not in _CALLS:
        raise Refused(f"a confined program may not call {method[:200]}")
    kind, check = _CALLS[method]
    try:
        message = kind.FromString(request)
    except Exception as error:  # noqa: BLE001 - the library's own type of error has no stable name
        raise Refused(f"{method}: not a message of this call: {error}") from None
    message.DiscardUnknownFields()
    check(message)
    return bytes(message.SerializeToString())


class Gate(grpc.GenericRpcHandler):  # type: ignore[misc]
    """One gate, for one run of a program. `folder` holds the socket; `refused` is what was asked for in vain."""

    def __init__(self, *, monitor: str, engine: str) -> None:
        self.refused: list[str] = []
        self._lock = threading.Lock()
        self._calls = self._bytes = self._logged = 0
        self._channels = {
            _MONITOR: grpc.insecure_channel(monitor, options=wire.OPTIONS),
            _ENGINE: grpc.insecure_channel(engine, options=wire.OPTIONS),
        }
        # A socket's path has at most 107 characters.
        usual = tempfile.gettempdir()
        place = usual if len(usual) < 60 else "/tmp"  # noqa: S108
        self.folder = Path(tempfile.mkdtemp(prefix="gke-fleet-gate-", dir=place))
        self._server = grpc.server(ThreadPoolExecutor(max_workers=_THREADS), options=wire.OPTIONS)
        self._server.add_generic_rpc_handlers((self,))
        self._server.add_insecure_port(f"unix:{self.folder / NAME}")
        self._server.start()

    def close(self) -> None:
        """Close the gate; nothing passes after this."""
        self._server.stop(0).wait()
        for channel in self._channels.values():
            channel.close()
        with contextlib.suppress(OSError):
            shutil.rmtree(self.folder)

    def service(self, details: Any) -> Any:
        """The handler of a method."""
        method = str(details.method)
        prefix = next((each for each in self._channels if method.startswith(each)), _ENGINE)
        forward = self._channels[prefix].unary_unary(method)

        def handle(request: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                self._measure(method, len(request))
                allowed = checked(method, request)
            except Refused as error:
                self._note(str(error))
                context.abort(grpc.StatusCode.PERMISSION_DENIED, f"refused by the gate: {error}")
            try:
                return bytes(forward(allowed))
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
                raise

        return grpc.unary_unary_rpc_method_handler(handle)

    def _measure(self, method: str, size: int) -> None:
        with self._lock:
            self._calls += 1
            self._bytes += size
            self._logged += size if method == _ENGINE + "Log" else 0
            for found, most, what in (
                (self._calls, _MOST_CALLS, "calls"),
                (self._bytes, _MOST_BYTES, "bytes of requests"),
                (self._logged, _MOST_LOGGED, "bytes of messages"),
            ):
                if found > most:
                    raise Refused(f"more than {most} {what} in one run")

    def _note(self, reason: str) -> None:
        with self._lock:
            if len(self.refused) < _MOST_KEPT and reason not in self.refused:
                self.refused.append(reason)


def told(refused: Iterable[str]) -> str:
    """The error of a run with refusals."""
    lines = "".join(f"\n  - {each}" for each in refused)
    return (
        "The program asked for what a confined program does not get, so this preview is not complete:"
        f"{lines}\nRemedy: have somebody read the change; a preview of trusted code needs no confinement"
    )
