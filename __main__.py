"""The program: read the fleet of this stack, make it, export what will be delivered where."""

import gc
from datetime import date
from pathlib import Path

import pulumi

from components.fleet import Fleet, FleetArgs
from model import ConfigurationError, load
from model.exported import exported
from model.notices import notices


def main() -> None:
    """Make the fleet that the stack's configuration names."""
    # A program lets go of nothing; looking for garbage made 200 clusters take 32 s in place of 18 s.
    gc.disable()
    config, stack = pulumi.Config(), pulumi.get_stack()
    today = config.get("today") or date.today().isoformat()
    stacks, fleet = Path(__file__).resolve().parent / "stacks", config.require("fleet")
    try:
        found = load(stacks, fleet, config.get("mirror"), config.get("part"), stack=stack, today=today)
    except ConfigurationError as error:
        raise pulumi.RunError(str(error)) from None
    needs_token = found.part.has_hub and found.fleet.argocd.git_credentials is not None
    arguments = FleetArgs(
        configuration=found,
        readiness_timeout=config.get_int("readinessTimeout") or 0,
        git_token=config.require_secret("gitToken") if needs_token else None,
    )
    Fleet(found.fleet.name, arguments)
    for notice in notices(found):
        pulumi.log.warn(notice)
    for name, value in exported(found).items():
        pulumi.export(name, value)


main()
