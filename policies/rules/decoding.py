"""Each resource is decoded once for all rules.

Owns a memory in front of the SDK's decoding, for as long as a call of the engine lasts. The SDK turns the same message
into Python values again for each policy of a pack, which for a pack of many rules is nearly all of its time. Does not
own what decoding means, nor which rules are asked (`asking`): the SDK's own functions do it, and where an SDK does not
have them any more, everything stays as it is, only slower.

That rules share the values is safe: they are proxies that nobody writes to, and rules look at copies.
"""

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

from .asking import ask_those_concerned

_MOST = 16_384
"""Messages that are remembered at most: the resources of a large stack, which each stack rule walks again."""


def decode_once(sdk: ModuleType) -> bool:
    """Make the module `pulumi_policy.policy` remember what it has decoded, and leave out what no rule asks for.
    Returns whether it could.
    """
    if not all(
        hasattr(sdk, name) for name in ("json_format", "deserialize_properties", "unknown_checking_proxy")
    ):
        return False
    memory = _Memory()
    # Module attributes, typed as Any: the SDK's names are assigned anew on purpose.
    module: Any = sdk
    # The SDK calls the three in this order, on what the one before gave. Each remembers by identity.
    module.json_format = SimpleNamespace(
        **{name: getattr(sdk.json_format, name) for name in dir(sdk.json_format) if not name.startswith("__")}
        | {"MessageToDict": memory.remembering(sdk.json_format.MessageToDict)}
    )
    module.deserialize_properties = memory.remembering(sdk.deserialize_properties)
    module.unknown_checking_proxy = memory.remembering(sdk.unknown_checking_proxy)
    if hasattr(sdk, "signature"):
        # Asked at each call of the engine about a class that stays the same; so this is never forgotten.
        module.signature = _Memory().remembering(sdk.signature)
    ask_those_concerned(sdk)
    service: Any = getattr(sdk, "_PolicyAnalyzerServicer", None)
    for name in ("_get_resource_options", "_get_provider_resource"):
        if hasattr(service, name):
            setattr(service, name, memory.remembering(getattr(service, name), at=1))
    for name in ("Analyze", "AnalyzeStack", "Remediate"):
        if hasattr(service, name):
            setattr(service, name, memory.forgetting(getattr(service, name)))
    return True


class _Memory:
    """What functions gave for a value, by the value's identity, until it is forgotten."""

    def __init__(self) -> None:
        self._known: list[dict[int, tuple[Any, Any]]] = []

    def remembering(self, function: Callable[..., Any], *, at: int = 0) -> Callable[..., Any]:
        """`function`, called once for each value that is its last argument, the one with the number `at`."""
        known: dict[int, tuple[Any, Any]] = {}
        self._known.append(known)

        def remembered(*arguments: Any, **named: Any) -> Any:
            if named or len(arguments) != at + 1:
                return function(*arguments, **named)
            value = arguments[at]
            found = known.get(id(value))
            if found is None or found[0] is not value:
                if len(known) >= _MOST:
                    known.clear()
                # The value is kept, so that no other one can get its identity.
                found = known[id(value)] = (value, function(*arguments))
            return found[1]

        return remembered

    def forgetting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, after which everything is forgotten: the engine's next call has other values."""

        def called(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            finally:
                for known in self._known:
                    known.clear()

        return called
