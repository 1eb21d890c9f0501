"""What a go command says is turned into progress and into errors with a remedy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.process import start_time
from sandbox.tools import GROUPS, MissingTool, ToolError, build, ensure
from sandbox.tools.build import binary_name, failure, progress
from sandbox.tools.toolchain import Go

DELIVERY = GROUPS["delivery"]


@pytest.mark.parametrize(
    ("compiled", "seconds", "text"),
    [
        (800, 120, "delivery: compiled 800 of at most 4000 packages, 2 min 00 s, about 9 min 00 s left"),
        (2000, 300, "delivery: compiled 2000 of at most 4000 packages, 5 min 00 s, about 5 min 00 s left"),
        (3990, 600, "delivery: linking, 10 min 00 s"),
        (3, 15, "delivery: most packages are compiled already; linking, 15 s"),
    ],
)
def test_progress(compiled: int, seconds: float, text: str) -> None:
    assert progress(DELIVERY, compiled, 4000, seconds) == text


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("github.com/argoproj/argo-cd/v3/cmd", "cmd"),
        ("go.etcd.io/etcd/server/v3", "server"),
        ("./miniredis", "miniredis"),
    ],
)
def test_the_file_that_go_makes(package: str, name: str) -> None:
    assert binary_name(package) == name


@pytest.mark.parametrize(
    ("line", "kind", "text"),
    [
        ("write /x/y: no space left on device", MissingTool, "XDG_CACHE_HOME"),
        ("dial tcp: lookup proxy.example: no such host", MissingTool, "GOPROXY"),
        ("module lookup disabled by GOPROXY=off", MissingTool, "could not be fetched"),
        ("verifying m@v1: checksum mismatch", ToolError, "do not go on"),
        ("./main.go:3:1: syntax error", ToolError, "syntax error"),
    ],
)
def test_failures_have_a_remedy(line: str, kind: type[ToolError], text: str) -> None:
    error = failure("delivery", ["go: downloading x v1", line])
    assert type(error) is kind
    assert text in str(error)
    assert "remedy: " in str(error)


def test_the_user_s_own_go_settings_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    monkeypatch.setenv("GOOS", "plan9")
    monkeypatch.setenv("GOPROXY", "https://proxy.example")
    environment = Go(Path("/go")).environment()
    assert environment["GOFLAGS"] == "-mod=readonly"
    assert environment["GOPROXY"] == "https://proxy.example"
    assert "GOOS" not in environment


@pytest.mark.sandbox
def test_without_a_network_the_command_says_so(tmp_path: Path) -> None:
    """With the real toolchain, an empty module cache and no proxy to ask."""
    from sandbox.tools import cache, toolchain

    known = toolchain.go(print).root.parent
    tools = tmp_path / "gke-fleet" / "tools"
    tools.mkdir(parents=True)
    (tools / known.name).symlink_to(known)
    assert cache.root().is_dir()
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.tools", "registry"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path), "GOPROXY": "off", "GKE_FLEET_NO_PATH_TOOLS": "1"},
    )
    assert done.returncode == 3
    assert "the sources of registry could not be fetched" in done.stderr
    assert "check the network" in done.stderr
    assert not list(tools.glob(".making-*"))


@pytest.mark.sandbox
def test_the_built_programs_say_the_pinned_versions() -> None:
    """Without the stamps kube-apiserver calls itself v0.0.0-master and charts refuse it."""
    folder = ensure("delivery", print)
    for program in DELIVERY.programs:
        if program.module is None:
            continue
        said = subprocess.run(
            [str(folder / program.name), *program.ask], capture_output=True, text=True, check=True
        ).stdout
        assert DELIVERY.pinned(program.module).removeprefix("v") in said, program.name


def test_an_interrupted_build_ends_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for `go` whose own child would go on for long."""
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text(f"#!/bin/sh\nsleep 600 &\necho $! > {tmp_path}/child\nwait\n")
    go.chmod(0o755)
    monkeypatch.setattr(build, "REPORT_SECONDS", 0.05)

    def say(line: str) -> None:
        if (tmp_path / "child").exists() and (tmp_path / "child").read_text().endswith("\n"):
            raise KeyboardInterrupt

    group = GROUPS["registry"]
    with pytest.raises(KeyboardInterrupt):
        build.build(group, group.programs, Go(tmp_path), tmp_path, say)
    assert start_time(int((tmp_path / "child").read_text())) is None
