"""From files to a checked configuration: all of it, or every mistake in it.

Owns what holds between values, between entries and between files. The form of a single value is checked by
its type in `model.vocabulary`. Nothing here stops at the first mistake: head, add-ons and clusters are read
one by one, so that a mistake in one entry hides none in another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from model.catalogue import Addon, ArgocdChart, Catalogue, EmptySource
from model.cluster import Cluster
from model.cluster_secret import fleet_labels
from model.document import Document, Step, read
from model.entry import parsed
from model.fleet import Fleet, FleetHead
from model.problems import ConfigurationError, Problem, did_you_mean
from model.stack_file import FLEET_SETTING, MIRROR_SETTING, PART_SETTING, stack_settings
from model.stamping import (
    ARGOCD,
    StampedApplication,
    application_name,
    argocd_itself,
    stamp,
    values_for,
    version_for,
)
from model.template import foreign_expressions, label_references, texts
from model.vocabulary import HttpsUrl, Join, Name, Ring

CATALOGUE_FILE = "catalog.yaml"
_CATALOGUE_SECTIONS = {
    "rings": "the rings in the order in which a version moves",
    "argocd": "chart, repository and versions of Argo CD",
    "emptySource": "repository, revision and path of an empty folder",
    "addons": "the add-ons by name",
}


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A fleet and its catalogue, checked against each other; repositories are behind the mirror already."""

    fleet: Fleet
    catalogue: Catalogue

    @property
    def applications(self) -> tuple[StampedApplication, ...]:
        """Every Application that the hub will hold: Argo CD itself, then every add-on on every cluster."""
        return (argocd_itself(self.fleet, self.catalogue), *stamp(self.fleet, self.catalogue))


def load(
    stack_root: Path,
    fleet_name: str,
    mirror: str | None = None,
    part: str | None = None,
    *,
    stack: str | None = None,
) -> Configuration:
    """Read `<fleet_name>.fleet.yaml` and `catalog.yaml` in `stack_root`, the folder `stacks` of a checkout.

    `mirror` is an https URL, `part` is "all"; None or "" is the default of either. `stack` names the stack
    that these come from, for errors alone. Raises ConfigurationError with every mistake in these files and
    settings.
    """
    settings = Document(f"{stack_root.name}/Pulumi.{stack or fleet_name}.yaml")
    problems = _setting_problems(settings, mirror, part)
    return _loaded(stack_root, fleet_name, mirror or None, settings, problems)


def load_stack(stack_root: Path, stack: str) -> Configuration:
    """The configuration of a stack, without Pulumi: what `Pulumi.<stack>.yaml` in `stack_root` names.

    Raises ConfigurationError with every mistake in the stack file, the fleet file and the catalogue.
    """
    shown = f"{stack_root.name}/Pulumi.{stack}.yaml"
    file = stack_root / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        names = sorted(
            f.name.removeprefix("Pulumi.").removesuffix(".yaml") for f in stack_root.glob("Pulumi.*.yaml")
        )
        raise ConfigurationError(
            [Document(shown).problem((), stack, "there is no stack of that name", did_you_mean(stack, names))]
        )
    document = read(file, shown)
    settings = stack_settings(document)
    problems = document.problems + _setting_problems(document, settings.mirror, settings.part)
    if settings.fleet is None:
        raise ConfigurationError(problems)
    return _loaded(stack_root, settings.fleet, settings.mirror or None, document, problems)


def _loaded(
    stack_root: Path, fleet_name: str, mirror: str | None, settings: Document, problems: list[Problem]
) -> Configuration:
    catalogue = _Catalogue(read(stack_root / CATALOGUE_FILE, f"{stack_root.name}/{CATALOGUE_FILE}"))
    file = stack_root / f"{fleet_name}.fleet.yaml"
    problems = [*problems, *catalogue.problems]
    if not file.is_file():
        names = [f.name.removesuffix(".fleet.yaml") for f in sorted(stack_root.glob("*.fleet.yaml"))]
        why = f"there is no {stack_root.name}/{file.name}"
        remedy = f"create that file, or name another fleet: {did_you_mean(fleet_name, names)}"
        raise ConfigurationError([*problems, settings.problem(FLEET_SETTING, fleet_name, why, remedy)])
    fleet = _Fleet(fleet_name, read(file, f"{stack_root.name}/{file.name}"))
    problems += fleet.problems + _between(fleet, catalogue)
    if problems:
        raise ConfigurationError(problems)
    return Configuration(fleet=fleet.complete(), catalogue=catalogue.complete().mirrored(mirror))


class _Catalogue:
    """The catalogue as far as it could be read."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems = list(document.problems)
        content = _mapping(document, self.problems, _CATALOGUE_SECTIONS)
        self.raw_addons = _section(document, self.problems, content, "addons")
        kinds: dict[str, Any] = {
            "rings": TypeAdapter(tuple[Ring, ...]),
            "argocd": ArgocdChart,
            "emptySource": EmptySource,
        }
        found: dict[str, Any] = {
            key: parsed(kind, document, (key,), content[key], self.problems)
            for key, kind in kinds.items()
            if key in content
        }
        self.rings: tuple[str, ...] | None = found.get("rings")
        self.argocd: ArgocdChart | None = found.get("argocd")
        self.empty: EmptySource | None = found.get("emptySource")
        if content:
            for key, meaning in _CATALOGUE_SECTIONS.items():
                if key not in content:
                    self._add((key,), None, "it is missing", f"add `{key}:` {meaning}")
        self.addons: dict[str, Addon] = {}
        for name, raw in self.raw_addons.items():
            parsed(TypeAdapter(Name), document, ("addons", name), name, self.problems)
            addon = parsed(Addon, document, ("addons", name), raw, self.problems)
            if addon is not None:
                self.addons[name] = addon
        self._check()

    def complete(self) -> Catalogue:
        """The whole catalogue; to be called only where there is no problem."""
        assert self.rings is not None and self.argocd is not None and self.empty is not None
        return Catalogue(rings=self.rings, argocd=self.argocd, addons=self.addons, empty_source=self.empty)

    def _check(self) -> None:
        document = self.document
        if self.rings == ():
            self._add(
                ("rings",), None, "there is no ring", "list the rings in order, as in [dev, canary, stable]"
            )
        for ring, count in Counter(self.rings or ()).items():
            if count > 1:
                self._add(("rings",), ring, f"ring {ring} is listed {count} times", "list every ring once")
        if ARGOCD in self.raw_addons:
            why = "that name belongs to the Application by which Argo CD manages itself"
            self._add(
                ("addons", ARGOCD), ARGOCD, why, "choose another name; Argo CD's version is under `argocd`"
            )
        for name, addon in self.addons.items():
            for ring in addon.rings:
                if self.rings is not None and ring not in self.rings:
                    why, remedy = (
                        "nobody declared that ring",
                        f"add it to `rings`, or: {did_you_mean(ring, self.rings)}",
                    )
                    self._add(("addons", name, "rings", ring), ring, why, remedy)
            for path, text in texts(addon.values):
                self.problems += _template_problems(document, ("addons", name, "values", *path), text)

    def _add(self, path: tuple[Step, ...], value: Any, why: str, remedy: str) -> None:
        self.problems.append(self.document.problem(path, value, why, remedy))


class _Fleet:
    """A fleet file as far as it could be read."""

    def __init__(self, name: str, document: Document) -> None:
        self.name = name
        self.document = document
        self.problems = list(document.problems)
        keys = (*(field.alias or "" for field in FleetHead.model_fields.values()), "clusters")
        content = _mapping(document, self.problems, keys)
        head = {key: value for key, value in content.items() if key in keys and key != "clusters"}
        self.head = parsed(FleetHead, document, (), head, self.problems) if content else None
        projects = content.get("projects")
        self.projects: Mapping[str, Any] = projects if isinstance(projects, dict) else {}
        raw = content.get("clusters", [])
        if not isinstance(raw, list):
            self._add(
                ("clusters",), raw, "clusters are a list", "write each as an entry that starts with `- name:`"
            )
            raw = []
        elif content and not raw:
            self._add(
                ("clusters",), None, "the fleet has no cluster", "add an entry for the hub and one per member"
            )
        self.raw: list[Any] = raw
        self.clusters: dict[int, Cluster] = {}
        for index, entry in enumerate(raw):
            cluster = parsed(Cluster, document, ("clusters", index), entry, self.problems)
            if cluster is not None:
                self.clusters[index] = cluster
        self._check_head()
        self._check_names()
        self._check_hub()
        for index, cluster in self.clusters.items():
            self._check_cluster(index, cluster)

    def complete(self) -> Fleet:
        """The whole fleet; to be called only where there is no problem."""
        assert self.head is not None
        return Fleet(
            name=self.name,
            host_project=self.head.host_project,
            projects=self.head.projects,
            protect=self.head.protect,
            argocd=self.head.argocd,
            clusters=tuple(self.clusters.values()),
        )

    def _add(self, path: tuple[Step, ...], value: Any, why: str, remedy: str) -> None:
        self.problems.append(self.document.problem(path, value, why, remedy))

    def _check_head(self) -> None:
        if self.head is None:
            return
        host = self.head.host_project
        if host not in self.projects:
            remedy = f'add it: `{host}: "NUMBER"`, or: {did_you_mean(host, self.projects)}'
            self._add(("hostProject",), host, "that project is not among `projects`", remedy)
        owners: dict[str, str] = {}
        for project, number in self.head.projects.items():
            if number in owners:
                why = f"project {owners[number]} has that number already"
                self._add(("projects", project), number, why, "correct one of the two numbers")
            owners.setdefault(number, project)

    def _check_names(self) -> None:
        seen: dict[str, int] = {}
        for index, entry in enumerate(self.raw):
            name = entry.get("name") if isinstance(entry, dict) else None
            if not isinstance(name, str):
                continue
            if name in seen:
                why = f"clusters[{seen[name]}] has that name already"
                self._add(("clusters", index, "name"), name, why, "give each cluster a name of its own")
            seen.setdefault(name, index)
        claims: dict[tuple[str, str], str] = {}
        for index, cluster in self.clusters.items():
            claim = (cluster.membership_location, cluster.membership_id)
            if claims.get(claim, cluster.name) != cluster.name:
                why = f"cluster {claims[claim]} is the membership {claim[1]} in {claim[0]} already"
                remedy = (
                    "give each its own membership: two clusters behind one address would be one to Argo CD"
                )
                self._add(("clusters", index, "membership"), claim[1], why, remedy)
            claims.setdefault(claim, cluster.name)

    def _check_hub(self) -> None:
        hubs = [i for i, e in enumerate(self.raw) if isinstance(e, dict) and e.get("role") == "hub"]
        if self.raw and not hubs:
            self._add(("clusters",), None, "the fleet has no hub", "give one cluster `role: hub`")
        for index in hubs[1:]:
            why = f"the fleet has a hub already: clusters[{hubs[0]}]"
            self._add(("clusters", index, "role"), "hub", why, "leave `role: hub` at one cluster")
        hub_project = self.raw[hubs[0]].get("project") if len(hubs) == 1 else None
        for index, cluster in self.clusters.items():
            if not cluster.is_hub and cluster.project == hub_project:
                why = (
                    "that is the hub's project. Workload Identity names are shared by all clusters of a "
                    "project, so a pod of this cluster could act as Argo CD"
                )
                remedy = "put the member into a project without the hub"
                self._add(("clusters", index, "project"), cluster.project, why, remedy)

    def _check_cluster(self, index: int, cluster: Cluster) -> None:
        at: tuple[Step, ...] = ("clusters", index)
        if cluster.project not in self.projects:
            near = did_you_mean(cluster.project, self.projects)
            remedy = f'add `{cluster.project}: "NUMBER"` to projects, or: {near}'
            self._add((*at, "project"), cluster.project, "that project is not among `projects`", remedy)
        if cluster.is_leaving and cluster.workloads is None:
            why = "a leaving cluster has to say what becomes of what was delivered to it"
            self._add((*at, "lifecycle"), "leaving", why, "add `workloads: keep` or `workloads: remove`")
        if not cluster.is_leaving and cluster.workloads is not None:
            remedy = "drop the line, or set `lifecycle: leaving`"
            why = "that means something only while a cluster is leaving"
            self._add((*at, "workloads"), cluster.workloads.value, why, remedy)
        if cluster.is_leaving and cluster.is_hub:
            why = "the hub runs Argo CD; without it nothing delivers"
            self._add((*at, "lifecycle"), "leaving", why, "end the whole fleet with `pulumi destroy` instead")
        if cluster.join is Join.CREATE and cluster.membership is not None:
            why = "GKE registers a cluster that it creates as a regional membership of the same name"
            self._add((*at, "membership"), cluster.membership.id, why, "drop it, or use `join: registered`")
        if cluster.join is not Join.CREATE and cluster.network is not None:
            why = "the cluster exists, and so does its network"
            self._add((*at, "network"), cluster.network.network, why, "drop it, or use `join: create`")
        for name in cluster.addons:
            if name in cluster.exclude:
                why = "the cluster excludes that add-on and changes it too"
                self._add((*at, "addons", name), name, why, "keep one of `addons` and `exclude`")
            elif cluster.addons[name].version is None and not cluster.addons[name].values:
                remedy = "give `version` or `values`, or drop the entry"
                self._add((*at, "addons", name), name, "the entry changes nothing", remedy)


def _between(fleet: _Fleet, catalogue: _Catalogue) -> list[Problem]:
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
    return problems


def _stamping_problems(
    fleet: _Fleet, index: int, cluster: Cluster, name: str, addon: Addon
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
        yield from _template_problems(document, (*at, "addons", name, "values", *path), text)
    labels = fleet_labels(fleet.name, cluster)
    for path, text in texts(values_for(name, addon, cluster)):
        for key in label_references(text):
            if key not in labels:
                where = ".".join(str(step) for step in path)
                why = f"{name} reads that label in its values ({where}), and cluster {cluster.name} has none"
                remedy = f"add `{key}:` to its labels, or exclude {name} there; it has {', '.join(labels)}"
                yield document.problem((*at, "labels", key), None, why, remedy)


def _template_problems(document: Document, path: tuple[Step, ...], text: str) -> Iterable[Problem]:
    for expression in foreign_expressions(text):
        why = f"the template expression {expression} is not one that is checked"
        yield document.problem(path, text, why, "write `{{ .metadata.labels.KEY }}`, or the value itself")


def _setting_problems(document: Document, mirror: str | None, part: str | None) -> list[Problem]:
    problems: list[Problem] = []
    if mirror:
        parsed(TypeAdapter(HttpsUrl), document, MIRROR_SETTING, mirror, problems)
    if part and part != "all":
        problems.append(document.problem(PART_SETTING, part, "there is no such part", "use `all`"))
    return problems


def _mapping(document: Document, problems: list[Problem], keys: Iterable[str]) -> dict[str, Any]:
    """The content of a file as a map; what is unknown or missing at the top becomes a problem."""
    content = document.content
    if content is None and document.problems:
        return {}
    if not isinstance(content, dict):
        why = "the file is empty" if content is None else "the file has to be a map"
        problems.append(document.problem((), None, why, f"give it the keys {', '.join(keys)}"))
        return {}
    known = list(keys)
    for key in content:
        if key not in known:
            problems.append(document.problem((key,), None, "there is no such key", did_you_mean(key, known)))
    return content


def _section(
    document: Document, problems: list[Problem], content: dict[str, Any], key: str
) -> dict[str, Any]:
    section = content.get(key, {})
    if isinstance(section, dict):
        return section
    problems.append(
        document.problem((key,), section, f"{key} is a map by name", "write `NAME:` and its entry under it")
    )
    return {}
