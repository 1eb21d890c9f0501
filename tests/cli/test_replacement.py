"""`cli.replacement` on events as the CLI writes them. That the CLI writes these for a changed cluster is shown on a
running sandbox (tests/e2e)."""

from typing import Any

from cli.replacement import refusal, replaced_clusters

CLUSTER = "gcp:container/cluster:Cluster"
URN = "urn:pulumi:prod::gke-fleet::gke-fleet:index:Fleet$gcp:container/cluster:Cluster::tokyo-shop"


def event(op: str, *, type_: str = CLUSTER, keys: list[str] | None = None) -> dict[str, Any]:
    return {"resourcePreEvent": {"metadata": {"op": op, "urn": URN, "type": type_, "keys": keys}}}


def test_a_replaced_cluster_is_found_with_its_causes() -> None:
    steps = [
        {"preludeEvent": {}},
        event("delete-replaced", keys=["network"]),
        event("replace", keys=["network", "subnetwork"]),
        event("create-replacement"),
    ]
    assert replaced_clusters(steps) == {"tokyo-shop": ["network", "subnetwork"]}


def test_other_steps_are_none_of_its_business() -> None:
    steps = [event(op) for op in ("create", "update", "delete", "same")]
    steps += [event("replace", type_="gcp:projects/iAMMember:IAMMember", keys=["role"])]
    assert replaced_clusters(steps) == {}


def test_the_refusal_names_cluster_cause_and_remedy() -> None:
    what, remedy = refusal({"tokyo-shop": ["network"]})
    assert "tokyo-shop (because of network)" in what
    assert "nothing was changed" in what
    assert "name of its own" in remedy
