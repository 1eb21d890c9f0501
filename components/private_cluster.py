"""A private Autopilot cluster that is born in the fleet: the baseline of hub and members.

Owns the cluster resource. Autopilot forces Workload Identity, shielded nodes, dataplane V2 and VPC-native
networking, so none of these is set: a value that conflicts would replace the cluster. Nothing here is a paid
feature. No node and no control plane has a public address; Connect Gateway needs none.
"""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_gcp as gcp

from model.cluster import Cluster


def private_cluster(
    cluster: Cluster,
    *,
    host_project: str,
    environment: str,
    protect: bool,
    parent: pulumi.Resource,
    depends_on: list[pulumi.Resource],
) -> gcp.container.Cluster:
    """Create the cluster of an entry with `join: create`.

    `protect` sets both the protection by Pulumi and the one by Google. Google's ids of clusters are never
    replaced in place: a cluster behind the same address would look full to everything that was delivered to
    it.
    """
    return gcp.container.Cluster(
        cluster.name,
        name=cluster.name,
        project=cluster.project,
        location=cluster.location,
        enable_autopilot=True,
        min_master_version=cluster.kubernetes,
        release_channel={"channel": "REGULAR"},
        fleet={"project": host_project},
        private_cluster_config={"enable_private_nodes": True, "enable_private_endpoint": True},
        master_authorized_networks_config={
            "cidr_blocks": [],
            "gcp_public_cidrs_access_enabled": False,
            "private_endpoint_enforcement_enabled": True,
        },
        control_plane_endpoints_config={
            "dns_endpoint_config": {"allow_external_traffic": False},
            "ip_endpoints_config": {"enabled": True},
        },
        master_auth={"client_certificate_config": {"issue_client_certificate": False}},
        security_posture_config={"mode": "BASIC", "vulnerability_mode": "VULNERABILITY_DISABLED"},
        resource_labels={"fleet_environment": environment, "fleet_ring": cluster.ring, **cluster.labels},
        deletion_protection=protect,
        opts=pulumi.ResourceOptions(
            parent=parent,
            protect=protect,
            depends_on=depends_on,
            # What GKE sets and moves by itself.
            ignore_changes=["initialNodeCount", "nodeConfig", "nodePools", "nodeVersion"],
        ),
        **network_arguments(cluster),
    )


def network_arguments(cluster: Cluster) -> dict[str, Any]:
    """Arguments of a cluster that say which network it is in; none for the project's default network."""
    if cluster.network is None:
        return {}
    ranges = {
        "cluster_secondary_range_name": cluster.network.pods,
        "services_secondary_range_name": cluster.network.services,
    }
    arguments: dict[str, Any] = {"network": cluster.network.network, "subnetwork": cluster.network.subnetwork}
    named = {key: value for key, value in ranges.items() if value is not None}
    if named:
        arguments["ip_allocation_policy"] = named
    return arguments


def membership_mismatch(expected: str, location: str, reported: Any) -> str | None:
    """Why the membership that Google reports for a new cluster is not the one that addresses were built for,
    if so.

    `reported` is the output `fleet` of a cluster. Google appends a suffix to the id where the name is taken.
    """
    found = getattr(reported, "membership_id", None)
    where = getattr(reported, "membership_location", None)
    if not found or (found == expected and where in (None, "", location)):
        return None
    return (
        f"Google registered the cluster as membership {found} in {where}, but addresses and Secrets were "
        f"built for {expected} in {location}. Remedy: remove the old membership of that name "
        "(`gcloud container fleet memberships list`), or take the cluster out and add it under another name."
    )
