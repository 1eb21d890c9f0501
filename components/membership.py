"""The membership of a GKE cluster that existed before this program.

Regional and named as the model says, so that its address follows from configuration. A cluster that this
program creates needs none: it is born in the fleet, and both at once are an error at Google.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from model.cluster import Cluster


@dataclass(frozen=True, kw_only=True)
class MembershipArgs:
    """`cluster` is an entry with `join: register`; `depends_on` is what has to exist before it can join."""

    cluster: Cluster
    host_project: str
    protect: bool
    depends_on: list[pulumi.Resource]


class Membership(pulumi.ComponentResource):
    """`resource`: the membership itself."""

    resource: pulumi.Resource

    def __init__(self, name: str, args: MembershipArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet:index:Membership", name, None, opts)
        cluster = args.cluster
        path = f"projects/{cluster.project}/locations/{cluster.location}/clusters/{cluster.name}"
        self.resource = gcp.gkehub.Membership(
            cluster.membership_id,
            project=args.host_project,
            membership_id=cluster.membership_id,
            location=cluster.membership_location,
            endpoint={"gke_cluster": {"resource_link": f"//container.googleapis.com/{path}"}},
            authority={"issuer": f"https://container.googleapis.com/v1/{path}"},
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, depends_on=args.depends_on),
        )
        self.register_outputs({})
