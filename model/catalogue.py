"""The catalogue: rings and every version of everything that is delivered, once, for all environments.

Owns the fields of `stacks/catalog.yaml`. Which cluster gets what follows in `model.stamping`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import Field

from model.mirror import through
from model.vocabulary import (
    Commit,
    Entry,
    ExactVersion,
    HelmValues,
    HttpsUrl,
    Kind,
    KubernetesMinor,
    Name,
    Ring,
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
    """The kinds that a chart makes: what Argo CD may create for it, and nothing else."""

    cluster: tuple[Kind, ...] = Field(default=(), description="kinds without a namespace")
    namespaced: tuple[Kind, ...] = Field(description="kinds inside a namespace")


class Addon(Entry):
    """One add-on that every cluster gets unless it says otherwise."""

    chart: Name = Field(description="name of the chart")
    repository: HttpsUrl = Field(description="Helm repository that holds it")
    version: ExactVersion = Field(description="version of the chart for every ring, all three parts")
    rings: dict[Ring, ExactVersion] = Field(
        default={}, description="rings that are ahead of the rest, with theirs"
    )
    namespace: Name = Field(description="namespace on every cluster, made when it is missing")
    values: HelmValues = Field(
        default={}, description="chart values; text may read `{{ .metadata.labels.KEY }}`"
    )
    kinds: AddonKinds = Field(description="the kinds that the chart makes")
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
