"""Running the Pulumi CLI as a child.

Owns how the CLI is started, how an interrupt reaches it, and reading the engine's event log. The CLI runs in a
session of its own, so that Ctrl-C reaches it exactly once, through this process: the first interrupt lets it finish
what it has begun and leaves a clean state, the second ends it. It gets the same interrupt when this process dies.
Does not own which commands are run, nor what they mean.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from sandbox.process import dies_with_parent


@dataclass(frozen=True)
class Engine:
    """The Pulumi CLI with the environment it is to run in.

    Attributes:
        cli: the executable.
        environment: the whole environment of the child.
        project: the folder that holds Pulumi.yaml.
    """

    cli: Path
    environment: Mapping[str, str]
    project: Path

    def run(self, arguments: Sequence[str], *, log: Path | None = None) -> int:
        """Run `pulumi ARGUMENTS` and pass interrupts on; returns its exit code.

        Its output goes to `log`, or to standard error: only data belongs on standard output.
        """
        with contextlib.ExitStack() as opened:
            told = opened.enter_context(log.open("wb")).fileno() if log else sys.stderr.fileno()
            child = subprocess.Popen(
                [str(self.cli), *arguments],
                cwd=self.project,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGINT),
            )

        def forward(number: int, frame: FrameType | None) -> None:
            os.kill(child.pid, signal.SIGINT)

        before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            return child.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def ask(self, arguments: Sequence[str], *, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run `pulumi ARGUMENTS` and return what it printed (text), without showing it."""
        return subprocess.run(
            [str(self.cli), *arguments],
            cwd=self.project,
            env=dict(self.environment),
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            check=False,
        )


def events(log: Path) -> Iterator[dict[str, Any]]:
    """The engine's events in an `--event-log` file, in order; a cut last line is left out."""
    if not log.exists():
        return
    for line in log.read_text().splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return


def changes(log: Path) -> dict[str, int]:
    """Operation -> count of resources, from the summary event; empty where the run ended before it."""
    for event in events(log):
        if "summaryEvent" in event:
            return {op: int(n) for op, n in event["summaryEvent"].get("resourceChanges", {}).items()}
    return {}
