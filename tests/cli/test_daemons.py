"""Knowing and ending a process by its pid: `cli.daemons`, on real processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.daemons import Daemon
from cli.failure import ExitCode, Failure
from sandbox.process import start_time


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `sandbox` whose module `probe` writes its ready file and waits."""
    package = tmp_path / "code" / "sandbox"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "probe.py").write_text(
        "import pathlib, signal, sys\n"
        "pathlib.Path(sys.argv[2], 'probe.json').write_text('{}')\n"
        "signal.pause()\n"
    )
    (package / "broken.py").write_text("raise SystemExit('it broke')\n")
    return tmp_path / "code"


def environment(code: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(code), "PYTHONSAFEPATH": "1"}


def test_a_process_is_started_once_and_ended_by_its_pid(tmp_path: Path, module: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    daemon = Daemon("probe", state, "probe.json")
    assert daemon.start(environment(module))
    pid = daemon.pid()
    assert pid is not None
    assert not daemon.start(environment(module))
    assert daemon.pid() == pid
    daemon.stop()
    assert start_time(pid) is None
    assert daemon.pid() is None
    assert not daemon.ready.exists()


def test_a_process_that_does_not_come_up_is_one_clear_error(tmp_path: Path, module: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    daemon = Daemon("broken", state, "broken.json")
    with pytest.raises(Failure) as caught:
        daemon.start(environment(module))
    assert caught.value.code is ExitCode.MISSING
    assert "it broke" in caught.value.what
    assert daemon.pid() is None


def test_another_process_that_got_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    try:
        (tmp_path / "probe.process.json").write_text(json.dumps({"pid": other.pid, "start": "1"}))
        daemon = Daemon("probe", tmp_path, "probe.json")
        assert daemon.pid() is None
        daemon.stop()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
