"""The nodes of a GKE cluster: which there are by its mode and its pools, and whether they can come up.

Owns the Node objects, in Kubernetes' own form. Google documents that nodes whose account lacks
`roles/container.defaultNodeServiceAccount` cannot do their work
(https://cloud.google.com/kubernetes-engine/docs/how-to/service-accounts); that here they are missing altogether,
and the condition's code, are this sandbox's guess at how that shows. Autoscaling is not played: a pool has its
smallest size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.cloud.memberships import region
from sandbox.cloud.store import Record

PERMISSION = "autoscaling.sites.writeMetrics"
"""One of the permissions of roles/container.defaultNodeServiceAccount that no other predefined role of an ordinary
account has."""

AUTOPILOT_POOL, DEFAULT_POOL = "pool-1", "default-pool"
_AUTOPILOT_NODES = 2
_ZONES = ("a", "b", "c")
_EFFECTS = {
    "NO_SCHEDULE": "NoSchedule",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
    "NO_EXECUTE": "NoExecute",
}


def own_pools(cluster: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The pools that a cluster has without NodePool resources, from its inputs: (name, nodes)."""
    if cluster.get("enableAutopilot"):
        zones = [_zones(cluster)[at % len(_zones(cluster))] for at in range(_AUTOPILOT_NODES)]
        yield AUTOPILOT_POOL, [_node(cluster, AUTOPILOT_POOL, zone, 0, {}) for zone in zones]
    elif not cluster.get("removeDefaultNodePool"):
        count, config = int(cluster.get("initialNodeCount") or 0), cluster.get("nodeConfig") or {}
        yield DEFAULT_POOL, _nodes(cluster, DEFAULT_POOL, count, _zones(cluster), config)


def pool(cluster: Record, inputs: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The nodes of a NodePool with `inputs`: its smallest size in each of its zones."""
    scaling = inputs.get("autoscaling") or {}
    if "totalMinNodeCount" in scaling:
        # A total over all zones, unlike the other counts.
        zones = inputs.get("nodeLocations") or _zones(cluster.inputs)
        each, more = divmod(int(scaling["totalMinNodeCount"]), len(zones))
        nodes = [
            node
            for at, zone in enumerate(zones)
            for node in _nodes(
                cluster.inputs, _name(inputs), each + (at < more), [zone], inputs.get("nodeConfig") or {}
            )
        ]
        return _name(inputs), nodes
    count = scaling.get("minNodeCount", inputs.get("nodeCount", inputs.get("initialNodeCount", 1)))
    zones = inputs.get("nodeLocations") or _zones(cluster.inputs)
    return _name(inputs), _nodes(
        cluster.inputs, _name(inputs), int(count), zones, inputs.get("nodeConfig") or {}
    )


def _name(inputs: Mapping[str, Any]) -> str:
    return str(inputs["name"])


def _zones(cluster: Mapping[str, Any]) -> list[str]:
    location = str(cluster["location"])
    if cluster.get("nodeLocations"):
        return [str(zone) for zone in cluster["nodeLocations"]]
    if location != region(location):
        return [location]
    return [f"{location}-{zone}" for zone in _ZONES]


def _nodes(
    cluster: Mapping[str, Any], name: str, count: int, zones: list[str], config: Mapping[str, Any]
) -> list[dict[str, Any]]:
    return [_node(cluster, name, zone, at, config) for zone in zones for at in range(count)]


def _node(
    cluster: Mapping[str, Any], pool_name: str, zone: str, at: int, config: Mapping[str, Any]
) -> dict[str, Any]:
    digest = hashlib.sha256(f"{cluster['project']}/{zone}/{at}".encode()).hexdigest()
    name = f"gke-{cluster['name']}-{pool_name}-{digest[:8]}-{digest[8:12]}"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                **(config.get("labels") or {}),
                "cloud.google.com/gke-nodepool": pool_name,
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "node.kubernetes.io/instance-type": str(config.get("machineType") or "e2-medium"),
                "topology.kubernetes.io/region": region(zone),
                "topology.kubernetes.io/zone": zone,
            },
        },
        "spec": {
            "taints": [
                {
                    "key": str(taint["key"]),
                    "value": str(taint.get("value", "")),
                    "effect": _EFFECTS.get(str(taint["effect"]), str(taint["effect"])),
                }
                for taint in config.get("taints") or ()
            ]
        },
    }
