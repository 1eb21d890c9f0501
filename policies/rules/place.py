"""One place among a resource's inputs: a value, and the path that leads to it.

Owns reading on into what may have any shape, or may not be known before the update. Does not own what any
property means.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from .properties import UNKNOWN, Unknown, items, joined, mapping
from .rule import Finding, Resource

HIDDEN: Final = "[hidden]"
"""What a message shows in the place of a credential."""
NOT_YET: Final = "[not known before the update]"
"""What a message shows where a resource is an offence whatever stands there."""


@dataclass(frozen=True)
class Place:
    """A value and its path. A value that is not there is None, one that is not known `UNKNOWN`."""

    value: object
    path: str = ""

    def at(self, *keys: str) -> Place:
        """What stands below `keys`; unknown where something above it is."""
        value, path = self.value, self.path
        for key in keys:
            value = UNKNOWN if isinstance(value, Unknown) else mapping(value).get(key)
            path = joined(path, key)
        return Place(value, path)

    def each(self) -> Iterator[Place]:
        """The elements of a list; none where the value is no list."""
        for value, path in items(self.value, self.path):
            yield Place(value, path)

    def entries(self) -> Iterator[tuple[str, Place]]:
        """The keys of a mapping and what stands there; none where the value is no mapping."""
        for key, value in mapping(self.value).items():
            yield key, Place(value, joined(self.path, key))

    @property
    def is_known(self) -> bool:
        """Whether the value is known, be it that nothing is there."""
        return not isinstance(self.value, Unknown)

    @property
    def is_set(self) -> bool:
        """Whether a known value is there: not nothing, and no empty text, list or mapping."""
        return self.is_known and self.value not in (None, "", [], {})

    @property
    def is_missing(self) -> bool:
        """Whether it is known that nothing, or an empty text, is there."""
        return self.value is None or self.value == ""

    @property
    def is_true(self) -> bool:
        """Whether it says yes, as a boolean or as its text."""
        return self.value is True or self.text.lower() == "true"

    @property
    def is_false(self) -> bool:
        """Whether it says no, as a boolean or as its text; a missing value says nothing."""
        return self.value is False or self.text.lower() == "false"

    @property
    def text(self) -> str:
        """The value where it is a text, else an empty one."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def number(self) -> float | None:
        """The value where it is a number or the text of one, else None."""
        if isinstance(self.value, (int, float)) and not isinstance(self.value, bool):
            return self.value
        return int(self.text) if self.text.isascii() and self.text.isdigit() and len(self.text) < 12 else None

    def offends(self, why: str, remedy: str, *, hidden: bool = False) -> Finding:
        """The finding that what stands here is wrong. `hidden`: it is a credential, which no message shows."""
        value = HIDDEN if hidden else self.value if self.is_known else NOT_YET
        return Finding(path=self.path or "(inputs)", value=value, why=why, remedy=remedy)


def inputs(resource: Resource) -> Place:
    """The place of all inputs of a resource."""
    return Place(resource.properties)


def read_json(text: object) -> Any:
    """A text as JSON; None where it is none, or no text."""
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def read_yaml(text: object) -> Any:
    """A text as YAML, and so as JSON too; None where it is none, or no text. What it gives may hold itself."""
    found = read_json(text)
    if found is not None or not isinstance(text, str):
        return found
    try:
        return yaml.safe_load(text)
    except (ValueError, TypeError, yaml.YAMLError, RecursionError):
        return None


def from_base64(text: str) -> str | None:
    """The text that `text` is the base64 of; None where it is not base64 of a text."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
