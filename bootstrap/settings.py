"""The settings of one environment: what stands in `bootstrap/<stack>.yaml`.

Owns the fields. Every number is text in quotes, as in the fleet file: YAML would make something else of it.
"""

from __future__ import annotations

from pydantic import Field

from bootstrap.vocabulary import (
    BillingAccount,
    BucketName,
    FolderId,
    GithubEnvironment,
    GithubId,
    GithubOwner,
    GithubRepository,
    OrganizationId,
    Use,
)
from model.vocabulary import Access, Entry, ProjectId, ProjectNumber, Region


class ProjectSettings(Entry):
    """A project of the fleet."""

    create: bool = Field(default=True, description="false for a project that exists already")
    number: ProjectNumber | None = Field(
        default=None, description="the project's number, of one that exists already"
    )
    default_network: bool = Field(
        default=False, description="whether Google puts its network `default` into a new project"
    )
    uses: tuple[Use, ...] = Field(
        default=(),
        description="what the fleet does there beside clusters: networks (newSubnetwork), secrets, dnsEndpoint",
    )


class State(Entry):
    """Where Pulumi keeps states, and the key of their secrets."""

    bucket: BucketName = Field(description="name of the bucket for the fleet's states, unique in the world")
    location: Region = Field(description="region of buckets and key")


class Github(Entry):
    """The repository whose workflows deploy. Names can be given up and taken by others, ids cannot."""

    owner: GithubOwner = Field(description="user or organization on GitHub")
    owner_id: GithubId = Field(description="numeric id of the owner, in quotes")
    repository: GithubRepository = Field(description="name of the repository, without its owner")
    repository_id: GithubId = Field(description="numeric id of the repository, in quotes")
    deploy_environment: GithubEnvironment = Field(
        description="GitHub environment whose jobs may deploy; give it required reviewers"
    )
    preview_environment: GithubEnvironment | None = Field(
        default=None,
        description="GitHub environment whose jobs may read; without it the jobs of pull requests may",
    )


class Settings(Entry):
    """One environment."""

    organization: OrganizationId | None = Field(
        default=None, description="id of the organization that new projects are made in"
    )
    folder: FolderId | None = Field(
        default=None, description="id of the folder that new projects are made in, instead of `organization`"
    )
    billing_account: BillingAccount | None = Field(
        default=None, description="billing account that pays for new projects"
    )
    host_project: ProjectId = Field(description="id of the fleet host project")
    hub_project: ProjectId | None = Field(
        default=None, description="id of the project of the hub, where it is not in the host project"
    )
    projects: dict[ProjectId, ProjectSettings] = Field(description="every project of the fleet, by its id")
    operators: tuple[Access, ...] = Field(
        default=(), description="what the fleet file gives to groups: reader, editor, admin"
    )
    exec: bool = Field(default=False, description="whether the fleet file has `argocd.exec: true`")
    protect: bool = Field(
        default=True, description="whether projects, buckets and key are safe from deletion"
    )
    state: State = Field(description="bucket and location of the state")
    github: Github = Field(description="the repository whose workflows deploy")

    @property
    def hub(self) -> str:
        """Id of the project that holds the hub."""
        return self.hub_project or self.host_project

    def has_clusters(self, project: str) -> bool:
        """Whether clusters of the fleet live in a project (by id): in all but a host project without the hub."""
        return project != self.host_project or project == self.hub
