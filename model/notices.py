"""What a preview should tell a person besides the differences: what expires, what leaves, what is risky.

Owns these sentences. Does not decide whether something is a mistake (`model.load` does), and asks no clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from model.catalogue import Addon, Catalogue
from model.fleet import Fleet
from model.gateway_budget import LIMIT, requests_per_minute
from model.load import Configuration
from model.stamping import Delivery, delivery
from model.vocabulary import Endpoint, Workloads

WARNING_DAYS = 14
"""How many days before its end an override is spoken of."""

WARNING_SHARE = 0.8
"""How much of the gateway's budget may be used before it is spoken of."""


def notices(configuration: Configuration) -> tuple[str, ...]:
    """What to tell of the clusters and add-ons of this part, one sentence or two each, in the order of the files."""
    fleet, catalogue = configuration.fleet, configuration.catalogue
    found = [*_expiring(configuration), *_leaving_clusters(configuration)]
    if configuration.part.has_hub:
        found += [*_leaving_addons(fleet, catalogue), *_rolled_out(catalogue)]
    return (*found, *_gateway_budget(fleet, catalogue))


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


def _gateway_budget(fleet: Fleet, catalogue: Catalogue) -> Iterator[str]:
    """Told in every part: the budget is the fleet's, and each part may add to it."""
    predicted = requests_per_minute(fleet, catalogue)
    if predicted > WARNING_SHARE * LIMIT:
        yield (
            f"Connect Gateway lets {LIMIT:,} requests a minute through for the whole fleet, and its "
            f"{len(fleet.reached_by(Endpoint.GATEWAY))} members cost at least {predicted:,.0f} while nothing happens. "
            "Raise argocd.watchResyncSeconds or set it to 0, exclude kinds (argocd.resourceExclusions), reach members "
            "by their DNS endpoint (`endpoint: dns`), or ask Google for more."
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
