"""Texts with template actions, as ApplicationSets hold them.

Owns the small part of the two template languages that can be followed without running them: a parameter, a
parameter with a default, and literals. Everything else is `Opaque`.
Source: argo-cd docs/operator-manual/applicationset, GoTemplate.md and Template.md.
"""

import re
from dataclasses import dataclass
from typing import Final

Keys = tuple[str, ...]
"""A parameter as the keys that lead to it: ``{{.values.version}}`` is ``("values", "version")``."""


@dataclass(frozen=True)
class Reference:
    """The value of one parameter; `otherwise` is the literal that stands in where it is empty."""

    keys: Keys
    otherwise: str | None = None


@dataclass(frozen=True)
class Opaque:
    """An action that only the real template engine can follow."""

    text: str


Part = str | Reference | Opaque

_ACTION: Final = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)
_FIELD = r"\$?((?:\.[A-Za-z_][A-Za-z0-9_]*)+)"
_INDEX = r"index\s+\$?(\.|(?:\.[A-Za-z_][A-Za-z0-9_]*)+)((?:\s+\"[^\"]*\")+)"
_PIPED_DEFAULT = re.compile(r"(.*\S)\s*\|\s*default\s+\"([^\"]*)\"", re.DOTALL)
_CALLED_DEFAULT = re.compile(r"default\s+\"([^\"]*)\"\s+(\S.*)", re.DOTALL)


def has_action(text: object) -> bool:
    """Whether `text` is a string with a template action in it."""
    return isinstance(text, str) and _ACTION.search(text) is not None


def parts(text: str, *, go: bool) -> tuple[Part, ...]:
    """`text` as literals and actions; `go` is the set's ``goTemplate``."""
    found: list[Part] = []
    start = 0
    trim = False
    for match in _ACTION.finditer(text):
        literal = text[start : match.start()]
        found.append(_trimmed(literal, left=trim, right=go and bool(match[1])))
        found.append(_go_action(match[2].strip()) if go else _plain_action(match[2]))
        start, trim = match.end(), go and bool(match[3])
    found.append(_trimmed(text[start:], left=trim, right=False))
    return tuple(part for part in found if part != "")


def references(text: object, *, go: bool) -> frozenset[Keys]:
    """The parameters that `text` reads."""
    if not isinstance(text, str):
        return frozenset()
    return frozenset(part.keys for part in parts(text, go=go) if isinstance(part, Reference))


def _trimmed(text: str, *, left: bool, right: bool) -> str:
    text = text.lstrip() if left else text
    return text.rstrip() if right else text


def _plain_action(action: str) -> Part:
    return Reference(tuple(action.strip().split(".")))


def _go_action(action: str) -> Part:
    if action.startswith("/*") and action.endswith("*/"):
        return ""
    if literal := re.fullmatch(r'"([^"\\]*)"|`([^`]*)`', action):
        return literal[1] or literal[2] or ""
    if default := _PIPED_DEFAULT.fullmatch(action):
        return _with_default(default[1], default[2], action)
    if default := _CALLED_DEFAULT.fullmatch(action):
        return _with_default(default[2], default[1], action)
    keys = _go_keys(action)
    return Opaque(action) if keys is None else Reference(keys)


def _with_default(expression: str, otherwise: str, action: str) -> Part:
    keys = _go_keys(expression)
    return Opaque(action) if keys is None else Reference(keys, otherwise)


def _go_keys(expression: str) -> Keys | None:
    if expression.startswith("(") and expression.endswith(")"):
        expression = expression[1:-1].strip()
    if field := re.fullmatch(_FIELD, expression):
        return tuple(field[1][1:].split("."))
    if index := re.fullmatch(_INDEX, expression):
        root = tuple(key for key in index[1].split(".") if key)
        return root + tuple(re.findall(r'"([^"]*)"', index[2]))
    return None
