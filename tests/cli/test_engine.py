"""Starting the Pulumi CLI and passing interrupts on: `cli.engine`.

A small script stands for the CLI, so these tests prove what reaches a child and not what Pulumi makes of it; the
end-to-end tests do that.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.engine import Engine, changes, events
from sandbox.process import start_time

CHILD = """#!{python}
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
got = []
def note(number, frame):
    got.append(signal.Signals(number).name)
    (folder / "got").write_text(" ".join(got))
signal.signal(signal.SIGINT, note)
(folder / "pid").write_text(str(os.getpid()))
deadline = time.monotonic() + 30
while not got and time.monotonic() < deadline:
    time.sleep(0.02)
time.sleep(0.2)  # a second signal would arrive in this time
sys.exit(len(got))
"""

PARENT = """
import pathlib, sys
from cli.engine import Engine
sys.exit(Engine(pathlib.Path(sys.argv[1]), {"PATH": "/usr/bin:/bin"}, pathlib.Path(".")).run([sys.argv[2]]))
"""


@pytest.fixture
def child(tmp_path: Path) -> Path:
    script = tmp_path / "pulumi"
    script.write_text(CHILD.format(python=sys.executable))
    script.chmod(0o755)
    return script


def written(path: Path, seconds: float = 30) -> str:
    deadline = time.monotonic() + seconds
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"{path.name} was not written"
        time.sleep(0.02)
    return path.read_text()


def parent(child: Path, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, str(child), str(folder)],
        cwd=Path(__file__).resolve().parents[2],
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whole_group", [True, False])
def test_an_interrupt_reaches_the_child_exactly_once(
    child: Path, tmp_path: Path, number: signal.Signals, whole_group: bool
) -> None:
    """Whether it comes from a terminal (the whole process group) or from `kill` (one process)."""
    run = parent(child, tmp_path)
    try:
        written(tmp_path / "pid")
        (os.killpg if whole_group else os.kill)(run.pid, number)
        assert run.wait(30) == 1
        assert (tmp_path / "got").read_text() == "SIGINT"
    finally:
        run.kill()


def test_the_child_is_interrupted_when_its_parent_is_killed(child: Path, tmp_path: Path) -> None:
    run = parent(child, tmp_path)
    pid = int(written(tmp_path / "pid"))
    run.kill()
    run.wait()
    assert written(tmp_path / "got") == "SIGINT"
    deadline = time.monotonic() + 30
    while start_time(pid) is not None:
        assert time.monotonic() < deadline, "the child goes on"
        time.sleep(0.02)


def test_ask_returns_what_was_printed(tmp_path: Path) -> None:
    echo = Engine(Path("/bin/sh"), {"GIVEN": "x"}, tmp_path)
    done = echo.ask(["-c", "echo $GIVEN; pwd; exit 3"])
    assert (done.returncode, done.stdout) == (3, f"x\n{tmp_path}\n")


def test_an_event_log_that_was_cut_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    log = tmp_path / "events"
    log.write_text(json.dumps({"summaryEvent": {"resourceChanges": {"same": 3, "update": 1}}}) + '\n{"cut')
    assert len(list(events(log))) == 1
    assert changes(log) == {"same": 3, "update": 1}
    assert changes(tmp_path / "none") == {}
