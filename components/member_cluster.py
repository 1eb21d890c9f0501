"""A member: a cluster that Argo CD delivers to.

Owns the cluster and every right in it: Argo CD's, and those of the groups that operate the fleet. They are
written out in `model.rights`, and made by the deployer through the gateway before Argo CD is told of the
cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.cluster_rights import bind_rights
from components.joined_cluster import JoinedCluster, JoinedClusterArgs
from model.rights import Right


@dataclass(frozen=True, kw_only=True)
class MemberClusterArgs:
    """`rights`: what is made in the cluster."""

    joined: JoinedClusterArgs
    rights: tuple[Right, ...]


class MemberCluster(pulumi.ComponentResource):
    """`ready`: from here on Argo CD can work in the cluster."""

    cluster: JoinedCluster
    ready: list[pulumi.Resource]

    def __init__(
        self, name: str, args: MemberClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("gke-fleet:index:MemberCluster", name, None, opts)
        self.cluster = JoinedCluster(name, args.joined, pulumi.ResourceOptions(parent=self))
        self.ready = [*bind_rights(self, name, self.cluster, args.rights), *self.cluster.nodes]
        self.register_outputs({"membership": self.cluster.membership})
