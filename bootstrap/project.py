"""A project of the fleet with the few APIs that the deployer needs to enable all others.

Owns the project where it is to be created. A project that exists is taken by its id and stays its owner's: it is
neither imported nor changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from bootstrap.settings import ProjectSettings, Settings

BASE_APIS = ("cloudresourcemanager", "iam", "serviceusage")
"""Without these nothing can be enabled or granted."""
HOST_APIS = ("cloudkms", "iamcredentials", "storage", "sts")
"""What CI's way in and the state need beside: calls of an account count in the account's own project."""


@dataclass(frozen=True, kw_only=True)
class FleetProjectArgs:
    """`project`: its id. `apis`: names of APIs without `.googleapis.com`."""

    settings: Settings
    project: str
    apis: Sequence[str]


class FleetProject(pulumi.ComponentResource):
    """`number`: the project's number. `ready`: what has to exist before anything can be made in the project."""

    number: pulumi.Output[str]
    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: FleetProjectArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet-bootstrap:index:FleetProject", name, None, opts)
        entry = args.settings.projects[args.project]
        before: list[pulumi.Resource] = []
        if entry.create:
            made = self._project(args.settings, args.project, entry)
            self.number, before = made.number, [made]
        else:
            self.number = pulumi.Output.from_input(entry.number or "")
        self.ready = [
            gcp.projects.Service(
                f"{args.project}-{api}",
                project=args.project,
                service=f"{api}.googleapis.com",
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self, depends_on=before),
            )
            for api in args.apis
        ]
        self.register_outputs({"number": self.number})

    def _project(self, settings: Settings, project: str, entry: ProjectSettings) -> gcp.organizations.Project:
        return gcp.organizations.Project(
            project,
            project_id=project,
            name=project,
            org_id=settings.organization,
            folder_id=settings.folder,
            billing_account=settings.billing_account,
            auto_create_network=entry.default_network,
            deletion_policy="PREVENT" if settings.protect else "DELETE",
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protect),
        )
