"""What Argo CD may do on a member: a ClusterRole that is written out.

Reading is unlimited, because the cluster cache lists and watches every kind there is. Writing is by name: the
kinds that add-ons are made of. `escalate` and `bind` are among them, because an add-on brings ClusterRoles
that hold more than Argo CD does (a chart that reads its own custom resources, say). With them Argo CD can
give itself anything, so this role protects against accidents and shows intent; whom it must not be given to
is decided by IAM and by the binding.
"""

from __future__ import annotations

from typing import Any

CLUSTER_ROLE = "fleet-argocd"
"""Name of the ClusterRole and of its binding on every member."""

_WRITE = ("create", "delete", "deletecollection", "patch", "update")

_WRITTEN: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "",
        (
            *("configmaps", "events", "limitranges", "namespaces", "persistentvolumeclaims", "pods"),
            *("resourcequotas", "secrets", "serviceaccounts", "services"),
        ),
    ),
    ("admissionregistration.k8s.io", ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")),
    ("apiextensions.k8s.io", ("customresourcedefinitions",)),
    ("apiregistration.k8s.io", ("apiservices",)),
    ("apps", ("daemonsets", "deployments", "replicasets", "statefulsets")),
    ("autoscaling", ("horizontalpodautoscalers",)),
    ("batch", ("cronjobs", "jobs")),
    ("networking.k8s.io", ("ingresses", "networkpolicies")),
    ("policy", ("poddisruptionbudgets",)),
    ("rbac.authorization.k8s.io", ("clusterrolebindings", "rolebindings")),
    ("scheduling.k8s.io", ("priorityclasses",)),
)


def cluster_role_rules() -> list[dict[str, Any]]:
    """The rules of the ClusterRole, in the spelling of Kubernetes."""
    written = [
        {"apiGroups": [group], "resources": list(resources), "verbs": list(_WRITE)}
        for group, resources in _WRITTEN
    ]
    return [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
        {"nonResourceURLs": ["*"], "verbs": ["get"]},
        *written,
        {
            "apiGroups": ["rbac.authorization.k8s.io"],
            "resources": ["clusterroles", "roles"],
            "verbs": [*_WRITE, "bind", "escalate"],
        },
        {
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            "verbs": ["create"],
        },
    ]
