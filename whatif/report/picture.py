"""The picture of the page: each ring a card, each cluster a tile, coloured by what changes of it.

Owns the tiles' layout, in SVG units that are CSS pixels on a phone and a little more on a wide screen. Does not own
colours (page.css): a tile has a class and a sign, so that it can be read without seeing colours.
"""

from __future__ import annotations

from whatif.answer import ChangeKind
from whatif.report.element import Markup, element
from whatif.report.grouping import WORDS, Cluster, Ring
from whatif.report.plain import line, many, number

MARKS = {
    ChangeKind.ADDED: "+",
    ChangeKind.REMOVED: "\N{MINUS SIGN}",
    ChangeKind.RING: "\N{RIGHTWARDS ARROW}",
    ChangeKind.VERSION: "\N{UPWARDS ARROW}",
    ChangeKind.VALUES: "~",
}
"""Kind -> the sign on a tile."""

_WIDTH = 320
_MOST_NAMED = 24
_TILE, _GAP = 16, 4
_NAMED_HEIGHT = 26
_NAMED_COLUMNS = 2
_LETTERS = 17
"""Of a name, in a named tile: what fits in a monospaced 12 pixel font."""


def tiles(ring: Ring) -> Markup:
    """The clusters of a ring. Up to two dozen carry their names; each has a title for a pointer and a screen reader."""
    named = len(ring.clusters) <= _MOST_NAMED
    width = (_WIDTH - _GAP * (_NAMED_COLUMNS - 1)) // _NAMED_COLUMNS if named else _TILE
    height = _NAMED_HEIGHT if named else _TILE
    columns = _NAMED_COLUMNS if named else (_WIDTH + _GAP) // (_TILE + _GAP)
    drawn = []
    for position, cluster in enumerate(ring.clusters):
        x, y = position % columns * (width + _GAP), position // columns * (height + _GAP)
        drawn.append(_tile(cluster, x, y, width, height, named))
    rows = -(-len(ring.clusters) // columns)
    return element(
        "svg", drawn, viewBox=f"-1 -1 {_WIDTH + 2} {rows * (height + _GAP) - _GAP + 2}", role="img", class_="tiles",
        aria_label=f"{many(len(ring.clusters), 'cluster')}, {len(ring.touched)} of them change",
    )  # fmt: skip


def _tile(cluster: Cluster, x: int, y: int, width: int, height: int, named: bool) -> Markup:
    kind = cluster.kind
    name = line(cluster.name)
    mark = MARKS[kind] if kind else "\N{MIDDLE DOT}"
    edge = " new" if cluster.is_new else " gone" if cluster.is_gone else ""
    parts = [
        element("title", f"{name}: {_summary(cluster)}"),
        element("rect", x=x, y=y, width=width, height=height, rx=3),
        element(
            "text", mark, x=x + (12 if named else width // 2), y=y + height // 2 + 4, class_="mark",
            text_anchor="middle",
        ),
    ]  # fmt: skip
    if named:
        shown = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}\N{HORIZONTAL ELLIPSIS}"
        parts.append(element("text", shown, x=x + 24, y=y + height // 2 + 4, class_="name"))
    return element("g", parts, class_=f"tile {kind.value if kind else 'same'}{edge}")


def _summary(cluster: Cluster) -> str:
    """ "new cluster, 3 added"."""
    said = ["new cluster"] if cluster.is_new else ["gone"] if cluster.is_gone else []
    said += [
        f"{number(cluster.changes[kind])} {WORDS[kind]}" for kind in ChangeKind if cluster.changes.get(kind)
    ]
    return ", ".join(said) or "no change"
