"""The hub: the cluster that Argo CD runs on.

Argo CD's rights on the hub come from its own chart, so unlike a member the hub has no binding here.
"""

from __future__ import annotations

import pulumi

from components.joined_cluster import JoinedCluster, JoinedClusterArgs


class HubCluster(pulumi.ComponentResource):
    """`cluster`: the hub as a cluster of the fleet."""

    cluster: JoinedCluster

    def __init__(
        self, name: str, args: JoinedClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("gke-fleet:index:HubCluster", name, None, opts)
        self.cluster = JoinedCluster(name, args, pulumi.ResourceOptions(parent=self))
        self.register_outputs({"membership": self.cluster.membership})
