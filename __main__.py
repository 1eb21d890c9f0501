"""The program: read the fleet of this stack, make it, export what will be delivered where."""

from datetime import date
from pathlib import Path

import pulumi

from components.fleet import Fleet, FleetArgs
from model import ConfigurationError, load
from model.notices import notices


def main() -> None:
    """Make the fleet that the stack's configuration names."""
    config = pulumi.Config()
    stacks = Path(__file__).resolve().parent / "stacks"
    try:
        configuration = load(
            stacks,
            config.require("fleet"),
            config.get("mirror"),
            config.get("part"),
            stack=pulumi.get_stack(),
            today=config.get("today") or date.today().isoformat(),
        )
    except ConfigurationError as error:
        raise pulumi.RunError(str(error)) from None
    fleet, part = configuration.fleet, configuration.part
    needs_token = part.has_hub and fleet.argocd.git_credentials is not None
    arguments = FleetArgs(
        configuration=configuration,
        readiness_timeout=config.get_int("readinessTimeout") or 0,
        git_token=config.require_secret("gitToken") if needs_token else None,
    )
    Fleet(fleet.name, arguments)
    for notice in notices(configuration):
        pulumi.log.warn(notice)
    held = [cluster.name for cluster in part.clusters(fleet)]
    delivered = [found.summary() for found in configuration.applications if found.cluster in held]
    pulumi.export("applications", delivered)
    pulumi.export("clusters", held)


main()
