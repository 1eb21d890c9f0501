"""`./fleet test`.

Owns which checks run and in which order. Does not own their settings (pyproject.toml).
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence

from cli import tables, workflows
from cli.checkout import Checkout
from cli.failure import ExitCode, Failure

_TYPED = (
    "__main__.py",
    "bootstrap",
    "model",
    "components",
    "policies",
    "plugins",
    "sandbox",
    "whatif",
    "cli",
    "bench",
    "tests",
)


def checks(checkout: Checkout, *, fast: bool, more: Sequence[str]) -> None:
    """Run actionlint, zizmor, ruff, mypy and pytest; `fast` leaves out what needs the sandbox.

    `more` goes to pytest as it is. Every check runs, whatever the ones before it said. Raises Failure (exit code 1)
    where one failed.
    """
    python = sys.executable
    cache = checkout.root / ".venv" / "cache"
    if not more:
        from sandbox.tools import GroupName, ensure

        groups: tuple[GroupName, ...] = ("pulumi",) if fast else ("pulumi", "delivery")
        for group in groups:
            ensure(group, tables.say)
    # Two files at a time where no servers are started; the sandbox's tests want the machine for themselves.
    chosen = ["-m", "not engine and not sandbox and not e2e", "-n", "2", "--dist", "loadfile"] if fast else []
    commands = {
        "ruff check": [python, "-m", "ruff", "check", "--cache-dir", str(cache / "ruff"), "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "--cache-dir", str(cache / "ruff"), "."],
        "mypy --strict": [python, "-m", "mypy", "--cache-dir", str(cache / "mypy"), *_TYPED],
        "pytest": [python, "-m", "pytest", *chosen, *more],
    }
    linters = {} if more else workflows.commands(checkout.root, tables.say)
    commands = {"pytest": commands["pytest"]} if more else linters | commands
    failed = []
    for name, command in commands.items():
        began = time.monotonic()
        sys.stdout.flush()
        code = subprocess.run(command, cwd=checkout.root, env=dict(os.environ), check=False).returncode
        tables.talk.print(
            f"{name}: {'ok' if code == 0 else f'failed ({code})'}, {time.monotonic() - began:.0f} s"
        )
        if code != 0:
            failed.append(name)
    if failed:
        raise Failure(ExitCode.REFUSED, f"failed: {', '.join(failed)}")
