"""What a killed run leaves behind, and putting it right: `cli.recovery`, with the real CLI on the paper ground.

The state that a SIGKILL leaves is written by hand here (a lock of a dead process, pending operations); the
end-to-end tests make it by a real SIGKILL.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.engine import Engine
from cli.failure import ExitCode, Failure
from cli.recovery import clear_dead_lock, settle_pending
from plugins import workspace
from sandbox.tools import ensure

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi_gcp as gcp
gcp.serviceaccount.Account("there", account_id="account-there", project="acme-hub")
gcp.serviceaccount.Account("lost", account_id="account-lost", project="acme-hub")
"""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """An engine whose stack `dev` is up."""
    project, backend = tmp_path / "project", tmp_path / "backend"
    project.mkdir()
    backend.mkdir()
    (project / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    (project / "__main__.py").write_text(PROGRAM)
    cli = ensure("pulumi") / "pulumi"
    made = workspace.make(
        tmp_path / "home", cli=cli, backend_url=backend.as_uri(), ground="paper", state=None
    )
    engine = Engine(cli, made, project)
    assert engine.ask(["stack", "init", "dev"]).returncode == 0
    done = engine.ask(["up", "--yes", "--skip-preview", "--stack", "dev"])
    assert done.returncode == 0, done.stdout + done.stderr
    return engine


def deployment(engine: Engine) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(engine.ask(["stack", "export", "--stack", "dev"]).stdout)["deployment"]
    return found


def names(engine: Engine) -> set[str]:
    return {resource["urn"].rpartition("::")[2] for resource in deployment(engine)["resources"]}


def test_pending_creates_are_read_back_or_forgotten(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "backend" / ".pulumi" / "stacks" / "small" / "dev.json"
    state = json.loads(file.read_text())
    latest = state["checkpoint"]["latest"]
    accounts = [r for r in latest["resources"] if r["type"].endswith("Account")]
    identities = {r["urn"]: r["id"] for r in accounts}
    latest["resources"] = [r for r in latest["resources"] if r not in accounts]
    latest["pending_operations"] = [
        {"type": "creating", "resource": {k: v for k, v in r.items() if k not in ("id", "outputs")}}
        for r in accounts
    ]
    file.write_text(json.dumps(state))
    said: list[str] = []

    def find(resource: dict[str, Any], deployment: dict[str, Any]) -> str | None:
        return identities[resource["urn"]] if resource["urn"].endswith("::there") else None

    assert settle_pending(engine, "dev", find, said.append) == 2
    assert names(engine) >= {"there"}
    assert "lost" not in names(engine)
    (there,) = (r for r in deployment(engine)["resources"] if r["urn"].endswith("::there"))
    assert there["id"] == identities[there["urn"]]
    assert not deployment(engine).get("pending_operations")
    assert any("lost: is not there" in line for line in said)
    assert settle_pending(engine, "dev", find, said.append) == 0
    done = engine.ask(["up", "--yes", "--skip-preview", "--stack", "dev"])
    assert done.returncode == 0, done.stdout
    assert "+ 1 created" in done.stdout


def lock(tmp_path: Path, pid: int) -> Path:
    path = tmp_path / "backend" / ".pulumi" / "locks" / "organization" / "small" / "dev" / "some-id.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"pid": pid, "username": "", "hostname": "", "timestamp": "2026-01-01T00:00:00Z"})
    )
    return path


def test_the_lock_of_a_dead_process_is_removed(engine: Engine, tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    path = lock(tmp_path, ended.pid)
    assert engine.ask(["up", "--yes", "--skip-preview", "--stack", "dev"]).returncode != 0
    assert clear_dead_lock(engine, "small", "dev", lambda line: None)
    assert not path.exists()
    assert not clear_dead_lock(engine, "small", "dev", lambda line: None)


def test_the_lock_of_a_living_process_is_left_alone(engine: Engine, tmp_path: Path) -> None:
    path = lock(tmp_path, os.getpid())
    with pytest.raises(Failure) as caught:
        clear_dead_lock(engine, "small", "dev", lambda line: None, seconds=0.1)
    assert caught.value.code is ExitCode.REFUSED
    assert str(os.getpid()) in caught.value.what
    assert path.exists()
