"""A fleet: the clusters of one environment, and what they share.

Owns the head of a fleet file (`stacks/<fleet>.fleet.yaml`) and the fleet as the rest of the program sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import Field

from model.argocd_settings import ArgocdSettings
from model.catalogue import Addon
from model.cluster import Cluster
from model.vocabulary import (
    Access,
    Endpoint,
    Entry,
    GroupEmail,
    HelmValues,
    Name,
    ProjectId,
    ProjectNumber,
    SecurityGroup,
)


class OperatorAccess(Entry):
    """The groups of people that may work in every GKE cluster, through the gateway.

    GKE looks at groups where it is told the security group. Created clusters are; one that existed before has to be
    by its owner (`gcloud container clusters update --security-group`).
    """

    security_group: SecurityGroup = Field(
        description="gke-security-groups@DOMAIN: the group that GKE looks for the others in"
    )
    groups: dict[GroupEmail, Access] = Field(
        min_length=1,
        description="groups by e-mail with reader, editor or admin; each a member of the security group",
    )


class AddonSettings(Entry):
    """What an environment changes in an add-on, for all its clusters."""

    values: HelmValues = Field(
        description="values laid over the catalogue's: maps are merged, everything else is replaced"
    )


class FleetHead(Entry):
    """A fleet file without its clusters."""

    host_project: ProjectId = Field(
        description="id of the fleet host project: it holds memberships and gateway"
    )
    projects: dict[ProjectId, ProjectNumber] = Field(
        description="every project of the fleet with its number in quotes"
    )
    protect: bool = Field(
        description="whether clusters are safe from deletion; false only where all is throw-away"
    )
    audit: bool = Field(
        default=False,
        description="whether Google keeps who reads what through the gateway; changes are always kept, and "
        "this costs the ingestion of logs",
    )
    access: OperatorAccess | None = Field(default=None, description="operators' groups and their rights")
    argocd: ArgocdSettings = Field(default=ArgocdSettings(), description="settings of Argo CD")
    addons: dict[Name, AddonSettings] = Field(
        default={}, description="what this environment changes in add-ons of the catalogue"
    )


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """One environment, checked. Clusters stand in the order of the file."""

    name: str
    host_project: str
    projects: Mapping[str, str]
    protect: bool
    argocd: ArgocdSettings
    clusters: tuple[Cluster, ...]
    audit: bool = False
    access: OperatorAccess | None = None
    addons: Mapping[str, AddonSettings] = field(default_factory=dict)

    @property
    def hub(self) -> Cluster:
        """The one cluster that runs Argo CD."""
        return next(cluster for cluster in self.clusters if cluster.is_hub)

    @property
    def members(self) -> tuple[Cluster, ...]:
        """Every cluster but the hub."""
        return tuple(cluster for cluster in self.clusters if not cluster.is_hub)

    @property
    def host_number(self) -> str:
        """Number of the fleet host project."""
        return self.projects[self.host_project]

    @property
    def cluster_projects(self) -> tuple[str, ...]:
        """Ids of the projects that hold a GKE cluster, each once, in the order of the file."""
        return tuple(dict.fromkeys(c.project for c in self.clusters if not c.has_agent))

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of the members, each once, in the order of the file."""
        return tuple(dict.fromkeys(cluster.cell for cluster in self.members))

    def reached_by(self, endpoint: Endpoint) -> tuple[Cluster, ...]:
        """The members that Argo CD reaches by one way."""
        return tuple(cluster for cluster in self.members if cluster.endpoint is endpoint)

    def protects(self, cluster: Cluster) -> bool:
        """Whether a cluster and its Secret are protected: in a protecting fleet, until it is leaving."""
        return self.protect and not cluster.is_leaving

    def protects_addon(self, addon: Addon) -> bool:
        """Whether an add-on's ApplicationSet is protected: in a protecting fleet, until it is leaving."""
        return self.protect and not addon.is_leaving
