"""The ApplicationSet of one add-on: the same rules as `model.stamping`, said in the words of Argo CD.

One `clusters` generator per ring, one per cluster with an override, and one for the clusters whose workloads
are being removed. Each carries its own source in its template, since these three differ in kind, not just in
a version.

Deleting never cascades by accident: generated Applications have no finalizer (`preserveResourcesOnDeletion`),
so an Application that goes, for whatever reason, leaves its workloads running. Workloads are removed on
purpose alone: by an Application that stays and points to an empty folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from model.catalogue import Addon, Catalogue
from model.cluster import Cluster
from model.fleet import Fleet
from model.selection import CLUSTER, LIFECYCLE, RING, Selector, disjoint
from model.stamping import is_removing, values_for, version_for, version_in_ring
from model.vocabulary import Lifecycle

ADDONS_PROJECT = "addons"
"""AppProject of everything that is stamped onto clusters."""

_SYNC_OPTIONS = ("CreateNamespace=true", "ServerSideApply=true")


@dataclass(frozen=True, kw_only=True)
class Generator:
    """One `clusters` generator: whom it selects, and the version and values they get."""

    selector: Selector
    version: str
    values: Mapping[str, Any]
    removing: bool = False


def generators(fleet: Fleet, catalogue: Catalogue, name: str) -> tuple[Generator, ...]:
    """The generators of an add-on. Their selectors are pairwise disjoint; ValueError says which two are
    not."""
    addon = catalogue.addons[name]
    receiving = [cluster for cluster in fleet.clusters if name not in cluster.exclude]
    special = [cluster for cluster in receiving if name in cluster.addons]
    apart = {cluster.name for cluster in special} | {c.name for c in fleet.clusters if name in c.exclude}
    # A leaving cluster keeps the generator that it had until its Secret says so too: this set changes first,
    # and an Application that nothing selected in between would be deleted and made again.
    found = [
        *(_for_ring(addon, ring, apart) for ring in _rings_in_use(catalogue, receiving, apart)),
        *(_for_override(addon, name, cluster) for cluster in special),
    ]
    removing = [cluster.name for cluster in receiving if is_removing(cluster)]
    if removing:
        found.append(_for_removal(catalogue, removing))
    for one, other in combinations(found, 2):
        if not disjoint(one.selector, other.selector):
            raise ValueError(
                f"add-on {name}: two generators can select one cluster: {one.selector}, {other.selector}"
            )
    return tuple(found)


def application_set_spec(fleet: Fleet, catalogue: Catalogue, name: str) -> dict[str, Any]:
    """The `spec` of the ApplicationSet of an add-on."""
    addon = catalogue.addons[name]
    return {
        "goTemplate": True,
        "goTemplateOptions": ["missingkey=error"],
        "generators": [
            _generator_manifest(generator, addon, catalogue, name)
            for generator in generators(fleet, catalogue, name)
        ],
        "syncPolicy": {"applicationsSync": "sync", "preserveResourcesOnDeletion": True},
        "template": _template(addon, name),
    }


def _rings_in_use(catalogue: Catalogue, receiving: list[Cluster], apart: set[str]) -> list[str]:
    used = {cluster.ring for cluster in receiving if cluster.name not in apart}
    return [ring for ring in catalogue.rings if ring in used]


def _for_ring(addon: Addon, ring: str, apart: set[str]) -> Generator:
    return Generator(
        selector=Selector(
            ((LIFECYCLE, Lifecycle.ACTIVE.value), (RING, ring)),
            without=tuple(sorted(apart)),
        ),
        version=version_in_ring(addon, ring),
        values=addon.values,
    )


def _for_override(addon: Addon, name: str, cluster: Cluster) -> Generator:
    return Generator(
        selector=Selector(((CLUSTER, cluster.name), (LIFECYCLE, Lifecycle.ACTIVE.value))),
        version=version_for(name, addon, cluster),
        values=values_for(name, addon, cluster),
    )


def _for_removal(catalogue: Catalogue, names: list[str]) -> Generator:
    return Generator(
        selector=Selector(((LIFECYCLE, Lifecycle.LEAVING.value),), among=tuple(sorted(names))),
        version=catalogue.empty_source.revision,
        values={},
        removing=True,
    )


def _generator_manifest(
    generator: Generator, addon: Addon, catalogue: Catalogue, name: str
) -> dict[str, Any]:
    spec: dict[str, Any] = {"destination": {}, "project": ""}
    if generator.removing:
        empty = catalogue.empty_source
        spec["source"] = {
            "repoURL": empty.repository,
            "path": empty.path,
            "targetRevision": "{{ .values.version }}",
        }
        # Without allowEmpty Argo CD refuses to prune everything that an Application has.
        spec["syncPolicy"] = {"automated": {"allowEmpty": True, "prune": True, "selfHeal": True}}
    else:
        helm: dict[str, Any] = {"releaseName": name}
        if generator.values:
            helm["valuesObject"] = dict(generator.values)
        spec["source"] = {
            "repoURL": addon.repository,
            "chart": addon.chart,
            "targetRevision": "{{ .values.version }}",
            "helm": helm,
        }
    return {
        "clusters": {
            "selector": generator.selector.manifest(),
            "values": {"version": generator.version},
            # `metadata` and `spec` with these two keys are required here; what is empty is taken from the
            # template below.
            "template": {"metadata": {}, "spec": spec},
        }
    }


def _template(addon: Addon, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "project": ADDONS_PROJECT,
        "destination": {"server": "{{ .server }}", "namespace": addon.namespace},
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True},
            "syncOptions": [*_SYNC_OPTIONS, *addon.sync_options],
            "retry": {"limit": 10, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m"}},
        },
    }
    if addon.ignore_differences:
        spec["ignoreDifferences"] = [dict(entry) for entry in addon.ignore_differences]
    return {
        "metadata": {
            "name": f"{name}-{{{{ .metadata.labels.fleet_cluster }}}}",
            "labels": {
                "fleet_addon": name,
                "fleet_cluster": "{{ .metadata.labels.fleet_cluster }}",
                "fleet_ring": "{{ .metadata.labels.fleet_ring }}",
            },
        },
        "spec": spec,
    }
