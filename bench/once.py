"""`python -m bench.once WHAT ...`: one measured run, as a process of its own.

Owns what a run is; prints one JSON document with its size and the peak of its memory. Does not own timing.

    whatif FOLDER REVISION CLI              the what-if, as `./fleet preview STACK --base REVISION` makes it
           [--pack PACK] [--kept BASES]     with a policy pack; with bases that earlier runs kept in a folder
    program FOLDER CLI shared|own VALUES    `up` of a program, then a preview of it with one value changed: the CLI
                                            alone. `own`: a plugin process for each provider, as the CLI does it
    preview FOLDER CLI PACK                 a preview of a stack alone, with a policy pack
    pack FILE rules|nothing                 every rule of a pack on every resource of a file, in this process
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import fleet

_QUIET = ("--non-interactive", "--suppress-progress", "--color", "never")


def whatif(folder: str, revision: str, cli: str, *more: str) -> dict[str, Any]:
    """The whole what-if of the stack in `folder`."""
    from whatif.against import Question, advisory_config, against

    options = dict(zip(more[::2], more[1::2], strict=True))
    pack, kept = (Path(options[name]) if name in options else None for name in ("--pack", "--kept"))
    with tempfile.TemporaryDirectory() as cache:
        question = Question(
            checkout=Path(folder),
            stack=fleet.STACK,
            base=revision,
            head=Path(folder),
            cli=Path(cli),
            cache=Path(cache),
            pack=pack,
            advisory=advisory_config(None, Path(cache) / "advisory.json") if pack else None,
            kept=kept,
        )
        answer = against(question).answer
    if answer.exit_code != 0 or not answer.changes:
        raise SystemExit(f"the what-if found {len(answer.changes)} changes: {answer.diagnostics}")
    return {"resources": answer.head.resources, "changes": len(answer.changes), **_summary(answer.summary)}


def program(folder: str, cli: str, plugins: str, values: str) -> dict[str, Any]:
    """`up`, then a preview with `values` (JSON) over the stack's configuration: the CLI as the what-if calls it,
    and nothing else."""
    from whatif.scratch import Scratch, make_project, salt

    with Scratch(Path(cli), own_host=True) as scratch:
        base, head = scratch.folder / "base", scratch.folder / "head"
        make_project(Path(folder), fleet.STACK, base)
        is_shared = plugins == "shared"
        _said(
            scratch.run(
                ["stack", "init", fleet.STACK, "--non-interactive", "--no-select"], base, plugins=False
            )
        )
        log = ["--stack", fleet.STACK, "--event-log"]
        up = ["up", "--yes", "--skip-preview", *log, str(scratch.folder / "base.json"), *_QUIET]
        _said(scratch.run(up, base, more={"PULUMI_SKIP_CHECKPOINTS": "1"}, plugins=is_shared))
        make_project(
            Path(folder), fleet.STACK, head, settings=salt(base, fleet.STACK), values=json.loads(values)
        )
        events = scratch.folder / "head.json"
        preview = ["preview", *log, str(events), "--diff", "--suppress-outputs", *_QUIET]
        _said(scratch.run(preview, head, plugins=is_shared))
        return _counted(events)


def preview(folder: str, cli: str, pack: str) -> dict[str, Any]:
    """A preview of the stack alone."""
    from whatif.scratch import Scratch, make_project

    with Scratch(Path(cli), own_host=True) as scratch:
        project, events = scratch.folder / "project", scratch.folder / "events.json"
        make_project(Path(folder), fleet.STACK, project)
        init = ["stack", "init", fleet.STACK, "--non-interactive", "--no-select"]
        _said(scratch.run(init, project, plugins=False))
        words = [
            "preview",
            "--stack",
            fleet.STACK,
            "--event-log",
            str(events),
            *_QUIET,
            "--policy-pack",
            pack,
        ]
        _said(scratch.run(words, project))
        return _counted(events)


def pack(file: str, name: str) -> dict[str, Any]:
    """The analysis of every resource in `file` by the pack `name`, without the way there and back."""
    from bench.analysis import analysed

    return analysed(Path(file), name)


def _counted(events: Path) -> dict[str, Any]:
    """Resources of a run, out of its event log; the stack itself is none."""
    with events.open() as lines:
        for line in lines:
            event = json.loads(line)
            if "summaryEvent" in event:
                summary = event["summaryEvent"].get("resourceChanges") or {}
                return {"resources": sum(summary.values()) - 1, **_summary(summary)}
    raise SystemExit("the CLI wrote no summary")


def _summary(changes: dict[str, int]) -> dict[str, Any]:
    return {"operations": dict(sorted(changes.items()))}


def _said(done: tuple[list[str], int]) -> None:
    lines, code = done
    if code != 0:
        raise SystemExit("the CLI says no:\n" + "\n".join(lines[-40:]))


def peak() -> float:
    """MiB of the largest process, this one or a child of it."""
    mine, children = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return max(mine, children) / 1024


_RUNS: dict[str, Callable[..., dict[str, Any]]] = {
    "whatif": whatif,
    "program": program,
    "preview": preview,
    "pack": pack,
}

if __name__ == "__main__":
    found = _RUNS[sys.argv[1]](*sys.argv[2:])
    print(json.dumps({**found, "peak_mib": round(peak(), 1)}))
