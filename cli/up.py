"""`./fleet up`.

Owns the order of steps: tools, processes, recovery, preview with policies, `pulumi up`, waiting. Does not own any
of the steps. For a stack other than the sandbox's it is `pulumi preview` and `pulumi up` with the official plugins.
"""

import contextlib
import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cli import sandbox_ground, tables
from cli.applications import Hub, wait
from cli.bootstrap import ensure_bootstrapped
from cli.checkout import PROJECT, Checkout
from cli.engine import Engine, changes, events
from cli.failure import ExitCode, Failure
from cli.grounds import official
from cli.pack import pack_arguments
from cli.plan import Plan, plan
from cli.recovery import clear_dead_lock, settle_pending
from cli.removal import refusal as removal_refusal
from cli.removal import removed_straight
from cli.replacement import refusal, replaced_clusters
from cli.tables import say

UNCHANGED = frozenset({"same", "read", "refresh"})


@contextlib.contextmanager
def only_one(checkout: Checkout, what: str) -> Iterator[None]:
    """Let one `up` or `down` work on this checkout's sandbox at a time; a second one is refused at once."""
    checkout.state.mkdir(exist_ok=True)
    path = checkout.state / "one-at-a-time"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 64, 0).decode().strip() or "unknown"
            raise Failure(
                ExitCode.REFUSED,
                f"another ./fleet works on this sandbox (pid and command: {owner})",
                "wait until it has finished, or end it with Ctrl-C; it then leaves a clean state",
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()} {what}".encode(), 0)
        yield
    finally:
        os.close(handle)


def up(checkout: Checkout, stack: str, *, seconds: float, as_previewed: bool = False) -> None:
    """Bring stack `stack` to what the files say and wait until Argo CD has delivered.

    `seconds`: how long Argo CD may take. `as_previewed`: with the official plugins, nothing may happen that the preview
    did not say. Raises Failure.
    """
    planned = plan(checkout, stack)
    if not planned.on_sandbox:
        _up_with_official_plugins(checkout, stack, planned, as_previewed=as_previewed)
        return
    began = time.monotonic()
    with only_one(checkout, "up"):
        engine = sandbox_ground.start(checkout, say)
        ensure_bootstrapped(engine, checkout, sandbox_ground.find, say)
        sandbox_ground.ensure_stack(engine, checkout, PROJECT, stack)
        clear_dead_lock(engine, PROJECT, stack, say)
        settle_pending(engine, stack, sandbox_ground.find, say)
        changed = _preview_then_up(engine, checkout, stack, planned)
        sandbox_ground.write_kubeconfig(checkout, planned)
        _wait_and_show(planned, seconds)
    took = f"{time.monotonic() - began:.0f} s"
    if changed:
        say(f"\nThe fleet is as the files say ({took}).")
    else:
        say(f"\nNothing to change: the fleet is as the files say ({took}).")
    say(
        "What to try next:\n"
        "  ./fleet status                                   this table again\n"
        "  ./fleet shell -- kubectl get applications -A     the real tools, talking to the sandbox\n"
        "  ./fleet shell -- argocd app list\n"
        "  edit stacks/catalog.yaml or stacks/sandbox.fleet.yaml, then ./fleet up\n"
        "  ./fleet down                                     destroys the stack and leaves nothing running"
    )


def _preview_then_up(engine: Engine, checkout: Checkout, stack: str, planned: Plan) -> bool:
    """Returns whether anything was changed. Raises Failure where a policy, the program or the engine says no."""
    with tempfile.TemporaryDirectory(prefix="gke-fleet-up-") as folder:
        common = [
            "--stack",
            stack,
            "--suppress-permalink=true",
            *pack_arguments(checkout, stack, Path(folder)),
        ]
        log = Path(folder) / "preview.events"
        # `up` of the CLI can create resources before a policy stops it: so the preview decides first.
        if engine.run(["preview", *common, "--event-log", str(log)]) != 0:
            _refuse_removal(log, planned)
            raise Failure(
                ExitCode.REFUSED,
                "the preview failed or a mandatory policy is violated (see above); nothing was changed",
            )
        _refuse_replacement(log)
        # Resources that another stack took over leave this one's outputs behind them.
        if set(changes(log)) <= UNCHANGED and _clusters_in_state(engine, stack) == list(planned.clusters):
            return False
        if engine.run(["up", "--yes", "--skip-preview", *common]) != 0:
            raise Failure(
                ExitCode.REFUSED,
                "pulumi up did not finish (see above); what it had begun is in the state",
                "./fleet up goes on from there",
            )
    return True


def _clusters_in_state(engine: Engine, stack: str) -> object:
    """The output `clusters` of a stack, None where there is none."""
    done = engine.ask(["stack", "output", "--json", "--stack", stack])
    return json.loads(done.stdout).get("clusters") if done.returncode == 0 else None


def _refuse_replacement(log: Path) -> None:
    replaced = replaced_clusters(events(log))
    if replaced:
        raise Failure(ExitCode.REFUSED, *refusal(replaced))


def _refuse_removal(log: Path, planned: Plan) -> None:
    removed = removed_straight(events(log))
    if removed:
        raise Failure(ExitCode.REFUSED, *removal_refusal(removed, planned.fleet_file, planned.catalogue_file))


def _wait_and_show(planned: Plan, seconds: float) -> None:
    hub = Hub(planned.hub_kubeconfig, elsewhere=planned.elsewhere)
    total = len(planned.applications)

    said = ""

    def progress(lines: list[str]) -> None:
        nonlocal said
        waits = "; ".join(line.partition(" (")[0][:80] for line in lines[:3]) + (
            " ..." if len(lines) > 3 else ""
        )
        line = f"Argo CD: {max(0, total - len(lines))} of {total} Applications are delivered; waiting for {waits}"
        if lines and line != said:
            say(line)
            said = line

    seen = wait(hub, planned.applications, seconds, progress)
    tables.data.print(tables.fleet(seen, planned.clusters))


def _up_with_official_plugins(checkout: Checkout, stack: str, planned: Plan, *, as_previewed: bool) -> None:
    engine = official(checkout, f"./fleet up {stack}")
    with tempfile.TemporaryDirectory(prefix="gke-fleet-up-") as folder:
        pack = pack_arguments(checkout, stack, Path(folder))
        log, plan_file = Path(folder) / "preview.events", str(Path(folder) / "plan.json")
        command = ["preview", "--stack", stack, *pack, "--event-log", str(log)]
        if engine.run(command + (["--save-plan", plan_file] if as_previewed else [])) != 0:
            _refuse_removal(log, planned)
            raise Failure(
                ExitCode.REFUSED, "the preview failed or a mandatory policy is violated; nothing was changed"
            )
        _refuse_replacement(log)
        command = ["up", "--yes", "--skip-preview", "--stack", stack, *pack]
        if engine.run(command + (["--plan", plan_file] if as_previewed else [])) != 0:
            raise Failure(
                ExitCode.REFUSED,
                "pulumi up did not finish (see above)",
                "run it again; it goes on from there",
            )
