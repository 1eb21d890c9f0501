"""What a tired person types, through the real command line: one clear message, the right exit code, nothing done.

Each case runs `python -m cli` in a copy of the checkout, as `./fleet` does.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import copy_of_the_checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copy_of_the_checkout(tmp_path / "checkout")


def fleet(checkout: Path, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=checkout,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "COLUMNS": "200", "PYTHONSAFEPATH": "", **changed},
    )


def write(path: str, text: str) -> Callable[[Path], None]:
    def change(checkout: Path) -> None:
        (checkout / path).write_text(text)

    return change


def replace(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(checkout: Path) -> None:
        text = (checkout / path).read_text()
        assert old in text
        (checkout / path).write_text(text.replace(old, new, 1))

    return change


def remove(path: str) -> Callable[[Path], None]:
    return lambda checkout: (checkout / path).unlink()


SANDBOX = "stacks/Pulumi.sandbox.yaml"
FLEET = "stacks/sandbox.fleet.yaml"
CASES: dict[str, tuple[tuple[str, ...], Callable[[Path], None] | None, tuple[str, ...]]] = {
    "a stack that does not exist": (("preview", "sandbux"), None, ("sandbux", "sandbox")),
    "a stack that does not exist, for up": (("up", "production"), None, ("Pulumi.production.yaml", "prod")),
    "a stack that does not exist, for status": (("status", "nope"), None, ("nope", "known")),
    "a stack file that is not YAML": (("up",), write(SANDBOX, "config: [\n"), (SANDBOX, "not YAML")),
    "a stack file that is a list": (("up",), write(SANDBOX, "- a\n"), (SANDBOX, "config")),
    "a stack file that is empty": (("up",), write(SANDBOX, ""), (SANDBOX, "config")),
    "a stack without fleet": (("up",), write(SANDBOX, "config: {}\n"), (SANDBOX, "gke-fleet:fleet")),
    "a number as fleet": (
        ("up",),
        write(SANDBOX, "config: {gke-fleet:fleet: 7}\n"),
        (SANDBOX, "gke-fleet:fleet", "7"),
    ),
    "a fleet that does not exist": (
        ("up",),
        write(SANDBOX, "config: {gke-fleet:fleet: sandbax}\n"),
        ("sandbax.fleet.yaml", "sandbox"),
    ),
    "a mirror that is not https": (
        ("up",),
        replace(SANDBOX, "https://mirror", "http://mirror"),
        ("mirror", "https"),
    ),
    "a fleet file that is not YAML": (("up",), write(FLEET, "clusters: {\n"), (FLEET, "not YAML")),
    "an unknown key": (("up",), replace(FLEET, "protect:", "protekt:"), (FLEET, "protekt", "protect")),
    "no catalogue": (
        ("preview", "prod"),
        remove("stacks/catalog.yaml"),
        ("stacks/catalog.yaml", "no such file"),
    ),
    "a version of two parts": (
        ("preview", "prod"),
        replace("stacks/catalog.yaml", "version: 1.3.1", 'version: "1.3"'),
        ("addons.external-secrets.version", "1.3"),
    ),
    "an unknown command": (("upp",), None, ("upp",)),
    "an unknown option": (("up", "--fast"), None, ("--fast",)),
    "an unknown format": (("preview", "prod", "--format", "xml"), None, ("xml", "json")),
    "a timeout that is not a number": (("up", "--timeout", "soon"), None, ("--timeout", "number")),
    "no stack to preview": (("preview",), None, ("stack",)),
}


@pytest.mark.parametrize("case", CASES)
def test_wrong_configuration_is_exit_code_2(checkout: Path, case: str) -> None:
    arguments, change, words = CASES[case]
    if change is not None:
        change(checkout)
    done = fleet(checkout, *arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert not (checkout / ".sandbox").exists()


def test_two_mistakes_are_reported_at_once(checkout: Path) -> None:
    replace(FLEET, "protect:", "protekt:")(checkout)
    replace("stacks/catalog.yaml", "version: 1.3.1", "version: latest")(checkout)
    done = fleet(checkout, "up")
    assert done.returncode == 2
    assert "protekt" in done.stderr
    assert "latest" in done.stderr


@pytest.mark.parametrize("arguments", [("status",), ("shell",), ("shell", "--", "true")])
def test_a_sandbox_that_is_not_up_is_exit_code_3(checkout: Path, arguments: tuple[str, ...]) -> None:
    done = fleet(checkout, *arguments)
    assert done.returncode == 3, done.stderr
    assert "./fleet up" in done.stderr


def test_down_without_a_sandbox_is_fine(checkout: Path) -> None:
    done = fleet(checkout, "down")
    assert done.returncode == 0, done.stderr
    assert "nothing to do" in done.stderr


def test_down_removes_what_argo_cd_locked_away(checkout: Path) -> None:
    """As root nothing is locked away, so there this proves only that the folder goes."""
    locked = checkout / ".sandbox" / "argocd" / "clones"
    (locked / "inner").mkdir(parents=True)
    (locked / "inner" / "file").write_text("")
    (locked / "inner").chmod(0)
    locked.chmod(0)
    done = fleet(checkout, "down", "--force")
    assert done.returncode == 0, done.stderr
    assert not (checkout / ".sandbox").exists()


def test_up_of_a_real_stack_without_the_cli_says_how_to_get_it(checkout: Path, tmp_path: Path) -> None:
    done = fleet(checkout, "up", "prod", PATH=str(tmp_path))
    assert done.returncode == 3, done.stderr
    assert "pulumi.com/docs/install" in done.stderr


def test_no_git_is_exit_code_3(checkout: Path, tmp_path: Path) -> None:
    done = fleet(checkout, "up", PATH=str(tmp_path))
    assert done.returncode == 3, done.stderr
    assert "git" in done.stderr


def test_the_script_without_python_is_exit_code_3(checkout: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "cat", "cksum", "tr", "mkdir", "rm", "sleep"):
        (tools / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        ["/bin/sh", str(checkout / "fleet"), "up"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"PATH": str(tools), "HOME": str(tmp_path)},
        timeout=60,
    )
    assert done.returncode == 3, done.stderr
    assert "Python 3.11" in done.stderr
    assert not (checkout / ".venv.lock").exists()
