"""What holds between a fleet file and the catalogue: rings, add-ons, minors, labels, secrets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from model.argocd import KINDS_OF_ARGOCD, is_watched
from model.catalogue import Addon
from model.catalogue_file import CatalogueFile, template_problems
from model.cluster import Cluster
from model.cluster_secret import fleet_labels
from model.document import Step
from model.fleet_file import FleetFile
from model.identity import SECRETS_ADDON
from model.problems import Problem, did_you_mean
from model.stamping import application_name, values_for, version_for
from model.template import label_references, texts


def delivery_problems(fleet: FleetFile, catalogue: CatalogueFile) -> list[Problem]:
    """What is wrong between a fleet file and the catalogue."""
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
            named = entry.get(section)
            for name in named if isinstance(named, dict) and catalogue.document.content else ():
                if name not in catalogue.raw_addons:
                    remedy = f"add it to the catalogue, or: {did_you_mean(name, catalogue.raw_addons)}"
                    add((*at, section, name), name, "that add-on is not in the catalogue", remedy)
    for index, cluster in fleet.clusters.items():
        for name, addon in catalogue.addons.items():
            if name not in cluster.exclude:
                problems += _stamping_problems(fleet, index, cluster, name, addon)
        if cluster.secrets and catalogue.document.content and SECRETS_ADDON not in catalogue.raw_addons:
            why = f"{SECRETS_ADDON} reads secrets, and the catalogue has no such add-on"
            add(
                ("clusters", index, "secrets"),
                None,
                why,
                f"add {SECRETS_ADDON} to the catalogue, or drop the line",
            )
    return [*problems, *_reader_problems(fleet, catalogue), *_unwatched(fleet, catalogue)]


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


def _stamping_problems(
    fleet: FleetFile, index: int, cluster: Cluster, name: str, addon: Addon
) -> Iterable[Problem]:
    """What forbids one add-on on one cluster."""
    document, at = fleet.document, ("clusters", index)
    application = application_name(name, cluster.name)
    if len(application) > 63:
        why = f"the Application {application} would have a name of {len(application)} characters"
        remedy = "shorten the name of the cluster or of the add-on: 63 characters fit into a label"
        yield document.problem((*at, "name"), cluster.name, why, remedy)
    if cluster.kubernetes not in addon.kubernetes:
        version = version_for(name, addon, cluster)
        why = f"{name} {version} works with Kubernetes {', '.join(addon.kubernetes)}"
        remedy = f"exclude {name} here with a reason, or add the minor to the add-on once it is tried"
        yield document.problem((*at, "kubernetes"), cluster.kubernetes, why, remedy)
    override = cluster.addons.get(name)
    for path, text in texts(override.values if override else {}):
        yield from template_problems(document, (*at, "addons", name, "values", *path), text)
    labels = fleet_labels(fleet.name, cluster)
    for path, text in texts(values_for(name, addon, cluster)):
        for key in label_references(text):
            if key not in labels:
                where = ".".join(str(step) for step in path)
                why = f"{name} reads that label in its values ({where}), and cluster {cluster.name} has none"
                remedy = f"add `{key}:` to its labels, or exclude {name} there; it has {', '.join(labels)}"
                yield document.problem((*at, "labels", key), None, why, remedy)
