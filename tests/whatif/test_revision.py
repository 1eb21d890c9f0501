"""A revision beside the checkout, by git."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from whatif.revision import NoRevision, Revision, checked_out, commit_of

from .conftest import Repository


def at(project: Path, name: str, scratch: Path) -> AbstractContextManager[Revision]:
    return checked_out(project, commit_of(project, name), scratch)


def test_a_revision_is_there_and_gone_again(repository: Repository, tmp_path: Path) -> None:
    first = repository.git("rev-parse", "HEAD")
    (repository.folder / "Pulumi.yaml").write_text("name: other\n")
    second = repository.commit()
    with at(repository.folder, "HEAD~1", tmp_path) as found:
        assert found.commit.sha == first
        assert found.commit.label == f"HEAD~1 ({first[:12]})"
        assert "name: gke-fleet" in (found.folder / "Pulumi.yaml").read_text()
        assert len(found.commit.day) == len("2026-11-24")
    assert not found.folder.exists()
    assert repository.git("worktree", "list").count("\n") == 0
    assert repository.git("rev-parse", "HEAD") == second


def test_the_project_may_be_a_folder_of_the_repository(repository: Repository, tmp_path: Path) -> None:
    with at(repository.folder / "stacks", "HEAD", tmp_path) as found:
        assert (found.folder / "catalog.yaml").is_file()


def test_what_a_killed_run_left_is_no_longer_listed(repository: Repository, tmp_path: Path) -> None:
    with at(repository.folder, "HEAD", tmp_path) as found:
        shutil.rmtree(found.folder)
        with at(repository.folder, "HEAD", tmp_path / "second"):
            pass
    assert repository.git("worktree", "list").count("\n") == 0


def test_no_hook_of_the_repository_runs(repository: Repository, tmp_path: Path) -> None:
    hook = repository.folder / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    with at(repository.folder, "HEAD", tmp_path / "scratch"):
        pass
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["nowhere", "--all", "HEAD:Pulumi.yaml", ""])
def test_what_is_no_revision_is_refused_with_a_remedy(repository: Repository, name: str) -> None:
    with pytest.raises(NoRevision) as refused:
        commit_of(repository.folder, name)
    assert f"there is no revision {name}" in str(refused.value)
    assert "git fetch" in refused.value.remedy


def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoRevision, match="is no git repository"):
        commit_of(tmp_path, "HEAD")
