"""What differs between two texts of `model.exported`, as lines for people: `replicaCount: 1 -> 2`.

Owns the wording, the length and what is hidden. A key that names a secret hides what stands under it, although no
secret belongs into values: whoever put one there by mistake is not to find it in a comment as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

HIDDEN = "[hidden]"
MOST_LINES = 40
_LONGEST_VALUE = 120
_LONGEST_PATH = 400
_NOTHING = object()

_PLAIN_KEY = re.compile(r"[\w/-]+")
_SECRET = re.compile(
    r"pass(word|wd|phrase)|secret|token|credential|bearer|kubeconfig|docker[-_]?config|connection[-_]?string|"
    r"(api|private|access|encryption|signing|client|account|shared|ssh|tls|hmac|master)[-_.]?key|"
    r"key[-_.]?(material|data)|(^|[-_.])(pwd|auth|dsn|pem)$",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"secret[-_]?(name|class|(key)?ref|store\w*)$|external[-_]?secrets?$", re.IGNORECASE)
"""Keys that say where a secret is, or are the name of a chart, though they sound like one."""


def value_lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The differences, one a line, in the order of their paths; at most `MOST_LINES`, then how many more there are.

    A path in chart values stands alone, one outside them after `Application.`.
    """
    lines: list[str] = []
    for key in sorted({*before, *after}):
        path = () if key == "values" else ("Application", key)
        lines += _different(path, before.get(key, _NOTHING), after.get(key, _NOTHING), hide=False)
    more = len(lines) - MOST_LINES
    return tuple(lines) if more <= 0 else (*lines[:MOST_LINES], f"... and {more} more")


def names_secret(key: str) -> bool:
    """Whether what stands under a key is likely to be a secret."""
    return _SECRET.search(key) is not None and _REFERENCE.search(key) is None


def _different(path: tuple[str, ...], before: Any, after: Any, *, hide: bool) -> Iterator[str]:
    if before is not _NOTHING and after is not _NOTHING and _text(before) == _text(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        hidden = _hidden_keys(before) | _hidden_keys(after)
        for key in sorted({*before, *after}):
            old, new = before.get(key, _NOTHING), after.get(key, _NOTHING)
            yield from _different((*path, key), old, new, hide=hide or key in hidden)
        return
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _different((*path, f"[{index}]"), old, new, hide=hide)
        return
    yield f"{_shortened(_written(path), _LONGEST_PATH)}: {_shown(before, hide)} -> {_shown(after, hide)}"


def _hidden_keys(value: Mapping[str, Any]) -> set[str]:
    """The keys of a map whose values are secrets; of `{name: DB_PASSWORD, value: ...}` it is `value`."""
    hidden = {key for key in value if names_secret(key)}
    if isinstance(value.get("name"), str) and names_secret(value["name"]):
        hidden.add("value")
    return hidden


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        hidden = _hidden_keys(value)
        return {key: HIDDEN if key in hidden else _masked(one) for key, one in value.items()}
    return [_masked(one) for one in value] if isinstance(value, list) else value


def _shown(value: Any, hide: bool) -> str:
    if value is _NOTHING:
        return "(nothing)"
    if hide and value is not None and not isinstance(value, bool):
        return HIDDEN
    return _shortened(_plain(value) if isinstance(value, str) else _readable(_masked(value)), _LONGEST_VALUE)


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text):,} characters)"


def _plain(text: str) -> str:
    """A text as it is, or in quotes where it reads like something else or does not fit on a line."""
    try:
        odd = len(text) <= _LONGEST_VALUE and not isinstance(yaml.safe_load(text), str)
    except yaml.YAMLError:
        odd = True
    return _readable(text) if odd or not text.isprintable() or text != text.strip() else text


def _readable(value: Any) -> str:
    """As JSON. What would break a line, turn its direction or be no character is escaped."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text if text.isprintable() else _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _written(path: tuple[str, ...]) -> str:
    """A path in the notation of `model.document`."""
    text = ""
    for step in path:
        if step.startswith("[") and step.endswith("]"):
            text += step
        elif not _PLAIN_KEY.fullmatch(step):
            text += f"[{_readable(step)}]"
        else:
            text += f".{step}" if text else step
    return text or "values"
