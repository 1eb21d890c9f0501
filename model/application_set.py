"""The ApplicationSet of one add-on: the same rules as `model.stamping`, said in the words of Argo CD.

One `clusters` generator per ring, one per cluster with an override, and one for the clusters from which the add-on
is being removed. Each carries its own source in its template, since these differ in kind, not just in a version.

Generators select clusters by name alone, never by a label that may change. Argo CD evaluates them one after the other,
each over the Secrets as they are at that moment: a cluster whose label moves it from one to the next meanwhile can be
in both, or in none, and its Application is then deleted and made again (seen with 3.5.7). Names change with the
ApplicationSet, which is one object.

Deleting never cascades by accident: generated Applications have no finalizer (`preserveResourcesOnDeletion`),
so an Application that goes, for whatever reason, leaves its workloads running. Workloads are removed on
purpose alone: by an Application that stays and points to an empty folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from model.catalogue import Addon, Catalogue, Form
from model.cluster import Cluster
from model.fleet import Fleet
from model.stamping import (
    Delivery,
    delivery,
    values_for,
    values_in_ring,
    version_for,
    version_in_ring,
)

ADDONS_PROJECT = "addons"
"""AppProject of everything that is stamped onto clusters."""

CLUSTER, RING = "fleet_cluster", "fleet_ring"
"""Labels of cluster Secrets and Applications."""

_SYNC_OPTIONS = ("CreateNamespace=true", "ServerSideApply=true")
_BEFORE_ITS_NEEDS = ("SkipDryRunOnMissingResource=true",)
"""Lets an add-on be applied on a new cluster while another one's CRDs are still on their way; what is refused then is
tried again."""


@dataclass(frozen=True, kw_only=True)
class Generator:
    """One `clusters` generator: the names of the clusters that it selects, and the version and values they get.

    `until`: the day on which an override ends, as 2026-11-24; None for a ring's.
    """

    clusters: tuple[str, ...]
    version: str
    values: Mapping[str, Any]
    removing: bool = False
    until: str | None = None


def generators(fleet: Fleet, catalogue: Catalogue, name: str) -> tuple[Generator, ...]:
    """The generators of an add-on, those that select nobody left out. A cluster is in one at most."""
    addon = catalogue.addons[name]
    states = {cluster.name: delivery(cluster, name, addon) for cluster in fleet.clusters}
    delivered = [c for c in fleet.clusters if states[c.name] is Delivery.DELIVERED]
    found = [
        Generator(
            clusters=_names(c for c in delivered if c.ring == ring and name not in c.addons),
            version=version_in_ring(addon, ring),
            values=values_in_ring(fleet.addons, name, addon, ring),
        )
        for ring in catalogue.rings
    ]
    found += [
        Generator(
            clusters=(cluster.name,),
            version=version_for(name, addon, cluster),
            values=values_for(fleet.addons, name, addon, cluster),
            until=str(cluster.addons[name].until),
        )
        for cluster in delivered
        if name in cluster.addons
    ]
    removing = Generator(
        clusters=_names(c for c in fleet.clusters if states[c.name] is Delivery.REMOVING),
        version=catalogue.empty_source.revision,
        values={},
        removing=True,
    )
    return tuple(generator for generator in (*found, removing) if generator.clusters)


def _names(clusters: Iterable[Cluster]) -> tuple[str, ...]:
    """Sorted, so that the order of entries in a fleet file means nothing."""
    return tuple(sorted(cluster.name for cluster in clusters))


def application_set_spec(fleet: Fleet, catalogue: Catalogue, name: str) -> dict[str, Any]:
    """The `spec` of the ApplicationSet of an add-on."""
    addon = catalogue.addons[name]
    spec = {
        "goTemplate": True,
        "goTemplateOptions": ["missingkey=error"],
        "generators": [
            _generator_manifest(generator, catalogue, name)
            for generator in generators(fleet, catalogue, name)
        ]
        # An ApplicationSet has to have one. This one makes nothing.
        or [{"list": {"elements": []}}],
        "syncPolicy": {"applicationsSync": "sync", "preserveResourcesOnDeletion": True},
        "template": _template(addon, name),
    }
    if addon.roll_out is not None:
        steps = [
            {
                "matchExpressions": [{"key": RING, "operator": "In", "values": [ring]}],
                "maxUpdate": addon.roll_out.at_once,
            }
            for ring in catalogue.rings
        ]
        spec["strategy"] = {"type": "RollingSync", "rollingSync": {"steps": steps}}
    return spec


def _generator_manifest(generator: Generator, catalogue: Catalogue, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"destination": {}, "project": ""}
    spec |= generated_spec(catalogue, name, generator.values, removing=generator.removing)
    return {
        "clusters": {
            "selector": {
                "matchExpressions": [{"key": CLUSTER, "operator": "In", "values": list(generator.clusters)}]
            },
            # No template reads `until`: people and policies see by it that the version is an exception that ends.
            "values": {"version": generator.version}
            | ({"until": generator.until} if generator.until else {}),
            # `metadata` and `spec` with these two keys are required here; what is empty is taken from the
            # template below.
            "template": {"metadata": {}, "spec": spec},
        }
    }


def generated_spec(
    catalogue: Catalogue, name: str, values: Mapping[str, Any], *, removing: bool = False
) -> dict[str, Any]:
    """The part of an Application's `spec` that differs between generators: its source and, while the add-on is being
    removed, its sync policy. The version is the generator's."""
    if not removing:
        return {"source": _source(catalogue.addons[name], name, values)}
    empty = catalogue.empty_source
    return {
        "source": {
            "repoURL": empty.repository,
            "path": empty.path,
            "targetRevision": "{{ .values.version }}",
        },
        # Without allowEmpty Argo CD refuses to prune everything that an Application has.
        "syncPolicy": {"automated": {"allowEmpty": True, "prune": True, "selfHeal": True}},
    }


def _source(addon: Addon, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Where the add-on comes from, as an Application's `source`; the version is the generator's."""
    source: dict[str, Any] = {"repoURL": addon.repo_url, "targetRevision": "{{ .values.version }}"}
    if addon.form is Form.CHART:
        source["chart"], source["helm"] = addon.chart, {"releaseName": name}
        if values:
            source["helm"]["valuesObject"] = dict(values)
        if addon.crds is not None and addon.crds.skip:
            source["helm"]["skipCrds"] = True
    elif addon.form is Form.KUSTOMIZE:
        source["path"] = addon.kustomize
        if values:
            source["kustomize"] = dict(values)
    else:
        source["path"], source["directory"] = addon.directory, {"recurse": True}
    return source


def shared_spec(addon: Addon) -> dict[str, Any]:
    """The part of an Application's `spec` that all clusters share."""
    spec: dict[str, Any] = {
        "project": ADDONS_PROJECT,
        "destination": {"server": "{{ .server }}", "namespace": addon.namespace},
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True},
            "syncOptions": [*_SYNC_OPTIONS, *(_BEFORE_ITS_NEEDS if addon.after else ()), *addon.sync_options],
            "retry": {"limit": 10, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m"}},
        },
    }
    if addon.ignore_differences:
        spec["ignoreDifferences"] = [dict(entry) for entry in addon.ignore_differences]
    return spec


def _template(addon: Addon, name: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{name}-{{{{ .metadata.labels.fleet_cluster }}}}",
            "labels": {
                "fleet_addon": name,
                "fleet_cluster": "{{ .metadata.labels.fleet_cluster }}",
                "fleet_ring": "{{ .metadata.labels.fleet_ring }}",
            },
        },
        "spec": shared_spec(addon),
    }
