"""How Argo CD and the deployer reach a cluster: addresses, Secrets, kubeconfigs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from model import load_stack
from model.cluster import Cluster
from model.cluster_secret import secret_content
from model.fleet import Fleet
from model.gateway import gateway_url, kubeconfig, server_url
from model.stamping import stamp
from tests.model.conftest import FLEET

CERTIFICATE = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="
REGIONAL = "https://asia-northeast1-connectgateway.googleapis.com/v1/projects/100000000001/locations/asia-northeast1/"
GLOBAL = "https://connectgateway.googleapis.com/v1/projects/100000000001/locations/global/"
FOUND = "    join: registered\n    membership: {id: old, location: global}\n"
HOST = "gke-0a1b-100000000002.asia-northeast1.gke.goog"

SERVERS = {
    "gateway, created": ("", f"{REGIONAL}gkeMemberships/tokyo"),
    "gateway, registered": ("    join: register\n", f"{REGIONAL}gkeMemberships/tokyo"),
    "gateway, global": (FOUND, f"{GLOBAL}gkeMemberships/old"),
    "gateway, agent": (FOUND.replace("global}", "global, agent: true}"), f"{GLOBAL}memberships/old"),
    "gateway, regional agent": (
        "    join: registered\n    membership: {id: old, location: asia-northeast1, agent: true}\n",
        f"{REGIONAL}memberships/old",
    ),
    "dns, created": ("    endpoint: dns\n", None),
    "dns, found": (f"{FOUND}    endpoint: dns\n    dnsHost: {HOST}\n", f"https://{HOST}"),
    "private, created": ("    endpoint: private\n    authorizedNetworks: {hub: 10.0.0.0/8}\n", None),
    "private, found": (
        f"{FOUND}    endpoint: private\n"
        f"    privateEndpoint: {{address: 10.0.0.2, caCertificate: {CERTIFICATE}}}\n",
        "https://10.0.0.2",
    ),
}


@pytest.fixture
def tokyo(folder: Callable[..., Path]) -> Callable[[str], tuple[Fleet, Cluster]]:
    """Makes the small fleet with lines under its first member."""

    def make(lines: str) -> tuple[Fleet, Cluster]:
        text = FLEET.replace("  - name: tokyo\n", f"  - name: tokyo\n{lines}")
        fleet = load_stack(folder(fleet=text), "acme").fleet
        return fleet, fleet.members[0]

    return make


@pytest.mark.parametrize(("lines", "server"), SERVERS.values(), ids=list(SERVERS))
def test_server(tokyo: Callable[[str], tuple[Fleet, Cluster]], lines: str, server: str | None) -> None:
    fleet, cluster = tokyo(lines)
    assert server_url(fleet, cluster) == server
    assert server_url(fleet, fleet.hub) == "https://kubernetes.default.svc"


@pytest.mark.parametrize(("lines", "_server"), SERVERS.values(), ids=list(SERVERS))
def test_deployer_goes_through_the_gateway_whatever_argocd_does(
    tokyo: Callable[[str], tuple[Fleet, Cluster]], lines: str, _server: str | None
) -> None:
    fleet, cluster = tokyo(lines)
    (entry,) = json.loads(kubeconfig(fleet, cluster))["clusters"]
    assert entry["cluster"] == {"server": gateway_url(fleet, cluster)}
    assert "connectgateway.googleapis.com" in gateway_url(fleet, cluster)


def test_private_address_needs_the_authority(tokyo: Callable[[str], tuple[Fleet, Cluster]]) -> None:
    fleet, cluster = tokyo(SERVERS["private, found"][0])
    assert cluster.private_endpoint is not None
    content = secret_content(fleet, cluster, "https://10.0.0.2", cluster.private_endpoint.ca_certificate)
    config = json.loads(content["config"])
    assert content["server"] == "https://10.0.0.2"
    assert config["tlsClientConfig"] == {"insecure": False, "caData": CERTIFICATE}
    assert config["execProviderConfig"]["args"] == ["gcp"]


def test_address_that_is_not_known_yet_is_empty_in_the_list(folder: Callable[..., Path]) -> None:
    text = FLEET.replace("  - name: tokyo\n", "  - name: tokyo\n    endpoint: dns\n")
    made = load_stack(folder(fleet=text), "acme")
    servers = {one.cluster: one.server for one in stamp(made.fleet, made.catalogue)}
    assert servers["tokyo"] == "" and servers["hub"] == "https://kubernetes.default.svc"
    assert servers["osaka"].endswith("/gkeMemberships/osaka")
