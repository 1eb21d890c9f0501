"""Each resource is decoded once for all rules.

Owns a memory in front of the SDK's decoding. The SDK turns the same message into Python values again for each policy of
a pack, which for a pack of many rules is nearly all of its time. Does not own what decoding means: the SDK's own
functions do it, and where an SDK does not have them any more, everything stays as it is, only slower.

That rules share the values is safe: they are proxies that cannot be written to, and rules look at copies.
"""

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

_MOST = 16_384
"""Messages that are remembered at most: the resources of a large stack, which each stack rule walks again."""


def decode_once(sdk: ModuleType) -> bool:
    """Make the module `pulumi_policy.policy` remember what it has decoded. Returns whether it could."""
    if not all(
        hasattr(sdk, name) for name in ("json_format", "deserialize_properties", "unknown_checking_proxy")
    ):
        return False
    to_dict, deserialized, proxied = (
        sdk.json_format.MessageToDict,
        sdk.deserialize_properties,
        sdk.unknown_checking_proxy,
    )
    # Module attributes, typed as Any: the SDK's names are assigned anew on purpose.
    module: Any = sdk
    # The SDK calls the three in this order, on what the one before gave. Each remembers by identity.
    module.json_format = SimpleNamespace(
        **{name: getattr(sdk.json_format, name) for name in dir(sdk.json_format) if not name.startswith("__")}
        | {"MessageToDict": _remembering(to_dict)}
    )
    module.deserialize_properties = _remembering(deserialized)
    module.unknown_checking_proxy = _remembering(proxied)
    return True


def _remembering(function: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[int, tuple[Any, Any]] = {}

    def remembered(value: Any, *more: Any, **named: Any) -> Any:
        if more or named:
            return function(value, *more, **named)
        found = known.get(id(value))
        if found is None or found[0] is not value:
            if len(known) >= _MOST:
                known.clear()
            # The value is kept, so that no other one can get its identity.
            found = known[id(value)] = (value, function(value))
        return found[1]

    return remembered
