"""Bases on paper that are kept: what makes another base, what is let go of, and that the answer stays the same.

The comparisons run through the Pulumi CLI on paper; the plugins are this project's stand-ins.
"""

from __future__ import annotations

import gzip
import importlib.metadata
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cli.failure import ExitCode
from whatif import kept as module
from whatif.base import Base
from whatif.kept import Kept, Shelf, key_of
from whatif.scratch import Scratch

from .conftest import Repository

BASE = Base(outputs={"clusters": ["one"]}, resources=3, notices=("a notice",), settings={"config": {"a": 1}})


def kept(key: str) -> Kept:
    return Kept(key=key, base=BASE, project="fleet", checkpoint="{}", settings={"encryptionsalt": "v1:x"})


def test_what_was_put_is_found_again_under_its_key_alone(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "bases")
    assert shelf.find("a" * 64) is None
    shelf.put(kept("a" * 64))
    assert shelf.find("a" * 64) == kept("a" * 64)
    assert shelf.find("b" * 64) is None
    assert (tmp_path / "bases").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", ["cut off", "not a gzip file", "another key", "another form", "a folder"])
def test_what_is_damaged_is_as_if_it_were_not_there(damage: str, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(kept("a" * 64))
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    if damage == "cut off":
        file.write_bytes(whole[: len(whole) // 2])
    elif damage == "not a gzip file":
        file.write_bytes(b"{}")
    elif damage == "another key":
        file.rename(tmp_path / f"{'b' * 64}.json.gz")
    elif damage == "another form":
        file.write_bytes(gzip.compress(b'{"key": "' + b"a" * 64 + b'", "more": 1}'))
    else:
        file.unlink()
        file.mkdir()
    assert shelf.find("a" * 64) is None
    assert shelf.find("b" * 64) is None


def test_a_folder_that_cannot_be_written_to_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "bases").write_text("a file where the folder would be")
    shelf = Shelf(tmp_path / "bases")
    shelf.put(kept("a" * 64))
    assert shelf.find("a" * 64) is None


def test_the_ones_used_last_stay(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, most=2)
    for number, key in enumerate(("a", "b")):
        shelf.put(kept(key))
        os.utime(tmp_path / f"{key}.json.gz", (1000 + number, 1000 + number))
    assert shelf.find("a") is not None  # so that it is the newest now
    shelf.put(kept("c"))
    assert {path.name for path in tmp_path.iterdir()} == {"a.json.gz", "c.json.gz"}


def test_everything_that_has_a_say_makes_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli, pack, file, wrapper = (tmp_path / name for name in ("pulumi", "pack", "advisory.json", "wrapper"))
    (wrapper / "plugins").mkdir(parents=True)
    monkeypatch.setattr(module, "_ROOT", wrapper)
    for path in (cli, file):
        path.write_text("one")
    pack.mkdir()
    (pack / "rule.py").write_text("one")

    def key(words: Sequence[str] = ("revision", "stack"), packs: Sequence[Path] = (pack,)) -> str:
        return key_of(words=words, cli=cli, packs=packs, files=[file])

    seen = [key()]
    assert key() == seen[0]

    def differs(found: str) -> None:
        assert found not in seen
        seen.append(found)

    differs(key(words=("revision", "other")))
    differs(key(packs=()))
    cli.write_text("another")
    differs(key())
    file.write_text("another")
    differs(key())
    (pack / "rule.py").write_text("another")
    differs(key())
    (pack / "more.py").write_text("")
    differs(key())
    (wrapper / "plugins" / "provider.py").write_text("")
    differs(key())
    monkeypatch.setattr(importlib.metadata, "distributions", list)
    differs(key())
    (pack / "__pycache__").mkdir()
    (pack / "__pycache__" / "rule.pyc").write_text("")
    assert key() == seen[-1]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first word of each command of the CLI, in order of their begin."""
    found: list[str] = []
    real = Scratch.run

    def run(self: Scratch, arguments: Sequence[str], *rest: Any, **more: Any) -> Any:
        found.append(arguments[0])
        return real(self, arguments, *rest, **more)

    monkeypatch.setattr(Scratch, "run", run)
    return found


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """Without the order in which the engine took the resources."""
    return document | {
        name: sorted(document[name], key=lambda one: str(one["urn"])) for name in ("steps", "resources")
    }


def floats_elsewhere(repository: Repository) -> None:
    """Base and head each have a floating image, at different places, and a version differs."""
    program = repository.folder / "__main__.py"
    was = program.read_text()
    pod = (
        'k8s.core.v1.Pod("{0}", metadata={{"name": "{0}"}}, spec={{"containers": [{{"image": "x:latest"}}]}})'
    )
    floating = f"import pulumi_kubernetes as k8s\n{pod}\n"
    repository.edit(
        "Pulumi.dev.yaml", lambda content: content["config"].pop("pulumi:disable-default-providers")
    )
    program.write_text(was + floating.format("before"))
    repository.commit()
    program.write_text(was + floating.format("after"))
    repository.edit("catalog.yaml", lambda content: content["addons"]["reloader"].update(version="2.2.17"))


@pytest.mark.engine
def test_a_second_comparison_says_the_same_and_makes_the_head_alone(
    repository: Repository, tmp_path: Path, commands: list[str]
) -> None:
    """Findings of the base are part of it: which are new and which are fixed is the same too."""
    floats_elsewhere(repository)
    output = tmp_path / "out.json"
    assert repository.compare(output).code is ExitCode.REFUSED  # type: ignore[union-attr]
    first = json.loads(output.read_text())
    assert sorted(commands) == ["policy", "preview", "stack", "up"]
    assert {one["urn"].rpartition("::")[2] for one in first["fixed_policies"]} == {"before"}
    commands.clear()
    assert repository.compare(output).code is ExitCode.REFUSED  # type: ignore[union-attr]
    assert commands == ["preview"]
    assert comparable(json.loads(output.read_text())) == comparable(first)
    commands.clear()
    repository.compare(output, fresh_base=True)
    assert "up" in commands
    assert comparable(json.loads(output.read_text())) == comparable(first)


@pytest.mark.engine
def test_another_head_is_held_against_the_same_base_and_another_base_is_made(
    repository: Repository, tmp_path: Path, commands: list[str]
) -> None:
    same = repository.document(tmp_path / "out.json")
    assert same["changes"] == []
    repository.edit("catalog.yaml", lambda content: content["addons"]["reloader"].update(version="2.2.17"))
    commands.clear()
    changed = repository.document(tmp_path / "out.json")
    assert {(one["from"], one["to"]) for one in changed["changes"]} == {("2.2.16", "2.2.17")}
    assert commands == ["preview"]
    commands.clear()
    repository.commit()
    assert repository.document(tmp_path / "out.json")["changes"] == []
    assert "up" in commands
    commands.clear()
    other = repository.document(tmp_path / "out.json", stack="sandbox")
    assert other["changes"] == []
    assert "up" in commands


@pytest.mark.engine
def test_a_base_that_fails_is_not_kept(
    repository: Repository, tmp_path: Path, own_bases: Path, commands: list[str]
) -> None:
    program = repository.folder / "__main__.py"
    was = program.read_text()
    program.write_text('raise SystemExit("the base is broken")\n')
    repository.commit()
    program.write_text(was)
    for _ in range(2):
        failure = repository.compare(tmp_path / "out.json")
        assert failure is not None
        assert "the base HEAD" in failure.what
    assert commands.count("up") == 2
    assert list(own_bases.iterdir()) == []
