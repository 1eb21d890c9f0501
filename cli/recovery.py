"""Putting a stack right after a run that was killed.

Owns the two things that a SIGKILL leaves in a file backend: a lock whose owner is dead, and creates of which nobody
knows whether they happened. The latter are read back from what is really there; the ones that are not there are
forgotten. Does not own stacks that other people use at the same time: a lock whose owner lives is never touched.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from cli.engine import Engine
from cli.failure import ExitCode, Failure
from sandbox.process import start_time

Find = Callable[[dict[str, Any], dict[str, Any]], str | None]
"""(resource of a pending create, deployment) -> the id under which it is really there, or None where it is not."""


def _locks(backend: Path, project: str, stack: str) -> list[tuple[Path, int]]:
    folder = backend / ".pulumi" / "locks" / "organization" / project / stack
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append((path, int(json.loads(path.read_text())["pid"])))
        except (OSError, ValueError, KeyError):
            found.append((path, 0))
    return found


def clear_dead_lock(
    engine: Engine, project: str, stack: str, say: Callable[[str], None], seconds: float = 120
) -> bool:
    """Remove the stack's lock where the process that took it is gone; wait for one that still runs.

    Returns whether a lock was removed. Raises Failure where the owner still runs after `seconds`.
    """
    backend = Path(urlparse(engine.environment["PULUMI_BACKEND_URL"]).path)
    deadline = time.monotonic() + seconds
    told = False
    while alive := [pid for _, pid in _locks(backend, project, stack) if pid and start_time(pid) is not None]:
        if time.monotonic() > deadline:
            raise Failure(
                ExitCode.REFUSED,
                f"another pulumi (pid {alive[0]}) works on stack {stack}",
                "wait until it has finished, or end it with `kill -INT`, which leaves a clean state",
            )
        if not told:
            say(f"a pulumi of an earlier run (pid {alive[0]}) is still finishing; waiting for it")
            told = True
        time.sleep(0.5)
    if not _locks(backend, project, stack):
        return False
    say("the last run was killed and left its lock behind: removing the lock")
    done = engine.ask(["cancel", "--yes", "--stack", stack])
    if done.returncode != 0:
        raise Failure(
            ExitCode.REFUSED, f"the dead lock of stack {stack} could not be removed:\n{done.stderr}"
        )
    return True


def settle_pending(engine: Engine, stack: str, find: Find, say: Callable[[str], None]) -> int:
    """Settle what the killed run had begun; returns how many operations that were.

    Creates whose object is there are taken into the state and read, the others are forgotten, so that the next `up`
    makes them; updates and deletes are simply done again by it. (`pulumi refresh --import-pending-creates` of CLI
    3.259.0 forgets the create without reading it, hence the way through the exported state.)
    """
    exported = engine.ask(["stack", "export", "--stack", stack])
    if exported.returncode != 0:
        raise Failure(ExitCode.REFUSED, f"the state of stack {stack} cannot be read:\n{exported.stderr}")
    state = json.loads(exported.stdout)
    deployment = state["deployment"] or {}
    pending = deployment.pop("pending_operations", None) or []
    if not pending:
        return 0
    say(
        f"the last run was ended in the middle of {len(pending)} operations: reading back what became of them"
    )
    resources = deployment.setdefault("resources", [])
    known = {resource["urn"] for resource in resources}
    taken = []
    for operation in pending:
        resource = operation["resource"]
        if operation["type"] != "creating" or not resource.get("custom", False):
            continue
        needed = {resource.get("parent"), *(resource.get("dependencies") or [])} - {None}
        identity = find(resource, deployment) if needed <= known and resource["urn"] not in known else None
        if identity:
            resources.append({**resource, "id": identity, "outputs": {}})
            taken.append(resource["urn"])
        say(
            f"  {resource['urn'].rpartition('::')[2]}: {'is there, taken over' if identity else 'is not there'}"
        )
    settled = engine.ask(["stack", "import", "--stack", stack], given=json.dumps(state))
    if settled.returncode == 0 and taken:
        targets = [argument for urn in taken for argument in ("--target", urn)]
        settled = engine.ask(["refresh", "--yes", "--skip-preview", "--stack", stack, *targets])
    if settled.returncode != 0:
        raise Failure(
            ExitCode.REFUSED,
            f"the pending operations of stack {stack} could not be settled:\n{settled.stdout}{settled.stderr}",
            "`./fleet down --force` and `./fleet up` start afresh",
        )
    return len(pending)
