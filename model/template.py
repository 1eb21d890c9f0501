"""References to a cluster's metadata inside values: what a template may read, and what it becomes on one cluster.

The only forms that are allowed are `{{ .metadata.labels.KEY }}` and `{{ .metadata.annotations.KEY }}`: under
`missingkey=error` a key that is not there is an error in Argo CD, whereas `index .metadata.labels "KEY"` silently
gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Metadata = Mapping[str, Mapping[str, str]]
"""What a template reads of a cluster: `labels` and `annotations`, each key -> value."""

_REFERENCE = re.compile(r"\{\{-? *\.metadata\.(labels|annotations)\.([a-z][a-z0-9_]*) *-?\}\}")
_ANY = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def texts(values: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text inside `values` with its path, in order; keys of maps included, under their own path."""
    if isinstance(values, str):
        yield path, values
    elif isinstance(values, Mapping):
        for key, value in values.items():
            yield (*path, key), key
            yield from texts(value, (*path, key))
    elif isinstance(values, list | tuple):
        for index, value in enumerate(values):
            yield from texts(value, (*path, index))


def references(text: str) -> tuple[tuple[str, str], ...]:
    """What a text reads: pairs of `labels` or `annotations`, and the key."""
    return tuple(_REFERENCE.findall(text))


def foreign_expressions(text: str) -> tuple[str, ...]:
    """Template expressions in a text that are of no allowed form, and `{{` without an end."""
    rest = _REFERENCE.sub("", text)
    return tuple(_ANY.findall(rest)) or (("{{",) if "{{" in rest else ())


def rendered(values: Any, metadata: Metadata) -> Any:
    """`values` with every reference replaced by what it names. Raises KeyError where that is not there."""
    if isinstance(values, str):
        return _REFERENCE.sub(lambda match: metadata[match[1]][match[2]], values)
    if isinstance(values, Mapping):
        return {rendered(key, metadata): rendered(value, metadata) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [rendered(value, metadata) for value in values]
    return values


def laid_over(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Chart values with a change laid over them: maps are merged, everything else is replaced. As Helm does
    it."""
    result = dict(base)
    for key, value in change.items():
        below = result.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = laid_over(below, value) if both else value  # type: ignore[arg-type]
    return result
