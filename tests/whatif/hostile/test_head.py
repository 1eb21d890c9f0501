"""The files of a head that the wrapper itself reads: links, sizes, kinds, and what YAML unfolds to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.whatif.hostile.conftest import ROOT
from whatif.head import check_head

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{here}: &{here} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, here in zip("abcdefgh", "bcdefghi", strict=True)
)
FEW = "base: &base {a: 1}\none: {<<: *base}\nagain: [*base, *base]\n"


@pytest.fixture
def head(tmp_path: Path) -> Path:
    """A head with nothing wrong."""
    folder = tmp_path / "head"
    (folder / "stacks").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git/config").write_text("token")
    (folder / "Pulumi.yaml").write_text("name: theirs\n")
    (folder / "stacks/dev.fleet.yaml").write_text(FEW)
    (folder / "stacks/link.yaml").symlink_to("dev.fleet.yaml")
    (tmp_path / "outside.yaml").write_text("secret")
    return folder


def _link(place: str, target: str) -> Callable[[Path], None]:
    def make(head: Path) -> None:
        (head / place).unlink(missing_ok=True)
        (head / place).symlink_to(target)

    return make


def _text(place: str, text: str) -> Callable[[Path], None]:
    def make(head: Path) -> None:
        (head / place).write_text(text)

    return make


WRONG = [
    (_link("Pulumi.yaml", "../outside.yaml"), "Pulumi.yaml: ", "leads out of the checkout"),
    (_link("requirements.txt", "/etc/passwd"), "requirements.txt: ", "leads out of the checkout"),
    (_link("stacks/Pulumi.dev.yaml", "/etc/passwd"), "stacks/Pulumi.dev.yaml: ", "leads out of the checkout"),
    (_link("stacks/Pulumi.dev.yaml", "../.git/config"), "stacks/Pulumi.dev.yaml: ", "where git keeps"),
    (_link("stacks/Pulumi.dev.yaml", "nothing"), "stacks/Pulumi.dev.yaml: ", "not there"),
    (_link("stacks/loop.yaml", "loop.yaml"), "stacks/loop.yaml: ", "not there"),
    (_link("stacks/more", ".."), "stacks/more: ", "a folder"),
    (lambda head: os.mkfifo(head / "stacks/pipe.yaml"), "stacks/pipe.yaml: ", "neither a file nor a folder"),
    (_text("stacks/large.yaml", "#" * 1_100_000), "stacks/large.yaml: ", "at most 1048576"),
    (_text("stacks/laughs.yaml", LAUGHS), "stacks/laughs.yaml:", "unfolds to more than"),
    (
        _text("stacks/itself.yaml", "a: &a [1, *a]\n"),
        "stacks/itself.yaml:1: ",
        "inside of what it stands for",
    ),
    (_text("stacks/deep.yaml", "[" * 200 + "]" * 200), "stacks/deep.yaml:1: ", "more than 64 deep"),
]


def test_a_head_with_nothing_wrong(head: Path) -> None:
    assert check_head(head) == []
    assert check_head(ROOT) == []


@pytest.mark.parametrize(("make", "where", "why"), WRONG)
def test_what_is_refused(head: Path, make: Callable[[Path], None], where: str, why: str) -> None:
    make(head)
    (problem,) = check_head(head)
    assert problem.startswith(where)
    assert why in problem


def test_all_of_it_is_told_at_once_and_soon(head: Path) -> None:
    began = time.monotonic()
    for make, _, _ in WRONG[2:]:
        make(head)
    names = {problem.split(":")[0] for problem in check_head(head)}
    assert names == {where.split(":")[0] for _, where, _ in WRONG[2:]}
    assert time.monotonic() - began < 5


def test_the_folder_of_the_stacks_may_not_be_elsewhere(head: Path) -> None:
    (head / "stacks").rename(head.parent / "elsewhere")
    (head / "stacks").symlink_to("../elsewhere")
    (problem,) = check_head(head)
    assert "leads out of the checkout" in problem


def test_a_folder_with_too_many_files_is_refused(head: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whatif.head._MOST_FILES", 5)
    for at in range(6):
        (head / "stacks" / f"{at}.txt").touch()
    assert check_head(head) == ["stacks: more than 5 files"]
