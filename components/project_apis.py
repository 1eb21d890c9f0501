"""The APIs of one project."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp


def enable_apis(parent: pulumi.Resource, project: str, apis: Sequence[str]) -> list[pulumi.Resource]:
    """Enable APIs (full names, as in container.googleapis.com). They stay enabled when this is destroyed:
    others may use them."""
    return [
        gcp.projects.Service(
            f"{project}-{api.removesuffix('.googleapis.com')}",
            project=project,
            service=api,
            disable_on_destroy=False,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for api in apis
    ]
