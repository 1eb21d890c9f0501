"""The clusters of every fleet that shares a catalogue: what its selectors can name.

Owns a quick look into fleet files. Whether they are right is checked where each is loaded (`model.load`): what cannot
be read here is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Inventory:
    """`names`: names of clusters; `labels`: key -> the values that clusters give it."""

    names: frozenset[str]
    labels: Mapping[str, frozenset[str]]


def inventory(stack_root: Path) -> Inventory:
    """The clusters of every `*.fleet.yaml` in a folder."""
    names: set[str] = set()
    labels: dict[str, set[str]] = {}
    for file in sorted(stack_root.glob("*.fleet.yaml")):
        for entry in _clusters(file):
            names.add(str(entry.get("name")))
            found = entry.get("labels")
            for key, value in found.items() if isinstance(found, dict) else ():
                labels.setdefault(str(key), set()).add(str(value))
    return Inventory(frozenset(names), {key: frozenset(values) for key, values in labels.items()})


def _clusters(file: Path) -> Iterator[dict[str, Any]]:
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 (a safe loader, both of them)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return
    clusters = content.get("clusters") if isinstance(content, dict) else None
    yield from (
        entry for entry in (clusters if isinstance(clusters, list) else ()) if isinstance(entry, dict)
    )
