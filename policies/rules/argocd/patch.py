"""The templatePatch of an ApplicationSet: a text that becomes YAML once its actions have run.

Owns the reading of that text without running it. Where the patch has no conditions and is YAML around its
actions it is laid over the template; otherwise every revision in its text is taken for one that may be
used.
Source: argo-cd applicationset/controllers/template/patch.go (a strategic merge; lists are replaced).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

_ACTION: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_CONTROL: Final = re.compile(
    r"\{\{-?\s*(if|else|end|range|with|define|block|template|break|continue|\$\w+\s*:?=)\b"
)
_COMMENT: Final = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)
_REVISION: Final = re.compile(
    r"""["']?\btargetRevision["']?[ \t]*:[ \t]*(?P<value>"[^"\n]*"|'[^'\n]*'|(?:\{\{.*?\}\}|[^\s,}\#"'])*)"""
)
_ELSEWHERE: Final = re.compile(r"\b(chart|repoURL)[\"']?[ \t]*:")


@dataclass(frozen=True)
class Patch:
    """What a patch says. `always`: `body` applies to every Application; otherwise `revisions` holds each
    revision in its text with a path, and `moves` whether it may also change chart or repository.
    """

    path: str
    body: Mapping[str, Any] = field(default_factory=dict)
    always: bool = False
    revisions: tuple[tuple[str, str], ...] = ()
    moves: bool = False


def patch_of(text: object, path: str) -> Patch:
    """The patch that `text` is; an empty one where it is no text, or not known."""
    if not isinstance(text, str) or not text.strip():
        return Patch(path)
    text = re.sub("[\ue000\ue001]", "", _COMMENT.sub("", text))
    if not _CONTROL.search(text):
        body = _read(text)
        if body is not None:
            return Patch(path, body=body, always=True)
    revisions = tuple(
        (match["value"].strip("\"'"), f"{path} (line {text.count(chr(10), 0, match.start()) + 1})")
        for match in _REVISION.finditer(text)
    )
    return Patch(path, revisions=revisions, moves=bool(_ELSEWHERE.search(text)))


def _read(text: str) -> Mapping[str, Any] | None:
    """`text` as YAML with its actions left in their places; None where it is not YAML around them."""
    actions: list[str] = []

    def marked(match: re.Match[str]) -> str:
        actions.append(match[0])
        return f"\ue000{len(actions) - 1}\ue001"

    try:
        read = yaml.safe_load(_ACTION.sub(marked, text))
    except (yaml.YAMLError, ValueError):
        return None
    return _restored(read, actions) if isinstance(read, Mapping) else None


def _restored(value: Any, actions: list[str]) -> Any:
    if isinstance(value, str):
        return re.sub("\ue000([0-9]+)\ue001", lambda match: actions[int(match[1])], value)
    if isinstance(value, list):
        return [_restored(element, actions) for element in value]
    if isinstance(value, Mapping):
        return {str(_restored(key, actions)): _restored(element, actions) for key, element in value.items()}
    return value
