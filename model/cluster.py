"""One cluster of a fleet: an entry of `clusters` in a fleet file.

Owns its fields and what they mean. What holds between clusters is checked in `model.load`.
"""

from __future__ import annotations

from pydantic import Field

from model.address import DnsHost, PrivateRange
from model.network import Network, NewSubnetwork, PrivateEndpoint
from model.node_pool import Maintenance, NodePool
from model.vocabulary import (
    AnnotationText,
    Channel,
    ClusterName,
    Endpoint,
    Entry,
    HelmValues,
    Join,
    KeyName,
    KubernetesMinor,
    LabelKey,
    LabelValue,
    Lifecycle,
    MembershipLocation,
    Mode,
    Name,
    Pin,
    ProjectId,
    Reason,
    Region,
    Ring,
    Role,
    SecretId,
    Until,
    Workloads,
)

DEFAULT_CELL = "one"
"""The cell of every member in a fleet that is not split."""


class Override(Entry):
    """Where one cluster differs from the catalogue for one add-on."""

    reason: Reason = Field(description="why this cluster differs, for whoever reads it in a year")
    version: Pin | None = Field(
        default=None, description="the add-on's version here, in the form that it has in the catalogue"
    )
    values: HelmValues = Field(
        default={},
        description="values laid over the ones of catalogue, fleet and ring: maps are merged, everything else is "
        "replaced",
    )
    until: Until = Field(
        description="the day until which it may differ, in quotes; previews warn two weeks before"
    )


class Exclusion(Entry):
    """One add-on that a cluster does not get."""

    reason: Reason = Field(description="why it does not get it")
    workloads: Workloads = Field(
        default=Workloads.KEEP, description="keep or remove what was delivered to it before"
    )


class MembershipName(Entry):
    """The membership of a cluster that this program does not create."""

    id: ClusterName = Field(
        description="the membership's id, as `gcloud container fleet memberships list` says"
    )
    location: MembershipLocation = Field(description="the membership's location: a region or global")
    agent: bool = Field(
        default=False,
        description="whether it is reached through the Connect agent: a cluster outside GKE",
    )


class Cluster(Entry):
    """One cluster. Everything that is delivered to it follows from this entry and the catalogue."""

    name: ClusterName = Field(description="unique in the fleet; also the GKE cluster's name")
    role: Role = Field(default=Role.MEMBER, description="hub (runs Argo CD, exactly one) or member")
    project: ProjectId = Field(
        description="id of the project that the cluster lives in, a key of `projects`; of one outside GKE the project "
        "that pays for it"
    )
    location: Region = Field(description="region, as in asia-northeast1")
    kubernetes: KubernetesMinor = Field(description='Kubernetes minor in quotes, as in "1.36"')
    ring: Ring = Field(description="the ring whose versions it gets: one of `rings` in the catalogue")
    join: Join = Field(
        default=Join.CREATE,
        description="create (this program makes the cluster), register (it exists, and is registered) or "
        "registered (it is a member of the fleet already)",
    )
    membership: MembershipName | None = Field(
        default=None,
        description="the membership, where it is not the regional one that is named like the cluster",
    )
    mode: Mode = Field(
        default=Mode.AUTOPILOT,
        description="autopilot, or standard with node pools; of a cluster that is created",
    )
    node_pools: tuple[NodePool, ...] = Field(default=(), description="nodes of a standard cluster")
    channel: Channel = Field(
        default=Channel.REGULAR,
        description="release channel of a cluster that is created: RAPID, REGULAR or STABLE",
    )
    maintenance: Maintenance | None = Field(
        default=None, description="when GKE may upgrade a cluster that is created; else at any time"
    )
    encryption_key: KeyName | None = Field(
        default=None,
        description="Cloud KMS key for the Secrets in etcd of a cluster that is created; the project's GKE service "
        "agent has to be allowed to use it before",
    )
    network: Network | None = Field(default=None, description="existing network of a cluster that is created")
    new_subnetwork: NewSubnetwork | None = Field(
        default=None, description="subnetwork that is created with the cluster, instead of `network`"
    )
    endpoint: Endpoint = Field(
        default=Endpoint.GATEWAY,
        description="how Argo CD reaches a member: gateway (Connect Gateway), dns (the cluster's DNS endpoint) or "
        "private (the control plane's private address)",
    )
    dns_host: DnsHost | None = Field(
        default=None, description="host of the DNS endpoint, where the cluster existed before"
    )
    private_endpoint: PrivateEndpoint | None = Field(
        default=None, description="private address and authority, where the cluster existed before"
    )
    authorized_networks: dict[Name, PrivateRange] = Field(
        default={},
        description="by name, the private ranges that may call the private address of a created cluster",
    )
    secrets: tuple[SecretId, ...] = Field(
        default=(),
        description="ids of the secrets in the cluster's project that External Secrets may read; on every cluster "
        "of that project, for they share its workload identities",
    )
    shares_hub_project: Reason | None = Field(
        default=None,
        description="why a member may live in the hub's project, where its pods could act as Argo CD",
    )
    cell: Name = Field(
        default=DEFAULT_CELL, description="the members stack that holds it where the fleet is split"
    )
    labels: dict[LabelKey, LabelValue] = Field(
        default={}, description="own labels, which templates in the catalogue can read"
    )
    annotations: dict[LabelKey, AnnotationText] = Field(
        default={}, description="what templates can read and a label cannot hold, a domain say"
    )
    addons: dict[Name, Override] = Field(default={}, description="where this cluster differs, by add-on")
    exclude: dict[Name, Exclusion] = Field(
        default={},
        description="add-ons that it does not get: the reason, or a map of reason and workloads (keep or remove)",
    )
    lifecycle: Lifecycle = Field(
        default=Lifecycle.ACTIVE, description="active, or leaving: the first of the two steps of its removal"
    )
    workloads: Workloads | None = Field(
        default=None, description="only while leaving: keep or remove what was delivered to it"
    )

    @property
    def is_hub(self) -> bool:
        return self.role is Role.HUB

    @property
    def is_leaving(self) -> bool:
        return self.lifecycle is Lifecycle.LEAVING

    @property
    def is_created(self) -> bool:
        """Whether this program makes the cluster, rather than finding it."""
        return self.join is Join.CREATE

    @property
    def has_agent(self) -> bool:
        """Whether it is reached through the Connect agent: a cluster outside GKE."""
        return self.membership is not None and self.membership.agent

    @property
    def membership_id(self) -> str:
        return self.membership.id if self.membership else self.name

    @property
    def membership_location(self) -> str:
        return self.membership.location if self.membership else self.location
