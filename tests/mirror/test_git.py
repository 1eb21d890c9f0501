"""The mirror's Git repository: commits that a catalogue pins, and what is in them for Argo CD."""

import subprocess
from pathlib import Path

import pytest
import yaml

from sandbox.mirror import git
from sandbox.tools import ensure
from tests.mirror.conftest import Mirror

pytestmark = pytest.mark.sandbox

EMPTY = "d41e9dfd0cb08bb8f9f83abb0299ace2a7bb46fe"
ADDONS = "2f93772ba6c9355df06a5b3a06f2eff2301e98ed"
MORE_PODS = "8b56e3aa0b1096f577699b0ffc04d5bd108cf289"


def checked_out(mirror: Mirror, folder: Path, commit: str) -> Path:
    """A folder with `commit`, fetched by its id as Argo CD does."""
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    url = f"{mirror.url}/{git.PLATFORM}"
    subprocess.run(["git", "fetch", "--quiet", "--depth=1", url, commit], cwd=folder, check=True)
    subprocess.run(["git", "checkout", "--quiet", "FETCH_HEAD"], cwd=folder, check=True)
    return folder


def test_commit_ids_are_constants(tmp_path: Path) -> None:
    assert git.write_platform(tmp_path) == [EMPTY, ADDONS, MORE_PODS]


@pytest.mark.parametrize("commit", [EMPTY, ADDONS, MORE_PODS])
def test_the_empty_folder_stays(mirror: Mirror, tmp_path: Path, commit: str) -> None:
    found = checked_out(mirror, tmp_path / "clone", commit)
    assert [path.name for path in (found / "empty").iterdir()] == [".gitkeep"]
    text = (found / "README.md").read_text()
    assert ("addons/baseline" in text) == (found / "addons").exists() == (commit != EMPTY)


@pytest.mark.parametrize(("commit", "pods"), [(ADDONS, "20"), (MORE_PODS, "40")])
def test_kustomize_builds_the_baseline(mirror: Mirror, tmp_path: Path, commit: str, pods: str) -> None:
    found = checked_out(mirror, tmp_path / "clone", commit)
    done = mirror.run(ensure("delivery", print) / "kustomize", "build", found / "addons" / "baseline")
    assert done.returncode == 0, done.stderr
    made = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(done.stdout)}
    assert made.keys() == {
        ("PriorityClass", "fleet-critical"),
        ("PriorityClass", "fleet-batch"),
        ("ResourceQuota", "baseline"),
        ("ConfigMap", "fleet-settings"),
    }
    for (kind, _), one in made.items():
        assert one["metadata"].get("namespace") == (None if kind == "PriorityClass" else "fleet-baseline")
    assert made["ResourceQuota", "baseline"]["spec"]["hard"] == {"pods": pods}
    assert ("logLevel" in made["ConfigMap", "fleet-settings"]["data"]) == (commit == MORE_PODS)


def test_the_network_defaults_are_a_plain_directory(mirror: Mirror, tmp_path: Path) -> None:
    found = checked_out(mirror, tmp_path / "clone", MORE_PODS) / "addons" / "network-defaults"
    made = [one for path in found.iterdir() for one in yaml.safe_load_all(path.read_text())]
    assert {one["kind"] for one in made} == {"NetworkPolicy", "ConfigMap"}
    for one in made:
        assert "namespace" not in one["metadata"]
