"""The whole command on a head that would like to decide for itself.

Proves that everything but the program is the base's: commands, plugins, policy pack, project file, limits,
acknowledgements and exemptions. What the program may do is proven in test_attacks.py.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli import comparison
from plugins import confine
from tests.whatif.conftest import PROGRAM, ROOT, Repository

WRAPPER = ("cli", "plugins", "sandbox", "whatif")


@pytest.fixture
def base(tmp_path: Path) -> Repository:
    """The whole project as a repository, limited to two clusters a change."""
    folder = tmp_path / "base"
    folder.mkdir()
    for name in (*PROGRAM, *WRAPPER):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    made = Repository(folder)
    made.git("init", "--quiet")
    made.edit(
        "Pulumi.dev.yaml", lambda content: content["config"].update({"gke-fleet:limits": {"clusters": 2}})
    )
    made.commit()
    return made


def preview(base: Repository, head: Path, output: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", "preview", "dev", "--base", "HEAD", "--head", str(head)]
    return subprocess.run(
        [*command, "--format", "json", "--output", str(output), *more],
        cwd=base.folder,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.engine
def test_everything_but_the_program_is_the_base_s(base: Repository, tmp_path: Path) -> None:
    head = Repository(tmp_path / "head")
    shutil.copytree(base.folder, head.folder)
    mark = tmp_path / "taken"
    evil = f"import pathlib; pathlib.Path({str(mark)!r}).write_text('taken')\n"
    for name in ("cli/__init__.py", "whatif/__init__.py", "plugins/__init__.py", "policies/__main__.py"):
        file = head.folder / name
        file.write_text(evil + file.read_text())
    (head.folder / "Pulumi.yaml").write_text(
        (base.folder / "Pulumi.yaml").read_text() + "plugins: {providers: [{name: gcp, path: ./plugins}]}\n"
    )

    def settings(content: dict[str, Any]) -> None:
        content["config"] |= {
            "gke-fleet:limits": {"clusters": 1000},
            "gke-fleet:policies": {
                "exemptions": [
                    {
                        "rule": "image-pinned",
                        "resource": "*",
                        "reason": "none of your business",
                        "until": "2999-01-01",
                    }
                ]
            },
            "pulumi:disable-default-providers": ["*"],
        }

    head.edit("Pulumi.dev.yaml", settings)
    head.edit("catalog.yaml", lambda content: content["addons"]["reloader"].update(version="2.2.17"))
    program = head.folder / "__main__.py"
    program.write_text(
        program.read_text()
        + "import pulumi_gcp as gcp\n"
        + "gcp.projects.IAMMember('k', project='acme-dev-hub', role='roles/owner', member='user:a@example.com')\n"
        + evil
    )
    output = tmp_path / "out.json"
    done = preview(base, head.folder, output)
    # The program wants to write outside of its cell, so it fails there, after everything else.
    assert done.returncode == 1, done.stderr
    assert not mark.exists()
    program.write_text(program.read_text().removesuffix(evil))
    done = preview(base, head.folder, output)
    assert not mark.exists()
    assert done.returncode == 1, done.stderr
    document = json.loads(output.read_text())
    # The grant is refused by the base's pack, whatever the head's pack says.
    assert "no-basic-roles" in {one["rule"] for one in document["policies"] if one["level"] == "mandatory"}
    (limit,) = document["radius"]["limits"]
    assert (limit["what"], limit["found"], limit["allowed"]) == ("clusters", 3, 2)
    change = document["radius"]["change"]
    assert "without network" in document["confined"]
    assert all(one["from"] == "2.2.16" for one in document["changes"])

    program.write_text((base.folder / "__main__.py").read_text())
    entry = {"change": change, "reason": "I say so"}
    head.edit(
        "Pulumi.dev.yaml", lambda content: content["config"].update({"gke-fleet:acknowledged": [entry]})
    )
    done = preview(base, head.folder, output)
    assert done.returncode == 5, done.stderr
    assert "on the base branch" in done.stderr


def test_a_head_whose_files_lead_elsewhere_is_not_read(base: Repository, tmp_path: Path) -> None:
    head = tmp_path / "head"
    shutil.copytree(base.folder, head)
    (head / "stacks" / "Pulumi.dev.yaml").unlink()
    (head / "stacks" / "Pulumi.dev.yaml").symlink_to("/etc/passwd")
    done = preview(base, head, tmp_path / "out.json")
    assert done.returncode == 2
    assert "stacks/Pulumi.dev.yaml" in done.stderr
    assert "root:" not in done.stderr


def test_the_environments_of_both_locks_are_made_while_there_is_a_network(
    base: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is run afterwards, without a network, is replaced by nothing."""
    (base.folder / "requirements.txt").write_text("of the head\n")
    head = tmp_path / "head"
    shutil.copytree(base.folder, head)
    made: list[str] = []
    monkeypatch.setattr(
        comparison,
        "environment_of",
        lambda folder, **_: made.append((folder / "requirements.txt").read_text()),
    )
    monkeypatch.setattr(confine, "without_network", lambda command: ["true"])
    monkeypatch.delenv(comparison.QUIET, raising=False)
    assert base.compare(tmp_path / "out.json", head=head) is None
    assert made == ["of the head\n", (ROOT / "requirements.txt").read_text()]
