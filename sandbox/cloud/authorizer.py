"""IAM as the second authorizer of a GKE cluster, put into terms that a plain API server understands.

On GKE "RBAC is checked first; if there is no RBAC policy, IAM permissions are checked", so
`roles/container.admin` on the cluster's project bypasses RBAC. Here the gateway impersonates a group for such
a role, and the objects below bind that group in each new cluster. The groups' names cannot be had by anybody
but through the gateway.

Kubernetes RBAC has no deny, so `container.developer` (everything but writing RBAC and webhooks) is a list of
the API groups that Kubernetes itself has; custom resources, which the real role covers too, are left out.
"""

from __future__ import annotations

from typing import Any

_LABELS = {"sandbox.gke-fleet/part": "iam-authorizer"}
_READ = ["get", "list", "watch"]
_DEVELOPER_GROUPS = [
    "",
    "apiextensions.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "scheduling.k8s.io",
    "storage.k8s.io",
]
_READ_ONLY_GROUPS = [
    "rbac.authorization.k8s.io",
    "admissionregistration.k8s.io",
    "apiregistration.k8s.io",
    "certificates.k8s.io",
]
_RULES: dict[str, list[dict[str, Any]]] = {
    "iam:container.developer": [
        {"apiGroups": _DEVELOPER_GROUPS, "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": _READ_ONLY_GROUPS, "resources": ["*"], "verbs": _READ},
        {"nonResourceURLs": ["*"], "verbs": ["get"]},
    ],
    "iam:container.viewer": [
        {
            "apiGroups": [group for group in _DEVELOPER_GROUPS if group] + _READ_ONLY_GROUPS,
            "resources": ["*"],
            "verbs": _READ,
        },
        {
            "apiGroups": [""],
            "verbs": _READ,
            "resources": [
                "configmaps",
                "endpoints",
                "events",
                "namespaces",
                "nodes",
                "persistentvolumeclaims",
                "persistentvolumes",
                "pods",
                "pods/log",
                "replicationcontrollers",
                "resourcequotas",
                "serviceaccounts",
                "services",
            ],
        },
        {"nonResourceURLs": ["*"], "verbs": ["get"]},
    ],
}


def objects() -> list[dict[str, Any]]:
    """The ClusterRoles and ClusterRoleBindings that a new cluster gets."""
    roles = [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": group, "labels": _LABELS},
            "rules": rules,
        }
        for group, rules in _RULES.items()
    ]
    bindings = [
        _binding("iam:container.admin", "cluster-admin"),
        *(_binding(group, group) for group in _RULES),
    ]
    return [*roles, *bindings]


def _binding(group: str, role: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": group, "labels": _LABELS},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}],
    }
