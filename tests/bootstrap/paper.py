"""The bootstrap project on paper, by the real CLI: what it would make, in full.

Owns running it against a cloud that is not there. It does not prove that Google takes any of it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plugins.gcp.types import paper_number
from tests.program.graph import CHECKOUT, Graph, pulumi

STACKS = ("sandbox", "prod")
_PROGRAM = ("bootstrap", "model")


def copy_of_the_project(folder: Path) -> Path:
    """The project in a folder of its own, with the packages that it needs; returns the folder of its
    Pulumi.yaml."""
    for name in _PROGRAM:
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder / "bootstrap"


def made(project: Path, environment: Mapping[str, str], stack: str) -> list[dict[str, Any]]:
    """Make a stack of a copied project; its resources as in an exported state, none before what it needs."""
    pulumi(project, environment, "stack", "init", stack)
    pulumi(project, environment, "up", "--yes", "--skip-preview", "--stack", stack)
    exported = json.loads(pulumi(project, environment, "stack", "export", "--stack", stack).stdout)
    return _ordered(exported["deployment"]["resources"])


def graph(resources: list[dict[str, Any]]) -> Graph:
    """The same as a graph."""
    return Graph({"steps": [{"op": "create", "newState": state} for state in resources]})


def requests(resources: list[dict[str, Any]], numbers: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the project asks of a cloud that numbers its projects as `numbers` says: {type, inputs} in an order
    in which it can be done."""
    text = json.dumps(
        [
            {
                "type": state["type"],
                "inputs": {
                    name: value for name, value in state["inputs"].items() if not name.startswith("__")
                },
            }
            for state in resources
            if state["custom"] and state["type"].startswith("gcp:")
        ]
    )
    for project, number in numbers.items():
        text = text.replace(paper_number(project), number)
    found: list[dict[str, Any]] = json.loads(text)
    return found


def _ordered(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each after what it depends on, and otherwise by URN: the order of a state changes from run to run."""
    waiting = {state["urn"]: state for state in resources}
    found: list[dict[str, Any]] = []
    while waiting:
        free = [
            urn
            for urn, state in waiting.items()
            if not ({*state.get("dependencies", ()), state.get("parent", "")} & waiting.keys())
        ]
        found += [waiting.pop(urn) for urn in sorted(free)]
    return found
