"""The account that the nodes of one created cluster run as.

Owns the account and its one role. Without an account of its own a node is the project's default Compute
Engine account, which everything else in the project is too, and which may hold Editor.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from model.cluster import Cluster
from model.identity import NODE_ROLE, node_account
from model.naming import node_account_id


@dataclass(frozen=True, kw_only=True)
class NodeAccountArgs:
    """`before`: what has to exist before an account of the cluster's project can."""

    cluster: Cluster
    before: list[pulumi.Resource]


class NodeAccount(pulumi.ComponentResource):
    """`ready`: what has to exist before a node can run as the account."""

    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: NodeAccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet:index:NodeAccount", name, None, opts)
        cluster = args.cluster
        account = gcp.serviceaccount.Account(
            f"{cluster.name}-nodes",
            account_id=node_account_id(cluster),
            project=cluster.project,
            display_name=f"Nodes of {cluster.name}",
            opts=pulumi.ResourceOptions(parent=self, depends_on=args.before),
        )
        grant = gcp.projects.IAMMember(
            f"{cluster.name}-nodes",
            project=cluster.project,
            role=NODE_ROLE,
            member=f"serviceAccount:{node_account(cluster)}",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[account]),
        )
        self.ready = [account, grant]
        self.register_outputs({})
