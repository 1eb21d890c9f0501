"""The inputs of a resource as plain values, and how a value is shown in a message.

Owns the step away from the engine's proxies: they are Mapping and Sequence, not dict and list, and raise
`UnknownValueError` where a value is not known before the update. Does not own what any property means.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pulumi_policy.proxy import UnknownValueError, unknown_checking_proxy

SHOWN_LENGTH: Final = 120
"""Characters of a value that a message repeats; more would bury the reason."""

_PROXY: Final = type(unknown_checking_proxy({}))
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")


class Unknown:
    """A value that the engine does not know before the update."""

    def __repr__(self) -> str:
        return "<unknown>"


UNKNOWN: Final = Unknown()


def plain(value: Any) -> Any:
    """`value` with dict for every mapping, list for every sequence, `UNKNOWN` for what is not known."""
    if isinstance(value, (str, float, bool)):  # most values, and cheaper to ask than what follows
        return value
    if isinstance(value, Mapping):
        return {str(key): _known(value, key) for key in value}
    if is_list(value):
        return [_known(value, index) for index in range(len(value))]
    return value


def inputs_of(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """`plain` of a resource's inputs. Of the engine's proxies it is made once and kept with them, for every rule that
    is asked about the resource: no rule writes to what it looks at.
    """
    if not isinstance(properties, _PROXY):
        return mapping(plain(properties))
    kept = vars(properties)
    if "plain" not in kept:
        kept["plain"] = plain(properties)
    found: Mapping[str, Any] = kept["plain"]
    return found


def _known(holder: Any, key: Any) -> Any:
    try:
        value = holder[key]
    except UnknownValueError:
        return UNKNOWN
    return plain(value)


def is_list(value: object) -> bool:
    """Whether `value` is a sequence of values, not of characters or bytes."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))


def mapping(value: object) -> Mapping[str, Any]:
    """`value` where it is a mapping, else an empty one: for reading on into what may have any shape."""
    return value if isinstance(value, Mapping) else {}


def items(value: object, path: str) -> Iterator[tuple[Any, str]]:
    """The elements of `value` with their paths, where it is a list; nothing otherwise."""
    if isinstance(value, list):
        for index, element in enumerate(value):
            yield element, f"{path}[{index}]"


def joined(path: str, key: str) -> str:
    """`path` with `key` after it, as the CLI writes paths: a dot, or brackets where the key is no word."""
    if key.replace("-", "_").isidentifier():
        return f"{path}.{key}" if path else key
    return f"{path}[{json.dumps(key)}]"


def shown(value: object) -> str:
    """`value` for a message: quoted, on one line, cut, and without the user and password of a URL."""
    if value is None or value == "":
        return "not set"
    if isinstance(value, str):
        text = _USERINFO.sub("***@", value).encode("unicode_escape").decode("ascii")
        return f'"{text[: SHOWN_LENGTH - 1]}…"' if len(text) > SHOWN_LENGTH else f'"{text}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if is_list(value) else f"a {type(value).__name__}"
