"""The fleet: everything, wired from the model.

Order, and why: APIs, then the grants of the fleet's service agent, then clusters (they join as they are
created); the hub before Argo CD's identity, because its workload pool comes with it; the right on each member
before the Secret that tells Argo CD of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.addons import Addons, AddonsArgs
from components.argocd import Argocd, ArgocdArgs
from components.cluster_project import ClusterProject, ClusterProjectArgs
from components.cluster_secret import ClusterSecret, ClusterSecretArgs
from components.connect_gateway import ConnectGateway, ConnectGatewayArgs
from components.fleet_host import FleetHost, FleetHostArgs
from components.hub_cluster import HubCluster
from components.joined_cluster import JoinedClusterArgs
from components.member_cluster import MemberCluster, MemberClusterArgs
from model.cluster import Cluster
from model.fleet import Fleet as FleetModel
from model.identity import (
    ACCOUNT_ID,
    ARGOCD_ROLES,
    CALLERS,
    apis,
    argocd_account,
    fleet_agent,
    fleet_agent_grants,
    workload_member,
)
from model.load import Configuration


@dataclass(frozen=True, kw_only=True)
class FleetArgs:
    """`readiness_timeout`: seconds to wait for a new cluster, 0 does not wait. `git_token`: a secret or
    None."""

    configuration: Configuration
    readiness_timeout: int
    git_token: pulumi.Input[str] | None = None


class Fleet(pulumi.ComponentResource):
    """A whole fleet: host project, hub, members, Argo CD and what it delivers."""

    def __init__(self, name: str, args: FleetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet:index:Fleet", name, None, opts)
        fleet = args.configuration.fleet
        child = pulumi.ResourceOptions(parent=self)
        host = FleetHost("host", _host_args(fleet), child)
        projects = {
            project: ClusterProject(project, _project_args(fleet, project, host.agent), child)
            for project in fleet.cluster_projects
            if project != fleet.host_project
        }

        def joined(cluster: Cluster) -> JoinedClusterArgs:
            project = projects.get(cluster.project)
            return JoinedClusterArgs(
                fleet=fleet,
                cluster=cluster,
                before=[*host.ready, *(project.ready if project else [])],
                readiness_timeout=args.readiness_timeout,
            )

        hub = HubCluster(fleet.hub.name, joined(fleet.hub), child)
        gateway = ConnectGateway(
            "connect-gateway",
            ConnectGatewayArgs(
                account_id=ACCOUNT_ID,
                account_project=fleet.hub.project,
                account_email=argocd_account(fleet),
                host_project=fleet.host_project,
                roles=ARGOCD_ROLES,
                callers={caller: workload_member(fleet, caller) for caller in CALLERS},
                before=joined(fleet.hub).before,
                hub=[hub.cluster.created] if hub.cluster.created is not None else [],
            ),
            child,
        )
        members = {
            cluster.name: MemberCluster(
                cluster.name,
                MemberClusterArgs(joined=joined(cluster), account=argocd_account(fleet)),
                child,
            )
            for cluster in fleet.members
        }
        argocd = Argocd(
            "argocd",
            ArgocdArgs(
                configuration=args.configuration,
                hub=hub.cluster,
                git_token=args.git_token,
                before=gateway.ready,
            ),
            child,
        )
        addons = Addons(
            "addons",
            AddonsArgs(configuration=args.configuration, hub=hub.cluster, before=argocd.ready),
            child,
        )
        for cluster in fleet.clusters:
            binding = [] if cluster.is_hub else [members[cluster.name].binding]
            ClusterSecret(
                cluster.name,
                ClusterSecretArgs(
                    fleet=fleet,
                    cluster=cluster,
                    hub=hub.cluster,
                    before=[*argocd.ready, *addons.application_sets, *binding],
                ),
                child,
            )
        self.register_outputs({})


def _host_args(fleet: FleetModel) -> FleetHostArgs:
    return FleetHostArgs(
        project=fleet.host_project,
        display_name=f"{fleet.name} fleet",
        apis=[api for project, api in apis(fleet) if project == fleet.host_project],
        agent=fleet_agent(fleet),
        agent_roles=[role for project, role in fleet_agent_grants(fleet) if project == fleet.host_project],
    )


def _project_args(fleet: FleetModel, project: str, agent: pulumi.Resource) -> ClusterProjectArgs:
    return ClusterProjectArgs(
        project=project,
        apis=[api for owner, api in apis(fleet) if owner == project],
        agent=fleet_agent(fleet),
        agent_exists=agent,
        agent_roles=[role for owner, role in fleet_agent_grants(fleet) if owner == project],
    )
