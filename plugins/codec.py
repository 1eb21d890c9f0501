"""Property values as they travel between engine and plugins, and back.

Owns the two marks that a plain Python value cannot carry: UNKNOWN (known only after the update) and Secret.
Does not own Output or resource references: these plugins tell the engine that they take neither, so it
never sends them. Assets and archives stay the dictionaries that they arrive as. The SDK's own code for this
needs all of the SDK, which costs half a second at each start of a plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from google.protobuf import struct_pb2

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET_MARK: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's mark of a secret value
_UNKNOWNS = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # string
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)
UNKNOWN_MARK: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
INTERNAL: Final = "__"
"""Keys that begin with this belong to providers and are nobody's input."""


class Unknown:
    """A value that only the update will know. There is one: UNKNOWN."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Unknown:
        return self


UNKNOWN: Final = Unknown()

REDACTED: Final = "[redacted: a secret of an export]"
"""Stands in a state on paper where an export had a secret: whatever the program gives there counts as the same."""


class Secret:
    """A value that must not be shown. Two secrets are equal when their values are."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Secret([secret])"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.value == other.value

    __hash__ = None  # type: ignore[assignment]


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Properties of a message as Python values; whole numbers become int."""
    return {key: _decoded(value) for key, value in struct.fields.items()}


def _decoded(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if text in _UNKNOWNS else text
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET_MARK:
            return Secret(_decoded(fields["value"]))
        return {key: _decoded(each) for key, each in fields.items()}
    if kind == "list_value":
        return [_decoded(each) for each in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    return None


def encode(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Python values as a message; the inverse of `decode`."""
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        _encode(value, struct.fields[key])
    return struct


def _encode(value: Any, into: struct_pb2.Value) -> None:
    if value is None:
        into.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, Unknown):
        into.string_value = UNKNOWN_MARK
    elif isinstance(value, Secret):
        into.struct_value.fields[SIGNATURE].string_value = SECRET_MARK
        _encode(value.value, into.struct_value.fields["value"])
    elif isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, str):
        into.string_value = value
    elif isinstance(value, int | float):
        into.number_value = value
    elif isinstance(value, Mapping):
        into.struct_value.SetInParent()
        for key, each in value.items():
            _encode(each, into.struct_value.fields[str(key)])
    elif isinstance(value, Iterable):
        into.list_value.SetInParent()
        for each in value:
            _encode(each, into.list_value.values.add())
    else:
        raise TypeError(f"{type(value).__name__} is no property value")


def plain(value: Any) -> Any:
    """`value` without the marks of secrets, as a deep copy. UNKNOWN stays."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value


def has_unknown(value: Any) -> bool:
    """Whether anything in `value` is unknown."""
    if isinstance(value, Secret):
        return has_unknown(value.value)
    if isinstance(value, Mapping):
        return any(has_unknown(each) for each in value.values())
    if isinstance(value, list):
        return any(has_unknown(each) for each in value)
    return value is UNKNOWN


def marked_like(value: Any, pattern: Any) -> Any:
    """`value` with every mark of a secret that `pattern` has at the same place."""
    if isinstance(pattern, Secret):
        return Secret(plain(value))
    if isinstance(value, Mapping) and isinstance(pattern, Mapping):
        return {key: marked_like(each, pattern.get(key)) for key, each in value.items()}
    if isinstance(value, list) and isinstance(pattern, list):
        return [
            marked_like(each, pattern[at]) if at < len(pattern) else each for at, each in enumerate(value)
        ]
    return value


def changed_paths(old: Any, new: Any) -> dict[str, str]:
    """What differs between two values: path -> add, delete or update.

    Paths are as the engine writes them (`a.b[0]["x.y"]`). Secrets compare by their values; an unknown
    differs from everything; None is the same as absent.
    """
    return {path: _change(*values) for path, values in changes_with_values(old, new).items()}


def changes_with_values(old: Any, new: Any) -> dict[str, tuple[Any, Any]]:
    """The same: path -> (value before, value after), None where there is none."""
    found: dict[str, tuple[Any, Any]] = {}
    _compare(plain(old), plain(new), "", found)
    return found


def _change(old: Any, new: Any) -> str:
    if old is None:
        return "add"
    return "delete" if new is None else "update"


def _compare(old: Any, new: Any, path: str, found: dict[str, tuple[Any, Any]]) -> None:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            _member(old.get(key), new.get(key), _joined(path, key), found)
    elif isinstance(old, list) and isinstance(new, list):
        for at in range(max(len(old), len(new))):
            before, after = old[at : at + 1], new[at : at + 1]
            _member(before[0] if before else None, after[0] if after else None, f"{path}[{at}]", found)
    elif old != REDACTED and (new is UNKNOWN or old is UNKNOWN or old != new):
        found[path] = (old, new)


def _member(old: Any, new: Any, path: str, found: dict[str, tuple[Any, Any]]) -> None:
    if old is None and new is None:
        return
    if old is None or new is None:
        found[path] = (old, new)
    else:
        _compare(old, new, path, found)


def _joined(path: str, key: str) -> str:
    simple = bool(key) and not any(mark in key for mark in '."[]')
    if not simple:
        escaped = key.replace('"', '\\"')
        return f'{path}["{escaped}"]'
    return f"{path}.{key}" if path else key


def without_indexes(path: str) -> str:
    """`a.b[0].c` -> `a.b.c`; `a["x.y"]` -> `a.x.y`: the form of the tables."""
    kept: list[str] = []
    at = 0
    while at < len(path):
        if path.startswith('["', at):
            end = path.index('"]', at)
            kept.append("." + path[at + 2 : end])
            at = end + 2
        elif path[at] == "[":
            at = path.index("]", at) + 1
        else:
            kept.append(path[at])
            at += 1
    return "".join(kept).lstrip(".")


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """`value` with `change` applied to each leaf."""
    if isinstance(value, Mapping):
        return {key: mapped(each, change) for key, each in value.items()}
    if isinstance(value, list):
        return [mapped(each, change) for each in value]
    if isinstance(value, Secret):
        return Secret(mapped(value.value, change))
    return change(value)


def public(values: Any) -> Any:
    """`values` without the providers' own keys, at every depth."""
    if isinstance(values, Secret):
        return Secret(public(values.value))
    if isinstance(values, Mapping):
        return {name: public(value) for name, value in values.items() if not name.startswith(INTERNAL)}
    if isinstance(values, list):
        return [public(value) for value in values]
    return values


def observed(old: Any, live: Any) -> Any:
    """`old` with the values that are live now, on the paths that `old` has.

    So a read shows as drift only what somebody changed of what was asked for, not what a server adds. An
    empty value that the server does not keep is no drift; entries of a list are matched by their `name`
    where they have one.
    """
    if isinstance(old, Secret):
        return Secret(observed(old.value, live))
    if isinstance(old, Mapping) and isinstance(live, Mapping):
        kept = {}
        for name, value in old.items():
            if name.startswith(INTERNAL) or (
                live.get(name) is None and plain(value) in (None, "", 0, False, [], {})
            ):
                kept[name] = value
            elif live.get(name) is not None:
                kept[name] = observed(value, live[name])
        return kept
    if isinstance(old, list) and isinstance(live, list):
        by_name = {each["name"]: each for each in live if isinstance(each, Mapping) and "name" in each}
        if (
            live
            and len(by_name) == len(live)
            and all(isinstance(each, Mapping) and "name" in each for each in old)
        ):
            return [
                observed(each, by_name[plain(each["name"])]) for each in old if plain(each["name"]) in by_name
            ]
        if len(old) == len(live):
            return [observed(before, now) for before, now in zip(old, live, strict=True)]
    return live
