"""Who reaches the private address of a control plane, obstacle by obstacle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plugins.gcp.types import TYPES
from sandbox.cloud.networks import Networks
from sandbox.cloud.organization import PROJECT, Organization
from sandbox.cloud.reach import Reach, Unreachable, private
from sandbox.cloud.store import Record, Store
from tests.cloud.client import CLUSTER, HUB, SHOP

SHARED = f"projects/{HUB}/global/networks/shared"
RANGES = {"clusterSecondaryRangeName": "pods", "servicesSecondaryRangeName": "services"}
HUB_PODS = "10.16.0.0/14"


def cluster(name: str, place: str, project: str = HUB, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "project": project,
        "location": "asia-northeast1",
        "network": SHARED,
        "subnetwork": f"projects/{HUB}/regions/asia-northeast1/subnetworks/{place}",
        "ipAllocationPolicy": RANGES,
    } | more


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.open(tmp_path / "store.json")
    for project in (HUB, SHOP):
        inputs = {"projectId": project, "name": project}
        made.put(Record(type=PROJECT, id=f"projects/{project}", inputs=inputs, outputs={}, created=0))
    return made


def put(store: Store, inputs: dict[str, Any]) -> Record:
    """A running cluster; returns its record."""
    kind = TYPES[CLUSTER]
    outputs = dict(kind.outputs(inputs, lambda project: "1"))
    record = Record(type=CLUSTER, id=kind.identify(inputs), inputs=inputs, outputs=outputs, created=0)
    store.put(record)
    return record


def reached(store: Store, member: Record, hub: Record | None) -> Record:
    address = str(member.outputs["privateClusterConfig"]["privateEndpoint"])
    assert private(address)
    return Reach(store, Networks(store, Organization(store))).cluster(address, hub)


def blocks(*ranges: str) -> dict[str, Any]:
    return {"cidrBlocks": [{"cidrBlock": text, "displayName": "x"} for text in ranges]}


@pytest.mark.parametrize(
    "more",
    [
        {"masterAuthorizedNetworksConfig": blocks(HUB_PODS)},
        {"masterAuthorizedNetworksConfig": blocks("10.99.0.0/16", "10.0.0.0/8")},
        {"network": f"https://www.googleapis.com/compute/v1/{SHARED}"},
        {"network": "shared"},
        {
            "location": "asia-northeast2",
            "subnetwork": "x",
            "privateClusterConfig": {"masterGlobalAccessConfig": {"enabled": True}},
        },
    ],
)
def test_what_is_reached_from_the_hub(store: Store, more: dict[str, Any]) -> None:
    hub, member = put(store, cluster("hub", "hub")), put(store, cluster("lab", "lab", **more))
    assert reached(store, member, hub) is member


def test_the_clusters_own_subnetwork_needs_no_authorization(store: Store) -> None:
    hub = put(store, cluster("hub", "hub"))
    member = put(store, cluster("lab", "hub", masterAuthorizedNetworksConfig=blocks()))
    assert reached(store, member, hub) is member


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"network": f"projects/{HUB}/global/networks/fleet"}, "global/networks/fleet"),
        ({"network": "default", "project": SHOP}, f"projects/{SHOP}/global/networks/default"),
        ({"masterAuthorizedNetworksConfig": blocks()}, "authorized: nothing"),
        ({"masterAuthorizedNetworksConfig": {}}, "authorized: nothing"),
        # The nodes' range is not enough: the packets are the Pods'.
        ({"masterAuthorizedNetworksConfig": blocks("10.10.0.0/20")}, f"{HUB_PODS}) are not authorized"),
        ({"masterAuthorizedNetworksConfig": blocks("10.16.0.0/15")}, f"{HUB_PODS}) are not authorized"),
        ({"location": "asia-northeast2", "subnetwork": "x"}, "no global access"),
        (
            {"controlPlaneEndpointsConfig": {"ipEndpointsConfig": {"enabled": False}}},
            "nothing in the caller's network has this address",
        ),
    ],
)
def test_what_stops_the_hubs_packets(store: Store, more: dict[str, Any], words: str) -> None:
    hub, member = put(store, cluster("hub", "hub")), put(store, cluster("lab", "lab", **more))
    with pytest.raises(Unreachable, match=r"dial tcp 10\.[\d.]+:443: i/o timeout") as error:
        reached(store, member, hub)
    assert words in str(error.value)


def test_nobody_outside_reaches_anything(store: Store) -> None:
    member = put(store, cluster("lab", "lab"))
    with pytest.raises(Unreachable, match="in no network"):
        reached(store, member, None)


def test_a_cluster_that_does_not_run_yet(store: Store) -> None:
    hub, member = put(store, cluster("hub", "hub")), put(store, cluster("lab", "lab"))
    member.state = "PROVISIONING"
    with pytest.raises(Unreachable):
        reached(store, member, hub)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.1.2.3", True),
        ("172.31.0.1", True),
        ("172.32.0.1", False),
        ("192.168.1.1", True),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("8.8.8.8", False),
        ("10.example.com", False),
        ("", False),
    ],
)
def test_private_addresses(host: str, expected: bool) -> None:
    assert private(host) is expected
