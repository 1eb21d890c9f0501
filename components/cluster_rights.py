"""Who may do what inside one cluster: a ClusterRole where Kubernetes has none, and a binding for each right."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from components.joined_cluster import JoinedCluster
from model.rights import Right

_RBAC = "rbac.authorization.k8s.io"


def bind_rights(
    parent: pulumi.Resource, name: str, cluster: JoinedCluster, rights: Sequence[Right]
) -> list[pulumi.Resource]:
    """Make the rights in a cluster; the bindings, in the same order. `name` is the cluster's."""
    return [_bound(parent, name, cluster, right) for right in rights]


def _bound(parent: pulumi.Resource, name: str, cluster: JoinedCluster, right: Right) -> pulumi.Resource:
    before: list[pulumi.Resource] = []
    if right.rules is not None:
        before.append(
            kubernetes.rbac.v1.ClusterRole(
                f"{name}-{right.name}",
                metadata={"name": right.role},
                rules=right.rules,
                opts=cluster.inside(parent, []),
            )
        )
    binding: pulumi.Resource = kubernetes.rbac.v1.ClusterRoleBinding(
        f"{name}-{right.name}",
        metadata={"name": right.name},
        role_ref={"api_group": _RBAC, "kind": "ClusterRole", "name": right.role},
        subjects=[subject.manifest() for subject in right.subjects],
        opts=cluster.inside(parent, before),
    )
    return binding
