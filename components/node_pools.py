"""The node pools of a Standard cluster.

Nodes are private, shielded, repaired and upgraded by GKE, and run as the cluster's own node account. Counts
are per zone: a regional cluster has its pools in three.
"""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.private_cluster import node_config
from model.cluster import Cluster
from model.node_pool import NodePool


def node_pools(
    cluster: Cluster, created: gcp.container.Cluster, *, parent: pulumi.Resource
) -> list[pulumi.Resource]:
    """Every pool of a created cluster; none where it is Autopilot."""
    return [
        gcp.container.NodePool(
            f"{cluster.name}.{pool.name}",
            opts=pulumi.ResourceOptions(
                parent=parent,
                depends_on=[created],
                deleted_with=created,
                # It counts once, at creation; afterwards the autoscaler does.
                ignore_changes=["initialNodeCount", "nodeCount", "version"],
            ),
            **pool_arguments(cluster, pool),
        )
        for pool in cluster.node_pools
    ]


def pool_arguments(cluster: Cluster, pool: NodePool) -> dict[str, Any]:
    """Arguments of `gcp.container.NodePool` for one pool of a cluster."""
    nodes = {
        **node_config(cluster),
        "machine_type": pool.machine_type,
        "disk_size_gb": pool.disk_gigabytes,
        "spot": pool.spot,
    }
    if pool.labels:
        nodes["labels"] = dict(pool.labels)
    if pool.taints:
        nodes["taints"] = [
            {"key": taint.key, "value": taint.value, "effect": taint.effect.value} for taint in pool.taints
        ]
    return {
        "name": pool.name,
        "project": cluster.project,
        "location": cluster.location,
        "cluster": cluster.name,
        "initial_node_count": pool.min_nodes,
        "autoscaling": {"min_node_count": pool.min_nodes, "max_node_count": pool.max_nodes},
        "management": {"auto_repair": True, "auto_upgrade": True},
        "upgrade_settings": {"strategy": "SURGE", "max_surge": 1, "max_unavailable": 0},
        "network_config": {"enable_private_nodes": True},
        "node_config": nodes,
    }
