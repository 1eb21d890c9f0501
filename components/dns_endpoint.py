"""What lets Argo CD in at the DNS endpoints of one project's clusters.

Owns the grants of a role with the one permission that the endpoint asks for. Google's own roles that hold
it hold `container.*` permissions too, and with those IAM would let Argo CD past the ClusterRole on each
member. What it may do inside is said by that ClusterRole alone. Does not own the role: an owner makes it
(bootstrap/), since whoever may edit a role that it may also grant can give itself anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from model.identity import DNS_ROLE_ID


@dataclass(frozen=True, kw_only=True)
class DnsEndpointArgs:
    """`callers`: IAM members by a name for each. `callers_exist`: what makes them, where this stack does."""

    project: str
    callers: Mapping[str, str]
    before: list[pulumi.Resource]
    callers_exist: list[pulumi.Resource]


class DnsEndpoint(pulumi.ComponentResource):
    """`ready`: from here on Argo CD gets through."""

    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: DnsEndpointArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet:index:DnsEndpoint", name, None, opts)
        self.ready = [
            gcp.projects.IAMMember(
                f"{args.project}-{DNS_ROLE_ID}-{caller}",
                project=args.project,
                role=f"projects/{args.project}/roles/{DNS_ROLE_ID}",
                member=member,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[*args.before, *args.callers_exist]),
            )
            for caller, member in args.callers.items()
        ]
        self.register_outputs({})
