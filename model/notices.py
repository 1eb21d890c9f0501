"""What a preview should tell a person besides the differences: what expires, what leaves, what is risky.

Owns these sentences. Does not decide whether something is a mistake (`model.load` does), and asks no clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from model.catalogue import Addon, Catalogue
from model.fleet import Fleet
from model.load import Configuration
from model.stamping import Delivery, delivery
from model.vocabulary import Workloads

WARNING_DAYS = 14
"""How many days before its end an override is spoken of."""


def notices(configuration: Configuration) -> tuple[str, ...]:
    """What to tell of the clusters and add-ons of this part, one sentence or two each, in the order of the files."""
    fleet, catalogue = configuration.fleet, configuration.catalogue
    found = [*_expiring(configuration), *_leaving_clusters(configuration)]
    if configuration.part.has_hub:
        found += [*_leaving_addons(fleet, catalogue), *_rolled_out(catalogue)]
    return tuple(found)


def _expiring(configuration: Configuration) -> Iterator[str]:
    if configuration.today is None:
        return
    today = date.fromisoformat(configuration.today)
    for cluster in configuration.part.clusters(configuration.fleet):
        for name, override in cluster.addons.items():
            days = (date.fromisoformat(override.until) - today).days
            if days <= WARNING_DAYS:
                left = "today is the last day" if days == 0 else f"{days} days are left"
                yield (
                    f"cluster {cluster.name} has its own {name} until {override.until} ({left}): {override.reason}. "
                    "After that day the configuration is refused."
                )


def _leaving_clusters(configuration: Configuration) -> Iterator[str]:
    for cluster in configuration.part.clusters(configuration.fleet):
        if not cluster.is_leaving:
            continue
        if cluster.workloads is Workloads.REMOVE:
            yield (
                f"cluster {cluster.name} is leaving: Argo CD removes what it delivered there. Once its Applications "
                "own nothing (`./fleet held`), the entry can go."
            )
        else:
            yield (
                f"cluster {cluster.name} is leaving: its Applications go, what they delivered stays and nobody looks "
                "after it. The entry can go with the next change."
            )


def _leaving_addons(fleet: Fleet, catalogue: Catalogue) -> Iterator[str]:
    for name, addon in catalogue.addons.items():
        removed = [c.name for c in fleet.clusters if delivery(c, name, addon) is Delivery.REMOVING]
        if addon.is_leaving and addon.workloads is Workloads.KEEP:
            yield (
                f"add-on {name} is leaving: its Applications go, what they delivered stays and nobody looks after it. "
                "The entry can go with the next change."
            )
        elif addon.is_leaving:
            yield (
                f"add-on {name} is leaving: Argo CD removes it from {_listed(removed)}.{_crds(addon)} Once its "
                "Applications own nothing (`./fleet held`), the entry can go."
            )
        elif excluded := [c.name for c in fleet.clusters if not c.is_leaving and c.name in removed]:
            yield (
                f"add-on {name} is removed from {_listed(excluded)}, as `exclude` or `except` says.{_crds(addon)} An "
                "empty Application stays for as long as it says so."
            )


def _crds(addon: Addon) -> str:
    if addon.crds is None or addon.crds.skip:
        return ""
    return f" Its CRDs ({', '.join(addon.crds.groups)}) and every object of their kinds stay: Argo CD removes no CRD."


def _listed(names: list[str]) -> str:
    return (
        ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        if names
        else "nowhere"
    )


def _rolled_out(catalogue: Catalogue) -> Iterator[str]:
    for name, addon in catalogue.addons.items():
        if addon.roll_out is not None and not addon.is_leaving:
            yield (
                f"add-on {name} is brought ring by ring by Argo CD (rollOut): what is changed by hand in a cluster is "
                "not healed, and one cluster that is not Healthy holds back every later ring, without an end."
            )
