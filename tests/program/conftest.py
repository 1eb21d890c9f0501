"""The real CLI on paper: nothing behind it but the state of a scratch folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.program.fleets import FLEETS, previewed
from tests.program.graph import STACKS, Graph, copy_of_the_program, new_stack, on_paper, preview


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Environment on paper, with a state that no other file of tests shares."""
    return on_paper(tmp_path_factory.mktemp("paper"))


@pytest.fixture(scope="module")
def graphs(environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Graph]:
    """The graph of each committed stack, as its first preview has it."""
    folder: Path = copy_of_the_program(tmp_path_factory.mktemp("program"))
    found = {}
    for stack in STACKS:
        new_stack(folder, environment, stack)
        found[stack] = preview(folder, environment, stack)
    return found


@pytest.fixture(scope="session")
def fleets(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Graph]:
    """The graph of each fleet that no stack is, as its first preview has it."""
    environment = on_paper(tmp_path_factory.mktemp("fleets-on-paper"))
    folder = copy_of_the_program(tmp_path_factory.mktemp("fleets"))
    return {stack: previewed(folder, environment, stack) for stack in FLEETS}
