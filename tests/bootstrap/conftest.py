"""Both stacks of the bootstrap project, made on paper once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.bootstrap.bootstrapped import paper_environment
from tests.bootstrap.paper import STACKS, copy_of_the_project, graph, made
from tests.program.graph import Graph


@pytest.fixture(scope="session")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Environment of the real CLI on paper."""
    return paper_environment(tmp_path_factory.mktemp("bootstrap-paper"))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a copied project."""
    return copy_of_the_project(tmp_path_factory.mktemp("bootstrap-project"))


@pytest.fixture(scope="session")
def states(project: Path, paper: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """The resources of each stack."""
    return {stack: made(project, paper, stack) for stack in STACKS}


@pytest.fixture(scope="session")
def graphs(states: dict[str, list[dict[str, Any]]]) -> dict[str, Graph]:
    """The same as graphs."""
    return {stack: graph(resources) for stack, resources in states.items()}
