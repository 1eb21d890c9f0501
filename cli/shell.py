"""`./fleet shell`.

Owns the environment that a person's shell gets. Does not own the tools in it: they are the real ones.
"""

import os
from collections.abc import Sequence

from cli import sandbox_ground, tables
from cli.checkout import Checkout
from cli.failure import ExitCode, Failure


def shell(checkout: Checkout, command: Sequence[str]) -> None:
    """Replace this process by a shell, or by `command`, on the sandbox; its exit code is passed on."""
    engine = sandbox_ground.attach(checkout)
    from sandbox.argocd import client_environment

    environment = {
        **engine.environment,
        **client_environment(checkout.state),
        "KUBECONFIG": str(checkout.kubeconfig),
    }
    if not command:
        command = [os.environ.get("SHELL", "/bin/sh")]
        tables.talk.print(
            "pulumi, kubectl, argocd and helm in this shell talk to the sandbox. Try:\n"
            "  pulumi preview --stack sandbox      kubectl get applications -A\n"
            "  argocd app list                     exit",
            markup=False,
        )
    try:
        os.execvpe(command[0], list(command), environment)  # noqa: S606 - no shell in between, on purpose
    except FileNotFoundError:
        raise Failure(ExitCode.MISSING, f"there is no command {command[0]} on the sandbox's PATH") from None
