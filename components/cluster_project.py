"""A project that holds member clusters, made ready for them.

Owns the project's APIs and the roles of the fleet's service agent in it: without these Google refuses the
cluster with "hub default service account does not have access to the GKE cluster project". Does not own the
project.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.project_apis import enable_apis


@dataclass(frozen=True, kw_only=True)
class ClusterProjectArgs:
    """`apis` are full names of APIs, `agent` is the IAM member of the fleet's service agent, which
    `agent_exists` makes where this stack does."""

    project: str
    apis: Sequence[str]
    agent: str
    agent_exists: list[pulumi.Resource]
    agent_roles: Sequence[str]


class ClusterProject(pulumi.ComponentResource):
    """`ready`: what has to exist before a cluster of this project can join."""

    ready: list[pulumi.Resource]

    def __init__(
        self, name: str, args: ClusterProjectArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("gke-fleet:index:ClusterProject", name, None, opts)
        apis = enable_apis(self, args.project, args.apis)
        grants = [
            gcp.projects.IAMMember(
                f"{args.project}-{role.removeprefix('roles/')}",
                project=args.project,
                role=role,
                member=args.agent,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[*apis, *args.agent_exists]),
            )
            for role in args.agent_roles
        ]
        self.ready = [*apis, *grants]
        self.register_outputs({})
