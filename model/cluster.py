"""One cluster of a fleet: an entry of `clusters` in a fleet file.

Owns its fields and what they mean. What holds between clusters is checked in `model.load`.
"""

from __future__ import annotations

from pydantic import Field

from model.vocabulary import (
    ClusterName,
    Entry,
    ExactVersion,
    HelmValues,
    Join,
    KubernetesMinor,
    LabelKey,
    LabelValue,
    Lifecycle,
    MembershipLocation,
    Name,
    ProjectId,
    Reason,
    Region,
    Ring,
    Role,
    Workloads,
)


class Override(Entry):
    """Where one cluster differs from the catalogue for one add-on."""

    reason: Reason = Field(description="why this cluster differs, for whoever reads it in a year")
    version: ExactVersion | None = Field(
        default=None, description="the chart's version here, all three parts"
    )
    values: HelmValues = Field(
        default={},
        description="chart values laid over the catalogue's: maps are merged, everything else is replaced",
    )


class Network(Entry):
    """The network of a cluster that this program creates. Without it the project's default network is
    used."""

    network: str = Field(description="name or projects/P/global/networks/N of the VPC network")
    subnetwork: str = Field(description="name or projects/P/regions/R/subnetworks/N of the subnetwork")
    pods: Name | None = Field(default=None, description="name of the secondary range for pods")
    services: Name | None = Field(default=None, description="name of the secondary range for services")


class MembershipName(Entry):
    """The membership of a cluster that this program does not create."""

    id: ClusterName = Field(
        description="the membership's id, as `gcloud container fleet memberships list` says"
    )
    location: MembershipLocation = Field(description="the membership's location: a region or global")


class Cluster(Entry):
    """One cluster. Everything that is delivered to it follows from this entry and the catalogue."""

    name: ClusterName = Field(description="unique in the fleet; also the GKE cluster's name")
    role: Role = Field(default=Role.MEMBER, description="hub (runs Argo CD, exactly one) or member")
    project: ProjectId = Field(description="id of the project that the cluster lives in, a key of `projects`")
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
    network: Network | None = Field(default=None, description="network of a cluster that is created")
    labels: dict[LabelKey, LabelValue] = Field(
        default={}, description="own labels, which templates in the catalogue can read"
    )
    addons: dict[Name, Override] = Field(default={}, description="where this cluster differs, by add-on")
    exclude: dict[Name, Reason] = Field(
        default={}, description="add-ons that it does not get, each with the reason"
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
    def membership_id(self) -> str:
        return self.membership.id if self.membership else self.name

    @property
    def membership_location(self) -> str:
        return self.membership.location if self.membership else self.location
