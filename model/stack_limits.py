"""The blast radius that one change may have, and which changes may have more: settings of a stack file.

Owns their form, which limits count where two revisions have different ones, and reading them out of a stack file that
nobody checked. Does not own what is counted (`whatif.radius`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, field_validator

from model.document import Document, Step
from model.entry import parsed
from model.problems import Problem, did_you_mean
from model.vocabulary import Entry, Reason, wrong

LIMITS, ACKNOWLEDGED = "gke-fleet:limits", "gke-fleet:acknowledged"
"""Keys of the two settings in a stack file."""
EVERY_RING = "*"
"""Stands in `Limits.clusters_per_ring` for the rings that are not named."""

_NONE_OF_IT = 0
"""What a limit counts as that cannot be read: a mistake must not open what it was to close."""


def _not_negative(value: int) -> int:
    if value < 0:
        raise wrong("no change can touch less than nothing", "write 0 or more, or leave the limit out")
    return value


def _fingerprint(value: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{16}", value):
        raise wrong(
            "it is not the name of a change",
            "copy the 16 digits that `./fleet preview STACK --base REV` prints",
        )
    return value


Count = Annotated[int, AfterValidator(_not_negative)]
Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
"""What `whatif.radius` calls a change: 16 hexadecimal digits."""


class Limits(Entry):
    """What one change may do. What is not named has no limit."""

    removed: Count | None = Field(
        default=None, description="how many Applications may end to be delivered by one change"
    )
    clusters: Count | None = Field(default=None, description="how many clusters one change may touch")
    clusters_per_ring: dict[str, Count] = Field(
        default={},
        description="how many clusters of a ring one change may touch: a number by ring, or one for every ring",
    )

    @field_validator("clusters_per_ring", mode="before")
    @classmethod
    def _of_every_ring(cls, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return {EVERY_RING: _not_negative(value)}
        return value

    @property
    def is_empty(self) -> bool:
        """Whether nothing is limited."""
        return self == Limits()

    def of_ring(self, ring: str) -> int | None:
        """How many clusters of a ring may be touched; None without a limit."""
        return least(self.clusters_per_ring.get(ring), self.clusters_per_ring.get(EVERY_RING))


class Acknowledgement(Entry):
    """One change that may exceed the limits, and why."""

    change: Fingerprint = Field(
        description="the 16 digits in quotes by which the preview calls that very change"
    )
    reason: Reason = Field(description="why it is right all the same")


def limits_problems(document: Document, at: tuple[Step, ...], raw: Any) -> list[Problem]:
    """What is wrong with the limits that stand at `at`."""
    problems: list[Problem] = []
    if raw is not None:
        parsed(Limits, document, at, raw, problems)
    return problems


def acknowledged_problems(document: Document, at: tuple[Step, ...], raw: Any) -> list[Problem]:
    """What is wrong with the acknowledgements that stand at `at`."""
    problems: list[Problem] = []
    if raw is None:
        return problems
    if not isinstance(raw, list):
        remedy = "write a list of entries, each with `change:` and `reason:`"
        return [document.problem(at, raw, "a list belongs there", remedy)]
    seen: dict[str, int] = {}
    for index, entry in enumerate(raw):
        parsed(Acknowledgement, document, (*at, index), entry, problems)
        change = entry.get("change") if isinstance(entry, dict) else None
        if isinstance(change, str) and seen.setdefault(change, index) != index:
            why = f"this change is acknowledged already, in entry {seen[change]} (counted from 0)"
            problems.append(document.problem((*at, index, "change"), change, why, "keep one of the two"))
    return problems


def unknown_rings(document: Document, at: tuple[Step, ...], raw: Any, rings: Iterable[str]) -> list[Problem]:
    """Rings in `clustersPerRing` of the limits at `at` that the catalogue does not have."""
    named = raw.get("clustersPerRing") if isinstance(raw, dict) else None
    known = tuple(rings)
    return [
        document.problem(
            (*at, "clustersPerRing", ring), None, "there is no such ring", did_you_mean(ring, known)
        )
        for ring in (named if isinstance(named, dict) else ())
        if ring not in known
    ]


def limits_of(settings: Mapping[str, Any]) -> Limits:
    """The limits in the content of a stack file of any revision, which may be older than limits, or newer.

    Never raises: what is missing or unknown limits nothing, and a limit that cannot be read allows nothing.
    """
    raw = _setting(settings, LIMITS)
    if raw is None:
        return Limits()
    if not isinstance(raw, Mapping):
        return Limits(removed=_NONE_OF_IT, clusters=_NONE_OF_IT)
    by_ring = raw.get("clustersPerRing")
    if isinstance(by_ring, Mapping):
        rings = {str(ring): _readable(count) for ring, count in by_ring.items()}
    else:
        rings = {} if by_ring is None else {EVERY_RING: _readable(by_ring)}
    counts = {key: _readable(raw[key]) for key in ("removed", "clusters") if raw.get(key) is not None}
    return Limits.model_validate({**counts, "clustersPerRing": rings})


def acknowledgements_of(settings: Mapping[str, Any]) -> tuple[Acknowledgement, ...]:
    """The acknowledgements in the content of a stack file of any revision. Never raises: what cannot be read
    acknowledges nothing."""
    raw, found = _setting(settings, ACKNOWLEDGED), list[Acknowledgement]()
    for entry in raw if isinstance(raw, list) else ():
        try:
            found.append(Acknowledgement.model_validate(entry))
        except ValidationError:
            continue
    return tuple(found)


def stricter(one: Limits, other: Limits) -> Limits:
    """The limits of which each is the stricter one of two."""
    rings = sorted({*one.clusters_per_ring, *other.clusters_per_ring} - {EVERY_RING})
    per_ring = {ring: least(one.of_ring(ring), other.of_ring(ring)) for ring in rings}
    per_ring[EVERY_RING] = least(one.of_ring(EVERY_RING), other.of_ring(EVERY_RING))
    return Limits.model_validate(
        {
            "removed": least(one.removed, other.removed),
            "clusters": least(one.clusters, other.clusters),
            "clustersPerRing": {ring: count for ring, count in per_ring.items() if count is not None},
        }
    )


def least(*counts: int | None) -> int | None:
    """The least of those that are there; None where none is."""
    return min((count for count in counts if count is not None), default=None)


def _readable(count: Any) -> int:
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else _NONE_OF_IT


def _setting(settings: Mapping[str, Any], key: str) -> Any:
    config = settings.get("config")
    return config.get(key) if isinstance(config, Mapping) else None
