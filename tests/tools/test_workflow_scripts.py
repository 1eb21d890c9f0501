"""The scripts in the workflows that read what comes from elsewhere, run as a runner runs them, with a stand-in for gh.

That GitHub's API answers in this form is from its documentation and was not tried.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tools.test_workflows import FILES, parsed, steps

LIMIT = 20_000_000


@dataclass(frozen=True)
class Done:
    """How a script ended: exit code, what it printed, and the outputs that it set."""

    code: int
    said: str
    outputs: Mapping[str, str]


def run(workflow: str, step: str, folder: Path, **environment: str) -> Done:
    """Run the script of a step in `folder`, as `shell: bash` does on a runner."""
    (script,) = (each["run"] for each in steps(parsed(FILES[workflow])) if each.get("name") == step)
    outputs = folder / "outputs"
    outputs.touch()
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={
            "PATH": os.pathsep.join(
                [str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
            ),
            "RUNNER_TEMP": str(folder / "temp"),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_REPOSITORY": "acme/fleet",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    set_ = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return Done(done.returncode, done.stdout + done.stderr, set_)


# ---- Which stacks are previewed


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """Folders base/ and head/ with the stacks dev, prod and sandbox."""
    for side in ("base", "head"):
        (tmp_path / side / "stacks").mkdir(parents=True)
        for name in ("dev", "prod", "sandbox"):
            (tmp_path / side / "stacks" / f"Pulumi.{name}.yaml").touch()
    return tmp_path


def test_stacks_are_those_of_the_base(both: Path) -> None:
    done = run("what-if", "List the stacks", both)
    assert json.loads(done.outputs["stacks"]) == ["dev", "prod"]


def test_a_stack_that_goes_is_told_of(both: Path) -> None:
    (both / "head" / "stacks" / "Pulumi.dev.yaml").unlink()
    done = run("what-if", "List the stacks", both)
    assert json.loads(done.outputs["stacks"]) == ["prod"]
    assert "::warning::The pull request takes away the stack dev" in done.said


def test_a_name_of_the_head_reaches_nothing(both: Path) -> None:
    (both / "head" / "stacks" / "Pulumi.$(touch owned)\nstacks=[].yaml").touch()
    done = run("what-if", "List the stacks", both)
    assert json.loads(done.outputs["stacks"]) == ["dev", "prod"]
    assert not list(both.rglob("owned"))
    assert "::warning::The pull request brings 1 new stacks" in done.said


def test_no_stack_is_an_empty_list(both: Path) -> None:
    shutil.rmtree(both / "head" / "stacks")
    assert run("what-if", "List the stacks", both).outputs["stacks"] == "[]"


# ---- The documents that the comment is made from


@dataclass(frozen=True)
class Artifact:
    """What the run left. `size`: what GitHub says that it has."""

    name: str
    files: Mapping[str, bytes]
    size: int | None = None

    def zipped(self) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.files.items():
                archive.writestr(name, content)
        return packed.getvalue()


def documents(folder: Path, *artifacts: Artifact) -> tuple[Done, dict[str, bytes]]:
    """Run the step with these artifacts; gives what became of it and the documents by their file names."""
    (folder / "temp").mkdir()
    served = folder / "served"
    served.mkdir()
    listed = []
    for number, artifact in enumerate(artifacts, 7):
        packed = artifact.zipped()
        (served / str(number)).write_bytes(packed)
        listed.append(f"{number}\t{artifact.size or len(packed)}\t{artifact.name}")
    # Newest first: GitHub does not say in which order they come.
    (served / "list").write_text("".join(f"{line}\n" for line in reversed(listed)))
    gh = folder / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text(
        "#!/bin/bash\n"
        'case "$*" in\n'
        f"*actions/runs/42/artifacts*) cat {served}/list ;;\n"
        f"*actions/artifacts/*/zip) id=${{2%/zip}}; cat {served}/${{id##*/}} ;;\n"
        "*) exit 9 ;;\n"
        "esac\n"
    )
    gh.chmod(0o755)
    done = run("what-if-comment", "Get the documents", folder, RUN="42", LIMIT=str(LIMIT))
    return done, {path.name: path.read_bytes() for path in (folder / "temp" / "documents").glob("*.json")}


def document(stack: str, content: bytes = b"{}") -> Artifact:
    return Artifact(f"what-if-document-{stack}", {"document.json": content})


def test_documents_are_got(tmp_path: Path) -> None:
    page = Artifact("what-if-page-prod", {"what-if.html": b"<html>"})
    done, found = documents(tmp_path, document("dev"), document("prod", b'{"a": 1}'), page)
    assert (done.code, done.outputs["count"]) == (0, "2"), done.said
    assert found == {"what-if-document-dev.json": b"{}", "what-if-document-prod.json": b'{"a": 1}'}


def test_without_documents_there_is_nothing_to_do(tmp_path: Path) -> None:
    done, found = documents(tmp_path, Artifact("something", {"document.json": b"{}"}))
    assert (done.code, done.outputs["count"], found) == (0, "0", {})


def test_of_a_job_that_ran_twice_the_later_one_counts(tmp_path: Path) -> None:
    _, found = documents(tmp_path, document("prod", b"first"), document("prod", b"second"))
    assert found == {"what-if-document-prod.json": b"second"}


@pytest.mark.parametrize(
    "artifact",
    [
        document("prod", b" " * (LIMIT + 1)),
        Artifact("what-if-document-prod", {"document.json": b"{}"}, size=LIMIT + 1),
        Artifact("what-if-document-prod", {"../../document.json": b"{}"}),
    ],
    ids=["a bomb", "too large", "another path"],
)
def test_what_is_no_document_ends_the_job(artifact: Artifact, tmp_path: Path) -> None:
    done, _ = documents(tmp_path, artifact)
    assert done.code != 0
    assert "count" not in done.outputs


@pytest.mark.parametrize(
    "name", ["what-if-document-../x", "what-if-document-$(touch owned)", "what-if-document-"]
)
def test_a_strange_name_is_left_out(name: str, tmp_path: Path) -> None:
    done, found = documents(tmp_path, Artifact(name, {"document.json": b"{}"}), document("dev"))
    assert (done.outputs["count"], set(found)) == ("1", {"what-if-document-dev.json"})
    assert not list(tmp_path.rglob("owned"))


def test_only_the_document_leaves_the_archive(tmp_path: Path) -> None:
    hostile = {"document.json": b"{}", "../../../escaped": b"x", "other.json": b"{}"}
    done, found = documents(tmp_path, Artifact("what-if-document-dev", hostile))
    assert (done.code, set(found)) == (0, {"what-if-document-dev.json"})
    assert not list(tmp_path.rglob("escaped")) + list(tmp_path.parent.glob("escaped"))


def test_too_many_documents_are_refused(tmp_path: Path) -> None:
    done, _ = documents(tmp_path, *(document(f"stack-{number}") for number in range(21)))
    assert done.code == 1
    assert "too many" in done.said
