"""What the two resource plugins share: the engine's side of a resource provider.

Owns the translation between messages and Python values, error codes, and which instance a call is for. A
plugin implements `Provider` and knows no message. One process serves any number of instances: the engine
opens a connection for each, and that is what tells them apart.

Errors: the engine takes INTERNAL and UNKNOWN as "the outcome is not known" and leaves a pending operation
in the state, so anything a provider raises on purpose goes out under another code.
"""

from __future__ import annotations

import abc
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc

from plugins import wire
from plugins.codec import changed_paths, decode, encode
from plugins.marker import Refused, require_own_backend

Values = dict[str, Any]


class ProviderError(Exception):
    """What the provider says no with; `code` is how the engine classes it."""

    def __init__(self, message: str, code: grpc.StatusCode = grpc.StatusCode.FAILED_PRECONDITION) -> None:
        super().__init__(message)
        self.code = code


class NotReady(Exception):
    """The resource exists but did not become ready.

    The engine keeps it, with these outputs, and fails the run.
    """

    def __init__(self, id_: str, outputs: Values, reasons: list[str], inputs: Values | None = None) -> None:
        super().__init__("; ".join(reasons))
        self.id, self.outputs, self.reasons, self.inputs = id_, outputs, reasons, inputs


@dataclass
class Difference:
    """`paths`: path -> add, delete or update; `replaces`: those of them that need a new resource."""

    paths: Mapping[str, str] = field(default_factory=dict)
    replaces: frozenset[str] = frozenset()
    delete_first: bool = False

    def to_message(self) -> Any:
        """The answer of Diff."""
        message = wire.provider.DiffResponse(
            changes=wire.provider.DiffResponse.DIFF_SOME
            if self.paths
            else wire.provider.DiffResponse.DIFF_NONE,
            replaces=sorted({_top(path) for path in self.replaces}),
            diffs=sorted({_top(path) for path in self.paths}),
            deleteBeforeReplace=self.delete_first,
            hasDetailedDiff=True,
        )
        kinds = wire.provider.PropertyDiff
        for path, kind in self.paths.items():
            name = f"{kind.upper()}_REPLACE" if path in self.replaces else kind.upper()
            message.detailedDiff[path].kind = getattr(kinds, name)
            message.detailedDiff[path].inputDiff = True
        return message


def _top(path: str) -> str:
    if path.startswith('["'):
        return path[2 : path.index('"]')]
    return path.partition(".")[0].partition("[")[0]


class Engine:
    """The way to say something in the engine's own output."""

    def __init__(self) -> None:
        self._address: str | None = None
        self._stub: Any = None
        self._lock = threading.Lock()

    def attach(self, address: str) -> None:
        """Take the address that the engine gave."""
        self._address = address

    def log(self, severity: str, message: str, urn: str = "", *, passing: bool = False) -> None:
        """Show `message`; `severity` is debug, info, warning or error.

        A `passing` one is gone with the operation.
        """
        with self._lock:
            if self._stub is None and self._address:
                channel = grpc.insecure_channel(self._address, options=wire.OPTIONS)
                self._stub = wire.engine_grpc.EngineStub(channel)
        if self._stub is None:
            return
        level = {"debug": 0, "info": 1, "warning": 2, "error": 3}[severity]
        request = wire.engine.LogRequest(severity=level, message=message, urn=urn, ephemeral=passing)
        try:
            self._stub.Log(request, timeout=10)
        except grpc.RpcError:
            return  # the engine is gone; there is nobody to tell


class Provider(abc.ABC):
    """One instance of a resource provider, in plain values: None is absent, UNKNOWN and Secret as in
    plugins.codec.

    `cancelled` is set once the engine wants operations to come to an end.
    """

    def __init__(self, engine: Engine, version: str) -> None:
        self.engine, self.version = engine, version
        self.cancelled = threading.Event()

    def check_config(self, urn: str, olds: Values, news: Values) -> tuple[Values, list[tuple[str, str]]]:
        """Inputs of the provider as they go into the state, and (input, reason) for each that is refused."""
        del urn, olds
        return news, []

    def diff_config(self, olds: Values, news: Values) -> Difference:
        """What a changed configuration means."""
        return Difference(changed_paths(olds, news))

    @abc.abstractmethod
    def configure(self, config: Values, variables: Mapping[str, str]) -> None:
        """Take the configuration. Raises ProviderError."""

    @abc.abstractmethod
    def check(
        self, urn: str, type_: str, olds: Values, news: Values, seed: bytes
    ) -> tuple[Values, list[tuple[str, str]]]:
        """Inputs as they go into the state, and (input, reason) for each that is refused."""

    @abc.abstractmethod
    def diff(
        self,
        urn: str,
        type_: str,
        id_: str,
        old_inputs: Values,
        old_outputs: Values,
        news: Values,
        ignored: list[str],
    ) -> Difference:
        """What changing the inputs means."""

    @abc.abstractmethod
    def create(
        self, urn: str, type_: str, inputs: Values, timeout: float, preview: bool
    ) -> tuple[str, Values]:
        """(id, outputs). Raises ProviderError or NotReady. `timeout` in seconds, 0 is the provider's own."""

    @abc.abstractmethod
    def read(
        self, urn: str, type_: str, id_: str, inputs: Values, outputs: Values, timeout: float
    ) -> tuple[str, Values, Values] | None:
        """(id, inputs, outputs) as they are now; None where it is gone."""

    @abc.abstractmethod
    def update(
        self,
        urn: str,
        type_: str,
        id_: str,
        old_inputs: Values,
        old_outputs: Values,
        news: Values,
        timeout: float,
        preview: bool,
    ) -> Values:
        """Outputs after the change. Raises ProviderError or NotReady."""

    @abc.abstractmethod
    def delete(self, urn: str, type_: str, id_: str, inputs: Values, outputs: Values, timeout: float) -> None:
        """Delete; one that is gone already is no error. Raises ProviderError."""

    def invoke(self, token: str, arguments: Values) -> Values:
        """Call a function. Raises ProviderError."""
        del arguments
        raise ProviderError(
            f"{token}: the {self.package} stand-in answers no function calls. Remedy: take the value from "
            "configuration, "
            "so that every preview knows it",
            grpc.StatusCode.UNIMPLEMENTED,
        )

    @property
    @abc.abstractmethod
    def package(self) -> str:
        """Name of the package, as in type tokens."""


Factory = Callable[[Engine], Provider]


class Servicer(wire.provider_grpc.ResourceProviderServicer):  # type: ignore[misc]
    """The protocol around instances of one provider."""

    def __init__(self, factory: Factory) -> None:
        self._factory = factory
        self._instances: dict[str, Provider] = {}
        self._lock = threading.Lock()

    def _instance(self, context: grpc.ServicerContext) -> Provider:
        with self._lock:
            peer = context.peer()
            if peer not in self._instances:
                self._instances[peer] = self._factory(Engine())
            return self._instances[peer]

    def _run(self, context: grpc.ServicerContext, call: Callable[[Provider], Any]) -> Any:
        try:
            return call(self._instance(context))
        except NotReady as error:
            detail = wire.provider.ErrorResourceInitFailed(
                id=error.id, properties=encode(error.outputs), reasons=error.reasons
            )
            if error.inputs is not None:
                detail.inputs.CopyFrom(encode(error.inputs))
            status = wire.status.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
            status.details.add().Pack(detail)
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except Refused as error:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))
        except ProviderError as error:
            context.abort(error.code, str(error))
        except Exception as error:  # noqa: BLE001 - nothing may reach stderr; the engine shows this
            where = "".join(traceback.format_exception(error))
            context.abort(grpc.StatusCode.INTERNAL, f"the plugin failed: {where}")
        return None

    # Handshakes

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The engine introduces itself."""
        if request.engine_address:
            self._instance(context).engine.attach(request.engine_address)
        return wire.provider.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The same, for a plugin that was running before."""
        self._instance(context).engine.attach(request.address)
        return wire.provider_grpc.google_dot_protobuf_dot_empty__pb2.Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The version of the SDK that this plugin stands for."""
        return wire.plugin.PluginInfo(version=self._instance(context).version)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        """There is none."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "the stand-in plugin has no schema")

    # Configuration

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Inputs of a provider."""

        def call(provider: Provider) -> Any:
            require_own_backend()
            inputs, failures = provider.check_config(request.urn, decode(request.olds), decode(request.news))
            return _checked(inputs, failures)

        return self._run(context, call)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """What a changed provider means."""
        return self._run(
            context,
            lambda provider: provider.diff_config(
                decode(request.old_inputs if request.HasField("old_inputs") else request.olds),
                decode(request.news),
            ).to_message(),
        )

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Take the configuration."""

        def call(provider: Provider) -> Any:
            require_own_backend()
            provider.configure(decode(request.args), dict(request.variables))
            return wire.provider.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

        return self._run(context, call)

    # Resources

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Inputs of a resource."""

        def call(provider: Provider) -> Any:
            inputs, failures = provider.check(
                request.urn,
                _type(request.urn),
                decode(request.olds),
                decode(request.news),
                request.randomSeed,
            )
            return _checked(inputs, failures)

        return self._run(context, call)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        """What changed inputs mean."""
        return self._run(
            context,
            lambda provider: provider.diff(
                request.urn,
                _type(request.urn),
                request.id,
                decode(request.old_inputs),
                decode(request.olds),
                decode(request.news),
                list(request.ignoreChanges),
            ).to_message(),
        )

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Make, or say what making would give."""

        def call(provider: Provider) -> Any:
            id_, outputs = provider.create(
                request.urn, _type(request.urn), decode(request.properties), request.timeout, request.preview
            )
            return wire.provider.CreateResponse(id=id_, properties=encode(outputs))

        return self._run(context, call)

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        """What is there now."""

        def call(provider: Provider) -> Any:
            found = provider.read(
                request.urn,
                _type(request.urn),
                request.id,
                decode(request.inputs),
                decode(request.properties),
                request.timeout,
            )
            if found is None:
                return wire.provider.ReadResponse()
            id_, inputs, outputs = found
            return wire.provider.ReadResponse(id=id_, inputs=encode(inputs), properties=encode(outputs))

        return self._run(context, call)

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Change in place."""

        def call(provider: Provider) -> Any:
            outputs = provider.update(
                request.urn,
                _type(request.urn),
                request.id,
                decode(request.old_inputs),
                decode(request.olds),
                decode(request.news),
                request.timeout,
                request.preview,
            )
            return wire.provider.UpdateResponse(properties=encode(outputs))

        return self._run(context, call)

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Remove."""

        def call(provider: Provider) -> Any:
            provider.delete(
                request.urn,
                _type(request.urn),
                request.id,
                decode(request.old_inputs),
                decode(request.properties),
                request.timeout,
            )
            return wire.provider_grpc.google_dot_protobuf_dot_empty__pb2.Empty()

        return self._run(context, call)

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Call a function of the package."""

        def call(provider: Provider) -> Any:
            message = wire.provider.InvokeResponse()
            getattr(message, "return").CopyFrom(encode(provider.invoke(request.tok, decode(request.args))))
            return message

        return self._run(context, call)

    def Construct(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Remote components are expanded inside the official plugin, which is not here."""
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            f"{request.type}: a stand-in plugin makes no components. Remedy: use typed resources, CustomResource or "
            "kubernetes:helm.sh/v3:Release",
        )

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Bring what is under way to an end."""
        self._instance(context).cancelled.set()
        return wire.provider_grpc.google_dot_protobuf_dot_empty__pb2.Empty()


def _type(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _checked(inputs: Values, failures: list[tuple[str, str]]) -> Any:
    message = wire.provider.CheckResponse(inputs=encode(inputs))
    for name, reason in failures:
        message.failures.add(property=name, reason=reason)
    return message
