"""What holds between a fleet file and the catalogue: rings, add-ons, selection, minors, metadata, expiry, secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from model.addon_checks import value_problems, wrong_pin
from model.argocd import KINDS_OF_ARGOCD, is_watched
from model.catalogue import Addon, Selection
from model.catalogue_file import CatalogueFile
from model.cluster import Cluster
from model.cluster_secret import fleet_metadata
from model.document import Document, Step
from model.fleet_file import FleetFile
from model.identity import SECRETS_ADDON
from model.inventory import Inventory
from model.problems import Problem, did_you_mean
from model.stamping import (
    Delivery,
    application_name,
    delivery,
    minors_for,
    values_for,
    version_for,
)
from model.template import references, texts


def delivery_problems(
    fleet: FleetFile, catalogue: CatalogueFile, inventory: Inventory, today: str | None
) -> list[Problem]:
    """What is wrong between a fleet file and the catalogue.

    `inventory`: the clusters of every fleet that has this catalogue. `today`: a day as in 2026-11-24, on which nothing
    may have expired; None does not look.
    """
    document, problems = fleet.document, list[Problem]()

    def add(path: tuple[Step, ...], value: Any, why: str, remedy: str) -> None:
        problems.append(document.problem(path, value, why, remedy))

    for index, entry in enumerate(fleet.raw):
        if not isinstance(entry, dict):
            continue
        at: tuple[Step, ...] = ("clusters", index)
        ring = entry.get("ring")
        if isinstance(ring, str) and catalogue.rings and ring not in catalogue.rings:
            remedy = f"declare it under `rings` in the catalogue, or: {did_you_mean(ring, catalogue.rings)}"
            add((*at, "ring"), ring, "nobody declared that ring", remedy)
        for section in ("addons", "exclude"):
            problems += _unknown_addons(document, (*at, section), entry.get(section), catalogue)
    head = fleet.head.addons if fleet.head is not None else {}
    problems += _unknown_addons(document, ("addons",), dict(head), catalogue)
    for name, addon in catalogue.addons.items():
        if name in head:
            problems += value_problems(document, ("addons", name, "values"), addon, head[name].values)
        problems += _selection_problems(catalogue.document, name, addon, inventory)
    for index, cluster in fleet.clusters.items():
        for name, addon in catalogue.addons.items():
            problems += _override_problems(document, index, cluster, name, addon, today)
            if delivery(cluster, name, addon) is Delivery.DELIVERED:
                problems += _stamping_problems(fleet, catalogue, index, cluster, name, addon)
        if cluster.secrets and catalogue.document.content and SECRETS_ADDON not in catalogue.raw_addons:
            why = f"{SECRETS_ADDON} reads secrets, and the catalogue has no such add-on"
            remedy = f"add {SECRETS_ADDON} to the catalogue, or drop the line"
            add(("clusters", index, "secrets"), None, why, remedy)
        reader = catalogue.addons.get(SECRETS_ADDON)
        if cluster.secrets and reader is not None and not reader.select.takes(cluster):
            why = f"{SECRETS_ADDON} reads secrets, and its `select` in the catalogue leaves this cluster out"
            add(("clusters", index, "secrets"), None, why, "select the cluster there, or drop the line")
    return [*problems, *_reader_problems(fleet, catalogue), *_unwatched(fleet, catalogue)]


def _unknown_addons(
    document: Document, at: tuple[Step, ...], named: Any, catalogue: CatalogueFile
) -> Iterator[Problem]:
    """Add-ons in the map at `at` (nothing, where it is none) that the catalogue has not, if it could be read."""
    for name in named if isinstance(named, dict) and catalogue.document.content else ():
        if name not in catalogue.raw_addons:
            remedy = f"add it to the catalogue, or: {did_you_mean(name, catalogue.raw_addons)}"
            yield document.problem((*at, name), name, "that add-on is not in the catalogue", remedy)


def _unwatched(fleet: FleetFile, catalogue: CatalogueFile) -> Iterable[Problem]:
    """Kinds that add-ons or Argo CD bring, and that it is told not to look at: they would never be Synced."""
    settings = fleet.head.argocd if fleet.head is not None else None
    if settings is None or not (settings.resource_inclusions or settings.resource_exclusions):
        return
    key = "resourceInclusions" if settings.resource_inclusions else "resourceExclusions"
    bringing: dict[str, list[str]] = {}
    for kind in (*KINDS_OF_ARGOCD["cluster"], *KINDS_OF_ARGOCD["namespaced"]):
        bringing.setdefault(kind, []).append("Argo CD itself")
    for name, addon in catalogue.addons.items():
        for kind in (*addon.kinds.cluster, *addon.kinds.namespaced):
            bringing.setdefault(kind, []).append(f"add-on {name}")
    for kind, who in bringing.items():
        if not is_watched(settings, kind):
            why = f"{kind} comes with {' and '.join(dict.fromkeys(who))}, and Argo CD would not look at it"
            yield fleet.document.problem(("argocd", key), None, why, f"let {kind} be looked at")


def _reader_problems(fleet: FleetFile, catalogue: CatalogueFile) -> list[Problem]:
    """Whether the add-on that reads secrets runs as the principal that may."""
    addon = catalogue.addons.get(SECRETS_ADDON)
    if addon is None or not any(cluster.secrets for cluster in fleet.clusters.values()):
        return []
    at: tuple[Step, ...] = ("addons", SECRETS_ADDON)
    why = f"secrets are opened to the ServiceAccount {SECRETS_ADDON} in the namespace {SECRETS_ADDON} alone"
    problems: list[Problem] = []
    if addon.namespace != SECRETS_ADDON:
        path = (*at, "namespace")
        problems.append(
            catalogue.document.problem(path, addon.namespace, why, f"write `namespace: {SECRETS_ADDON}`")
        )
    for key, path in (("fullnameOverride", ()), ("name", ("serviceAccount",))):
        values: Any = addon.values
        for step in path:
            values = values.get(step) if isinstance(values, dict) else None
        found = values.get(key) if isinstance(values, dict) else None
        if found not in (None, "", SECRETS_ADDON):
            problems.append(
                catalogue.document.problem(
                    (*at, "values", *path, key), found, why, "drop the line: the chart's own name is right"
                )
            )
    return problems


def _selection_problems(
    document: Document, name: str, addon: Addon, inventory: Inventory
) -> Iterator[Problem]:
    """What `select` and `except` name that no cluster of any fleet is or has: a typo would deliver to nobody."""
    found: list[tuple[tuple[Step, ...], Selection]] = [(("select",), addon.select)]
    found += [(("except", number), one) for number, one in enumerate(addon.excepted)]
    for path, selection in found:
        at: tuple[Step, ...] = ("addons", name, *path)
        for index, cluster in enumerate(selection.clusters):
            if cluster not in inventory.names:
                remedy = did_you_mean(cluster, sorted(inventory.names))
                yield document.problem(
                    (*at, "clusters", index), cluster, "no fleet has a cluster of that name", remedy
                )
        for key, values in selection.labels.items():
            known = inventory.labels.get(key)
            if known is None:
                remedy = did_you_mean(key, sorted(inventory.labels))
                yield document.problem(
                    (*at, "labels", key), None, "no cluster has a label of that key", remedy
                )
                continue
            if not values:
                why = "no value is listed, so no cluster is selected"
                yield document.problem(
                    (*at, "labels", key), None, why, f"list some of {', '.join(sorted(known))}"
                )
            for index, value in enumerate(values):
                if value not in known:
                    remedy = did_you_mean(value, sorted(known))
                    yield document.problem(
                        (*at, "labels", key, index), value, f"no cluster has {key} with that value", remedy
                    )


def _override_problems(
    document: Document, index: int, cluster: Cluster, name: str, addon: Addon, today: str | None
) -> Iterator[Problem]:
    """What is wrong with the way in which a cluster differs for an add-on."""
    override = cluster.addons.get(name)
    if override is None:
        return
    at: tuple[Step, ...] = ("clusters", index, "addons", name)
    if today is not None and override.until < today:
        why = f"cluster {cluster.name} was to have its own {name} until that day, and today is {today}"
        remedy = "drop the entry, so that the cluster follows its ring again, or give it a later day"
        yield document.problem((*at, "until"), override.until, why, remedy)
    if not addon.select.takes(cluster):
        why = f"`select` of {name} in the catalogue leaves this cluster out"
        yield document.problem(at, None, why, "drop the entry, or select the cluster there")
    if override.version is not None:
        wrong = wrong_pin(addon, override.version)
        if wrong is not None:
            yield document.problem((*at, "version"), override.version, *wrong)
    yield from value_problems(document, (*at, "values"), addon, override.values)


def _stamping_problems(
    fleet: FleetFile, catalogue: CatalogueFile, index: int, cluster: Cluster, name: str, addon: Addon
) -> Iterable[Problem]:
    """What forbids one add-on on one cluster."""
    document, at = fleet.document, ("clusters", index)
    application = application_name(name, cluster.name)
    if len(application) > 63:
        why = f"the Application {application} would have a name of {len(application)} characters"
        remedy = "shorten the name of the cluster or of the add-on: 63 characters fit into a label"
        yield document.problem((*at, "name"), cluster.name, why, remedy)
    minors = minors_for(addon, cluster.ring)
    if cluster.kubernetes not in minors:
        version = version_for(name, addon, cluster)
        why = f"{name} {version} works with Kubernetes {', '.join(minors)}"
        remedy = f"exclude {name} here with a reason, or add the minor to the add-on once it is tried"
        yield document.problem((*at, "kubernetes"), cluster.kubernetes, why, remedy)
    for other in addon.after:
        needed = catalogue.addons.get(other)
        if needed is not None and delivery(cluster, other, needed) is not Delivery.DELIVERED:
            why = f"{name} needs {other}, and cluster {cluster.name} does not get it"
            remedy = f"exclude {name} here too, or let the cluster have {other}"
            yield document.problem(at, None, why, remedy)
    metadata = fleet_metadata(fleet.name, cluster)
    settings = fleet.head.addons if fleet.head is not None else {}
    for path, text in texts(values_for(settings, name, addon, cluster)):
        for section, key in references(text):
            if key not in metadata[section]:
                noun = section.removesuffix("s")
                where = ".".join(str(step) for step in path)
                why = f"{name} reads that {noun} in its values ({where}), and cluster {cluster.name} has none"
                has = ", ".join(metadata[section]) or "none"
                remedy = f"add `{key}:` to its {section}, or exclude {name} there; it has {has}"
                yield document.problem((*at, section, key), None, why, remedy)
