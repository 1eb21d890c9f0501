"""The groups of people who look after the fleet, and what lets them through Connect Gateway.

Owns their roles on the fleet host project. What they may do inside a cluster is a binding in that cluster
(`components.cluster_rights`): without a role here they do not get there, without the binding they may do
nothing there. Nobody is named: who belongs to a group is said where groups are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp


@dataclass(frozen=True, kw_only=True)
class OperatorsArgs:
    """`grants`: (e-mail of a group, role) pairs."""

    host_project: str
    grants: Sequence[tuple[str, str]]
    before: list[pulumi.Resource]


class Operators(pulumi.ComponentResource):
    """Groups of people at the gateway."""

    def __init__(self, name: str, args: OperatorsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet:index:Operators", name, None, opts)
        for group, role in args.grants:
            gcp.projects.IAMMember(
                f"{group}-{role.removeprefix('roles/')}",
                project=args.host_project,
                role=role,
                member=f"group:{group}",
                opts=pulumi.ResourceOptions(parent=self, depends_on=args.before),
            )
        self.register_outputs({})
