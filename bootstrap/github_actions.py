"""How workflows on GitHub become CI's accounts, without a key.

Owns the workload identity pool, its provider and who may act as which account. GitHub is one issuer for everybody's
repositories, so the provider takes no token but those of the one repository, told by the ids of owner and
repository: names can be given up and taken by others. The subject then tells a reviewed deployment from the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from bootstrap.account_rights import account_email
from bootstrap.rights import Account
from bootstrap.settings import Github, Settings

POOL = "github"
PROVIDER = "fleet-repository"
_ISSUER = "https://token.actions.githubusercontent.com"


@dataclass(frozen=True, kw_only=True)
class GithubActionsArgs:
    """`accounts`: CI's accounts. `before`: the APIs of the host project."""

    settings: Settings
    accounts: dict[Account, gcp.serviceaccount.Account]
    before: list[pulumi.Resource]


class GithubActions(pulumi.ComponentResource):
    """`provider`: full name of the provider, which the workflow names."""

    provider: pulumi.Output[str]

    def __init__(
        self, name: str, args: GithubActionsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("gke-fleet-bootstrap:index:GithubActions", name, None, opts)
        host, github = args.settings.host_project, args.settings.github
        pool = gcp.iam.WorkloadIdentityPool(
            POOL,
            project=host,
            workload_identity_pool_id=POOL,
            display_name="GitHub Actions",
            opts=pulumi.ResourceOptions(parent=self, depends_on=args.before),
        )
        provider = gcp.iam.WorkloadIdentityPoolProvider(
            PROVIDER,
            project=host,
            workload_identity_pool_id=POOL,
            workload_identity_pool_provider_id=PROVIDER,
            display_name="The fleet's repository",
            oidc={"issuer_uri": _ISSUER},
            attribute_mapping={"google.subject": "assertion.sub"},
            attribute_condition=repository_condition(github),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[pool]),
        )
        self.provider = provider.name
        for account, subject in subjects(github).items():
            gcp.serviceaccount.IAMMember(
                f"{account}-from-github",
                service_account_id=f"projects/{host}/serviceAccounts/{account_email(args.settings, account)}",
                role="roles/iam.workloadIdentityUser",
                member=pulumi.Output.concat(
                    "principal://iam.googleapis.com/", pool.name, "/subject/", subject
                ),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[provider, args.accounts[account]]),
            )
        self.register_outputs({"provider": self.provider})


def repository_condition(github: Github) -> str:
    """The condition on a token's claims, in CEL: it is of this owner's this repository."""
    return (
        f"assertion.repository_owner_id == '{github.owner_id}' && "
        f"assertion.repository_id == '{github.repository_id}'"
    )


def subjects(github: Github) -> dict[Account, str]:
    """The subject of the tokens that each account is for, as GitHub writes it by default."""
    repository = f"repo:{github.owner}/{github.repository}"
    preview = github.preview_environment
    return {
        Account.DEPLOYER: f"{repository}:environment:{github.deploy_environment}",
        Account.PREVIEW: f"{repository}:environment:{preview}" if preview else f"{repository}:pull_request",
    }
