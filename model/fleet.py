"""A fleet: the clusters of one environment, and what they share.

Owns the head of a fleet file (`stacks/<fleet>.fleet.yaml`) and the fleet as the rest of the program sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field

from model.cluster import Cluster
from model.vocabulary import Entry, HttpsUrl, ProjectId, ProjectNumber


class Replicas(Entry):
    """How many of each part of Argo CD run on the hub."""

    controller: int = Field(
        default=1, ge=1, le=32, description="application controllers: shards of the clusters"
    )
    server: int = Field(default=1, ge=1, le=16, description="API servers")
    repo_server: int = Field(
        default=1, ge=1, le=32, description="repo-servers: they render charts and folders"
    )
    application_set: int = Field(
        default=1, ge=1, le=8, description="ApplicationSet controllers: one works, others wait"
    )


class GitCredentials(Entry):
    """What Argo CD logs in with at private Git repositories. The token is the stack's secret `gitToken`."""

    url: HttpsUrl = Field(description="prefix of the repositories that the token is for")
    username: str = Field(default="x-access-token", description="user name that goes with the token")


class ArgocdSettings(Entry):
    """Settings of Argo CD that differ between environments. The rest is in `model.argocd`, the same
    everywhere."""

    domain: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9.-]+\.[a-z]+$",
        description="host name under which people reach the web UI",
    )
    admin: bool = Field(
        default=False, description="whether the built-in admin can log in; people should not need it"
    )
    reconciliation_seconds: int = Field(
        default=120,
        ge=5,
        le=86400,
        description="seconds between two looks at a source (Argo CD's timeout.reconciliation)",
    )
    reconciliation_jitter_seconds: int = Field(
        default=60, ge=0, le=3600, description="seconds over which these looks are spread"
    )
    self_heal_pause_seconds: int = Field(
        default=300,
        ge=1,
        le=3600,
        description="longest pause in seconds between two attempts to put right what was changed by hand; the "
        "pauses grow up to it (Argo CD's controller.self.heal.backoff.cap.seconds)",
    )
    watch_resync_seconds: int = Field(
        default=0,
        ge=0,
        le=86400,
        description="seconds after which watches on members start anew with a full list; 0: never, saves "
        "about 10 requests a minute and cluster of the gateway's 2,400",
    )
    replicas: Replicas = Field(default=Replicas(), description="how many of each part run")
    git_credentials: GitCredentials | None = Field(
        default=None, description="login at private Git repositories"
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
    argocd: ArgocdSettings = Field(default=ArgocdSettings(), description="settings of Argo CD")


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """One environment, checked. Clusters stand in the order of the file."""

    name: str
    host_project: str
    projects: Mapping[str, str]
    protect: bool
    argocd: ArgocdSettings
    clusters: tuple[Cluster, ...]

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
        """Ids of the projects that hold a cluster, each once, in the order of the file."""
        return tuple(dict.fromkeys(cluster.project for cluster in self.clusters))

    def protects(self, cluster: Cluster) -> bool:
        """Whether a cluster and its Secret are protected: in a protecting fleet, until it is leaving."""
        return self.protect and not cluster.is_leaving
