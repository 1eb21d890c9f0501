"""Who Argo CD is at Google Cloud, and what lets it through Connect Gateway.

Owns Argo CD's accounts, the ServiceAccounts that may act as them, and their roles on the fleet host project.
Never a role on a cluster's project: IAM is a second authorizer inside GKE and would go past the ClusterRole
on each member. No key is made. A ServiceAccount that calls as itself (`identity: principal`) has no account.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from model.fleet import Fleet
from model.identity import account_email, caller_grants, caller_member, callers, workload_member


@dataclass(frozen=True, kw_only=True)
class ConnectGatewayArgs:
    """`before`: what an account needs. `pool`: what brings the hub's workload pool into being, where this
    program does."""

    fleet: Fleet
    before: list[pulumi.Resource]
    pool: list[pulumi.Resource]


class ConnectGateway(pulumi.ComponentResource):
    """`ready`: from here on Argo CD gets through the gateway. `callers_exist`: from here on IAM knows whom
    Argo CD calls as."""

    ready: list[pulumi.Resource]
    callers_exist: list[pulumi.Resource]

    def __init__(
        self, name: str, args: ConnectGatewayArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("gke-fleet:index:ConnectGateway", name, None, opts)
        fleet, found = args.fleet, callers(args.fleet)
        accounts = {
            account: gcp.serviceaccount.Account(
                account,
                account_id=account,
                project=fleet.hub.project,
                display_name="Argo CD on the hub",
                opts=pulumi.ResourceOptions(parent=self, depends_on=args.before),
            )
            for account in dict.fromkeys(caller.account_id for caller in found)
            if account is not None
        }
        # The pool PROJECT.svc.id.goog exists from the project's first cluster on, and IAM refuses members of
        # a pool that does not.
        self.callers_exist = [*accounts.values()] or [*args.before, *args.pool]
        bindings = [
            gcp.serviceaccount.IAMMember(
                f"{caller.account_id}-{caller.service_account}",
                service_account_id=_account_name(fleet, caller.account_id),
                role="roles/iam.workloadIdentityUser",
                member=workload_member(fleet, caller.service_account),
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=[accounts[caller.account_id], *args.pool]
                ),
            )
            for caller in found
            if caller.account_id is not None
        ]
        names = caller_names(fleet)
        grants = [
            gcp.projects.IAMMember(
                f"{names[member]}-{role.removeprefix('roles/')}",
                project=fleet.host_project,
                role=role,
                member=member,
                opts=pulumi.ResourceOptions(parent=self, depends_on=self.callers_exist),
            )
            for member, role in caller_grants(fleet)
        ]
        self.ready = [*bindings, *grants]
        self.register_outputs({})


def caller_names(fleet: Fleet) -> dict[str, str]:
    """What each of Argo CD's IAM members is called in names of resources."""
    return {
        caller_member(fleet, caller): caller.account_id or caller.service_account for caller in callers(fleet)
    }


def _account_name(fleet: Fleet, account: str) -> str:
    return f"projects/{fleet.hub.project}/serviceAccounts/{account_email(fleet, account)}"
