"""The picture of a comment: rings and clusters, and what changes where, as a Mermaid flowchart.

Owns its size (bounded) and its alphabet: GitHub draws a label as HTML, so a label holds letters, digits and a few
signs that mean nothing there. Does not own the fence around it.
"""

from __future__ import annotations

from collections.abc import Iterator

from whatif.answer import ChangeKind
from whatif.report.grouping import WORDS, ChangeGroup, Cluster, Grouped, Ring
from whatif.report.plain import line, many, number

MOST_CLUSTERS = 40
"""With more of them a ring is one box."""

_MOST_RINGS = 24
_MOST_LINES = 3
_MOST_CHARACTERS = 9_000
_LABEL = 44
_SAFE = frozenset(" .,:+-_()")

_CLASSES = (
    "classDef added fill:#d1f0d9,stroke:#1a7f37,color:#0b3d1c",
    "classDef removed fill:#ffd7d5,stroke:#cf222e,color:#5c0a10",
    "classDef ring fill:#fff1c2,stroke:#9a6700,color:#4d3400",
    "classDef version fill:#d7e8ff,stroke:#0969da,color:#062c5c",
    "classDef values fill:#eadcff,stroke:#8250df,color:#33165e",
    "classDef same fill:#f2f3f5,stroke:#9aa2ab,color:#4a5058",
)
"""Text and box are both set: they are read on a light page and on a dark one."""


def picture(grouped: Grouped) -> str:
    """The flowchart, without a fence. At most `_MOST_CHARACTERS` long."""
    total = sum(len(ring.clusters) for ring in grouped.rings)
    if total <= MOST_CLUSTERS:
        drawn = "\n".join(_with_clusters(grouped))
        if len(drawn) <= _MOST_CHARACTERS:
            return drawn
    return "\n".join(_rings_alone(grouped))


def _with_clusters(grouped: Grouped) -> Iterator[str]:
    yield "flowchart LR"
    node = 0
    for position, ring in enumerate(grouped.rings):
        yield f'  subgraph r{position}["{_ring_name(ring)}: {len(ring.touched)} of {len(ring.clusters)} change"]'
        # Boxes without an arrow between them stand across the direction: below each other here, narrow as a comment.
        yield "    direction LR"
        for cluster in ring.clusters:
            said = [_what(group) for group in ring.groups if cluster.name in group.clusters]
            lines = [_label(cluster.name) + _state(cluster), *said[:_MOST_LINES]]
            lines += [f"and {len(said) - _MOST_LINES} more"] if len(said) > _MOST_LINES else []
            yield f'    c{node}["{"<br/>".join(lines)}"]:::{cluster.kind.value if cluster.kind else "same"}'
            node += 1
        yield "  end"
    yield from _joined(len(grouped.rings))


def _rings_alone(grouped: Grouped) -> Iterator[str]:
    yield "flowchart LR"
    shown = grouped.rings[:_MOST_RINGS]
    for position, ring in enumerate(shown):
        lines = [_ring_name(ring), f"{len(ring.touched)} of {many(len(ring.clusters), 'cluster')} change"]
        lines += [f"{number(count)} {WORDS[kind]}" for kind in ChangeKind if (count := ring.counts[kind])]
        counts = ring.counts
        kind = (
            max(counts, key=lambda each: (each is ChangeKind.REMOVED, counts[each])).value
            if counts
            else "same"
        )
        yield f'  r{position}["{"<br/>".join(lines)}"]:::{kind}'
    if len(grouped.rings) > len(shown):
        yield f'  more["and {len(grouped.rings) - len(shown)} more rings"]:::same'
    yield from _joined(len(shown))


def _joined(rings: int) -> Iterator[str]:
    yield from (f"  r{position} --> r{position + 1}" for position in range(rings - 1))
    yield from (f"  {each}" for each in _CLASSES)


def _ring_name(ring: Ring) -> str:
    return f"ring {_label(ring.name)}" if ring.name else "no ring"


def _state(cluster: Cluster) -> str:
    return " (new)" if cluster.is_new else " (gone)" if cluster.is_gone else ""


def _what(group: ChangeGroup) -> str:
    addon = _label(group.addon)
    if group.change is ChangeKind.VERSION and group.from_ and group.to:
        return f"{addon} {_label(group.from_)} to {_label(group.to)}"
    if group.change is ChangeKind.REMOVED:
        return f"{addon} removed" + (f", {group.effect.value}" if group.effect else "")
    return f"{addon} {WORDS[group.change]}"


def _label(text: str) -> str:
    shown = line(text)
    shown = shown if len(shown) <= _LABEL else shown[: _LABEL - 3] + "..."
    return "".join(letter if letter.isalnum() or letter in _SAFE else "_" for letter in shown) or "_"
