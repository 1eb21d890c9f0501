"""HTML and SVG elements as values, escaped by construction.

Owns the one way in which a text gets into the page: as a child or an attribute's value of `element`, which escapes
it. Only what `element` returns is markup, and names of tags and attributes are written in code, never in data.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

from whatif.report.plain import plain

_VOID = frozenset(("meta",))
"""Elements of HTML without an end. Those of SVG have one always."""


class Markup(str):
    """Markup that is finished. `element` makes it, and nothing else does."""

    __slots__ = ()


Child = str | Markup | Iterable["Child"] | None


def element(tag: str, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """`<tag attributes>children</tag>`. A str is text; Markup stays; None and False are nothing.

    An attribute's name has "_" for "-", and a trailing "_" where Python owns the word (`class_`).
    """
    said = []
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        shown = name.rstrip("_").replace("_", "-")
        said.append(f" {shown}" if value is True else f' {shown}="{_escaped(str(value))}"')
    opening = f"<{tag}{''.join(said)}>"
    return Markup(opening if tag in _VOID and not children else f"{opening}{joined(*children)}</{tag}>")


def joined(*children: Child) -> Markup:
    """Children one after the other."""
    parts = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, Markup):
            parts.append(str(child))
        elif isinstance(child, str):
            parts.append(_escaped(child))
        else:
            parts.append(str(joined(*child)))
    return Markup("".join(parts))


def style(sheet: str) -> Markup:
    """A style element. Its text is not escaped: `sheet` is a file of this project."""
    return Markup(f"<style>{sheet}</style>")


def _escaped(text: str) -> str:
    return html.escape(plain(text), quote=True)
