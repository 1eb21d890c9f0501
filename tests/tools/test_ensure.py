"""Getting tools: once, by one at a time, whole or not at all, and with a clear word where it cannot be done.

The compiler is replaced here; `test_build.py` holds what a real one says.
"""

import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from sandbox.tools import GROUPS, MissingTool, cache, getting, modules, onpath, toolchain
from sandbox.tools.group import Group, Program
from sandbox.tools.toolchain import Go

Build = Callable[[Group, Sequence[Program], Go, Path, cache.Say], None]


class Builds(NamedTuple):
    """The groups that were built, and an event that a build waits for."""

    done: list[str]
    go_on: threading.Event


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builds:
    """A cache folder of the test's own and a compiler that writes empty files."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(onpath.OFF, "1")
    made = Builds([], threading.Event())
    made.go_on.set()

    def build(group: Group, programs: Sequence[Program], go: Go, into: Path, say: cache.Say) -> None:
        assert made.go_on.wait(30)
        for program in programs:
            (into / program.name).touch()
        made.done.append(group.name)

    sources = tmp_path / "manifests"
    sources.mkdir()
    (sources / "git-verify-wrapper.sh").touch()
    monkeypatch.setattr(getting, "build", build)
    monkeypatch.setattr(toolchain, "go", lambda say: Go(tmp_path))
    monkeypatch.setattr(modules, "manifests", lambda say: sources)
    return made


def test_a_group_is_built_once(builds: Builds) -> None:
    folder = getting.ensure("delivery")
    assert getting.ensure("delivery") == folder
    assert builds.done == ["delivery"]
    names = {path.name for path in folder.iterdir()}
    assert {"argocd", "argocd-server", "etcd", "kwokctl", "miniredis", "git-verify-wrapper.sh"} <= names
    assert (folder / "argocd-repo-server").readlink() == Path("argocd")


def test_two_at_once_build_once_and_the_second_says_that_it_waits(builds: Builds) -> None:
    builds.go_on.clear()
    said: list[str] = []
    waits = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        waits.set()

    folders: list[Path] = []
    first = threading.Thread(target=lambda: folders.append(getting.ensure("registry")))
    first.start()
    while not list(cache.tools().glob(".making-*")):
        assert first.is_alive()
    second = threading.Thread(target=lambda: folders.append(getting.ensure("registry", say)))
    second.start()
    assert waits.wait(30)
    builds.go_on.set()
    first.join()
    second.join()
    assert builds.done == ["registry"]
    assert folders[0] == folders[1]
    assert said[0].startswith(f"registry: another process (pid {os.getpid()}) is making it; waiting")


def test_what_a_killed_build_left_is_cleared(builds: Builds) -> None:
    builds.go_on.clear()
    process = multiprocessing.get_context("fork").Process(target=getting.ensure, args=("registry",))
    process.start()
    while not list(cache.tools().glob(".making-*")):
        assert process.is_alive()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not list(cache.tools().glob("registry-*"))
    builds.go_on.set()
    folder = getting.ensure("registry")
    assert sorted(path.name for path in folder.iterdir()) == ["crane", "registry"]
    assert not list(cache.tools().glob(".making-*"))


def test_a_failed_build_leaves_nothing(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(getting, "build", fail)
    with pytest.raises(RuntimeError):
        getting.ensure("registry")
    assert [path.name for path in cache.tools().iterdir()] == ["registry.lock"]


def test_a_changed_source_is_another_folder(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    group = GROUPS["registry"]
    before = getting.key(group, group.programs)
    monkeypatch.setattr(toolchain, "version", lambda: "1.99.0")
    assert getting.key(group, group.programs) != before


def test_path_and_built_are_joined(builds: Builds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tmp_path / "bin" / "crane"
    found.parent.mkdir()
    found.write_text("#!/bin/sh\necho v0.22.9\n")
    found.chmod(0o755)
    monkeypatch.delenv(onpath.OFF)
    monkeypatch.setenv("PATH", str(found.parent))
    said: list[str] = []
    folder = getting.ensure("registry", said.append)
    assert (folder / "crane").readlink() == found
    assert (folder / "registry").resolve().parent.name.startswith("registry-")
    assert f"registry: taken from PATH: crane ({found})" in said


def test_a_full_disk_is_said_before_anything_is_built(
    builds: Builds, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2**28))
    with pytest.raises(MissingTool) as caught:
        getting.ensure("delivery")
    text = str(caught.value)
    assert f"no room for building delivery in the cache folder {cache.root()}" in text
    assert "9.0 GiB are needed, 0.2 GiB are free" in text
    assert "XDG_CACHE_HOME" in text
    assert builds.done == []


def test_a_cache_folder_that_cannot_be_written_to(
    builds: Builds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(MissingTool, match=r"cannot be written to.*\n.*XDG_CACHE_HOME"):
        getting.ensure("pulumi")
