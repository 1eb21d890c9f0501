"""What the accounts of CI may do, where, and why: one table.

Owns the roles, the limit on what the deployer may grant, and the custom roles for what no predefined role is
small enough. Pure: settings in, lists out. `docs/bootstrap.md` shows the same table.

The deployer works through these and nothing else. None is `roles/owner`, `roles/editor` or `roles/viewer`, no
account gets a key, and the account that reads may neither write nor open a secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bootstrap.settings import Settings
from bootstrap.vocabulary import Use
from model.identity import (
    AGENT_ROLE,
    AGENT_ROLE_ELSEWHERE,
    DNS_PERMISSIONS,
    DNS_ROLE_ID,
    GATEWAY_ADMIN,
    GATEWAY_EDITOR,
    NODE_ROLE,
    OPERATOR_ROLES,
    OPERATOR_VIEWER,
)


class Account(StrEnum):
    """The accounts of CI; the value is the account's id."""

    DEPLOYER = "deployer"
    PREVIEW = "preview"


class Where(StrEnum):
    """Which projects a right is for; the value is how a person says it."""

    EVERY = "every project"
    HOST = "the fleet host project"
    HUB = "the hub's project"
    CLUSTERS = "projects with clusters"
    MEMBERS = "projects with members"
    NETWORKS = "projects that use `networks`"
    SECRETS = "projects that use `secrets`"


@dataclass(frozen=True, kw_only=True)
class CustomRole:
    """A role of the project's own: `id` below `projects/P/roles/`."""

    id: str
    title: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Right:
    """A role that an account has. `role` is a predefined role, or the id of one of CUSTOM_ROLES. `limited`: only
    to grant what `grantable` lists."""

    account: Account
    role: str
    where: Where
    why: str
    limited: bool = False


NODE_ACCOUNTS = CustomRole(
    id="fleetNodeAccounts",
    title="Accounts of the fleet's nodes",
    permissions=tuple(
        f"iam.serviceAccounts.{verb}" for verb in ("create", "delete", "get", "list", "update")
    ),
)
SECRET_GRANTS = CustomRole(
    id="fleetSecretGrants",
    title="Who may read a secret",
    permissions=tuple(f"secretmanager.secrets.{verb}" for verb in ("get", "getIamPolicy", "setIamPolicy")),
)
DNS_ENDPOINT = CustomRole(
    id=DNS_ROLE_ID,
    title="Through the DNS endpoints of clusters",
    permissions=DNS_PERMISSIONS,
)
"""The fleet's program grants it to Argo CD and does not make it: whoever may make or change a role that he may grant
too may do anything."""
CUSTOM_ROLES = (NODE_ACCOUNTS, SECRET_GRANTS, DNS_ENDPOINT)

_DEPLOYER = (
    Right(
        account=Account.DEPLOYER,
        role="roles/serviceusage.serviceUsageAdmin",
        where=Where.EVERY,
        why="enables the APIs of the project",
    ),
    Right(
        account=Account.DEPLOYER,
        role="roles/resourcemanager.projectIamAdmin",
        where=Where.EVERY,
        why="grants roles on the project: those that the program grants there, no other",
        limited=True,
    ),
    Right(
        account=Account.DEPLOYER,
        role="roles/gkehub.editor",
        where=Where.HOST,
        why="makes the fleet and the memberships. Not `gkehub.admin`: no policy is set on a membership",
    ),
    Right(
        account=Account.DEPLOYER,
        role="roles/gkehub.gatewayEditor",
        where=Where.HOST,
        why="reaches every cluster through Connect Gateway. Not `gatewayAdmin`: it needs no stream",
    ),
    Right(
        account=Account.DEPLOYER,
        role="roles/iam.serviceAccountAdmin",
        where=Where.HUB,
        why="makes Argo CD's account and says which ServiceAccounts may act as it",
    ),
    Right(
        account=Account.DEPLOYER,
        role="roles/container.admin",
        where=Where.CLUSTERS,
        why="makes clusters and node pools, and writes RBAC and custom resources in them: GKE asks IAM where RBAC "
        "says nothing, and only this role may bind ClusterRoles",
    ),
    Right(
        account=Account.DEPLOYER,
        role="roles/iam.serviceAccountUser",
        where=Where.CLUSTERS,
        why="gives new nodes their account",
    ),
    Right(
        account=Account.DEPLOYER,
        role=NODE_ACCOUNTS.id,
        where=Where.MEMBERS,
        why="makes the accounts of nodes. Not `iam.serviceAccountAdmin`: who may act as them stays as it is",
    ),
    Right(
        account=Account.DEPLOYER,
        role="roles/compute.networkAdmin",
        where=Where.NETWORKS,
        why="makes network, subnetworks, router and NAT",
    ),
    Right(
        account=Account.DEPLOYER,
        role=SECRET_GRANTS.id,
        where=Where.SECRETS,
        why="lets External Secrets read single secrets. Not `secretmanager.admin`: it reads no value and makes no "
        "secret",
    ),
)
_PREVIEW = tuple(
    Right(account=Account.PREVIEW, role=role, where=where, why=why)
    for role, where, why in (
        ("roles/serviceusage.serviceUsageViewer", Where.EVERY, "sees which APIs are enabled"),
        ("roles/iam.securityReviewer", Where.EVERY, "sees grants: who may do what"),
        ("roles/iam.serviceAccountViewer", Where.CLUSTERS, "sees the accounts of Argo CD and of nodes"),
        ("roles/gkehub.viewer", Where.HOST, "sees fleet and memberships. No role of the gateway"),
        (
            "roles/container.clusterViewer",
            Where.CLUSTERS,
            "sees clusters and node pools, and nothing inside a cluster, as `container.viewer` would",
        ),
        ("roles/compute.networkViewer", Where.NETWORKS, "sees network, subnetworks, router and NAT"),
    )
)
RIGHTS = (*_DEPLOYER, *_PREVIEW)
"""Every right on a project. Rights on the state are `bootstrap.state`'s."""


def rights(settings: Settings, project: str) -> tuple[Right, ...]:
    """The rights of both accounts on a project (by id), in the order of the table."""
    return tuple(right for right in RIGHTS if project in _projects(settings, right.where))


def role_name(project: str, role: str) -> str:
    """The full name of a role: predefined ones have it, a custom one is the project's."""
    return role if role.startswith("roles/") else f"projects/{project}/roles/{role}"


def custom_roles(settings: Settings, project: str) -> tuple[CustomRole, ...]:
    """The custom roles of a project (by id): those of its rights, and the one that only the fleet's program grants."""
    needed = {right.role for right in rights(settings, project)}
    if Use.DNS_ENDPOINT in settings.projects[project].uses:
        needed.add(DNS_ENDPOINT.id)
    return tuple(role for role in CUSTOM_ROLES if role.id in needed)


def grantable(settings: Settings, project: str) -> tuple[str, ...]:
    """The roles that the deployer may grant on a project, sorted: those that the fleet's program grants there."""
    roles: set[str] = set()
    if project == settings.host_project:
        roles |= {AGENT_ROLE, GATEWAY_EDITOR}
        roles |= {OPERATOR_ROLES[each] for each in settings.operators}
        roles |= {OPERATOR_VIEWER} if settings.operators else set()
        roles |= {GATEWAY_ADMIN} if settings.exec else set()
    else:
        roles |= {AGENT_ROLE, AGENT_ROLE_ELSEWHERE}
    if settings.has_clusters(project):
        roles.add(NODE_ROLE)
    if Use.DNS_ENDPOINT in settings.projects[project].uses:
        roles.add(role_name(project, DNS_ENDPOINT.id))
    return tuple(sorted(roles))


def grants_only(roles: Iterable[str]) -> str:
    """The IAM condition under which a policy may be changed: only bindings of `roles` differ afterwards
    (https://cloud.google.com/iam/docs/setting-limits-on-granting-roles)."""
    listed = ", ".join(f"'{role}'" for role in roles)
    return f"api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly([{listed}])"


def _projects(settings: Settings, where: Where) -> tuple[str, ...]:
    with_clusters = tuple(project for project in settings.projects if settings.has_clusters(project))
    using = {
        use: tuple(project for project, entry in settings.projects.items() if use in entry.uses)
        for use in Use
    }
    return {
        Where.EVERY: tuple(settings.projects),
        Where.HOST: (settings.host_project,),
        Where.HUB: (settings.hub,),
        Where.CLUSTERS: with_clusters,
        Where.MEMBERS: tuple(project for project in with_clusters if project != settings.hub),
        Where.NETWORKS: using[Use.NETWORKS],
        Where.SECRETS: using[Use.SECRETS],
    }[where]
