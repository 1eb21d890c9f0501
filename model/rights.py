"""Who may do what inside a cluster: Argo CD, operators, and the Connect agent on their behalf.

Argo CD's ClusterRole is written out. Reading is unlimited, because the cluster cache lists and watches every kind
there is. Writing is by name: the kinds that add-ons are made of. `escalate` and `bind` are among them, because an
add-on brings ClusterRoles that hold more than Argo CD does (a chart that reads its own custom resources, say). With
them Argo CD can give itself anything, so this role protects against accidents and shows intent; whom it must not be
given to is decided by IAM and by the binding. Operators get Kubernetes' own `view`, `edit` and `cluster-admin`.

Terminals are a right apart, for argocd-server alone. Unlimited reading holds `get` on `pods/exec` too, which older
API servers ask for a terminal over WebSocket: what keeps the others out is that the gateway opens no stream
without `gkehub.gateway.stream`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.cluster import Cluster
from model.fleet import Fleet
from model.identity import SERVER, caller_user, callers
from model.vocabulary import Access

CLUSTER_ROLE = "fleet-argocd"
"""Name of the ClusterRole and of its binding on every member."""

EXEC_ROLE = "fleet-argocd-exec"
IMPERSONATION_ROLE = "fleet-gateway-impersonation"

_OPERATOR_ROLES = {Access.READER: "view", Access.EDITOR: "edit", Access.ADMIN: "cluster-admin"}


@dataclass(frozen=True)
class Subject:
    """Whom a right is given to: a `User` or `Group` by its name, or a `ServiceAccount` in a namespace."""

    kind: str
    name: str
    namespace: str | None = None

    def manifest(self) -> dict[str, str]:
        """The subject as a ClusterRoleBinding writes it."""
        if self.kind == "ServiceAccount":
            return {"kind": self.kind, "name": self.name, "namespace": self.namespace or ""}
        return {"apiGroup": "rbac.authorization.k8s.io", "kind": self.kind, "name": self.name}


@dataclass(frozen=True)
class Right:
    """One ClusterRoleBinding, and its ClusterRole where Kubernetes has none of that name."""

    name: str
    """Name of the binding."""
    role: str
    """Name of the ClusterRole."""
    rules: list[dict[str, Any]] | None
    """Rules of the ClusterRole; None where it exists in every cluster."""
    subjects: tuple[Subject, ...]


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


def cluster_rights(fleet: Fleet, cluster: Cluster) -> tuple[Right, ...]:
    """The rights that this program makes in a cluster.

    On the hub Argo CD's own come with its chart. Behind a Connect agent operators get none: the agent passes on
    users, and which groups they are in is nothing that Google says there.
    """
    rights: list[Right] = []
    if not cluster.is_hub:
        rights += _argocd_rights(fleet, cluster)
    if fleet.access is not None and not cluster.has_agent:
        rights += _operator_rights(fleet.access.groups)
    return tuple(rights)


def _argocd_rights(fleet: Fleet, cluster: Cluster) -> list[Right]:
    users = {caller.service_account: caller_user(fleet, caller) for caller in callers(fleet)}
    everyone = tuple(dict.fromkeys(users.values()))
    rights: list[Right] = []
    if cluster.has_agent:
        rules = [
            {
                "apiGroups": [""],
                "resources": ["users"],
                "resourceNames": list(everyone),
                "verbs": ["impersonate"],
            }
        ]
        agent = Subject("ServiceAccount", "connect-agent-sa", "gke-connect")
        rights.append(Right(IMPERSONATION_ROLE, IMPERSONATION_ROLE, rules, (agent,)))
    subjects = tuple(Subject("User", user) for user in everyone)
    rights.append(Right(CLUSTER_ROLE, CLUSTER_ROLE, cluster_role_rules(), subjects))
    if fleet.argocd.exec:
        rules = [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}]
        rights.append(Right(EXEC_ROLE, EXEC_ROLE, rules, (Subject("User", users[SERVER]),)))
    return rights


def _operator_rights(groups: Mapping[str, Access]) -> list[Right]:
    """One binding for each access that somebody has, with all its groups."""
    found = [
        (access, tuple(Subject("Group", group) for group, given in groups.items() if given is access))
        for access in Access
    ]
    return [
        Right(f"fleet-operators-{access.value}", _OPERATOR_ROLES[access], None, subjects)
        for access, subjects in found
        if subjects
    ]
