"""From a stack that holds a fleet whole to a hub stack and members stacks, and back: nothing is made, replaced or
deleted on the way.

Real states and real previews of the real CLI, on paper. Not proven here: that a cluster is left alone meanwhile
(there is none), nor how two stacks with different keys are re-encrypted by a key of Google's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.engine import Engine
from cli.failure import Failure
from cli.parts import distribute, is_empty, move
from tests.program.graph import Graph, copy_of_the_program, new_stack, preview, pulumi

pytestmark = pytest.mark.engine

WHOLE, TOKYO, OSAKA = "dev", "dev-tokyo", "dev-osaka"
CELLS = {"dev-tokyo-shop": "tokyo", "dev-osaka-data": "osaka"}


@pytest.fixture(scope="module")
def standing(environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program, its fleet whole in one stack that is up, and two stacks with nothing in them."""
    folder = copy_of_the_program(tmp_path_factory.mktemp("standing"))
    file = folder / "stacks" / "dev.fleet.yaml"
    fleet = yaml.safe_load(file.read_text())
    for entry in fleet["clusters"]:
        if entry["name"] in CELLS:
            entry["cell"] = CELLS[entry["name"]]
    file.write_text(yaml.safe_dump(fleet, sort_keys=False))
    for stack in (TOKYO, OSAKA):
        settings = yaml.safe_load((folder / "stacks" / "Pulumi.dev.yaml").read_text())
        settings["config"]["gke-fleet:part"] = f"members/{stack.removeprefix('dev-')}"
        (folder / "stacks" / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(settings))
        # Each stack has a salt, so secrets of one do not open in another, as with different keys.
        new_stack(folder, environment, stack)
    new_stack(folder, environment, WHOLE)
    pulumi(folder, environment, "up", "--yes", "--skip-preview", "--stack", WHOLE)
    return folder


def engine(folder: Path, environment: Mapping[str, str]) -> Engine:
    return Engine(Path("pulumi"), {**os.environ, **environment}, folder)


def part(folder: Path, name: str) -> None:
    """Set which part the stack holds that held all."""
    file = folder / "stacks" / f"Pulumi.{WHOLE}.yaml"
    settings = yaml.safe_load(file.read_text())
    settings["config"]["gke-fleet:part"] = name
    file.write_text(yaml.safe_dump(settings))


def states(folder: Path, environment: Mapping[str, str], stack: str) -> list[dict[str, Any]]:
    done = pulumi(folder, environment, "stack", "export", "--stack", stack)
    found: list[dict[str, Any]] = json.loads(done.stdout)["deployment"].get("resources", [])
    return found


def behind(resources: list[dict[str, Any]]) -> dict[str, str]:
    """id by type and name of what stands behind something."""
    return {
        f"{state['type']} {state['urn'].rpartition('::')[2]}": state["id"]
        for state in resources
        if state["custom"] and not state["type"].startswith("pulumi:")
    }


def changes(graph: Graph) -> set[str]:
    """Operations of a preview but `same`; outputs of the stack are no operation."""
    return {f"{resource.op} {resource.urn}" for resource in graph if resource.op != "same"}


def test_a_move_that_would_not_leave_everything_alone_is_taken_back(
    standing: Path, environment: Mapping[str, str]
) -> None:
    cli = engine(standing, environment)
    whole = behind(states(standing, environment, WHOLE))

    def refused(why: str) -> None:
        with pytest.raises(Failure, match=why) as failure:
            move(cli, [WHOLE, TOKYO], lambda _: None)
        assert "gke-fleet:part" in failure.value.remedy
        assert behind(states(standing, environment, WHOLE)) == whole, "put back"
        assert not behind(states(standing, environment, TOKYO))

    refused("create .*dev-tokyo-shop")  # the stack that held all still wants all
    part(standing, "hub")
    refused("cluster-dev-osaka-data.*cannot be deleted")  # the other cell has no stack
    part(standing, "all")


def test_a_fleet_is_split_and_put_together_without_a_change(
    standing: Path, environment: Mapping[str, str]
) -> None:
    cli = engine(standing, environment)
    stacks = [WHOLE, TOKYO, OSAKA]
    before = states(standing, environment, WHOLE)
    whole = behind(before)
    told: list[str] = []

    part(standing, "hub")
    came = move(cli, stacks, told.append)
    split = {stack: states(standing, environment, stack) for stack in stacks}
    held = {stack: behind(split[stack]) for stack in stacks}
    assert {key: id_ for each in held.values() for key, id_ in each.items()} == whole
    assert sum(len(each) for each in held.values()) == len(whole), "each is in one state"
    assert not came[WHOLE] and all(len(came[stack]) == len(held[stack]) > 3 for stack in (TOKYO, OSAKA))
    assert all(not changes(preview(standing, environment, stack)) for stack in stacks)
    protected = {state["urn"] for state in split[TOKYO] if state.get("protect")}
    assert any(urn.endswith("Cluster::dev-tokyo-shop") for urn in protected)
    (secret,) = [state for state in split[TOKYO] if state["urn"].endswith("Secret::cluster-dev-tokyo-shop")]
    assert "ciphertext" in json.dumps(secret["outputs"]), "what was secret is encrypted again"

    part(standing, "all")
    came = move(cli, stacks, told.append)
    assert len(came[WHOLE]) == len(held[TOKYO]) + len(held[OSAKA])
    after = states(standing, environment, WHOLE)
    assert behind(after) == whole
    assert {state["urn"] for state in after} == {state["urn"] for state in before}
    assert not changes(preview(standing, environment, WHOLE))
    assert [line for line in told if f"pulumi stack rm {TOKYO}" in line]
    for stack in (TOKYO, OSAKA):
        pulumi(standing, environment, "stack", "rm", stack, "--yes", "--preserve-config")


def test_the_cli_itself_cannot_move_what_has_a_provider_of_its_own(
    standing: Path, environment: Mapping[str, str]
) -> None:
    """Where this fails, `pulumi state move` can do it, and cli/parts.py may go."""
    pulumi(standing, environment, "stack", "init", "other")
    member = next(
        state["urn"]
        for state in states(standing, environment, WHOLE)
        if state["urn"].endswith("MemberCluster::dev-tokyo-shop")
    )
    words = ("state", "move", "--yes", "--source", WHOLE, "--dest", "other", member)
    refused = pulumi(standing, environment, *words, check=False)
    assert refused.returncode != 0 and "missing parent" in refused.stdout + refused.stderr


def test_a_state_with_operations_under_way_is_left_alone() -> None:
    pending = {"resources": [], "pending_operations": [{"type": "creating"}]}
    with pytest.raises(Failure, match="operations"):
        distribute({"one": pending, "other": {"resources": []}}, {"one": [], "other": []})


def test_what_nobody_holds_is_not_taken() -> None:
    wanted = [{"urn": "urn:pulumi:b::fleet::gcp:x:Y::one", "type": "gcp:x:Y", "custom": True}]
    held: dict[str, dict[str, Any]] = {"a": {"resources": []}, "b": {"resources": []}}
    gained, after, came = distribute(held, {"a": [], "b": wanted})
    assert came == {"a": (), "b": ()}
    assert all(is_empty(deployment) for deployment in (*gained.values(), *after.values()))
