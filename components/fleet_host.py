"""The fleet host project: it holds the fleet, its memberships and Connect Gateway.

Owns the project's APIs, the fleet itself, the service agent that registers clusters, and the log of who reads
through the gateway. Does not own the project: an owner makes that, with billing, before anything here runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.project_apis import enable_apis


@dataclass(frozen=True, kw_only=True)
class FleetHostArgs:
    """`apis` are full names of APIs, `agent` is the IAM member of the gkehub service agent. `audit`: whether
    who reads through the gateway is logged; who writes is in any case."""

    project: str
    display_name: str
    apis: Sequence[str]
    agent: str
    agent_roles: Sequence[str]
    protect: bool
    audit: bool


class FleetHost(pulumi.ComponentResource):
    """`ready`: what has to exist before a cluster can join."""

    ready: list[pulumi.Resource]
    agent: pulumi.Resource

    def __init__(self, name: str, args: FleetHostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet:index:FleetHost", name, None, opts)
        apis = enable_apis(self, args.project, args.apis)
        after_apis = pulumi.ResourceOptions(parent=self, depends_on=apis)
        fleet = gcp.gkehub.Fleet(
            args.project,
            project=args.project,
            display_name=args.display_name,
            opts=pulumi.ResourceOptions.merge(after_apis, pulumi.ResourceOptions(protect=args.protect)),
        )
        # The agent exists from the first registration on; this brings it into being before, so that it can be
        # granted its roles.
        self.agent = gcp.projects.ServiceIdentity(
            f"{args.project}-gkehub", project=args.project, service="gkehub.googleapis.com", opts=after_apis
        )
        grants = [
            gcp.projects.IAMMember(
                f"{args.project}-{role.removeprefix('roles/')}",
                project=args.project,
                role=role,
                member=args.agent,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[self.agent]),
            )
            for role in args.agent_roles
        ]
        if args.audit:
            # The gateway writes its log under this service, reading as ADMIN_READ.
            # https://cloud.google.com/kubernetes-engine/enterprise/multicluster-management/gateway/audit-logging
            gcp.projects.IAMAuditConfig(
                f"{args.project}-gkehub",
                project=args.project,
                service="gkehub.googleapis.com",
                audit_log_configs=[{"log_type": "ADMIN_READ"}],
                opts=after_apis,
            )
        self.ready = [*apis, fleet, *grants]
        self.register_outputs({})
