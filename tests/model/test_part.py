"""Which part of a fleet a stack holds: everything is in exactly one of the parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from model import Configuration, load, load_stack
from model.part import Part, UnknownPart, parse_part, part_names
from tests.model.conftest import FLEET, STACK

STACKS = Path(__file__).resolve().parents[2] / "stacks"


@pytest.fixture
def split(folder: Callable[..., Path]) -> Configuration:
    """The small fleet with its second member in a cell of its own."""
    text = FLEET.replace("  - name: osaka\n", "  - name: osaka\n    cell: west\n")
    return load_stack(folder(fleet=text), "acme")


def test_no_part_named_is_all_of_it(split: Configuration) -> None:
    assert split.part == Part("all") == parse_part(None, split.fleet) == parse_part("", split.fleet)
    assert split.part.has_hub and split.part.cell is None
    assert split.part.clusters(split.fleet) == split.fleet.clusters
    assert split.part.projects(split.fleet) == ("acme-shop", "acme-data")


@pytest.mark.parametrize(
    ("name", "has_hub", "clusters", "projects"),
    [
        ("hub", True, ("hub",), ()),
        ("members/one", False, ("tokyo",), ("acme-shop",)),
        ("members/west", False, ("osaka",), ("acme-data",)),
    ],
)
def test_parts(
    split: Configuration, name: str, has_hub: bool, clusters: tuple[str, ...], projects: tuple[str, ...]
) -> None:
    part = parse_part(name, split.fleet)
    assert part.has_hub is has_hub
    assert tuple(cluster.name for cluster in part.clusters(split.fleet)) == clusters
    assert part.projects(split.fleet) == projects


def test_part_comes_from_the_stack(folder: Callable[..., Path]) -> None:
    root = folder(stack=STACK + "  gke-fleet:part: members/one\n")
    assert load_stack(root, "acme").part == load(root, "acme", part="members/one").part == Part("members/one")


@pytest.mark.parametrize("stack", ["sandbox", "dev", "prod"])
def test_every_cluster_and_project_is_in_one_part(stack: str) -> None:
    fleet = load_stack(STACKS, stack).fleet
    parts = [parse_part(name, fleet) for name in part_names(fleet)]
    held = [cluster.name for part in parts for cluster in part.clusters(fleet)]
    assert sorted(held) == sorted(cluster.name for cluster in fleet.clusters)
    projects = [project for part in parts for project in part.projects(fleet)]
    assert sorted(projects) == sorted(Part().projects(fleet)) and len(set(projects)) == len(projects)
    assert all(len(part.clusters(fleet)) <= 50 for part in parts)


def test_project_that_a_member_shares_with_the_hub_stays_with_the_hub(folder: Callable[..., Path]) -> None:
    text = FLEET.replace("hostProject: acme-host", "hostProject: acme-data")
    text = text.replace("project: acme-data", "project: acme-host\n    sharesHubProject: both are throw-away")
    fleet = load_stack(folder(fleet=text), "acme").fleet
    assert Part("hub").projects(fleet) == ("acme-host",)
    assert Part("members/one").projects(fleet) == ("acme-shop",)
    assert Part().projects(fleet) == ("acme-host", "acme-shop")


@pytest.mark.parametrize("name", ["Hub", "members", "members/", "members/three", "all ", "one"])
def test_other_parts_are_refused(split: Configuration, name: str) -> None:
    with pytest.raises(UnknownPart) as caught:
        parse_part(name, split.fleet)
    assert caught.value.why and "members/west" in caught.value.remedy
