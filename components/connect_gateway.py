"""Who Argo CD is at Google Cloud, and what lets it through Connect Gateway.

Owns Argo CD's service account, the two ServiceAccounts that may act as it, and its roles on the fleet host
project. Never a role on a cluster's project: IAM is a second authorizer inside GKE and would go past the
ClusterRole on each member. No key is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp


@dataclass(frozen=True, kw_only=True)
class ConnectGatewayArgs:
    """`callers`: IAM member by the name of its ServiceAccount. `hub`: exists before the workload pool does
    not."""

    account_id: str
    account_project: str
    account_email: str
    host_project: str
    roles: Sequence[str]
    callers: Mapping[str, str]
    before: list[pulumi.Resource]
    hub: list[pulumi.Resource]


class ConnectGateway(pulumi.ComponentResource):
    """`ready`: from here on Argo CD gets through the gateway."""

    ready: list[pulumi.Resource]

    def __init__(
        self, name: str, args: ConnectGatewayArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("gke-fleet:index:ConnectGateway", name, None, opts)
        account = gcp.serviceaccount.Account(
            args.account_id,
            account_id=args.account_id,
            project=args.account_project,
            display_name="Argo CD on the hub",
            opts=pulumi.ResourceOptions(parent=self, depends_on=args.before),
        )
        # The pool PROJECT.svc.id.goog exists from the project's first cluster on, and IAM refuses members of
        # a pool that does not.
        bindings = [
            gcp.serviceaccount.IAMMember(
                f"{args.account_id}-{caller}",
                service_account_id=f"projects/{args.account_project}/serviceAccounts/{args.account_email}",
                role="roles/iam.workloadIdentityUser",
                member=member,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[account, *args.hub]),
            )
            for caller, member in args.callers.items()
        ]
        grants = [
            gcp.projects.IAMMember(
                f"{args.account_id}-{role.removeprefix('roles/')}",
                project=args.host_project,
                role=role,
                member=f"serviceAccount:{args.account_email}",
                opts=pulumi.ResourceOptions(parent=self, depends_on=[account]),
            )
            for role in args.roles
        ]
        self.ready = [*bindings, *grants]
        self.register_outputs({})
