"""Nothing that is protected is removed in one step.

Owns the remedy for the engine's refusal, read from the CLI's own preview. In a fleet with `protect: true` the engine
refuses to delete a cluster, its Secret or an add-on's ApplicationSet, and says by which commands it could be forced.
Here is what to do instead: leave first, and say what becomes of the workloads. Does not own the protection itself
(components/) nor what happens while something leaves (model/).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plugins.gcp.types import CLUSTER

_APPLICATION_SET = "kubernetes:argoproj.io/v1alpha1:ApplicationSet"
_SECRET = "kubernetes:core/v1:Secret"  # noqa: S105 - a type, no secret
_MEMBERSHIP = "gcp:gkehub/membership:Membership"
_SECRET_PREFIX = "cluster-"  # noqa: S105 - as above


@dataclass(frozen=True)
class Removed:
    """What a preview would delete although it is protected: names, each once, in the order of the preview.

    `others`: KIND NAME of resources that are neither a cluster's nor an add-on's.
    """

    clusters: tuple[str, ...] = ()
    addons: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.clusters or self.addons or self.others)


def removed_straight(events: Iterable[Mapping[str, Any]]) -> Removed:
    """What is protected and would be deleted, from the events of a preview.

    The engine stops at the first of them: there may be more than it says.
    """
    found: dict[str, dict[str, None]] = {"clusters": {}, "addons": {}, "others": {}}
    for event in events:
        step = event.get("resourcePreEvent", {}).get("metadata", {})
        if step.get("op") == "delete" and (step.get("old") or {}).get("protect"):
            where, name = _owner(str(step["type"]), str(step["urn"]).rpartition("::")[2])
            found[where][name] = None
    return Removed(**{where: tuple(names) for where, names in found.items()})


def _owner(kind: str, name: str) -> tuple[str, str]:
    if kind == _APPLICATION_SET:
        return "addons", name
    if kind in (CLUSTER, _MEMBERSHIP):
        return "clusters", name
    if kind == _SECRET and name.startswith(_SECRET_PREFIX):
        return "clusters", name.removeprefix(_SECRET_PREFIX)
    return "others", f"{kind.rpartition(':')[2]} {name}"


def refusal(removed: Removed, fleet_file: str, catalogue: str) -> tuple[str, str]:
    """(what is refused, remedy) in words. `fleet_file`, `catalogue`: their paths as a person types them."""
    named: list[str] = []
    remedies: list[str] = []
    for noun, names, file in (
        ("cluster", removed.clusters, fleet_file),
        ("add-on", removed.addons, catalogue),
    ):
        if names:
            named += [f"{noun} {name}" for name in names]
            remedies.append(_remedy(noun, names, file))
    if removed.others:
        named += removed.others
        remedies.append(
            f"{' and '.join(removed.others)} belongs to clusters that are still there: put back what named it"
        )
    return (
        f"{', '.join(named)} would be removed in one step, and is protected; nothing was changed",
        "; ".join(remedies),
    )


def _remedy(noun: str, names: Sequence[str], file: str) -> str:
    entries = "the entry" if len(names) == 1 else "each entry"
    renamed = (
        "if this is a rename, keep the name: under another one everything is made again"
        if noun == "cluster"
        else "if this is a rename, keep the name: it is part of every Application's"
    )
    return (
        f"put {entries} ({', '.join(names)}) back into {file} with `lifecycle: leaving` and `workloads: keep` or "
        f"`remove`, run up, then take it out and run up again; {renamed}"
    )
