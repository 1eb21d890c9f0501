"""A repository with the project in it, and the command run on it in this process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import comparison
from cli.checkout import Checkout
from cli.comparison import Asked, compare
from cli.failure import Failure

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ("__main__.py", "Pulumi.yaml", "requirements.txt", "model", "components", "stacks", "policies")


@dataclass(frozen=True)
class Repository:
    """A git repository whose working tree is the project."""

    folder: Path

    def git(self, *arguments: str) -> str:
        """Run git and return what it printed."""
        nobody = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com"}
        nobody |= {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com"}
        done = subprocess.run(
            ["git", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false", *arguments],
            cwd=self.folder, capture_output=True, text=True, check=True, env={**os.environ, **nobody},
        )  # fmt: skip
        return done.stdout.strip()

    def commit(self) -> str:
        """Commit everything that differs; the commit's SHA."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a change")
        return self.git("rev-parse", "HEAD")

    def edit(self, name: str, change: Callable[[Any], None]) -> None:
        """Change the YAML document in a file of stacks/."""
        file = self.folder / "stacks" / name
        content = yaml.safe_load(file.read_text())
        change(content)
        file.write_text(yaml.safe_dump(content, sort_keys=False))

    def compare(self, output: Path, **asked: Any) -> Failure | None:
        """Run the comparison of `stack` (dev) with `base` (HEAD); what it refused with, None where it did not."""
        arguments = {
            "stack": "dev", "base": "HEAD", "head": None, "form": "json", "output": output, "manifests": False,
            "expect": None, "seconds": 300.0,
        }  # fmt: skip
        try:
            compare(Checkout(self.folder), Asked(**{**arguments, **asked}))
        except Failure as failure:
            return failure
        return None

    def document(self, output: Path, **asked: Any) -> dict[str, Any]:
        """The JSON document of a comparison that refuses nothing."""
        failure = self.compare(output, **asked)
        assert failure is None, failure
        return dict(json.loads(output.read_text()))


def make(folder: Path) -> Repository:
    """The project of this checkout as a repository of one commit."""
    folder.mkdir()
    for name in PROGRAM:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    repository = Repository(folder)
    repository.git("init", "--quiet")
    repository.commit()
    return repository


@pytest.fixture(autouse=True)
def own_bases(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test keeps bases in a folder of its own, not in the user's cache."""
    folder = tmp_path_factory.mktemp("bases")
    monkeypatch.setattr(comparison, "_bases", lambda: folder)
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return make(tmp_path / "fleet")


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """One that nobody changes."""
    return make(tmp_path_factory.mktemp("untouched") / "fleet")
