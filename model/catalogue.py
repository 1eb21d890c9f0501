"""The catalogue: rings and every version of everything that is delivered, once, for all environments.

Owns the fields of `stacks/catalog.yaml`. Which cluster gets what follows in `model.stamping`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import Field, field_validator

from model.cluster import Cluster
from model.mirror import through
from model.vocabulary import (
    ApiGroup,
    ClusterName,
    Commit,
    Entry,
    ExactVersion,
    Folder,
    HelmValues,
    HttpsUrl,
    Kind,
    KubernetesMinor,
    LabelKey,
    LabelValue,
    Lifecycle,
    Name,
    Pin,
    Reason,
    Repository,
    Ring,
    Workloads,
    wrong,
)


class ArgocdChart(Entry):
    """The chart that installs Argo CD, and that Argo CD then keeps itself by."""

    chart: Name = Field(description="name of the chart")
    repository: HttpsUrl = Field(description="Helm repository that holds it")
    version: ExactVersion = Field(description="version of the chart, all three parts")
    app_version: ExactVersion = Field(description="version of Argo CD that this chart installs")


class EmptySource(Entry):
    """An empty folder of a Git repository. An Application that points to it prunes what it delivered
    before."""

    repository: HttpsUrl = Field(description="Git repository")
    revision: Commit = Field(description="full commit id")
    path: str = Field(pattern=r"^[\w.-]+(/[\w.-]+)*$", description="folder that holds nothing but a .gitkeep")


class AddonKinds(Entry):
    """The kinds that an add-on makes: what Argo CD may create for it, and nothing else."""

    cluster: tuple[Kind, ...] = Field(default=(), description="kinds without a namespace")
    namespaced: tuple[Kind, ...] = Field(default=(), description="kinds inside a namespace")


class AddonCrds(Entry):
    """The CustomResourceDefinitions that an add-on brings. Argo CD takes none away, whatever is removed: with one of
    them every object of its kind would go."""

    groups: tuple[ApiGroup, ...] = Field(
        min_length=1, description="their API groups; no other add-on has one of them"
    )
    skip: bool = Field(
        default=False, description="leave out the chart's `crds` folder, where something else installs them"
    )


class Ahead(Entry):
    """How far the version of a ring may be ahead of the next ring's. A ring is never behind a later one."""

    majors: int = Field(default=0, ge=0, description="major versions")
    minors: int = Field(default=1, ge=0, description="minor versions within one major version")


class RingEntry(Entry):
    """Where one ring, and those before it, differ from the rest of the catalogue's entry."""

    version: Pin | None = Field(default=None, description="its version")
    values: HelmValues = Field(
        default={}, description="values laid over the ones of catalogue and fleet file"
    )
    kubernetes: tuple[KubernetesMinor, ...] | None = Field(
        default=None, description="Kubernetes minors that this version works with, where they differ"
    )


class Selection(Entry):
    """Clusters by ring, labels and name; what is given has to hold, all of it."""

    rings: tuple[Ring, ...] = Field(default=(), description="clusters of one of these rings")
    labels: dict[LabelKey, tuple[LabelValue, ...]] = Field(
        default={}, description="clusters whose label is one of these values, for every key"
    )
    clusters: tuple[ClusterName, ...] = Field(default=(), description="clusters of these names")

    @property
    def is_empty(self) -> bool:
        return not (self.rings or self.labels or self.clusters)

    def takes(self, cluster: Cluster) -> bool:
        """Whether a cluster is selected."""
        return (
            (not self.rings or cluster.ring in self.rings)
            and all(cluster.labels.get(key) in values for key, values in self.labels.items())
            and (not self.clusters or cluster.name in self.clusters)
        )


class Except(Selection):
    """Clusters that do not get an add-on, and why."""

    reason: Reason = Field(description="why they do not get it")
    workloads: Workloads = Field(
        default=Workloads.KEEP, description="keep or remove what was delivered to them before"
    )


class RollOut(Entry):
    """Ring by ring, by Argo CD itself (RollingSync).

    What it costs: a change made by hand in a cluster is no longer healed (automatic sync is off), and one cluster
    that does not become Healthy holds back every later ring, without an end. The new version is written into all
    Applications at once; only the sync waits, so whoever syncs a later ring by hand gets it early.
    """

    at_once: int | str = Field(
        default="100%", description='how many clusters of a ring at a time: a number, or a share as in "25%"'
    )

    @field_validator("at_once")
    @classmethod
    def _sensible(cls, value: int | str) -> int | str:
        share = re.fullmatch(r"(\d{1,3})%", value) if isinstance(value, str) else None
        if (int(share[1]) if share else value) in range(1, 101 if share else 10_000):
            return value
        raise wrong(
            "with that no cluster would ever be synced", 'write a number from 1, or a share as in "25%"'
        )


class Form(StrEnum):
    """What an add-on is made from."""

    CHART = "chart"
    KUSTOMIZE = "kustomize"
    DIRECTORY = "directory"


class Addon(Entry):
    """One add-on. Every cluster gets it that `select` takes and neither `except` nor its own entry leaves out."""

    repository: Repository = Field(
        description="https address of the Helm repository (of a folder: of the Git repository), or oci://HOST/PATH"
    )
    chart: Name | None = Field(default=None, description="name of the chart")
    kustomize: Folder | None = Field(default=None, description="folder with a kustomization.yaml")
    directory: Folder | None = Field(default=None, description="folder of plain manifests")
    version: Pin = Field(
        description="for every ring: of a chart all three parts of its version, of a folder in Git the full commit, "
        "in an OCI repository the digest sha256:..."
    )
    rings: dict[Ring, RingEntry] = Field(
        default={},
        description="rings that are ahead of the rest: their version, or a map of what differs. It is for the rings "
        "before them too, unless those have their own",
    )
    ahead: Ahead | None = Field(default=None, description="how far a ring may run ahead, where it differs")
    namespace: Name = Field(description="namespace on every cluster, made when it is missing")
    other_namespaces: tuple[Name, ...] = Field(
        default=(), description="namespaces besides its own that it writes into, as in kube-system"
    )
    values: HelmValues = Field(
        default={},
        description="chart values (of a kustomize folder: what Argo CD takes under `kustomize`); text may read "
        "`{{ .metadata.labels.KEY }}` and `{{ .metadata.annotations.KEY }}`",
    )
    kinds: AddonKinds = Field(description="the kinds that it makes")
    crds: AddonCrds | None = Field(default=None, description="the CustomResourceDefinitions that it brings")
    after: tuple[Name, ...] = Field(default=(), description="add-ons that it needs on the same cluster")
    sync_options: tuple[str, ...] = Field(
        default=(), description="sync options besides the ones that all add-ons have"
    )
    ignore_differences: tuple[dict[str, Any], ...] = Field(
        default=(),
        description="known noise: fields that others write, as in an Application's ignoreDifferences",
    )
    kubernetes: tuple[KubernetesMinor, ...] = Field(
        description="Kubernetes minors that this version works with"
    )
    select: Selection = Field(
        default=Selection(), description="the clusters that get it; without it every one"
    )
    excepted: tuple[Except, ...] = Field(
        default=(), alias="except", description="clusters that do not get it, each with the reason"
    )
    roll_out: RollOut | None = Field(
        default=None,
        description="let Argo CD bring a change ring by ring; self-healing is off then, and one sick cluster holds "
        "back every later ring",
    )
    lifecycle: Lifecycle = Field(
        default=Lifecycle.ACTIVE, description="active, or leaving: the first of the two steps of its removal"
    )
    workloads: Workloads | None = Field(
        default=None, description="only while leaving: keep or remove what was delivered"
    )

    def for_rings(self, rings: tuple[str, ...]) -> Addon:
        """The same add-on with an entry for each ring that comes before one with an entry: what a ring has, the
        rings before it have too, unless they say otherwise. So a version moves on by one line."""
        filled: dict[str, RingEntry] = {}
        for ring in reversed(rings):
            entry = self.rings.get(ring, next(reversed(filled.values()), None))
            if entry is not None:
                filled[ring] = entry
        return self.model_copy(update={"rings": filled})

    @property
    def form(self) -> Form:
        return Form.CHART if self.chart else Form.KUSTOMIZE if self.kustomize else Form.DIRECTORY

    @property
    def is_oci(self) -> bool:
        return self.repository.startswith("oci://")

    @property
    def is_leaving(self) -> bool:
        return self.lifecycle is Lifecycle.LEAVING

    @property
    def repo_url(self) -> str:
        """The repository as an Application and its AppProject name it: of a chart in an OCI registry without the
        scheme, which is how Argo CD tells one from a Helm repository."""
        return self.repository.removeprefix("oci://") if self.form is Form.CHART else self.repository


_Sourced = TypeVar("_Sourced", Addon, ArgocdChart, EmptySource)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The catalogue, checked. Rings stand in the order in which a version moves through them."""

    rings: tuple[str, ...]
    argocd: ArgocdChart
    addons: Mapping[str, Addon]
    empty_source: EmptySource

    def mirrored(self, mirror: str | None) -> Catalogue:
        """The same catalogue with every repository behind `mirror` (an https URL), or unchanged without
        one."""
        if mirror is None:
            return self

        return replace(
            self,
            argocd=_moved(self.argocd, mirror),
            addons={name: _moved(addon, mirror) for name, addon in self.addons.items()},
            empty_source=_moved(self.empty_source, mirror),
        )


def _moved(entry: _Sourced, mirror: str) -> _Sourced:
    return entry.model_copy(update={"repository": through(mirror, entry.repository)})


def in_order(catalogue: Catalogue) -> tuple[str, ...]:
    """The add-ons, each after the ones that it needs; else as in the file."""
    found: dict[str, None] = {}

    def add(name: str) -> None:
        if name not in found:
            for other in catalogue.addons[name].after:
                add(other)
            found[name] = None

    for name in catalogue.addons:
        add(name)
    return tuple(found)
