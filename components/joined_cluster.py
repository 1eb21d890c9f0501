"""A cluster in the fleet, and the one Provider that reaches it: what hub and members have in common.

Owns how a cluster comes into the fleet (created with its subnetwork, node account and pools; registered; or
there already) and its kubernetes.Provider. The engine runs each explicit Provider as a process of its own, so
a cluster has exactly one. A fleet in parts has one more for the hub in each members stack; the hub itself is
then another stack's.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from components.membership import Membership, MembershipArgs
from components.network import subnetwork
from components.node_account import NodeAccount, NodeAccountArgs
from components.node_pools import node_pools
from components.private_cluster import membership_mismatch, private_cluster
from components.readiness import wait_before_create
from model.cluster import Cluster
from model.fleet import Fleet
from model.gateway import gateway_url, kubeconfig
from model.vocabulary import Join


@dataclass(frozen=True, kw_only=True)
class JoinedClusterArgs:
    """`before`: what has to exist before the cluster can join. `readiness_timeout`: seconds, 0 does not
    wait. `is_owned`: whether this stack has the cluster, not just a way into it."""

    fleet: Fleet
    cluster: Cluster
    before: list[pulumi.Resource]
    readiness_timeout: int
    is_owned: bool = True


class JoinedCluster(pulumi.ComponentResource):
    """`created`: the cluster resource, where this program made it; `nodes`: its pools. `provider`: the way
    into the cluster."""

    created: gcp.container.Cluster | None
    nodes: list[pulumi.Resource]
    provider: kubernetes.Provider
    membership: pulumi.Output[str]

    def __init__(
        self, name: str, args: JoinedClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("gke-fleet:index:JoinedCluster", name, None, opts)
        fleet, cluster = args.fleet, args.cluster
        self.created, self.nodes = None, []
        self.membership = pulumi.Output.from_input(cluster.membership_id)
        joined: list[pulumi.Input[pulumi.Resource]] = [*args.before]
        if args.is_owned and cluster.join is Join.CREATE:
            self.created = self._create(args)
            self.membership = self.created.fleet.apply(lambda reported: _checked(cluster, reported))
            joined = [_once_checked(self.created, self.membership)]
        elif args.is_owned and cluster.join is Join.REGISTER:
            arguments = MembershipArgs(
                cluster=cluster,
                host_project=fleet.host_project,
                protect=fleet.protects(cluster),
                depends_on=args.before,
            )
            membership = Membership(cluster.name, arguments, pulumi.ResourceOptions(parent=self))
            joined = [membership.resource]
        self.provider = kubernetes.Provider(
            cluster.name,
            kubeconfig=kubeconfig(fleet, cluster),
            # The kubeconfig never says which cluster is behind it; this does, and nothing else replaces the
            # Provider.
            cluster_identifier=f"{cluster.project}/{cluster.location}/{cluster.name}",
            # A member that is dead must not hold up the others; only one that leaves may be forgotten while
            # it is dead.
            skip_update_unreachable=True,
            delete_unreachable=cluster.is_leaving,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=joined,
                hooks=wait_before_create(cluster.name, gateway_url(fleet, cluster), args.readiness_timeout),
            ),
        )
        self.register_outputs({"membership": self.membership})

    def inside(
        self,
        parent: pulumi.Resource,
        depends_on: list[pulumi.Resource],
        *,
        protect: bool | None = None,
        retain_on_delete: bool | None = None,
    ) -> pulumi.ResourceOptions:
        """Options of an object inside this cluster. It goes with the cluster, without being deleted one by
        one."""
        return pulumi.ResourceOptions(
            parent=parent,
            provider=self.provider,
            depends_on=depends_on,
            deleted_with=self.created,
            protect=protect,
            retain_on_delete=retain_on_delete,
        )

    def _create(self, args: JoinedClusterArgs) -> gcp.container.Cluster:
        fleet, cluster = args.fleet, args.cluster
        network = subnetwork(cluster, protect=fleet.protects(cluster), parent=self, depends_on=args.before)
        account = NodeAccount(
            cluster.name,
            NodeAccountArgs(cluster=cluster, before=args.before),
            pulumi.ResourceOptions(parent=self),
        )
        before = [*args.before, *network, *account.ready]
        created = private_cluster(fleet, cluster, parent=self, depends_on=before)
        self.nodes = node_pools(cluster, created, parent=self)
        return created


def _checked(cluster: Cluster, reported: object) -> str:
    wrong = membership_mismatch(cluster.membership_id, cluster.membership_location, reported)
    if wrong is not None:
        raise pulumi.RunError(f"cluster {cluster.name}: {wrong}")
    return cluster.membership_id


def _once_checked(
    created: gcp.container.Cluster, membership: pulumi.Output[str]
) -> pulumi.Output[pulumi.Resource]:
    """A dependency on a new cluster that fails where its membership is not the expected one.

    The Provider's address is another cluster's then, or nobody's. Its inputs are known before, so nothing
    else would hold it back.
    """
    return membership.apply(lambda _: created)
