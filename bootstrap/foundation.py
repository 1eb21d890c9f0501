"""Everything that a fleet stands on, wired from the settings.

Order, and why: projects, then their APIs, then accounts in the host project, then what these may do.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from bootstrap.account_rights import AccountRights, AccountRightsArgs, account_email
from bootstrap.github_actions import GithubActions, GithubActionsArgs
from bootstrap.project import BASE_APIS, HOST_APIS, FleetProject, FleetProjectArgs
from bootstrap.rights import Account
from bootstrap.settings import Settings
from bootstrap.state import State, StateArgs

_NAMES = {
    Account.DEPLOYER: "Deploys the fleet from reviewed workflows",
    Account.PREVIEW: "Reads what the fleet has made",
}


@dataclass(frozen=True, kw_only=True)
class FoundationArgs:
    """`stack`: name of the environment."""

    settings: Settings
    stack: str


class Foundation(pulumi.ComponentResource):
    """`outputs`: what the fleet file, the stack file and the workflow are to hold."""

    outputs: dict[str, pulumi.Input[object]]

    def __init__(self, name: str, args: FoundationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet-bootstrap:index:Foundation", name, None, opts)
        settings, child = args.settings, pulumi.ResourceOptions(parent=self)
        host = settings.host_project
        projects = {
            project: FleetProject(
                project,
                FleetProjectArgs(
                    settings=settings,
                    project=project,
                    apis=sorted((*BASE_APIS, *HOST_APIS)) if project == host else BASE_APIS,
                ),
                child,
            )
            for project in settings.projects
        }
        accounts = {account: self._account(settings, account, projects[host].ready) for account in Account}
        before = [*projects[host].ready, *accounts.values()]
        for project, made in projects.items():
            rights = AccountRightsArgs(settings=settings, project=project, before=[*made.ready, *before])
            AccountRights(project, rights, child)
        state = State("state", StateArgs(settings=settings, stack=args.stack, before=before), child)
        github = GithubActionsArgs(settings=settings, accounts=accounts, before=projects[host].ready)
        self.outputs = {
            "hostProject": host,
            "projects": {project: made.number for project, made in projects.items()},
            "backend": state.backend,
            "ownerBackend": state.owner_backend,
            "secretsProvider": state.secrets_provider,
            "deployer": account_email(settings, Account.DEPLOYER),
            "preview": account_email(settings, Account.PREVIEW),
            "workloadIdentityProvider": GithubActions("github", github, child).provider,
        }
        self.register_outputs({})

    def _account(
        self, settings: Settings, account: Account, before: list[pulumi.Resource]
    ) -> gcp.serviceaccount.Account:
        return gcp.serviceaccount.Account(
            account.value,
            account_id=account.value,
            project=settings.host_project,
            display_name=_NAMES[account],
            opts=pulumi.ResourceOptions(parent=self, depends_on=before),
        )
