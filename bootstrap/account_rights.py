"""The rights of CI's accounts on one project, as grants.

Owns the custom roles and the grants; which they are is `bootstrap.rights`'.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from bootstrap.rights import custom_roles, grantable, grants_only, rights, role_name
from bootstrap.settings import Settings


@dataclass(frozen=True, kw_only=True)
class AccountRightsArgs:
    """`before`: accounts and APIs without which nothing can be granted."""

    settings: Settings
    project: str
    before: list[pulumi.Resource]


class AccountRights(pulumi.ComponentResource):
    """What deployer and preview may do on one project."""

    def __init__(
        self, name: str, args: AccountRightsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("gke-fleet-bootstrap:index:AccountRights", name, None, opts)
        project = args.project
        roles: dict[str, pulumi.Resource] = {
            role.id: gcp.projects.IAMCustomRole(
                f"{project}-{role.id}",
                project=project,
                role_id=role.id,
                title=role.title,
                permissions=list(role.permissions),
                opts=pulumi.ResourceOptions(parent=self, depends_on=args.before),
            )
            for role in custom_roles(args.settings, project)
        }
        limit = {
            "title": "grants of the fleet only",
            "description": "The deployer may grant and take back what the fleet's program grants here.",
            "expression": grants_only(grantable(args.settings, project)),
        }
        for right in rights(args.settings, project):
            gcp.projects.IAMMember(
                f"{project}-{right.account}-{right.role.removeprefix('roles/')}",
                project=project,
                role=role_name(project, right.role),
                member=f"serviceAccount:{account_email(args.settings, right.account)}",
                condition=limit if right.limited else None,
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=[*args.before, *([roles[right.role]] if right.role in roles else [])],
                ),
            )
        self.register_outputs({})


def account_email(settings: Settings, account: str) -> str:
    """E-mail of one of CI's accounts (by its id)."""
    return f"{account}@{settings.host_project}.iam.gserviceaccount.com"
