"""The end of the sandbox that the other files of this folder worked on: its name puts this file last."""

import contextlib
import os
from pathlib import Path

import pytest

from tests.e2e.conftest import Sandbox

pytestmark = [pytest.mark.sandbox, pytest.mark.e2e]


def test_down_leaves_no_process_and_no_file(sandbox: Sandbox) -> None:
    done = sandbox.fleet("down")
    assert done.returncode == 0, done.stderr
    assert not sandbox.state.exists()
    mine = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and int(process.name) != os.getpid():
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if str(sandbox.state) in line:
                    mine.append(line)
    assert mine == []
    assert sandbox.fleet("status").returncode == 3
