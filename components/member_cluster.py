"""A member: a cluster that Argo CD delivers to, through Connect Gateway.

Owns the cluster and Argo CD's right to work in it. The role is written out in `model.rights`; it is bound to
the account that Argo CD calls with, and made by the deployer through the gateway, before Argo CD is told of
the cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.joined_cluster import JoinedCluster, JoinedClusterArgs
from model.rights import CLUSTER_ROLE, cluster_role_rules


@dataclass(frozen=True, kw_only=True)
class MemberClusterArgs:
    """`account`: e-mail of the service account that Argo CD calls with."""

    joined: JoinedClusterArgs
    account: str


class MemberCluster(pulumi.ComponentResource):
    """`binding`: from here on Argo CD can work in the cluster."""

    cluster: JoinedCluster
    binding: pulumi.Resource

    def __init__(
        self, name: str, args: MemberClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("gke-fleet:index:MemberCluster", name, None, opts)
        self.cluster = JoinedCluster(name, args.joined, pulumi.ResourceOptions(parent=self))
        role = kubernetes.rbac.v1.ClusterRole(
            f"{name}-{CLUSTER_ROLE}",
            metadata={"name": CLUSTER_ROLE},
            rules=cluster_role_rules(),
            opts=self.cluster.inside(self, []),
        )
        self.binding = kubernetes.rbac.v1.ClusterRoleBinding(
            f"{name}-{CLUSTER_ROLE}",
            metadata={"name": CLUSTER_ROLE},
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": CLUSTER_ROLE},
            subjects=[{"api_group": "rbac.authorization.k8s.io", "kind": "User", "name": args.account}],
            opts=self.cluster.inside(self, [role]),
        )
        self.register_outputs({"membership": self.cluster.membership})
