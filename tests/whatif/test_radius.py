"""The blast radius: what is counted, which limits are exceeded, and what a fingerprint holds still.

That a run ends with its own exit code is shown in tests/whatif/test_against.py. URNs are those of a preview through
the real engine in one test, and written by hand in the others.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import load_stack
from model.stack_limits import Acknowledgement, Limits
from sandbox.tools import ensure, silent
from tests.program.graph import CHECKOUT
from whatif.answer import Change, Step
from whatif.preview import preview
from whatif.radius import cluster_of, destroyed_clusters, fingerprint, radius

RINGS = {"dev1": "dev", "tokyo": "canary", "osaka": "stable", "nagoya": "stable", "hub": "stable"}
CLUSTER = "gcp:container/cluster:Cluster"
_FLEET = "urn:pulumi:prod::gke-fleet::gke-fleet:index:Fleet"


def urn(types: str, name: str) -> str:
    """A URN below the fleet; `types` without the prefix that all components have."""
    around = "$".join(one if ":" in one else f"gke-fleet:index:{one}" for one in types.split("$") if one)
    return f"{_FLEET}${around}::{name}" if around else f"{_FLEET}::{name}"


def change(application: str, kind: str = "version", **more: Any) -> Change:
    """A change of ADDON-CLUSTER."""
    addon, _, cluster = application.partition("-")
    usual = {"application": application, "addon": addon, "cluster": cluster, "from": "1.0.0", "to": "1.1.0"}
    return Change.model_validate({**usual, "change": kind, **more})


def step(cluster: str, op: str = "update", kind: str = CLUSTER, **more: Any) -> Step:
    """A step of a resource in a member's components."""
    found = urn(f"MemberCluster$JoinedCluster${kind}", cluster)
    return Step.model_validate({"op": op, "urn": found, "type": kind, "name": cluster, **more})


def clusters(steps: Sequence[Step]) -> Mapping[str, str]:
    """URN -> cluster of these steps."""
    return {one.urn: one.name for one in steps if one.name in RINGS}


def limits(**raw: Any) -> Limits:
    """Limits as a stack file has them."""
    return Limits.model_validate(raw)


def test_counts_what_is_removed_and_whom_it_touches() -> None:
    changes = [
        change("dns-tokyo", "removed", to=None, effect="pruned"),
        change("dns-osaka", "removed", to=None, effect="kept"),
        change("secrets-tokyo", "values"),
    ]
    steps = [step("nagoya"), step("dev1", "same"), step("hub", "read"), step("dev1", "refresh")]
    found = radius(changes, steps, clusters(steps), limits(), (), RINGS)
    assert (found.removed, found.clusters) == (2, 3)
    assert found.rings == {"canary": 1, "stable": 2}
    assert found.limits == ()
    assert not found.is_over


@pytest.mark.parametrize(
    "op", ["create", "delete", "replace", "create-replacement", "delete-replaced", "import"]
)
def test_every_operation_that_does_something_touches_a_cluster(op: str) -> None:
    steps = [step("tokyo", op)]
    assert radius((), steps, clusters(steps), limits(), (), RINGS).clusters == 1


def test_what_belongs_to_no_cluster_touches_none() -> None:
    steps = [step("acme-project", kind="gcp:projects/service:Service")]
    assert radius((), steps, clusters(steps), limits(), (), RINGS).clusters == 0


def test_a_cluster_that_moves_counts_in_both_rings() -> None:
    moved = change("dns-tokyo", "ring", **{"from": "stable", "to": "canary"})
    found = radius([moved], (), {}, limits(clustersPerRing=0), (), RINGS)
    assert found.rings == {"canary": 1, "stable": 1}
    assert {one.what for one in found.exceeded} == {"ring canary", "ring stable"}


@pytest.mark.parametrize(
    ("given", "exceeded"),
    [
        ({}, {}),
        ({"removed": 2, "clusters": 3, "clustersPerRing": {"stable": 2, "canary": 1}}, {}),
        ({"removed": 1}, {"removed": (2, 1, ("dns-osaka", "dns-tokyo"))}),
        ({"removed": 0}, {"removed": (2, 0, ("dns-osaka", "dns-tokyo"))}),
        ({"clusters": 2}, {"clusters": (3, 2, ("nagoya", "osaka", "tokyo"))}),
        ({"clustersPerRing": {"stable": 1}}, {"ring stable": (2, 1, ("nagoya", "osaka"))}),
        ({"clustersPerRing": 1}, {"ring stable": (2, 1, ("nagoya", "osaka"))}),
        ({"clustersPerRing": {"dev": 0}}, {}),
    ],
)
def test_limits(given: dict[str, Any], exceeded: dict[str, tuple[int, int, tuple[str, ...]]]) -> None:
    changes = [change(f"dns-{name}", "removed", to=None, effect="kept") for name in ("tokyo", "osaka")]
    steps = [step("nagoya")]
    found = radius(changes, steps, clusters(steps), limits(**given), (), RINGS)
    assert {one.what: (one.found, one.allowed, one.names) for one in found.exceeded} == exceeded
    assert found.is_over is bool(exceeded)
    told = {one.what for one in found.limits}
    by_ring = given.get("clustersPerRing", {})
    rings = by_ring if isinstance(by_ring, dict) else dict.fromkeys(RINGS.values())
    assert told == {name for name in ("removed", "clusters") if name in given} | {
        f"ring {name}" for name in rings
    }


def test_an_acknowledgement_is_for_one_change() -> None:
    changes = [change("dns-tokyo", "removed", to=None, effect="pruned")]
    name = fingerprint(changes, ())
    right = Acknowledgement(change=name, reason="the shop moves out")
    wrong = Acknowledgement(change="0" * 16, reason="another change")
    refused = radius(changes, (), {}, limits(removed=0), [wrong], RINGS)
    assert refused.is_over
    assert refused.change == name
    allowed = radius(changes, (), {}, limits(removed=0), [wrong, right], RINGS)
    assert allowed.exceeded
    assert not allowed.is_over
    assert allowed.acknowledged == "the shop moves out"
    more = [*changes, change("dns-osaka", "removed", to=None, effect="pruned")]
    assert radius(more, (), {}, limits(removed=0), [right], RINGS).is_over


_changes = st.lists(
    st.builds(
        change,
        st.sampled_from([f"dns-{name}" for name in RINGS]),
        st.sampled_from(["added", "removed", "version", "values"]),
    ),
    max_size=4,
)
_steps = st.lists(
    st.builds(
        step,
        st.sampled_from(list(RINGS)),
        st.sampled_from(["create", "update", "delete", "replace"]),
        detailed_diff=st.none()
        | st.dictionaries(st.sampled_from(["a.b", "c[0]"]), st.just({"kind": "update"}), max_size=2),
    ),
    max_size=4,
)


@settings(deadline=None)
@given(_changes, _steps, st.randoms(use_true_random=False))
def test_fingerprint_is_the_same_in_each_run_and_on_each_base(
    changes: list[Change], steps: list[Step], chance: random.Random
) -> None:
    name = fingerprint(changes, steps)
    assert len(name) == 16
    assert set(name) <= set("0123456789abcdef")
    reworded = [one.model_copy(update={"details": ("worded in another way",)}) for one in changes]
    shown = [one.model_copy(update={"lines": ("+ shown",), "diff_reasons": ("a",)}) for one in steps]
    others = [step(cluster, "same") for cluster in RINGS]
    mixed = [*shown, *others]
    chance.shuffle(reworded)
    chance.shuffle(mixed)
    assert fingerprint(reworded, mixed) == name


@settings(deadline=None)
@given(_changes, _steps)
def test_fingerprint_names_one_change(changes: list[Change], steps: list[Step]) -> None:
    name = fingerprint(changes, steps)
    names = {
        name,
        fingerprint([*changes, change("secrets-hub")], steps),
        fingerprint([*changes, change("secrets-hub", to="1.2.0")], steps),
        fingerprint([*changes, change("secrets-hub", "removed", effect="kept")], steps),
        fingerprint([*changes, change("secrets-hub", "removed", effect="pruned")], steps),
        fingerprint(changes, [*steps, step("hub", "replace", "x:y:Z")]),
        fingerprint(changes, [*steps, step("hub", "delete", "x:y:Z")]),
        fingerprint(changes, [*steps, step("hub", "replace", "x:y:Z", detailed_diff={"a": {}})]),
        fingerprint(changes, [*steps, step("hub", "replace", "x:y:Z", detailed_diff={"b": {}})]),
    }
    assert len(names) == 9


def test_what_is_destroyed() -> None:
    steps = [
        step("tokyo", "delete"),
        step("osaka", "delete-replaced"),
        step("nagoya", "discard"),
        step("dev1", "delete", "gcp:gkehub/membership:Membership"),
        step("somewhere", "delete"),
    ]
    assert destroyed_clusters(steps, clusters(steps)) == {"tokyo"}


NAMES = ("tokyo", "tokyo-shop", "prod", "hub")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (urn("MemberCluster", "tokyo"), "tokyo"),
        (urn("HubCluster$JoinedCluster$pulumi:providers:kubernetes", "hub"), "hub"),
        (urn(f"MemberCluster$JoinedCluster${CLUSTER}", "tokyo-shop"), "tokyo-shop"),
        (
            urn("MemberCluster$JoinedCluster$NodeAccount$gcp:serviceaccount/account:Account", "tokyo-nodes"),
            "tokyo",
        ),
        (urn("MemberCluster$kubernetes:rbac:ClusterRole", "tokyo-shop-fleet-argocd"), "tokyo-shop"),
        (urn("MemberCluster$JoinedCluster$gcp:container/nodePool:NodePool", "tokyo.system"), "tokyo"),
        (urn("ClusterSecret$kubernetes:core/v1:Secret", "cluster-tokyo-shop"), "tokyo-shop"),
        (urn("", "prod"), None),
        (urn("FleetHost$gcp:projects/service:Service", "prod-compute"), None),
        (urn("Addons$kubernetes:argoproj.io/v1alpha1:ApplicationSet", "hub"), None),
        (urn("MemberCluster", "osaka"), None),
        ("urn:pulumi:prod::gke-fleet::pulumi:pulumi:Stack::gke-fleet-prod", None),
        ("not a urn", None),
    ],
)
def test_cluster_by_urn_alone(at: str, expected: str | None) -> None:
    assert cluster_of(at, NAMES, {}) == expected


def test_parents_go_before_names() -> None:
    """A name may mislead: the node pool `shop.system` of the cluster `tokyo` beside a cluster `shop`."""
    pool, parent = urn("MemberCluster$x:y:Z", "tokyo-shop-x"), urn("MemberCluster", "tokyo")
    assert cluster_of(pool, NAMES, {}) == "tokyo-shop"
    assert cluster_of(pool, NAMES, {pool: parent, parent: urn("", "prod"), urn("", "prod"): None}) == "tokyo"
    assert cluster_of(pool, NAMES, {pool: pool}) is None, "a circle ends"


@pytest.mark.engine
def test_urns_of_a_real_preview_find_their_clusters() -> None:
    done = preview(CHECKOUT, "dev", cli=ensure("pulumi", silent) / "pulumi", states=True)
    assert done.exit_code == 0
    names = [cluster.name for cluster in load_stack(CHECKOUT / "stacks", "dev").fleet.clusters]
    parents = {state["urn"]: state.get("parent") for state in done.states}
    found = {at: cluster_of(at, names, parents) for at in parents}
    assert found == {at: cluster_of(at, names, {}) for at in parents}, "the names alone say the same"
    assert set(found.values()) == {*names, None}
    for state in done.states:
        at, kind = state["urn"], state["type"]
        provider = str(state.get("provider", "")).rpartition("::")[0].rpartition("::")[2]
        if kind in {CLUSTER, "pulumi:providers:kubernetes"}:
            assert found[at] == at.rpartition("::")[2]
        elif kind.startswith("kubernetes:rbac"):
            assert found[at] == provider
        elif kind == "kubernetes:core/v1:Secret" and "ClusterSecret" in at:
            assert found[at] == state["inputs"]["metadata"]["name"].removeprefix("cluster-")
        elif kind.startswith(("gcp:projects/service", "kubernetes:argoproj.io")):
            assert found[at] is None
