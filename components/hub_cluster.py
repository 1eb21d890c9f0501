"""The hub: the cluster that Argo CD runs on.

Owns the cluster, and what operators may do in it. Argo CD's rights on the hub come from its own chart. In a
members stack of a fleet in parts it owns nothing: there it is the way to the hub alone, for the Secrets that
tell Argo CD of the members, under the same names as where it is the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.cluster_rights import bind_rights
from components.joined_cluster import JoinedCluster, JoinedClusterArgs
from model.rights import Right


@dataclass(frozen=True, kw_only=True)
class HubClusterArgs:
    """`rights`: what is made in the cluster; empty where another stack does."""

    joined: JoinedClusterArgs
    rights: tuple[Right, ...]


class HubCluster(pulumi.ComponentResource):
    """`cluster`: the hub as a cluster of the fleet."""

    cluster: JoinedCluster

    def __init__(self, name: str, args: HubClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet:index:HubCluster", name, None, opts)
        self.cluster = JoinedCluster(name, args.joined, pulumi.ResourceOptions(parent=self))
        bind_rights(self, name, self.cluster, args.rights)
        self.register_outputs({"membership": self.cluster.membership})
