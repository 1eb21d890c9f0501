"""The blast radius of a change: how much of a fleet it touches, held against limits.

Owns counting, the fingerprint by which an acknowledgement names one change, and which cluster a resource belongs to.
Does not own the limits (`model.stack_limits`) nor whether exceeding them ends the run.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from model.stack_limits import EVERY_RING, Acknowledgement, Limits
from whatif.answer import Change, ChangeKind, Limit, Radius, Step

UNTOUCHED = frozenset({"same", "read", "refresh", "read-replacement", "discard", "discard-replaced"})
"""Operations of the CLI that change nothing but what it remembers."""

_GKE_CLUSTER = "gcp:container/cluster:Cluster"
_OF_A_CLUSTER = tuple(
    f"gke-fleet:index:{name}" for name in ("HubCluster", "MemberCluster", "JoinedCluster", "ClusterSecret")
)
"""Components that are named like the cluster that they are about (`components.fleet`)."""


def cluster_of(urn: str, names: Collection[str], parents: Mapping[str, str | None]) -> str | None:
    """The cluster that a resource belongs to, None where it belongs to no one of them.

    `names`: clusters of both revisions. `parents`: URN -> URN of the parent, as states have it. A resource whose
    parents are not known is told by its URN: the types around it, and a name that begins with the cluster's.
    """
    seen: set[str] = set()
    at: str | None = urn
    while at and at not in seen:
        seen.add(at)
        types, name = _types_and_name(at)
        if types[-1] in _OF_A_CLUSTER and name in names:
            return name
        if at not in parents:
            return _by_name(at, names)
        at = parents[at]
    return None


def _by_name(urn: str, names: Collection[str]) -> str | None:
    types, name = _types_and_name(urn)
    if not set(types) & set(_OF_A_CLUSTER):
        return None
    plain = name.removeprefix("cluster-") if "gke-fleet:index:ClusterSecret" in types else name
    fitting = [one for one in names if plain == one or plain.startswith((f"{one}-", f"{one}."))]
    return max(fitting, key=len, default=None)


def _types_and_name(urn: str) -> tuple[list[str], str]:
    """The types around a resource, its own last, and its name: `urn:pulumi:STACK::PROJECT::TYPE$TYPE::NAME`."""
    parts = urn.split("::", 3)
    return (parts[2].split("$"), parts[3]) if len(parts) == 4 else ([""], urn)


def destroyed_clusters(steps: Iterable[Step], clusters: Mapping[str, str]) -> frozenset[str]:
    """The clusters that a change destroys. `clusters`: URN -> cluster, as `cluster_of` finds it."""
    return frozenset(
        clusters[step.urn]
        for step in steps
        if step.type == _GKE_CLUSTER and step.op == "delete" and step.urn in clusters
    )


def radius(
    changes: Iterable[Change],
    steps: Iterable[Step],
    clusters: Mapping[str, str],
    limits: Limits,
    acknowledgements: Iterable[Acknowledgement],
    rings: Mapping[str, str],
) -> Radius:
    """The blast radius of a change.

    `clusters`: URN -> cluster, for the resources that belong to one. `rings`: cluster -> ring, of both revisions, the
    head's first. A cluster that moves counts in both of its rings. A cluster is touched where one of its Applications
    differs, or a resource of it is more than read.
    """
    changes, steps = tuple(changes), tuple(steps)
    removed = [one.application for one in changes if one.change is ChangeKind.REMOVED]
    touched = {one.cluster for one in changes} | {
        clusters[step.urn] for step in steps if step.op not in UNTOUCHED and step.urn in clusters
    }
    by_ring = _by_ring(changes, touched, rings)
    name = fingerprint(changes, steps)
    return Radius(
        change=name,
        removed=len(removed),
        clusters=len(touched),
        rings={ring: len(found) for ring, found in sorted(by_ring.items())},
        limits=tuple(_limits(limits, removed, touched, by_ring, rings.values())),
        acknowledged=next((one.reason for one in acknowledgements if one.change == name), None),
    )


def fingerprint(changes: Iterable[Change], steps: Iterable[Step]) -> str:
    """16 hexadecimal digits that name a change: the same in each run and on each base, as long as the same
    Applications differ in the same way, and the same properties of the same resources get the same values.

    What becomes of an Application's values is in their digests, what becomes of a resource in the digest of its inputs.
    Secrets count as the same, and sentences, which another version of this program may word otherwise, are left out.
    """
    made = {
        "changes": sorted(one.model_dump_json(by_alias=True, exclude={"details"}) for one in changes),
        "steps": sorted(
            [step.op, step.urn, sorted(step.detailed_diff or {}), step.digest]
            for step in steps
            if step.op not in UNTOUCHED
        ),
    }
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]


def _by_ring(
    changes: Iterable[Change], touched: Collection[str], rings: Mapping[str, str]
) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for cluster in touched:
        if cluster in rings:
            found[rings[cluster]].add(cluster)
    for change in changes:
        if change.change is ChangeKind.RING:
            for ring in (change.from_, change.to):
                if ring is not None:
                    found[ring].add(change.cluster)
    return dict(found)


def _limits(
    limits: Limits,
    removed: Collection[str],
    touched: Collection[str],
    by_ring: Mapping[str, Collection[str]],
    rings: Iterable[str],
) -> Iterable[Limit]:
    named = set(limits.clusters_per_ring) - {EVERY_RING}
    counted = {
        "removed": (removed, limits.removed),
        "clusters": (touched, limits.clusters),
        **{
            f"ring {ring}": (by_ring.get(ring, ()), limits.of_ring(ring))
            for ring in sorted({*rings, *by_ring, *named})
        },
    }
    for what, (names, allowed) in counted.items():
        if allowed is not None:
            yield Limit(what=what, found=len(names), allowed=allowed, names=tuple(sorted(names)))
