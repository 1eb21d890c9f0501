"""The fleet: everything that a stack has of it, wired from the model.

Order, and why: APIs, then the grants of the fleet's service agent, then networks and node accounts, then
clusters (they join as they are created); the hub before Argo CD's identity, because its workload pool comes
with it; the rights on each member before the Secret that tells Argo CD of it.

A fleet in parts is the same resources under the same types, names and parents, spread over stacks: what a
part does not hold is missing, nothing is made in another place. Between stacks the order is by hand: the hub
first. Nothing is read out of another stack, because every name and address follows from configuration.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.addons import Addons, AddonsArgs
from components.argocd import Argocd, ArgocdArgs
from components.cluster_project import ClusterProject, ClusterProjectArgs
from components.cluster_secret import ClusterSecret, ClusterSecretArgs
from components.connect_gateway import ConnectGateway, ConnectGatewayArgs, caller_names
from components.dns_endpoint import DnsEndpoint, DnsEndpointArgs
from components.fleet_host import FleetHost, FleetHostArgs
from components.hub_cluster import HubCluster, HubClusterArgs
from components.joined_cluster import JoinedCluster, JoinedClusterArgs
from components.member_cluster import MemberCluster, MemberClusterArgs
from components.network import Network, NetworkArgs, network_users, router_regions
from components.operators import Operators, OperatorsArgs
from components.secret_access import SecretAccess, SecretAccessArgs
from model.cluster import Cluster
from model.identity import (
    apis,
    dns_members,
    fleet_agent,
    fleet_agent_grants,
    operator_grants,
    secret_grants,
)
from model.load import Configuration
from model.rights import cluster_rights
from model.vocabulary import Endpoint


@dataclass(frozen=True, kw_only=True)
class FleetArgs:
    """`readiness_timeout`: seconds to wait for a new cluster, 0 does not wait. `git_token`: a secret or
    None."""

    configuration: Configuration
    readiness_timeout: int
    git_token: pulumi.Input[str] | None = None


class Fleet(pulumi.ComponentResource):
    """A fleet, or the part of it that this stack has."""

    def __init__(self, name: str, args: FleetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet:index:Fleet", name, None, opts)
        self._configuration, self._args = args.configuration, args
        self._fleet, self._part = args.configuration.fleet, args.configuration.part
        self._child = pulumi.ResourceOptions(parent=self)
        # What a cluster of a project needs before it can join, by project.
        self._ready: dict[str, list[pulumi.Resource]] = {}
        self._hosted: list[pulumi.Resource] = []

        self._projects()
        hub = HubCluster(self._fleet.hub.name, self._hub_args(), self._child)
        callers_exist, argocd_ready = self._argocd(hub.cluster) if self._part.has_hub else ([], [])
        members = {
            cluster.name: MemberCluster(
                cluster.name,
                MemberClusterArgs(joined=self._joined(cluster), rights=cluster_rights(self._fleet, cluster)),
                self._child,
            )
            for cluster in self._fleet.members
            if self._part.holds(cluster)
        }
        made = {name: member.cluster for name, member in members.items()}
        if self._part.has_hub:
            made[self._fleet.hub.name] = hub.cluster
        let_in = self._dns_endpoints(callers_exist)
        secrets_readable = self._secret_access(made)
        for cluster in self._part.clusters(self._fleet):
            own = members[cluster.name].ready if cluster.name in members else []
            # What only its neighbours in the project need does not hold up this one.
            through = let_in.get(cluster.project, []) if cluster.endpoint is Endpoint.DNS else []
            readable = secrets_readable.get(cluster.project, []) if cluster.secrets else []
            ClusterSecret(
                cluster.name,
                ClusterSecretArgs(
                    fleet=self._fleet,
                    cluster=cluster,
                    created=made[cluster.name].created,
                    hub=hub.cluster,
                    before=[*argocd_ready, *own, *through, *readable],
                ),
                self._child,
            )
        self.register_outputs({})

    def _projects(self) -> None:
        """APIs, grants of the fleet's service agent, and networks, of every project of this part."""
        fleet, agent = self._fleet, []
        if self._part.has_hub:
            host = FleetHost("host", self._host_args(), self._child)
            agent, self._hosted = [host.agent], host.ready
            if fleet.access is not None:
                operators = OperatorsArgs(
                    host_project=fleet.host_project, grants=operator_grants(fleet), before=host.ready
                )
                Operators("operators", operators, self._child)
            self._ready[fleet.host_project] = []
        for project in self._part.projects(fleet):
            arguments = ClusterProjectArgs(
                project=project,
                apis=[api for owner, api in apis(fleet) if owner == project],
                agent=fleet_agent(fleet),
                agent_exists=agent,
                agent_roles=[role for owner, role in fleet_agent_grants(fleet) if owner == project],
            )
            self._ready[project] = ClusterProject(project, arguments, self._child).ready
        for project, ready in self._ready.items():
            users = network_users(fleet, project)
            if users:
                network = NetworkArgs(
                    project=project,
                    regions=router_regions(users),
                    protect=any(fleet.protects(cluster) for cluster in users),
                    before=[*self._hosted, *ready],
                )
                ready.extend(Network(project, network, self._child).ready)

    def _host_args(self) -> FleetHostArgs:
        fleet = self._fleet
        return FleetHostArgs(
            project=fleet.host_project,
            display_name=f"{fleet.name} fleet",
            apis=[api for project, api in apis(fleet) if project == fleet.host_project],
            agent=fleet_agent(fleet),
            agent_roles=[
                role for project, role in fleet_agent_grants(fleet) if project == fleet.host_project
            ],
            protect=fleet.protect,
            audit=fleet.audit,
        )

    def _joined(self, cluster: Cluster, *, is_owned: bool = True) -> JoinedClusterArgs:
        return JoinedClusterArgs(
            fleet=self._fleet,
            cluster=cluster,
            before=[*self._hosted, *self._ready.get(cluster.project, [])] if is_owned else [],
            readiness_timeout=self._args.readiness_timeout,
            is_owned=is_owned,
        )

    def _hub_args(self) -> HubClusterArgs:
        is_owned, hub = self._part.has_hub, self._fleet.hub
        return HubClusterArgs(
            joined=self._joined(hub, is_owned=is_owned),
            rights=cluster_rights(self._fleet, hub) if is_owned else (),
        )

    def _argocd(self, hub: JoinedCluster) -> tuple[list[pulumi.Resource], list[pulumi.Resource]]:
        """Argo CD and what it delivers: what makes its callers, and what has to be there before a Secret."""
        gateway = ConnectGateway(
            "connect-gateway",
            ConnectGatewayArgs(
                fleet=self._fleet,
                before=[*self._hosted, *self._ready[self._fleet.hub.project]],
                pool=[hub.created] if hub.created is not None else [],
            ),
            self._child,
        )
        argocd = Argocd(
            "argocd",
            ArgocdArgs(
                configuration=self._configuration,
                hub=hub,
                git_token=self._args.git_token,
                before=[*gateway.ready, *hub.nodes],
            ),
            self._child,
        )
        addons = Addons(
            "addons",
            AddonsArgs(configuration=self._configuration, hub=hub, before=argocd.ready),
            self._child,
        )
        return gateway.callers_exist, [*argocd.ready, *addons.application_sets]

    def _dns_endpoints(self, callers_exist: list[pulumi.Resource]) -> dict[str, list[pulumi.Resource]]:
        """What lets Argo CD in at DNS endpoints, by the project of their clusters."""
        names = caller_names(self._fleet)
        found: dict[str, list[pulumi.Resource]] = {}
        for project in dict.fromkeys(cluster.project for cluster in self._part.clusters(self._fleet)):
            members = dns_members(self._fleet, project)
            if members:
                arguments = DnsEndpointArgs(
                    project=project,
                    callers={names[member]: member for member in members},
                    before=[*self._hosted, *self._ready.get(project, [])],
                    callers_exist=callers_exist,
                )
                found[project] = DnsEndpoint(project, arguments, self._child).ready
        return found

    def _secret_access(self, made: dict[str, JoinedCluster]) -> dict[str, list[pulumi.Resource]]:
        """What lets External Secrets read, by project."""
        fleet, found = self._fleet, dict[str, list[pulumi.Resource]]()
        for project in dict.fromkeys(cluster.project for cluster in self._part.clusters(fleet)):
            grants = secret_grants(fleet, project)
            # The hub's part has it where the hub is one of those that read.
            elsewhere = not self._part.has_hub and fleet.hub.project == project and fleet.hub.secrets
            if grants and not elsewhere:
                arguments = SecretAccessArgs(
                    project=project,
                    grants=grants,
                    before=[*self._hosted, *self._ready.get(project, []), *self._pool(project, made)],
                )
                found[project] = SecretAccess(project, arguments, self._child).ready
        return found

    def _pool(self, project: str, made: dict[str, JoinedCluster]) -> list[pulumi.Resource]:
        """What brings the workload pool of a project into being: its first cluster, if none was there before."""
        clusters = [cluster for cluster in self._part.clusters(self._fleet) if cluster.project == project]
        created = [made[cluster.name].created for cluster in clusters]
        first = created[0]
        return [first] if first is not None and None not in created else []
