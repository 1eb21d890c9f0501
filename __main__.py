"""The program: read the fleet of this stack, make it, export what will be delivered where."""

from pathlib import Path

import pulumi

from components.fleet import Fleet, FleetArgs
from model import ConfigurationError, load


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
        )
    except ConfigurationError as error:
        raise pulumi.RunError(str(error)) from None
    fleet = configuration.fleet
    arguments = FleetArgs(
        configuration=configuration,
        readiness_timeout=config.get_int("readinessTimeout") or 0,
        git_token=config.require_secret("gitToken") if fleet.argocd.git_credentials else None,
    )
    Fleet(fleet.name, arguments)
    pulumi.export("applications", [application.summary() for application in configuration.applications])
    pulumi.export("clusters", [cluster.name for cluster in fleet.clusters])


main()
