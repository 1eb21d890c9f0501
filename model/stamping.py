"""Stamping: a fleet and a catalogue make an exact list of Applications.

The heart of the program. The ApplicationSets are generated from the same rules (`model.application_set`), and
every preview, count and guard reads this list. A pure function: no cluster is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from model.catalogue import Addon, Catalogue, RingEntry
from model.cluster import Cluster
from model.cluster_secret import fleet_metadata
from model.fleet import AddonSettings, Fleet
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
    """Version of the chart, commit or digest; for an add-on that is being removed, the commit of the empty
    source."""
    namespace: str
    """Namespace on the destination."""
    ring: str
    server: str
    """Address of the destination; empty where it is known only once the cluster exists."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Values with the cluster's metadata filled in; empty for an add-on that is being removed."""
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


class Delivery(StrEnum):
    """What becomes of an add-on on a cluster."""

    NONE = "none"
    """No Application. One that was there goes, without a finalizer, and what it delivered stays."""
    DELIVERED = "delivered"
    REMOVING = "removing"
    """The Application stays and points to the empty folder, so that Argo CD prunes what it delivered."""


def delivery(cluster: Cluster, name: str, addon: Addon) -> Delivery:
    """What becomes of an add-on on a cluster. Whoever keeps wins over whoever removes."""
    if not addon.select.takes(cluster):
        return Delivery.NONE
    left_out = cluster.exclude.get(name) or next((one for one in addon.excepted if one.takes(cluster)), None)
    found = [
        workloads
        for leaves, workloads in (
            (left_out is not None, left_out.workloads if left_out else None),
            (addon.is_leaving, addon.workloads),
            (cluster.is_leaving, cluster.workloads),
        )
        if leaves
    ]
    if not found:
        return Delivery.DELIVERED
    return Delivery.REMOVING if set(found) == {Workloads.REMOVE} else Delivery.NONE


_SAME = RingEntry()


def version_in_ring(addon: Addon, ring: str) -> str:
    """Version of an add-on for a ring."""
    return addon.rings.get(ring, _SAME).version or addon.version


def version_for(addon_name: str, addon: Addon, cluster: Cluster) -> str:
    """Version of an add-on for a cluster: its override, else its ring's."""
    override = cluster.addons.get(addon_name)
    return (override.version if override else None) or version_in_ring(addon, cluster.ring)


def minors_for(addon: Addon, ring: str) -> tuple[str, ...]:
    """The Kubernetes minors that the version of a ring works with."""
    minors = addon.rings.get(ring, _SAME).kubernetes
    return addon.kubernetes if minors is None else minors


def values_in_ring(
    settings: Mapping[str, AddonSettings], addon_name: str, addon: Addon, ring: str
) -> dict[str, Any]:
    """Values of an add-on for a ring, references not yet filled in: the catalogue's, over them those of the fleet
    (`settings`, by add-on), over them the ring's."""
    of_fleet = settings[addon_name].values if addon_name in settings else {}
    return laid_over(laid_over(addon.values, of_fleet), addon.rings.get(ring, _SAME).values)


def values_for(
    settings: Mapping[str, AddonSettings], addon_name: str, addon: Addon, cluster: Cluster
) -> dict[str, Any]:
    """Values of an add-on for a cluster, references not yet filled in: its ring's, over them its own."""
    override = cluster.addons.get(addon_name)
    below = values_in_ring(settings, addon_name, addon, cluster.ring)
    return laid_over(below, override.values if override else {})


def stamp(fleet: Fleet, catalogue: Catalogue) -> tuple[StampedApplication, ...]:
    """Every Application of every add-on, in the order of the catalogue, then of the fleet file."""
    return tuple(
        _stamped(fleet, catalogue, name, addon, cluster)
        for name, addon in catalogue.addons.items()
        for cluster in fleet.clusters
        if delivery(cluster, name, addon) is not Delivery.NONE
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
    removing = delivery(cluster, name, addon) is Delivery.REMOVING
    metadata = fleet_metadata(fleet.name, cluster)
    return StampedApplication(
        application=application_name(name, cluster.name),
        cluster=cluster.name,
        addon=name,
        version=catalogue.empty_source.revision if removing else version_for(name, addon, cluster),
        namespace=addon.namespace,
        ring=cluster.ring,
        server=server_url(fleet, cluster) or "",
        values={} if removing else rendered(values_for(fleet.addons, name, addon, cluster), metadata),
        removing=removing,
    )
