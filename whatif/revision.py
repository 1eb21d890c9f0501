"""A revision of the repository, checked out beside the checkout.

Owns the git worktree of a revision and what a person calls it. Does not own what is run in it. Needs no network, and
runs no hook of the repository.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class NoRevision(Exception):
    """git cannot give the revision. The message says why, `remedy` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit that a revision's name stands for.

    `sha`: 40 hexadecimal digits. `label`: what a person calls it. `day`: when it was committed, as 2026-11-24 in UTC.
    `prefix`: the folder of the project in the repository, empty or with a slash at its end.
    """

    sha: str
    label: str
    day: str
    prefix: str


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A commit that is checked out. `folder`: the project in it, like the checkout it was asked for."""

    folder: Path
    commit: Commit


def commit_of(project: Path, name: str) -> Commit:
    """The commit that the revision `name` is, for the project in a folder of a git repository. Raises NoRevision."""
    asked = _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if asked.returncode != 0:
        if _git(project, "rev-parse", "--git-dir").returncode != 0:
            raise NoRevision(
                f"{project} is no git repository: {_said(asked)}",
                "work in a clone of the repository, or name a file with `pulumi stack export` as the base",
            )
        raise NoRevision(
            f"there is no revision {name} in this repository",
            "`git fetch` it first (a shallow clone holds its own commit alone: `git fetch --unshallow`), or name a "
            "branch, tag or commit that `git log` knows; a file with `pulumi stack export` is a base too",
        )
    sha = asked.stdout.strip()
    shown = _git(project, "show", "--no-patch", "--date=format-local:%Y-%m-%d", "--format=%cd", sha)
    return Commit(
        sha=sha,
        label=sha[:12] if sha.startswith(name) else f"{name} ({sha[:12]})",
        day=shown.stdout.strip(),
        prefix=_git(project, "rev-parse", "--show-prefix").stdout.strip(),
    )


@contextlib.contextmanager
def checked_out(project: Path, commit: Commit, scratch: Path) -> Iterator[Revision]:
    """Check `commit` out below `scratch`, a folder of the caller's; it is taken away afterwards.

    `project`: a folder in a git repository; the same folder of the commit is what the caller gets. Raises NoRevision.
    """
    tree = scratch / f"revision-{commit.sha[:12]}"
    added = _git(project, "worktree", "add", "--detach", "--force", str(tree), commit.sha)
    if added.returncode != 0:
        raise NoRevision(
            f"git worktree cannot check {commit.label} out: {_said(added)}",
            "`git fetch` the whole of that commit, and make sure that there is room for it",
        )
    try:
        yield Revision(folder=tree / commit.prefix, commit=commit)
    finally:
        _git(project, "worktree", "remove", "--force", str(tree))
        # What an earlier run left that was killed is gone from disk, but git still lists it.
        _git(project, "worktree", "prune")


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=_environment(),
        check=False,
    )


def _environment() -> dict[str, str]:
    # What a hook or an alias exports would lead git to another repository than the one in the folder.
    leading = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
    kept = {name: value for name, value in os.environ.items() if name not in leading}
    return kept | {"TZ": "UTC", "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join(done.stderr.split()) or f"git ended with {done.returncode}"
