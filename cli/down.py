"""`./fleet down`.

Owns destroying the sandbox's stack and then everything the sandbox kept. Does not own other stacks: a real fleet is
destroyed by `pulumi destroy`, by a person who means it.
"""

from cli import sandbox_ground
from cli.checkout import PROJECT, SANDBOX_STACK, Checkout
from cli.failure import ExitCode, Failure
from cli.recovery import clear_dead_lock, settle_pending
from cli.up import only_one, say


def down(checkout: Checkout, *, force: bool) -> None:
    """Destroy the stack, stop the sandbox, remove its state. With `force`, the stack's destroy is left out."""
    if not checkout.state.exists():
        say("The sandbox is not up: nothing to do.")
        return
    with only_one(checkout, "down"):
        stack_file = checkout.backend / ".pulumi" / "stacks" / PROJECT / f"{SANDBOX_STACK}.json"
        if not force and stack_file.exists():
            engine = sandbox_ground.start(checkout, say)
            clear_dead_lock(engine, PROJECT, SANDBOX_STACK, say)
            settle_pending(engine, SANDBOX_STACK, sandbox_ground.find, say)
            if engine.run(["destroy", "--yes", "--skip-preview", "--stack", SANDBOX_STACK]) != 0:
                raise Failure(
                    ExitCode.REFUSED,
                    "pulumi destroy did not finish (see above); the sandbox is still there",
                    "./fleet down again, or ./fleet down --force to drop it without destroying the stack",
                )
        sandbox_ground.stop(checkout, say)
    say("The sandbox is gone; only the environment (.venv) and the tool cache are left.")
