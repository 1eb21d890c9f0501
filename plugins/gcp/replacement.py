"""What a change of each input of a type means: a new resource, a change in place, or nobody here knows.

Owns reading replacement.json and judging a change by it. The table was read from the provider's source (it
says which version); an input that it does not have may have come later, so it is "not known" and never
taken for harmless. Google's own objections to a change in place are not in it.

An attribute counts by its own ForceNew. A block that is added or taken away counts by itself and by every
attribute that it has a value for. What Google fills in when nobody gives it stays as it is when it is taken
out of a program, and is no change: without that, an imported cluster would be replaced for everything that
its program leaves to Google.
"""

from __future__ import annotations

import functools
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from plugins.codec import UNKNOWN, changes_with_values, public, without_indexes

Verdict = Literal["replaces", "depends", "in place", "not known"]
_ADDRESS = re.compile(r"^(?:https:)?//[^/]+/(?:compute/(?:v1|beta)/)?|^b/")
TABLE = Path(__file__).with_name("replacement.json")


def _turned_off(old: Any, new: Any, _: Mapping[str, Any]) -> bool:
    return bool(old) and not new


def _entry_removed(old: Any, new: Any, _: Mapping[str, Any]) -> bool:
    return not set(_entries(old)) <= set(_entries(new))


def _entries(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _range_not_kept(old: Any, new: Any, _: Mapping[str, Any]) -> bool:
    try:
        before, after = (ipaddress.ip_network(str(each), strict=False) for each in (old, new))
    except ValueError:
        return False
    return before.version != after.version or not before.subnet_of(after)  # type: ignore[arg-type]


def _in_autopilot(old: Any, new: Any, inputs: Mapping[str, Any]) -> bool:
    return inputs.get("enableAutopilot") is True


CONDITIONS: Mapping[str, tuple[str, Callable[[Any, Any, Mapping[str, Any]], bool]]] = {
    "turnedOff": ("when it is turned off", _turned_off),
    "entryRemoved": ("when an entry is taken out", _entry_removed),
    "rangeNotKept": ("unless the new range holds the old one", _range_not_kept),
    "inAutopilot": ("in an Autopilot cluster", _in_autopilot),
}
"""Conditions of the table: how they read, and whether (old value, new value, all new inputs) meets them."""


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """The table of one type. Paths are dotted camelCase without indexes.

    `replaces_when`: path -> name of a condition. `filled`: what Google fills in when nobody gives it.
    `links`: what names a thing, by its name or by any form of its address. `unread`: what the provider keeps
    to itself, so that an import does not bring it. `files`: where it was read. `notes`: path -> sentence.
    """

    terraform: str
    files: tuple[str, ...]
    replaces: frozenset[str]
    in_place: frozenset[str]
    replaces_when: Mapping[str, str]
    filled: frozenset[str]
    links: frozenset[str]
    unread: frozenset[str]
    notes: Mapping[str, str]

    @functools.cached_property
    def paths(self) -> frozenset[str]:
        """Everything that the table has."""
        return self.replaces | self.in_place | self.replaces_when.keys()

    def verdict(self, path: str) -> Verdict:
        """What a change at `path` means as far as the path alone says it.

        A block with an attribute that replaces is taken to replace.
        """
        own = self._own(path)
        if own is not None:
            return own
        below = [each for each in self.paths if each.startswith(f"{path}.")]
        if not below:
            return "not known"
        if any(each in self.replaces for each in below):
            return "replaces"
        return "depends" if any(each in self.replaces_when for each in below) else "in place"

    def _own(self, path: str) -> Verdict | None:
        """The verdict on `path` itself, or on the attribute (a map or list) that it is an entry of."""
        at = path
        while at:
            if at in self.replaces and (at == path or not self._is_block(at)):
                return "replaces"
            if at in self.replaces_when:
                return "depends"
            if at in self.in_place:
                return "in place"
            at = at.rpartition(".")[0]
        return None

    def _is_block(self, path: str) -> bool:
        return any(each.startswith(f"{path}.") for each in self.paths)

    def changes(
        self, old: Mapping[str, Any], new: Mapping[str, Any], live: Mapping[str, Any] | None = None
    ) -> dict[str, Verdict]:
        """path (with indexes) -> verdict for each change from inputs `old` to `new`; conditions are decided.

        `live` are outputs as they are now: to give what Google filled in already is no change.
        """
        old, new = public(old), public(new)
        found: dict[str, Verdict] = {}
        for path, (before, after) in changes_with_values(old, new).items():
            at = without_indexes(path)
            filled = at in self.filled and not path.endswith("]")
            if filled and (after is None or (before is None and _at(live or {}, at) == after)):
                continue
            if at in self.links and _same_thing(before, after):
                continue
            found[path] = self._judged(at, before, after, old, new)
        return found

    def _judged(
        self, path: str, before: Any, after: Any, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Verdict:
        if self.verdict(path) == "not known":
            return "not known"
        verdicts = {self._own(path) or "block"}
        leaves = _leaves(path, before) | _leaves(path, after)
        gone = _leaves(path, before) - _leaves(path, after)
        verdicts |= {self._own(leaf) or "not known" for leaf in leaves - (gone & self.filled - {path})}
        if "replaces" in verdicts:
            return "replaces"
        if "depends" in verdicts:
            conditions = [
                CONDITIONS[name][1](_at(old, at), _at(new, at), new)
                for at, name in self.replaces_when.items()
                if at == path or at.startswith(f"{path}.") or path.startswith(f"{at}.")
            ]
            if any(conditions):
                return "replaces"
        if UNKNOWN in (before, after) and self.verdict(path) in ("replaces", "depends"):
            return "replaces"
        return "not known" if "not known" in verdicts else "in place"


def _same_thing(one: Any, other: Any) -> bool:
    """Whether two values name one thing: by address, or one of them by the last part of the other's."""
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    parts = [_ADDRESS.sub("", each).strip("/").split("/") for each in (one, other)]
    return parts[0] == parts[1] or (min(map(len, parts)) == 1 and parts[0][-1] == parts[1][-1])


def _leaves(path: str, value: Any) -> set[str]:
    """Paths without indexes of what `value` at `path` holds."""
    if isinstance(value, Mapping):
        inner = [(f"{path}.{name}", each) for name, each in value.items()]
    elif isinstance(value, list):
        inner = [(path, each) for each in value]
    else:
        return set() if value is None else {path}
    return {leaf for at, each in inner for leaf in _leaves(at, each)}


def _at(values: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(values, Mapping):
            return None
        values = values.get(name)
    return values


@functools.cache
def table() -> dict[str, Any]:
    """The whole of replacement.json: `source`, `used` and `types`."""
    found: dict[str, Any] = json.loads(TABLE.read_text())
    return found


@functools.cache
def replacement(token: str) -> Replacement:
    """The table of a type. Raises KeyError where there is none."""
    described = table()["types"][token]
    return Replacement(
        terraform=described["terraform"],
        files=tuple(described["files"]),
        replaces=frozenset(described["replaces"]),
        in_place=frozenset(described["inPlace"]),
        replaces_when=described["replacesWhen"],
        filled=frozenset(described["filled"]),
        links=frozenset(described["links"]),
        unread=frozenset(described["unread"]),
        notes=described["notes"],
    )
