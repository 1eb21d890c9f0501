"""Hiding what may be a secret in rendered objects, in a way that still shows that it changed.

Owns what counts as one: everything in a Secret, what a name calls a credential (of a variable, a key, a flag, a
line), keys and tokens of known forms, passwords in addresses. It may hide too much. Base and head are hidden
together, since what is hidden on both sides would otherwise look the same.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import Mapping
from typing import Any, Final

_WORDS = (
    r"(?:pass(?:word|wd|phrase)|passwd|pwd|token|secret|credential|dsn|bearer|connection[_-]?string"
    r"|(?:api|access|account|encryption|license|master|private|secret|shared|signing)[_-]?key)s?"
)
_NAME = re.compile(rf"(?i)[\w./-]*{_WORDS}")
_FLAG = re.compile(rf"(?i)--?[\w.-]*{_WORDS}")
_HIDDEN = "[hidden]"

_ANYWHERE = (
    re.compile(r"()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)"),
    re.compile(r"()\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
    re.compile(r"()\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|AKIA|AIza|ya29\.|sk_live_)[\w./-]{10,}"),
)
_NAMED = (
    re.compile(rf"(?i)((?<![\w-])--?[\w.-]*{_WORDS}[= ])\S+"),
    re.compile(rf'(?i)("[\w.-]*{_WORDS}"\s*:\s*)"(?:[^"\\]|\\.)*"'),
    re.compile(rf"(?im)^(\s*(?:- |export )?['\"]?[\w.-]*{_WORDS}['\"]?\s*[:=][ \t]*)[^\s{{\[].*$"),
)


class _Nothing:
    """No value on this side."""


_NOTHING: Final = _Nothing()
_Pair = tuple[Any, Any]


def hide(base: Mapping[str, Any] | None, head: Mapping[str, Any] | None) -> tuple[Any, Any]:
    """Both sides of one object with secrets as "[hidden, 12 bytes]", on the head's side with ", changed" where it
    did. None for an object that is not there."""
    kind = (head or base or {}).get("kind")
    hiding = _Hiding(is_secret=kind == "Secret", is_crd=kind == "CustomResourceDefinition")
    found = hiding.pair(_NOTHING if base is None else base, _NOTHING if head is None else head)
    return tuple(None if side is _NOTHING else side for side in found)  # type: ignore[return-value]


class _Hiding:
    def __init__(self, *, is_secret: bool, is_crd: bool) -> None:
        self._is_secret = is_secret
        self._is_crd = is_crd

    def pair(self, base: Any, head: Any, path: tuple[str, ...] = (), named: bool = False) -> _Pair:
        """`named`: whether the name of it says that it is a credential."""
        both = [side for side in (base, head) if side is not _NOTHING]
        if all(isinstance(side, Mapping) for side in both):
            return self._maps(base, head, path)
        if all(isinstance(side, list) for side in both):
            return self._lists(base, head, path, named)
        if len(both) == 2 and any(isinstance(side, Mapping | list) for side in both):
            return self.pair(base, _NOTHING, path, named)[0], self.pair(_NOTHING, head, path, named)[1]
        return self._scalars(base, head, path, named)

    def _maps(self, base: Any, head: Any, path: tuple[str, ...]) -> _Pair:
        made: tuple[dict[Any, Any], dict[Any, Any]] = ({}, {})
        sides = [{} if side is _NOTHING else side for side in (base, head)]
        variable = any(_NAME.fullmatch(str(side.get("name", ""))) for side in sides)
        for key in {**sides[0], **sides[1]}:
            named = _NAME.fullmatch(str(key)) is not None or (variable and key == "value")
            before, after = (side.get(key, _NOTHING) for side in sides)
            found = self.pair(before, after, (*path, str(key)), named)
            for target, value in zip(made, found, strict=True):
                if value is not _NOTHING:
                    target[key] = value
        return self._as(base, made[0]), self._as(head, made[1])

    def _lists(self, base: Any, head: Any, path: tuple[str, ...], named: bool) -> _Pair:
        sides = [[] if side is _NOTHING else side for side in (base, head)]
        # Entries with names belong together by them, whatever was put between.
        keyed = all(isinstance(one, Mapping) and isinstance(one.get("name"), str) for s in sides for one in s)
        others: list[dict[Any, Any]] = [
            {(one["name"] if keyed else index): one for index, one in enumerate(side)} for side in sides
        ]
        made: tuple[list[Any], list[Any]] = ([], [])
        for number, side in enumerate(sides):
            other = others[1 - number]
            for index, one in enumerate(side):
                before = side[index - 1] if index else None
                follows = isinstance(before, str) and _FLAG.fullmatch(before) is not None
                partner = other.get(one["name"] if keyed else index, _NOTHING)
                both = (one, partner) if number == 0 else (partner, one)
                made[number].append(self.pair(*both, path, named or follows)[number])
        return self._as(base, made[0]), self._as(head, made[1])

    @staticmethod
    def _as(side: Any, made: Any) -> Any:
        return _NOTHING if side is _NOTHING else made

    def _scalars(self, base: Any, head: Any, path: tuple[str, ...], named: bool) -> _Pair:
        whole = self._is_secret and path[:1] in (("data",), ("stringData",))
        shown = []
        for side in (base, head):
            if whole and side is not _NOTHING and side is not None:
                shown.append(_marker(side, encoded=path[0] == "data"))
            elif named and isinstance(side, str) and side:
                shown.append(_marker(side, encoded=False))
            else:
                shown.append(self._text(side) if isinstance(side, str) else side)
        hid = shown[1] is not head and shown[1] != head
        if hid and base is not _NOTHING and head != base:
            shown[1] = _changed(shown[1])
        return shown[0], shown[1]

    def _text(self, text: str) -> str:
        # What a CRD says of a field called `password` is no password.
        for form in _ANYWHERE if self._is_crd else (*_ANYWHERE, *_NAMED):
            text = form.sub(rf"\g<1>{_HIDDEN}", text)
        return text


def _marker(value: Any, *, encoded: bool) -> str:
    content = str(value).encode()
    if encoded:
        with contextlib.suppress(binascii.Error, ValueError):
            content = base64.b64decode(content, validate=True)
    return f"[hidden, {len(content)} bytes]"


def _changed(shown: str) -> str:
    return (
        f"{shown[:-1]}, changed]"
        if shown.startswith("[hidden, ")
        else shown.replace("[hidden]", "[hidden, changed]")
    )
