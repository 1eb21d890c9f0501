"""What the sandbox's fleet stands on, made before the fleet: the stack `sandbox` of `bootstrap/`, as the owner.

Owns running that project on the sandbox, and knowing when there is nothing to run. Does not own what it makes, nor
its removal: `./fleet down` drops the cloud with everything in it. On Google Cloud an owner runs it by hand
(docs/bootstrap.md).
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator

import yaml

from cli import sandbox_ground
from cli.checkout import SANDBOX_STACK, Checkout
from cli.engine import Engine
from cli.failure import ExitCode, Failure
from cli.recovery import Find, clear_dead_lock, settle_pending

PROJECT = "gke-fleet-bootstrap"
IDENTITY = "GKE_FLEET_IDENTITY"
"""Environment variable: the e-mail address that calls of the sandbox's cloud are made as."""
_READ = ("bootstrap", "model")
"""Folders that the program is made of."""


def ensure_bootstrapped(engine: Engine, checkout: Checkout, find: Find, say: Callable[[str], None]) -> bool:
    """Bring the stack to what `bootstrap/sandbox.yaml` says, as the owner of the sandbox's cloud.

    `engine` is the sandbox's; `find` looks up what a killed run left behind. Nothing runs where neither the program
    nor the stack's state has changed since the last time. Returns whether anything ran. Raises Failure.
    """
    record = checkout.state / "bootstrap.json"
    if record.is_file() and json.loads(record.read_text()) == _fingerprint(checkout):
        return False
    began = time.monotonic()
    owner = _owner()
    say(f"making what the fleet stands on, as {owner}: projects, accounts and their rights, state")
    own = dataclasses.replace(
        engine, environment={**engine.environment, IDENTITY: owner}, project=checkout.root / "bootstrap"
    )
    sandbox_ground.ensure_stack(own, checkout, PROJECT, SANDBOX_STACK)
    clear_dead_lock(own, PROJECT, SANDBOX_STACK, say)
    with _acting_as(owner):
        settle_pending(own, SANDBOX_STACK, find, say)
    checkout.logs.mkdir(parents=True, exist_ok=True)
    log = checkout.logs / "bootstrap.log"
    up = ["up", "--yes", "--skip-preview", "--suppress-permalink=true", "--stack", SANDBOX_STACK]
    if own.run(up, log=log) != 0:
        told = [line for line in log.read_text().splitlines() if "error" in line.lower()]
        raise Failure(
            ExitCode.REFUSED,
            "what the fleet stands on could not be made: "
            + "\n  ".join(told[:20] or [f"see {log.relative_to(checkout.root)}"]),
            "put right what it names in bootstrap/sandbox.yaml; ./fleet up goes on from there",
        )
    record.write_text(json.dumps(_fingerprint(checkout)))
    say(f"the fleet's projects, accounts and rights are as bootstrap/sandbox.yaml says ({_since(began)})")
    return True


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.0f} s"


def _owner() -> str:
    from sandbox.cloud.organization import FILE

    return str(yaml.safe_load(FILE.read_text(encoding="utf-8"))["owner"])


def _fingerprint(checkout: Checkout) -> dict[str, str]:
    """What the last run rested on and what it left: digests of the program and of the stack's state."""
    program = hashlib.sha256()
    for folder in _READ:
        for path in sorted((checkout.root / folder).rglob("*")):
            if path.suffix in {".py", ".yaml"}:
                program.update(str(path.relative_to(checkout.root)).encode() + b"\0" + path.read_bytes())
    state = sandbox_ground.state_file(checkout, PROJECT, SANDBOX_STACK)
    left = hashlib.sha256(state.read_bytes()).hexdigest() if state.is_file() else ""
    return {"program": program.hexdigest(), "state": left}


@contextlib.contextmanager
def _acting_as(email: str) -> Iterator[None]:
    before = os.environ.get(IDENTITY)
    os.environ[IDENTITY] = email
    try:
        yield
    finally:
        if before is None:
            del os.environ[IDENTITY]
        else:
            os.environ[IDENTITY] = before
