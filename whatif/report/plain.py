"""Text of an answer without anything that a reader cannot see.

Owns what every report does with a text before its own escaping: nothing invisible, a bound, and numbers. Does not
own the escaping of a form, nor credentials (masking.py).

The text may come from anybody: a program of a fork names resources, and a policy's message repeats them. A control
character reaches a terminal, a bidi override shows one version and means another, a zero-width space splits a name.
"""

from __future__ import annotations

import re
import sys
import unicodedata

GONE = "\N{REPLACEMENT CHARACTER}"
"""Stands where an invisible character stood, so that nothing vanishes without a trace."""

_COMBINING = 2
"""How many combining marks one letter may carry; more run over the lines above and below."""

_BLANKS = frozenset(
    (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
    )
)
"""Letters and marks that Unicode does not call invisible, though they are: fillers and variation selectors."""

_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_ORDINARY = re.compile(r"[\n\x20-\x7e]*\Z")
_NEWLINES = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def plain(text: str) -> str:
    """`text` with line breaks as "\\n", tabs as spaces, and `GONE` for all that cannot be seen."""
    if _ORDINARY.match(text):
        return text
    text = _NEWLINES.sub("\n", text).replace("\t", "    ")
    kept: list[str] = []
    marks = 0
    for letter in text:
        category = unicodedata.category(letter)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if letter == "\n":
            kept.append(letter)
        elif category in _HIDDEN or ord(letter) in _BLANKS:
            kept.append(GONE)
        elif category == "Zs":
            kept.append(" ")
        elif marks <= _COMBINING:
            kept.append(letter)
    return "".join(kept)


def line(text: str, limit: int = sys.maxsize) -> str:
    """`text` as one line of at most about `limit` characters; what is left out is counted."""
    return clipped(" ".join(plain(text).split()), limit)


def clipped(text: str, limit: int) -> str:
    """The first `limit` characters of `text`, and how many more there are."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\N{HORIZONTAL ELLIPSIS} (+{len(text) - limit:,} characters)"


def number(value: float) -> str:
    """With thousands separators; what is too large to be a count here says so."""
    if value != value or abs(value) >= 1e15:
        return "beyond counting"
    return f"{value:,.0f}"


def many(count: int, noun: str, plural: str = "") -> str:
    """ "1 cluster", "2 clusters"."""
    return f"{number(count)} {noun if count == 1 else plural or noun + 's'}"
