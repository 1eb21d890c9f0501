"""A private GKE cluster that is born in the fleet: the baseline of hub and members, Autopilot and Standard.

Owns the cluster resource; a Standard cluster's nodes are in `components.node_pools`. No node and no control
plane has a public address, no feature is a paid one, nobody is let in without a name. Autopilot forces
Workload Identity, shielded nodes, Dataplane V2, VPC-native networking and what it logs and measures, so none
of these is set there: a value that conflicts would be refused or replace the cluster
(https://cloud.google.com/kubernetes-engine/docs/concepts/autopilot-overview).
"""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.network import network_path, subnetwork_path
from model.cluster import Cluster
from model.fleet import Fleet
from model.identity import node_account
from model.naming import PODS_RANGE, SERVICES_RANGE
from model.vocabulary import Endpoint, Mode

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
"""The scope of a node's tokens: what they may do is then said by roles alone."""


def private_cluster(
    fleet: Fleet, cluster: Cluster, *, parent: pulumi.Resource, depends_on: list[pulumi.Resource]
) -> gcp.container.Cluster:
    """Create the cluster of an entry with `join: create`.

    The fleet's protection sets both the one by Pulumi and the one by Google. A cluster is never replaced in
    place: a new one behind the same address would look full to everything that was delivered to the old.
    """
    return gcp.container.Cluster(
        cluster.name,
        opts=pulumi.ResourceOptions(
            parent=parent,
            protect=fleet.protects(cluster),
            depends_on=depends_on,
            # What GKE sets and moves by itself.
            ignore_changes=["initialNodeCount", "nodeConfig", "nodePools", "nodeVersion"],
        ),
        **cluster_arguments(fleet, cluster),
    )


def cluster_arguments(fleet: Fleet, cluster: Cluster) -> dict[str, Any]:
    """Arguments of `gcp.container.Cluster` for an entry with `join: create`."""
    by_mode = _standard(cluster) if cluster.mode is Mode.STANDARD else _autopilot(cluster)
    return {
        "name": cluster.name,
        "project": cluster.project,
        "location": cluster.location,
        "min_master_version": cluster.kubernetes,
        "release_channel": {"channel": cluster.channel.value},
        "fleet": {"project": fleet.host_project},
        **_access(fleet, cluster),
        "security_posture_config": {"mode": "BASIC", "vulnerability_mode": "VULNERABILITY_DISABLED"},
        "cost_management_config": {"enabled": True},
        "resource_labels": {
            "fleet_environment": fleet.name,
            "fleet_ring": cluster.ring,
            # By it a policy knows that this cluster is meant to lose its protection.
            **({"fleet_lifecycle": "leaving"} if cluster.is_leaving else {}),
            **cluster.labels,
        },
        "deletion_protection": fleet.protects(cluster),
        **by_mode,
        **_network(cluster),
        **_optional(fleet, cluster),
    }


def _access(fleet: Fleet, cluster: Cluster) -> dict[str, Any]:
    """How the control plane is reached: not from outside, and by nobody without a name."""
    # The private address answers its own region alone, unless it is told otherwise.
    elsewhere = cluster.endpoint is Endpoint.PRIVATE and cluster.location != fleet.hub.location
    blocks = [
        {"display_name": name, "cidr_block": cidr} for name, cidr in cluster.authorized_networks.items()
    ]
    return {
        "private_cluster_config": {
            "enable_private_nodes": True,
            "enable_private_endpoint": True,
            "master_global_access_config": {"enabled": elsewhere},
        },
        "master_authorized_networks_config": {
            "cidr_blocks": blocks,
            "gcp_public_cidrs_access_enabled": False,
            "private_endpoint_enforcement_enabled": True,
        },
        "control_plane_endpoints_config": {
            "dns_endpoint_config": {
                "allow_external_traffic": cluster.endpoint is Endpoint.DNS,
                "enable_k8s_tokens_via_dns": False,
                "enable_k8s_certs_via_dns": False,
            },
            "ip_endpoints_config": {"enabled": True},
        },
        "master_auth": {"client_certificate_config": {"issue_client_certificate": False}},
        "anonymous_authentication_config": {"mode": "LIMITED"},
        "rbac_binding_config": {
            "enable_insecure_binding_system_authenticated": False,
            "enable_insecure_binding_system_unauthenticated": False,
        },
    }


def _autopilot(cluster: Cluster) -> dict[str, Any]:
    return {
        "enable_autopilot": True,
        "cluster_autoscaling": {
            "auto_provisioning_defaults": {
                "service_account": node_account(cluster),
                "oauth_scopes": [CLOUD_PLATFORM],
            }
        },
    }


def _standard(cluster: Cluster) -> dict[str, Any]:
    return {
        "networking_mode": "VPC_NATIVE",
        "datapath_provider": "ADVANCED_DATAPATH",
        "workload_identity_config": {"workload_pool": f"{cluster.project}.svc.id.goog"},
        "enable_shielded_nodes": True,
        "enable_legacy_abac": False,
        # GKE creates no cluster without a pool. This one is gone when the cluster is there; until then its
        # nodes have no more rights than those that stay.
        "remove_default_node_pool": True,
        "initial_node_count": 1,
        "node_config": node_config(cluster),
        "gateway_api_config": {"channel": "CHANNEL_STANDARD"},
        "logging_config": {"enable_components": ["SYSTEM_COMPONENTS"]},
        "monitoring_config": {
            "enable_components": ["SYSTEM_COMPONENTS"],
            "managed_prometheus": {"enabled": False},
        },
    }


def node_config(cluster: Cluster) -> dict[str, Any]:
    """What every node of a Standard cluster has, whatever its pool."""
    return {
        "service_account": node_account(cluster),
        "oauth_scopes": [CLOUD_PLATFORM],
        "workload_metadata_config": {"mode": "GKE_METADATA"},
        "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
        "metadata": {"disable-legacy-endpoints": "true"},
    }


def _network(cluster: Cluster) -> dict[str, Any]:
    """Which network the cluster is in; nothing for the project's default network."""
    if cluster.new_subnetwork is not None:
        return {
            "network": network_path(cluster.project),
            "subnetwork": subnetwork_path(cluster),
            "ip_allocation_policy": {
                "cluster_secondary_range_name": PODS_RANGE,
                "services_secondary_range_name": SERVICES_RANGE,
            },
        }
    # VPC-native is what a Standard cluster has to be asked for; GKE then finds ranges of its own.
    ranges: dict[str, Any] = {"ip_allocation_policy": {}} if cluster.mode is Mode.STANDARD else {}
    if cluster.network is None:
        return ranges
    secondary = {
        "cluster_secondary_range_name": cluster.network.pods,
        "services_secondary_range_name": cluster.network.services,
    }
    named = {key: value for key, value in secondary.items() if value is not None}
    if named:
        ranges = {"ip_allocation_policy": named}
    return {"network": cluster.network.network, "subnetwork": cluster.network.subnetwork, **ranges}


def _optional(fleet: Fleet, cluster: Cluster) -> dict[str, Any]:
    """What is set only where the fleet file asks for it."""
    found: dict[str, Any] = {}
    if cluster.maintenance is not None:
        start, end = cluster.maintenance.first
        found["maintenance_policy"] = {
            "recurring_window": {
                "start_time": start,
                "end_time": end,
                "recurrence": cluster.maintenance.recurrence,
            }
        }
    if cluster.encryption_key is not None:
        found["database_encryption"] = {"state": "ENCRYPTED", "key_name": cluster.encryption_key}
    if fleet.access is not None:
        found["authenticator_groups_config"] = {"security_group": fleet.access.security_group}
    return found


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
