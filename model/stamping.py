"""Stamping: a fleet and a catalogue make an exact list of Applications.

The heart of the program. The ApplicationSets are generated from the same rules (`model.application_set`), and
every preview, count and guard reads this list. A pure function: no cluster is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from model.catalogue import Addon, Catalogue
from model.cluster import Cluster
from model.cluster_secret import fleet_labels
from model.fleet import Fleet
from model.gateway import IN_CLUSTER, server_url
from model.template import laid_over, rendered
from model.vocabulary import Workloads

ARGOCD = "argocd"
"""Namespace, Helm release, AppProject and Application of Argo CD itself."""


@dataclass(frozen=True, kw_only=True)
class StampedApplication:
    """One Application as Argo CD will hold it."""

    application: str
    cluster: str
    addon: str
    version: str
    """Version of the chart; for an add-on that is being removed, the commit of the empty source."""
    namespace: str
    """Namespace on the destination."""
    ring: str
    server: str
    """Address of the destination; empty where it is known only once the cluster exists."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Chart values with the cluster's labels filled in; empty for an add-on that is being removed."""
    removing: bool = False
    """Whether it stands on the empty source, so that Argo CD prunes what it delivered before."""

    def summary(self) -> dict[str, str]:
        """What the program exports and reports of it."""
        return {
            "application": self.application,
            "cluster": self.cluster,
            "addon": self.addon,
            "version": self.version,
            "namespace": self.namespace,
            "ring": self.ring,
        }


def application_name(addon: str, cluster: str) -> str:
    """Name of the Application that an add-on gets on a cluster."""
    return f"{addon}-{cluster}"


def is_removing(cluster: Cluster) -> bool:
    """Whether the delivered workloads of a cluster are being removed."""
    return cluster.is_leaving and cluster.workloads is Workloads.REMOVE


def receives(cluster: Cluster, addon: str) -> bool:
    """Whether a cluster has an Application of an add-on at all.

    A cluster that leaves and keeps its workloads has none: the Application goes, without a finalizer, and
    what it delivered stays.
    """
    return addon not in cluster.exclude and (not cluster.is_leaving or is_removing(cluster))


def version_in_ring(addon: Addon, ring: str) -> str:
    """Version of an add-on for a ring."""
    return addon.rings.get(ring, addon.version)


def version_for(addon_name: str, addon: Addon, cluster: Cluster) -> str:
    """Version of an add-on for a cluster: its override, else its ring's."""
    override = cluster.addons.get(addon_name)
    return (override.version if override else None) or version_in_ring(addon, cluster.ring)


def values_for(addon_name: str, addon: Addon, cluster: Cluster) -> dict[str, Any]:
    """Chart values of an add-on for a cluster, label references not yet filled in."""
    override = cluster.addons.get(addon_name)
    return laid_over(addon.values, override.values if override else {})


def stamp(fleet: Fleet, catalogue: Catalogue) -> tuple[StampedApplication, ...]:
    """Every Application of every add-on, in the order of the catalogue, then of the fleet file."""
    return tuple(
        _stamped(fleet, catalogue, name, addon, cluster)
        for name, addon in catalogue.addons.items()
        for cluster in fleet.clusters
        if receives(cluster, name)
    )


def argocd_itself(fleet: Fleet, catalogue: Catalogue) -> StampedApplication:
    """The Application by which Argo CD manages itself on the hub."""
    return StampedApplication(
        application=ARGOCD,
        cluster=fleet.hub.name,
        addon=ARGOCD,
        version=catalogue.argocd.version,
        namespace=ARGOCD,
        ring=fleet.hub.ring,
        server=IN_CLUSTER,
    )


def _stamped(
    fleet: Fleet, catalogue: Catalogue, name: str, addon: Addon, cluster: Cluster
) -> StampedApplication:
    removing = is_removing(cluster)
    labels = fleet_labels(fleet.name, cluster)
    return StampedApplication(
        application=application_name(name, cluster.name),
        cluster=cluster.name,
        addon=name,
        version=catalogue.empty_source.revision if removing else version_for(name, addon, cluster),
        namespace=addon.namespace,
        ring=cluster.ring,
        server=server_url(fleet, cluster) or "",
        values={} if removing else rendered(values_for(name, addon, cluster), labels),
        removing=removing,
    )
