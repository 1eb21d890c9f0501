"""`cli.bootstrap`: as whom the project runs, and when there is nothing to run.

The CLI is a recorder here: these tests hold what it is asked, not what it makes (test_graph does).
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from cli.bootstrap import ensure_bootstrapped
from cli.checkout import Checkout
from cli.engine import Engine
from cli.failure import Failure
from tests.program.graph import CHECKOUT

RECORDER = """\
#!/bin/sh
printf '%s|%s|%s\\n' "$GKE_FLEET_IDENTITY" "$PWD" "$*" >> "$LOG"
state="$STATE/.pulumi/stacks/gke-fleet-bootstrap/sandbox.json"
case "$1 $2" in
  "stack init") mkdir -p "${state%/*}"; echo made > "$state" ;;
  "stack export") echo '{"deployment": {"resources": []}}' ;;
  up*) echo changed >> "$state"; exit "${UP:-0}" ;;
esac
"""


class Ground:
    """A checkout of its own with the recorder as its CLI."""

    def __init__(self, root: Path) -> None:
        for folder in ("bootstrap", "model"):
            shutil.copytree(CHECKOUT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
        self.checkout = Checkout(root)
        self.checkout.backend.mkdir(parents=True)
        self.log = root / "log"
        cli = root / "recorder"
        cli.write_text(RECORDER)
        cli.chmod(0o755)
        self._cli = cli
        self.said: list[str] = []

    def run(self, up: int = 0) -> tuple[bool, list[list[str]]]:
        """Run it; whether it did anything, and (identity, folder, arguments) of each call of the CLI."""
        self.log.write_text("")
        environment = {
            "PATH": os.environ["PATH"],
            "LOG": str(self.log),
            "STATE": str(self.checkout.backend),
            "PULUMI_BACKEND_URL": self.checkout.backend_url,
            "UP": str(up),
        }
        engine = Engine(self._cli, environment, self.checkout.root)
        did = ensure_bootstrapped(engine, self.checkout, _nothing, self.said.append)
        return did, self.calls()

    def calls(self) -> list[list[str]]:
        return [line.split("|") for line in self.log.read_text().splitlines()]

    def ups(self) -> list[str]:
        return [arguments for _, _, arguments in self.calls() if arguments.startswith("up ")]


def _nothing(resource: dict[str, Any], deployment: dict[str, Any]) -> str | None:
    return None


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


def test_it_runs_as_the_owner_in_its_own_project(ground: Ground) -> None:
    did, calls = ground.run()
    assert did
    assert {identity for identity, _, _ in calls} == {"owner@acme.example"}
    folders = {arguments.split()[0]: folder for _, folder, arguments in calls}
    assert folders["up"] == str(ground.checkout.root / "bootstrap")
    assert "GKE_FLEET_IDENTITY" not in os.environ
    init = next(folder for _, folder, arguments in calls if arguments.startswith("stack init"))
    assert not init.startswith(str(ground.checkout.root)), "stack init would rewrite a tracked file"
    assert (ground.checkout.root / "bootstrap" / "Pulumi.sandbox.yaml").read_bytes() == (
        CHECKOUT / "bootstrap" / "Pulumi.sandbox.yaml"
    ).read_bytes()


def test_a_second_run_asks_the_cli_nothing(ground: Ground) -> None:
    ground.run()
    did, calls = ground.run()
    assert (did, calls) == (False, [])


@pytest.mark.parametrize("changed", ["bootstrap/sandbox.yaml", "bootstrap/rights.py", "model/vocabulary.py"])
def test_a_changed_program_runs_again(ground: Ground, changed: str) -> None:
    ground.run()
    file = ground.checkout.root / changed
    file.write_text(file.read_text() + "\n# changed\n")
    assert ground.run()[0]
    assert len(ground.ups()) == 1


def test_a_changed_state_runs_again(ground: Ground) -> None:
    ground.run()
    state = ground.checkout.backend / ".pulumi" / "stacks" / "gke-fleet-bootstrap" / "sandbox.json"
    state.write_text("somebody else was here")
    assert ground.run()[0]
    state.unlink()
    assert ground.run()[0]


def test_a_failed_run_is_done_again(ground: Ground) -> None:
    with pytest.raises(Failure, match="what the fleet stands on could not be made"):
        ground.run(up=1)
    assert not (ground.checkout.state / "bootstrap.json").exists()
    assert ground.run()[0]
    assert json.loads((ground.checkout.state / "bootstrap.json").read_text()).keys() == {"program", "state"}
