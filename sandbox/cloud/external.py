"""A cluster outside Google: what its owner puts into it before the fleet can reach it through the Connect agent.

Owns the objects of `gcloud container fleet memberships generate-gateway-rbac` for the deployer: the agent may
impersonate it, and it is cluster-admin. Everybody else's rights through the agent are the program's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cloud import nodes as gke

NAMESPACE, AGENT = "gke-connect", "connect-agent-sa"
POOL = gke.DEFAULT_POOL
_RBAC = "rbac.authorization.k8s.io"
_LABELS = {"connect.gke.io/owner-feature": "connect-gateway"}


def objects(deployer: str) -> list[dict[str, Any]]:
    """The agent's namespace and ServiceAccount, and the rights of `deployer` (an e-mail)."""
    agent = {"kind": "ServiceAccount", "name": AGENT, "namespace": NAMESPACE}
    user = {"apiGroup": _RBAC, "kind": "User", "name": deployer}
    rule = {
        "apiGroups": [""],
        "resources": ["users"],
        "resourceNames": [deployer],
        "verbs": ["impersonate"],
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": AGENT, "namespace": NAMESPACE},
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "gateway-impersonate-deployer", "labels": _LABELS},
            "rules": [rule],
        },
        _binding("gateway-impersonate-deployer", "gateway-impersonate-deployer", agent),
        _binding("gateway-permission-deployer", "cluster-admin", user),
    ]


def nodes(inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Two nodes, of a membership's `inputs`."""
    cluster = {
        "name": inputs["membershipId"],
        "project": inputs["project"],
        "location": "on-premises",
        "nodeLocations": ["on-premises"],
        "initialNodeCount": 2,
    }
    ((_, found),) = gke.own_pools(cluster)
    return found


def _binding(name: str, role: str, subject: Mapping[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "labels": _LABELS},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [subject],
    }
