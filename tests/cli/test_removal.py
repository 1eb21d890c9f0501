"""`cli.removal` on events as the CLI writes them. That it writes these where something protected is taken out is shown
on a running sandbox (tests/e2e/test_life.py)."""

from typing import Any

import pytest

from cli.removal import Removed, refusal, removed_straight

FILES = ("stacks/prod.fleet.yaml", "stacks/catalog.yaml")


def event(type_: str, name: str, *, op: str = "delete", protect: bool = True) -> dict[str, Any]:
    urn = f"urn:pulumi:prod::gke-fleet::gke-fleet:index:Fleet${type_}::{name}"
    return {
        "resourcePreEvent": {"metadata": {"op": op, "urn": urn, "type": type_, "old": {"protect": protect}}}
    }


SECRET = event("kubernetes:core/v1:Secret", "cluster-tokyo-shop")
CLUSTER = event("gcp:container/cluster:Cluster", "tokyo-shop")
MEMBERSHIP = event("gcp:gkehub/membership:Membership", "tokyo-data")
ADDON = event("kubernetes:argoproj.io/v1alpha1:ApplicationSet", "external-secrets")
NETWORK = event("gcp:compute/network:Network", "acme-data-prod")


def test_each_thing_is_named_once_by_what_a_person_calls_it() -> None:
    steps = [{"preludeEvent": {}}, SECRET, CLUSTER, MEMBERSHIP, ADDON, NETWORK]
    assert removed_straight(steps) == Removed(
        clusters=("tokyo-shop", "tokyo-data"),
        addons=("external-secrets",),
        others=("Network acme-data-prod",),
    )


@pytest.mark.parametrize(
    "step",
    [
        event("kubernetes:core/v1:Secret", "cluster-tokyo-shop", protect=False),
        event("kubernetes:core/v1:Secret", "cluster-tokyo-shop", op="update"),
        {"resourcePreEvent": {"metadata": {"op": "create", "urn": "a::b", "type": "x", "old": None}}},
        {"diagnosticEvent": {"message": "because it is protected"}},
    ],
)
def test_other_steps_are_none_of_its_business(step: dict[str, Any]) -> None:
    assert not removed_straight([step])


def test_the_remedy_for_a_cluster_names_the_fleet_file_and_both_steps() -> None:
    what, remedy = refusal(removed_straight([SECRET]), *FILES)
    assert "cluster tokyo-shop" in what and "nothing was changed" in what
    for part in ("lifecycle: leaving", "workloads: keep", "stacks/prod.fleet.yaml", "keep the name"):
        assert part in remedy
    assert "catalog.yaml" not in remedy


def test_the_remedy_for_an_addon_names_the_catalogue() -> None:
    what, remedy = refusal(removed_straight([ADDON]), *FILES)
    assert "add-on external-secrets" in what
    assert "stacks/catalog.yaml" in remedy and "keep the name" in remedy
    assert "fleet.yaml" not in remedy


def test_something_else_is_not_said_to_leave() -> None:
    what, remedy = refusal(removed_straight([NETWORK]), *FILES)
    assert "Network acme-data-prod" in what
    assert "leaving" not in remedy
