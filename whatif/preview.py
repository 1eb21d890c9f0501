"""What a stack would be: the Pulumi CLI's own preview of it alone, on paper, against nothing.

Owns the arguments of that run. Does not own the answer: it is the CLI's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from whatif.events import Preview, read
from whatif.report.masking import masked
from whatif.scratch import PLACEHOLDER, NoStack, Scratch, make_project

__all__ = ["PLACEHOLDER", "NoStack", "Preview", "make_project", "preview", "QUIET"]

QUIET = ("--non-interactive", "--suppress-progress")


def preview(
    folder: Path,
    stack: str,
    *,
    cli: Path,
    policy_pack: Path | None = None,
    policy_config: Path | None = None,
    out: TextIO | None = None,
    diff: bool = False,
    import_file: Path | None = None,
    states: bool = False,
) -> Preview:
    """Preview `stack` of the project in `folder` (the checkout, or its bootstrap/), alone, against an empty state.

    `cli` is the pulumi binary, `policy_pack` a folder, `policy_config` its configuration (JSON). The CLI's
    text goes to `out`; with `diff` it shows every property. The CLI writes its own list of what could be
    imported to `import_file`; with `states` its answer is JSON, and the result has them. Raises NoStack.
    """
    with Scratch(cli) as scratch:
        project, events = scratch.folder / "project", scratch.folder / "events.json"
        make_project(folder.resolve(), stack, project)
        said, code = scratch.run(
            ["stack", "init", stack, "--non-interactive", "--no-select"], project, plugins=False
        )
        if code != 0:
            return Preview(diagnostics=["\n".join(said).strip()], exit_code=code)
        command = ["preview", "--stack", stack, "--event-log", str(events), *QUIET, *colour(out)]
        command += ["--diff"] if diff else []
        # Whoever reads the text gets the outputs as tables.
        command += ["--suppress-outputs"] if out is not None else []
        command += ["--json"] if states else []
        command += ["--import-file", str(import_file.resolve())] if import_file else []
        command += pack_arguments(policy_pack, policy_config)
        said, code = scratch.run(command, project, out=writer(out))
        result = read(events)
    result.exit_code = code
    if states and code == 0:
        result.states = [step["newState"] for step in json.loads("\n".join(said))["steps"]]
    refused_before_a_run(result, said)
    return result


def colour(out: TextIO | None) -> tuple[str, str]:
    """The CLI's arguments for colours: only where a person looks."""
    return "--color", "always" if out is not None and out.isatty() else "never"


def writer(out: TextIO | None, change: Callable[[str], str] = masked) -> Callable[[str], None] | None:
    """What the CLI says goes to `out` line by line, credentials masked, and at once; None where nobody looks."""
    if out is None:
        return None

    def write(line: str) -> None:
        out.write(change(line))
        out.flush()

    return write


def pack_arguments(pack: Path | None, config: Path | None) -> list[str]:
    """The CLI's arguments for a policy pack and its configuration."""
    if pack is None:
        return []
    found = ["--policy-pack", str(pack.resolve())]
    return found + (["--policy-pack-config", str(config.resolve())] if config else [])


def refused_before_a_run(result: Preview, said: list[str]) -> None:
    """Where the CLI refused before there was a run, no event says why: its own lines do."""
    if result.exit_code != 0 and not any(line.startswith("error") for line in result.diagnostics):
        result.diagnostics += [line for line in said if line.strip()]
