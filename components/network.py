"""The network that this program creates in a project of clusters, and each cluster's own part of it.

Owns the VPC network `fleet` of a project, a router in each region that needs one, and for each cluster its
subnetwork and, where it wants one, its NAT. Does not own networks that exist already: clusters name those.
A NAT serves one subnetwork by name, so what one cluster of a region reaches says nothing about the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from model.cluster import Cluster
from model.fleet import Fleet
from model.naming import PODS_RANGE, SERVICES_RANGE, network_name, router_name, subnetwork_name


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """`regions` are those that get a router; `before` is what has to exist before a network can."""

    project: str
    regions: tuple[str, ...]
    protect: bool
    before: list[pulumi.Resource]


class Network(pulumi.ComponentResource):
    """`ready`: what has to exist before a subnetwork of it can."""

    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet:index:Network", name, None, opts)
        network = gcp.compute.Network(
            f"{args.project}-{network_name()}",
            name=network_name(),
            project=args.project,
            auto_create_subnetworks=False,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, depends_on=args.before),
        )
        routers = [
            gcp.compute.Router(
                f"{args.project}-{router_name(region)}",
                name=router_name(region),
                project=args.project,
                region=region,
                network=network_path(args.project),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[network]),
            )
            for region in args.regions
        ]
        self.ready = [network, *routers]
        self.register_outputs({})


def network_users(fleet: Fleet, project: str) -> tuple[Cluster, ...]:
    """The clusters of a project that are in its created network."""
    return tuple(
        cluster
        for cluster in fleet.clusters
        if cluster.project == project and cluster.new_subnetwork is not None
    )


def router_regions(users: Sequence[Cluster]) -> tuple[str, ...]:
    """Regions where some of the users of a network get a NAT, each once, sorted."""
    return tuple(sorted({user.location for user in users if user.new_subnetwork and user.new_subnetwork.nat}))


def network_path(project: str) -> str:
    """Full name of the created network of a project."""
    return f"projects/{project}/global/networks/{network_name()}"


def subnetwork_path(cluster: Cluster) -> str:
    """Full name of the created subnetwork of a cluster."""
    return f"projects/{cluster.project}/regions/{cluster.location}/subnetworks/{subnetwork_name(cluster)}"


def subnetwork(
    cluster: Cluster, *, protect: bool, parent: pulumi.Resource, depends_on: list[pulumi.Resource]
) -> list[pulumi.Resource]:
    """The subnetwork of a cluster and its NAT: what has to exist before the cluster. Empty where it is in a
    network that exists."""
    wanted = cluster.new_subnetwork
    if wanted is None:
        return []
    made = gcp.compute.Subnetwork(
        cluster.name,
        name=subnetwork_name(cluster),
        project=cluster.project,
        region=cluster.location,
        network=network_path(cluster.project),
        ip_cidr_range=wanted.nodes,
        secondary_ip_ranges=[
            {"range_name": PODS_RANGE, "ip_cidr_range": wanted.pods},
            {"range_name": SERVICES_RANGE, "ip_cidr_range": wanted.services},
        ],
        # Without it a node without a public address reaches no API of Google, not even the gateway.
        private_ip_google_access=True,
        opts=pulumi.ResourceOptions(parent=parent, protect=protect, depends_on=depends_on),
    )
    if not wanted.nat:
        return [made]
    nat = gcp.compute.RouterNat(
        cluster.name,
        name=subnetwork_name(cluster),
        project=cluster.project,
        region=cluster.location,
        router=router_name(cluster.location),
        nat_ip_allocate_option="AUTO_ONLY",
        source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
        subnetworks=[{"name": subnetwork_path(cluster), "source_ip_ranges_to_nats": ["ALL_IP_RANGES"]}],
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[made]),
    )
    return [made, nat]
