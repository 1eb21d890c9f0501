"""Names that are given at Google Cloud fit its rules and stay apart, whatever the clusters are called."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from model.cluster import Cluster
from model.cluster_secret import secret_name
from model.identity import ARGOCD_ACCOUNT, SERVER_ACCOUNT
from model.naming import (
    ACCOUNT_ID_LENGTH,
    network_name,
    node_account_id,
    router_name,
    shortened,
    subnetwork_name,
)
from model.vocabulary import REGIONS, ClusterName

ACCOUNT_ID = re.compile(r"[a-z]([-a-z0-9]{4,28}[a-z0-9])")
RESOURCE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

_any_name = st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True)
_alike = st.builds(
    # Names as people give them: long, and different only near the end.
    "{}-{}{}".format,
    st.sampled_from(
        ["asia-northeast1-payments-production", "asia-northeast1-payments-productiom", "a-" * 17 + "b"]
    ),
    st.integers(0, 99),
    st.sampled_from(["", "a"]),
)
names = _any_name | _alike


def cluster(name: str, project: str = "acme-shop") -> Cluster:
    return Cluster(name=name, project=project, location="asia-northeast1", kubernetes="1.36", ring="stable")


@settings(max_examples=300, deadline=None)
@given(names)
@example("a")
@example("a" * 40)
@example("a" * 23 + "-" + "b" * 16)
@example("a" + "-" * 38 + "b")
def test_every_name_fits(name: str) -> None:
    made = cluster(name)
    assert ACCOUNT_ID.fullmatch(node_account_id(made)), node_account_id(made)
    assert RESOURCE.fullmatch(subnetwork_name(made))
    assert LABEL.fullmatch(secret_name(made))


@settings(max_examples=200, deadline=None)
@given(st.lists(names, unique=True, min_size=2, max_size=60))
def test_no_two_clusters_of_a_fleet_get_one_name(given_names: list[str]) -> None:
    made = [cluster(name) for name in given_names]
    taken = [ARGOCD_ACCOUNT, SERVER_ACCOUNT, *map(node_account_id, made)]
    assert len(set(taken)) == len(taken)
    assert len({subnetwork_name(one) for one in made}) == len(made)


@given(st.text("abc-019", min_size=1, max_size=80), st.integers(12, 63))
def test_shortened_is_within_the_limit_and_leaves_what_fits(text: str, limit: int) -> None:
    short = shortened(text, limit)
    assert len(short) <= limit and short == shortened(text, limit)
    if len(text) <= limit:
        assert short == text
    else:
        assert not short.endswith("-") and "--" not in short[-10:]


@given(st.text("ab-", min_size=40, max_size=60), st.text("ab-", min_size=40, max_size=60))
def test_texts_that_begin_alike_stay_apart(one: str, other: str) -> None:
    assert (shortened(one, 30) == shortened(other, 30)) == (one == other)


def test_a_name_does_not_change_with_the_program() -> None:
    """A changed name is a replaced account, so these are held to the letter."""
    assert node_account_id(cluster("tokyo-shop")) == "nodes-tokyo-shop"
    assert (
        node_account_id(cluster("asia-northeast1-payments-production-7")) == "nodes-asia-northeast1-f240131a"
    )
    assert (network_name(), router_name("asia-northeast1")) == ("fleet", "fleet-asia-northeast1")


def test_too_short_a_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="hold no name"):
        shortened("anything", 11)


@pytest.mark.parametrize("region", sorted(REGIONS))
def test_router_of_every_region_has_a_name(region: str) -> None:
    assert RESOURCE.fullmatch(router_name(region))


def test_account_ids_of_the_hub_fit() -> None:
    assert all(
        ACCOUNT_ID.fullmatch(name) and len(name) <= ACCOUNT_ID_LENGTH
        for name in (ARGOCD_ACCOUNT, SERVER_ACCOUNT)
    )


@given(st.text(max_size=45))
def test_what_is_no_cluster_name_is_refused(text: str) -> None:
    adapter = TypeAdapter[str](ClusterName)
    try:
        adapter.validate_python(text)
    except ValidationError:
        assert not re.fullmatch(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", text)
    else:
        assert re.fullmatch(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", text)
