"""Label references inside chart values: what a template may read, and what it becomes on one cluster.

The only form that is allowed is `{{ .metadata.labels.KEY }}`: under `missingkey=error` a key that is not
there is an error in Argo CD, whereas `index .metadata.labels "KEY"` silently gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_REFERENCE = re.compile(r"\{\{-? *\.metadata\.labels\.([a-z][a-z0-9_]*) *-?\}\}")
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


def label_references(text: str) -> tuple[str, ...]:
    """The label keys that a text reads."""
    return tuple(_REFERENCE.findall(text))


def foreign_expressions(text: str) -> tuple[str, ...]:
    """Template expressions in a text that are of no allowed form, and `{{` without an end."""
    rest = _REFERENCE.sub("", text)
    return tuple(_ANY.findall(rest)) or (("{{",) if "{{" in rest else ())


def rendered(values: Any, labels: Mapping[str, str]) -> Any:
    """`values` with every reference replaced by the label's value. Raises KeyError for a label that is not
    there."""
    if isinstance(values, str):
        return _REFERENCE.sub(lambda match: labels[match[1]], values)
    if isinstance(values, Mapping):
        return {rendered(key, labels): rendered(value, labels) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [rendered(value, labels) for value in values]
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
