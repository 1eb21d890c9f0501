"""`./fleet down`.

Owns destroying the sandbox's stacks and then everything the sandbox kept. Does not own other stacks: a real fleet is
destroyed by `pulumi destroy`, by a person who means it.
"""

from cli import sandbox_ground
from cli.checkout import PROJECT, Checkout
from cli.failure import ExitCode, Failure
from cli.recovery import clear_dead_lock, settle_pending
from cli.tables import say
from cli.up import only_one
from model import ConfigurationError
from model.load import load_stack


def down(checkout: Checkout, *, force: bool) -> None:
    """Destroy the stacks, stop the sandbox, remove its state. With `force`, the destroy is left out."""
    if not checkout.state.exists():
        say("The sandbox is not up: nothing to do.")
        return
    with only_one(checkout, "down"):
        stacks = [] if force else _stacks(checkout)
        if stacks:
            engine = sandbox_ground.start(checkout, say)
        for stack in stacks:
            clear_dead_lock(engine, PROJECT, stack, say)
            settle_pending(engine, stack, sandbox_ground.find, say)
            if engine.run(["destroy", "--yes", "--skip-preview", "--stack", stack]) != 0:
                raise Failure(
                    ExitCode.REFUSED,
                    f"pulumi destroy of {stack} did not finish (see above); the sandbox is still there",
                    "./fleet down again, or ./fleet down --force to drop it without destroying the stack",
                )
        sandbox_ground.stop(checkout, say)
    say("The sandbox is gone; only the environment (.venv) and the tool cache are left.")


def _stacks(checkout: Checkout) -> list[str]:
    """The stacks of the fleet that there are, those of members before the hub that they write Secrets to."""
    names = [path.stem for path in sandbox_ground.state_file(checkout, PROJECT, "any").parent.glob("*.json")]
    return sorted(names, key=lambda stack: (_has_hub(checkout, stack), stack))


def _has_hub(checkout: Checkout, stack: str) -> bool:
    try:
        return load_stack(checkout.stacks, stack).part.has_hub
    except ConfigurationError:
        return True
