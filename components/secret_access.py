"""What External Secrets on the clusters of one project may read: named secrets, and nothing else.

Owns one grant a secret, not the secrets: their values never come near this program. The grant is to the
ServiceAccount itself, without an account or a key in between. All clusters of a project share its workload
identities, so what one of them may read the others may too; hence this is one noun a project, not a cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from model.identity import SECRET_ROLE


@dataclass(frozen=True, kw_only=True)
class SecretAccessArgs:
    """`grants`: (secret's id, IAM member that External Secrets is) pairs. `before`: the project's workload
    pool exists, from its first cluster on."""

    project: str
    grants: Sequence[tuple[str, str]]
    before: list[pulumi.Resource]


class SecretAccess(pulumi.ComponentResource):
    """`ready`: from here on the secrets can be read."""

    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: SecretAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet:index:SecretAccess", name, None, opts)
        self.ready = [
            gcp.secretmanager.SecretIamMember(
                f"{args.project}.{secret}",
                project=args.project,
                secret_id=secret,
                role=SECRET_ROLE,
                member=member,
                opts=pulumi.ResourceOptions(parent=self, depends_on=args.before),
            )
            for secret, member in args.grants
        ]
        self.register_outputs({})
