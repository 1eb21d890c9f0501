"""What must never happen: work on somebody else's state, processes that outlive the CLI, noise on stderr, a
state left half done.

The ground here is the sandbox's, with a stand-in for its cloud that is slow or says no when told to.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins import workspace
from plugins.gcp.types import TYPES, paper_number
from tests.plugins.conftest import Program, make_program

pytestmark = pytest.mark.engine


class FakeCloud:
    """The control API with a dictionary behind it.

    `hold` keeps creates waiting; `refuse` maps a verb to an error.
    """

    def __init__(self) -> None:
        self.things: dict[str, dict[str, Any]] = {}
        self.refuse: dict[str, tuple[int, str]] = {}
        self.hold = threading.Event()
        self.hold.set()
        self.calls: list[str] = []

    def answer(self, verb: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        kind = TYPES[body["type"]]
        self.calls.append(verb)
        if verb in self.refuse:
            code, message = self.refuse[verb]
            return code, {"error": {"code": code, "status": "X", "message": message}}
        if verb in ("create", "update"):
            self.hold.wait(30)
            id_ = body.get("id") or kind.identify(body["inputs"])
            self.things[id_] = {
                "id": id_,
                "inputs": body["inputs"],
                "outputs": kind.outputs(body["inputs"], paper_number),
            }
            return 200, self.things[id_]
        if body["id"] not in self.things:
            return 404, {"error": {"code": 404, "status": "NOT_FOUND", "message": "gone"}}
        return 200, self.things.pop(body["id"]) if verb == "delete" else self.things[body["id"]]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[FakeCloud]:
    """A running fake, named in the state folder as the real one is."""
    fake = FakeCloud()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            code, answer = fake.answer(self.path.rpartition("/")[2], body)
            payload = json.dumps(answer).encode()
            with contextlib.suppress(OSError):
                self.send_response(code)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

        def log_message(self, *_: Any) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state = tmp_path / "state"
    state.mkdir()
    (state / "cloud.json").write_text(
        json.dumps({"control": f"http://127.0.0.1:{server.server_port}", "token": "t"})
    )
    yield fake
    fake.hold.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def sandboxed(tmp_path: Path, cli: Path, cloud: FakeCloud) -> Program:
    """A program on the sandbox's ground, with one account."""
    program = make_program(tmp_path, cli, ground="sandbox", state=tmp_path / "state")
    program.write(
        """
        import pulumi_gcp as gcp
        gcp.serviceaccount.Account("a", project="acme-prod", account_id="robot-1", description=step)
        """
    )
    return program


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)


def descendants(pid: int) -> set[int]:
    """The living processes below `pid`."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found: set[int] = set()
    while more := {each for each, parent in parents.items() if parent in found | {pid}} - found:
        found |= more
    return found


def living(pids: set[int]) -> set[int]:
    """Those of `pids` that still run, zombies not counted."""
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.add(pid)
    return found


def test_a_failing_update_and_a_failing_create_leave_what_was(sandboxed: Program, cloud: FakeCloud) -> None:
    cloud.refuse["create"] = (403, "Permission 'iam.serviceAccounts.create' denied on resource")
    result = sandboxed.run("up", "--yes", "--skip-preview")
    assert result.code != 0
    assert "googleapi: Error 403: Permission 'iam.serviceAccounts.create' denied on resource" in result.errors
    assert "a" not in sandboxed.state()
    assert not sandboxed.deployment().get("pending_operations")
    cloud.refuse = {"update": (429, "Quota exceeded")}
    sandboxed.up()
    result = sandboxed.run("up", "--yes", "--skip-preview", step=2)
    assert "googleapi: Error 429: Quota exceeded" in result.errors
    assert sandboxed.state()["a"]["outputs"]["description"] == "1"
    cloud.refuse = {}
    assert sandboxed.up(step=2).ops == {"a": ["update"]}


def test_refresh_sees_drift_and_what_is_gone(sandboxed: Program, cloud: FakeCloud) -> None:
    sandboxed.up()
    assert sandboxed.preview().ops == {}
    (thing,) = cloud.things.values()
    thing["inputs"]["description"] = thing["outputs"]["description"] = "changed by hand"
    assert sandboxed.run("preview", "--refresh").ops == {"a": ["update"]}
    cloud.things.clear()
    assert sandboxed.run("preview", "--refresh").ops["a"][-1] == "create"


def test_sigint_in_the_middle_leaves_a_clean_state(sandboxed: Program, cloud: FakeCloud) -> None:
    cloud.hold.clear()
    running = sandboxed.start("up", "--yes", "--skip-preview")
    until(lambda: "create" in cloud.calls)
    below = descendants(running.pid)
    assert below
    running.send_signal(signal.SIGINT)
    threading.Timer(1.0, cloud.hold.set).start()
    result = sandboxed.finish(running)
    assert result.code != 0
    assert "Traceback" not in result.text
    assert "exited prematurely" not in result.text
    assert sandboxed.state()["a"]["id"].endswith("robot-1@acme-prod.iam.gserviceaccount.com")
    assert not sandboxed.deployment().get("pending_operations")
    until(lambda: not living(below))
    assert sandboxed.up().ops == {}


def test_after_sigkill_no_plugin_stays_alive(sandboxed: Program, cloud: FakeCloud) -> None:
    cloud.hold.clear()
    running = sandboxed.start("up", "--yes", "--skip-preview")
    until(lambda: "create" in cloud.calls)
    below = descendants(running.pid)
    assert len(below) >= 3  # language host, program, plugin
    running.kill()
    running.wait()
    until(lambda: not living(below))


def test_another_backend_is_refused(program: Program, tmp_path: Path) -> None:
    program.write(
        """
        import pulumi_gcp as gcp
        gcp.serviceaccount.Account("a", project="acme-prod", account_id="robot-1")
        """
    )
    program.up()
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    program.environment["PULUMI_BACKEND_URL"] = theirs.as_uri()
    program.made = False
    result = program.run("up", "--yes", "--skip-preview")
    assert result.code != 0
    assert "works with the backend" in result.errors
    assert "official plugins" in result.errors
    assert "a" not in program.state()


def test_the_user_s_settings_reach_nothing(
    program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in (
        "GOOGLE_PROJECT",
        "CLOUDSDK_CORE_PROJECT",
        "KUBECONFIG",
        "PULUMI_ACCESS_TOKEN",
        "PULUMI_K8S_NAMESPACE",
    ):
        monkeypatch.setenv(name, "theirs")
    made = workspace.make(
        tmp_path / "other", cli=program.cli, backend_url="file:///x", ground="paper", state=None
    )
    assert "theirs" not in made.values()
    program.environment |= {
        "KUBECONFIG": "theirs",
        "GOOGLE_PROJECT": "theirs",
        "PULUMI_K8S_NAMESPACE": "theirs",
    }
    program.write(
        """ import pulumi_gcp as gcp gcp.Provider("p") assert not any(name.startswith(("GOOGLE_",
        "KUBECONFIG", "PULUMI_K8S_")) for name in os.environ), os.environ
        """
    )
    assert "theirs" not in json.dumps(program.preview().events)


@pytest.mark.parametrize("what", ["language", "gcp", "kubernetes"])
def test_a_plugin_ends_quietly_on_the_engine_s_interrupt(what: str, tmp_path: Path) -> None:
    with _plugin(what, tmp_path, cwd=tmp_path) as running:
        assert running.stdout is not None
        assert running.stdout.readline().strip().isdigit()
        running.send_signal(signal.SIGINT)
        output, errors = running.communicate(timeout=15)
    assert (running.returncode, output, errors) == (0, "", "")


def test_a_plugin_ends_when_its_parent_ends(tmp_path: Path) -> None:
    launcher = str(Path(workspace.__file__).with_name("launch.py"))
    # The parent tells the plugin's pid and ends without a word to it.
    source = (
        "import os, subprocess, sys\n"
        f"p = subprocess.Popen([sys.executable, {launcher!r}, 'gcp', '1.0.0'], stdout=subprocess.PIPE)\n"
        "p.stdout.readline()\nprint(p.pid, flush=True)\nos._exit(0)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", source],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=_environment(tmp_path),
    )
    until(lambda: not living({int(told.stdout)}))


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "GKE_FLEET_GROUND": "paper", "GKE_FLEET_WORKSPACE": str(folder)}


def _plugin(what: str, folder: Path, cwd: Path) -> subprocess.Popen[str]:
    launcher = str(Path(workspace.__file__).with_name("launch.py"))
    return subprocess.Popen(
        [sys.executable, launcher, what, "1.0.0", "127.0.0.1:1"],
        cwd=cwd, env=_environment(folder), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
