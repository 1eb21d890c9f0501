"""The engine of a stack, wherever it lives.

Owns the choice: the sandbox's engine for stacks of the sandbox's fleet, else the Pulumi CLI on PATH with the official
plugins. Does not own either environment's content.
"""

import os
import shutil
import sys
from pathlib import Path

from cli import sandbox_ground
from cli.checkout import PROJECT, Checkout
from cli.engine import Engine
from cli.failure import ExitCode, Failure
from cli.plan import plan


def official(checkout: Checkout, what: str) -> Engine:
    """The Pulumi CLI on PATH, for `what` (a command line, for the error). Raises Failure where there is none."""
    cli = shutil.which("pulumi")
    if cli is None:
        raise Failure(
            ExitCode.MISSING,
            f"`{what}` needs the Pulumi CLI, and there is none on PATH",
            "install it (https://www.pulumi.com/docs/install/), log in to the state backend, then run it again",
        )
    # The official language host runs a policy pack with the python on PATH: the one that has the pack's packages.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    # The CLI has no `--event-log` without the second one.
    return Engine(Path(cli), {**os.environ, "PATH": path, "PULUMI_DEBUG_COMMANDS": "true"}, checkout.root)


def of_stacks(checkout: Checkout, stacks: list[str], what: str) -> Engine:
    """The engine of stacks that live in one place. Raises Failure."""
    places = {plan(checkout, stack).on_sandbox for stack in stacks}
    if len(places) > 1:
        raise Failure(ExitCode.CONFIGURATION, f"{', '.join(stacks)} do not belong to one fleet")
    if not places.pop():
        return official(checkout, what)
    engine = sandbox_ground.attach(checkout)
    for stack in stacks:
        sandbox_ground.ensure_stack(engine, checkout, PROJECT, stack)
    return engine
