"""Schemas of the parameters that several rules have. Owns their form, not their defaults."""

from collections.abc import Sequence
from typing import Any


def names(description: str, default: Sequence[str] = ()) -> dict[str, Any]:
    """A list of names or of patterns of names."""
    return {
        "type": "array",
        "items": {"type": "string"},
        "description": description,
        "default": list(default),
    }


def limit(description: str, default: int) -> dict[str, Any]:
    """The largest number that is no offence."""
    return {"type": "integer", "description": description, "default": default}
