"""Which part of a fleet a stack holds: all of it, the hub, or one cell of the members.

Owns what belongs to which part. Everything that one part has to know of another follows from configuration
(addresses, accounts, names), so a part reads nothing out of another one's state.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from model.cluster import Cluster
from model.fleet import Fleet
from model.problems import did_you_mean

ALL = "all"
HUB = "hub"
_MEMBERS = "members/"


class UnknownPart(ValueError):
    """There is no part of that name in a fleet. `why` and `remedy` are sentences for people."""

    def __init__(self, why: str, remedy: str) -> None:
        self.why, self.remedy = why, remedy
        super().__init__(f"{why}: {remedy}")


@dataclass(frozen=True)
class Part:
    """One part: `all`, `hub` or `members/CELL`."""

    name: str = ALL

    @property
    def has_hub(self) -> bool:
        """Whether the hub is in it, and with it the fleet host project, Argo CD, and what it delivers."""
        return self.name in {ALL, HUB}

    @property
    def cell(self) -> str | None:
        """The cell of a part that holds members alone."""
        return self.name.removeprefix(_MEMBERS) if self.name.startswith(_MEMBERS) else None

    def holds(self, cluster: Cluster) -> bool:
        """Whether a cluster is in this part."""
        if self.name == ALL:
            return True
        return self.name == HUB if cluster.is_hub else self.cell == cluster.cell

    def clusters(self, fleet: Fleet) -> tuple[Cluster, ...]:
        """The clusters of this part, in the order of the file."""
        return tuple(cluster for cluster in fleet.clusters if self.holds(cluster))

    def projects(self, fleet: Fleet) -> tuple[str, ...]:
        """Ids of the projects whose APIs, grants and networks are in this part, in the order of the file.

        The fleet host project is not among them: it is set up with the fleet. A project of the hub stays with
        the hub, even where a member shares it.
        """
        elsewhere = {fleet.host_project} if self.has_hub else {fleet.host_project, fleet.hub.project}
        held = {cluster.project for cluster in self.clusters(fleet)}
        return tuple(p for p in fleet.cluster_projects if p in held and p not in elsewhere)


def parse_part(text: str | None, fleet: Fleet) -> Part:
    """The part that a stack names; None and "" mean all of it. Raises UnknownPart."""
    return part_among(text, fleet.cells)


def part_among(text: str | None, cells: Iterable[str]) -> Part:
    """The same for a fleet with these cells. Raises UnknownPart."""
    names = [ALL, HUB, *(f"{_MEMBERS}{cell}" for cell in cells)]
    if not text:
        return Part()
    if text in names:
        return Part(text)
    if text.startswith(_MEMBERS):
        raise UnknownPart(
            f"no member is in the cell `{text.removeprefix(_MEMBERS)}`", did_you_mean(text, names)
        )
    raise UnknownPart("there is no such part", did_you_mean(text, names))


def part_names(fleet: Fleet) -> tuple[str, ...]:
    """The parts that a fleet is split into: the hub, then its cells."""
    return (HUB, *(f"{_MEMBERS}{cell}" for cell in fleet.cells))
