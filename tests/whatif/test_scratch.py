"""The throw-away place: what the CLI leaves in it, and how a program in it ends. Through the Pulumi CLI, on paper."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.tools import ensure, silent
from whatif import scratch as module
from whatif.scratch import Scratch, available_mib, make_project

pytestmark = pytest.mark.engine


def run(place: Scratch, folder: Path, program: str) -> tuple[list[str], int]:
    """Preview `program` as a stack of its own."""
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config: {}\n")
    (folder / "__main__.py").write_text(program)
    project = place.folder / "project"
    make_project(folder, "dev", project)
    _, code = place.run(["stack", "init", "dev", "--non-interactive", "--no-select"], project, plugins=False)
    assert code == 0
    return place.run(["preview", "--stack", "dev", "--non-interactive", "--color", "never"], project)


def test_the_cli_keeps_no_log_of_properties(tmp_path: Path) -> None:
    """Else it writes one for each command. It says nothing of the log that it cannot write."""
    with Scratch(ensure("pulumi", silent) / "pulumi") as place:
        said, code = run(place, tmp_path / "small", "import pulumi\npulumi.export('one', 1)\n")
        assert code == 0, said
        assert "logs" not in "\n".join(said)
        assert (place.folder / "home" / "logs").is_file()
        assert list(place.folder.rglob("*.log")) == []


def test_a_program_s_threads_come_to_their_end(tmp_path: Path) -> None:
    """A program on paper ends without letting go of its objects, but not before what it began."""
    program = f"""
import threading, time, pathlib
def late():
    time.sleep(0.5)
    pathlib.Path({str(tmp_path / "late")!r}).write_text("done")
threading.Thread(target=late).start()
"""
    with Scratch(ensure("pulumi", silent) / "pulumi") as place:
        said, code = run(place, tmp_path / "small", program)
    assert code == 0, said
    assert (tmp_path / "late").read_text() == "done"


def test_memory_that_the_system_does_not_tell_of_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert available_mib() > 1
    monkeypatch.setattr(module, "Path", lambda path: tmp_path / "nothing")
    assert available_mib() == 0
