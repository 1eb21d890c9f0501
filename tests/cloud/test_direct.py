"""The endpoints that a cluster has of its own: what they ask, who gets there, under whose certificate.

The API servers are a small HTTP server, so these tests prove what is asked before it and what it is sent.
`test_reach.py` has the rules of networks.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import urllib.parse
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.cloud.authority import Authority
from sandbox.environment import environment
from tests.cloud import fleet
from tests.cloud.client import ARGOCD, CLUSTER, HUB, Answer, Client
from tests.cloud.doors import address, authority, dns_host, granted, private, proxy_of
from tests.cloud.machines import Upstream

PODS = "/api/v1/namespaces/a/pods"
SUBNETWORKS = f"projects/{HUB}/regions/asia-northeast1/subnetworks"
SHARED: dict[str, Any] = {
    "network": f"projects/{HUB}/global/networks/shared",
    "ipAllocationPolicy": {"clusterSecondaryRangeName": "pods", "servicesSecondaryRangeName": "services"},
}


def headers(answer: Answer, name: str) -> list[str]:
    return [value for key, value in answer.json["headers"] if key.lower() == name.lower()]


def lab(client: Client, **more: Any) -> dict[str, Any]:
    """A cluster `lab` in the hub's network, not in the fleet; returns its outputs."""
    inputs = fleet.cluster("lab", subnetwork=f"{SUBNETWORKS}/lab", **SHARED) | more
    del inputs["fleet"]
    outputs: dict[str, Any] = client.made(CLUSTER, **inputs)["outputs"]
    return outputs


@pytest.fixture
def argocd(client: Client, upstream: Upstream) -> Client:
    """A hub in the network `shared`, with Argo CD's account, which has no role."""
    fleet.host(client)
    client.made(CLUSTER, **fleet.cluster(subnetwork=f"{SUBNETWORKS}/hub", **SHARED))
    upstream.annotations["argocd-server"] = {"iam.gke.io/gcp-service-account": ARGOCD}
    fleet.argocd(client)
    return client


def dns_config(*, external: bool = True) -> dict[str, Any]:
    return {"controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": external}}}


def grant(client: Client, role: str) -> None:
    """Give Argo CD's account a role on the clusters' project."""
    granted(client, HUB, role, f"serviceAccount:{ARGOCD}")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_dns_endpoint_lets_in_who_may_connect(argocd: Client) -> None:
    host = dns_host(lab(argocd, **dns_config()))
    token = argocd.argocd_token()
    answer = argocd.https(host, "/version", headers=bearer(token))
    assert answer.status == 403
    assert "Permission 'container.clusters.connect' denied on resource" in answer.message
    assert answer.json["error"]["details"][0]["metadata"]["permission"] == "container.clusters.connect"
    grant(argocd, "roles/container.clusterViewer")
    answer = argocd.https(host, f"{PODS}?limit=5", headers=bearer(token))
    assert answer.json["path"] == f"/lab{PODS}?limit=5"
    assert headers(answer, "Impersonate-User") == [ARGOCD]
    assert headers(answer, "Impersonate-Group") == ["system:authenticated"]
    assert headers(answer, "Authorization") == []


def test_iam_is_the_second_authorizer_at_the_dns_endpoint_too(argocd: Client, upstream: Upstream) -> None:
    host = dns_host(lab(argocd, **dns_config()))
    grant(argocd, "roles/container.developer")
    sent = bearer(argocd.argocd_token())
    answer = argocd.https(host, "/version", headers=sent)
    assert headers(answer, "Impersonate-Group") == ["system:authenticated", "iam:container.developer"]
    message = 'nodes is forbidden: User "E" cannot list resource "nodes" in API group "" at the cluster scope'
    upstream.forbidden = {"kind": "Status", "code": 403, "message": message}
    answer = argocd.https(host, "/forbidden", headers=sent)
    assert answer.json["message"].endswith('requires one of ["container.nodes.list"] permission(s).')


def test_the_dns_endpoint_without_external_traffic(argocd: Client) -> None:
    grant(argocd, "roles/container.clusterViewer")
    host = dns_host(lab(argocd, **dns_config(external=False)))
    answer = argocd.https(host, "/version", headers=bearer(argocd.argocd_token()))
    assert answer.status == 403
    assert "does not allow external traffic" in answer.message


def test_the_dns_endpoint_asks_for_a_token(argocd: Client) -> None:
    host = dns_host(lab(argocd, **dns_config()))
    assert argocd.https(host, "/version").status == 401
    unknown = "gke-0-1.asia-northeast1.gke.goog"
    assert argocd.https(unknown, "/version", headers=bearer(argocd.token())).status == 404


def test_nobody_impersonates(argocd: Client) -> None:
    host = dns_host(lab(argocd, **dns_config()))
    sent = bearer(argocd.token()) | {"Impersonate-User": "system:admin"}
    answer = argocd.https(host, "/version", headers=sent)
    assert answer.status == 403
    assert "Impersonate-User" in answer.message


def test_direct_requests_cost_nothing_of_the_gateways_budget(argocd: Client) -> None:
    outputs = lab(argocd, **dns_config())
    argocd.faults(requestsPerMinute=0)
    sent = bearer(argocd.token())
    assert argocd.gateway("/version").status == 429
    assert argocd.https(dns_host(outputs), "/version", headers=sent).status == 200
    assert private(argocd, address(outputs), authority(outputs), PODS, **sent).status == 200
    id_ = f"projects/{HUB}/locations/asia-northeast1/clusters/lab"
    counted = argocd.control("/v1/requests").json["endpoints"]
    assert counted[f"dns {id_}"]["verbs"] == {"discovery": 1}
    assert counted[f"private {id_}"]["verbs"] == {"list": 1}
    assert counted[f"private {id_}"]["statuses"] == {"200": 1}


def test_a_private_address_is_for_the_hubs_network_only(argocd: Client) -> None:
    outputs = lab(argocd)
    sent = bearer(argocd.argocd_token())
    answer = private(argocd, address(outputs), authority(outputs), **sent)
    assert answer.json["path"] == "/lab/version"
    # No role on any project: RBAC alone decides.
    assert headers(answer, "Impersonate-User") == [ARGOCD]
    assert headers(answer, "Impersonate-Group") == ["system:authenticated"]
    with pytest.raises(OSError, match=rf"dial tcp {address(outputs)}:443: i/o timeout"):
        private(argocd, address(outputs), authority(outputs), proxy="proxy", **sent)


def test_a_private_address_in_another_network(argocd: Client) -> None:
    outputs = lab(argocd, network="default", subnetwork="default", ipAllocationPolicy={})
    with pytest.raises(OSError, match="i/o timeout"):
        private(argocd, address(outputs), authority(outputs))


def test_authorized_networks(argocd: Client) -> None:
    def authorized(*ranges: str) -> dict[str, Any]:
        return {"cidrBlocks": [{"cidrBlock": text, "displayName": "hub"} for text in ranges]}

    outputs = lab(argocd, masterAuthorizedNetworksConfig=authorized("10.10.0.0/20"))
    with pytest.raises(OSError, match="not authorized"):
        private(argocd, address(outputs), authority(outputs))


def test_who_claims_to_be_the_hub_must_know(argocd: Client) -> None:
    outputs = lab(argocd)
    argocd.cloud["other"] = f"http://hub:guess@{urllib.parse.urlsplit(argocd.cloud['proxy']).netloc}"
    with pytest.raises(OSError, match="407"):
        private(argocd, address(outputs), authority(outputs), proxy="other")


def test_each_cluster_has_an_authority_of_its_own(argocd: Client) -> None:
    outputs = lab(argocd)
    other = argocd.control(
        "/v1/read", {"type": CLUSTER, "id": f"projects/{HUB}/locations/asia-northeast1/clusters/hub"}
    ).json["outputs"]
    assert authority(other) != authority(outputs)
    for ca in (authority(other), Path(argocd.cloud["ca"]).read_text()):
        with pytest.raises(ssl.SSLCertVerificationError):
            private(argocd, address(outputs), ca)


def test_a_private_address_answers_as_an_api_server_does(argocd: Client) -> None:
    outputs = lab(argocd)
    answer = private(argocd, address(outputs), authority(outputs))
    assert (answer.status, answer.json["kind"], answer.json["reason"]) == (401, "Status", "Unauthorized")
    answer = private(
        argocd, address(outputs), authority(outputs), **bearer(argocd.token()), Upgrade="SPDY/3.1"
    )
    assert (answer.status, answer.json["kind"]) == (400, "Status")


def test_the_port_behind_the_proxy_serves_nobody_else(argocd: Client) -> None:
    outputs = lab(argocd)
    ports = json.loads((argocd.state / "cloud" / "endpoints.json").read_text())["ports"]
    connection = http.client.HTTPConnection("127.0.0.1", ports["direct"], timeout=10)
    with pytest.raises((ConnectionError, http.client.BadStatusLine)):
        connection.request("GET", "/version", headers=bearer(argocd.token()) | {"Host": address(outputs)})
        connection.getresponse()
    connection.close()


async def _exec(client: Client, host: str, context: ssl.SSLContext, proxy: str) -> bytes:
    where, told = proxy_of(proxy)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"https://{host}{PODS}/p/exec?command=ls",
            headers=bearer(client.token()),
            protocols=["v5.channel.k8s.io"],
            proxy=f"http://{where}",
            proxy_headers=told,
            ssl=context,
        ) as socket,
    ):
        await socket.send_bytes(b"hello")
        return await socket.receive_bytes(timeout=10)


def test_exec_goes_through_both(argocd: Client) -> None:
    outputs = lab(argocd, **dns_config())
    public = ssl.create_default_context(cafile=argocd.cloud["ca"])
    own = ssl.create_default_context(cadata=authority(outputs))
    assert asyncio.run(_exec(argocd, dns_host(outputs), public, argocd.cloud["proxy"])) == b"echo hello"
    assert asyncio.run(_exec(argocd, address(outputs), own, argocd.cloud["hubProxy"])) == b"echo hello"


def test_a_watch_ends_with_its_watcher(argocd: Client, upstream: Upstream) -> None:
    host = dns_host(lab(argocd, **dns_config()))
    connection = argocd.connect(host)
    connection.request("GET", f"{PODS}?watch=true", headers=bearer(argocd.token()))
    answer = connection.getresponse()
    assert answer.read1() == b"first\n"
    answer.close()
    connection.close()
    assert upstream.gone.wait(10)


def test_faults_of_one_cluster(argocd: Client) -> None:
    outputs = lab(argocd, **dns_config())
    sent = bearer(argocd.token())
    argocd.faults(clusters={"lab": {"status": 503}})
    assert argocd.https(dns_host(outputs), "/version", headers=sent).status == 503
    assert private(argocd, address(outputs), authority(outputs), **sent).status == 503
    argocd.faults(clusters={"lab": {"down": True}})
    with pytest.raises(OSError, match=r"closed|reset|EOF|without response"):
        argocd.https(dns_host(outputs), "/version", headers=sent)
    argocd.faults(clusters={"lab": None})
    assert argocd.https(dns_host(outputs), "/version", headers=sent).status == 200
    assert argocd.control("/v1/faults", {"clusters": {"lab": {"status": 200}}}).status == 400


def test_an_api_server_that_is_gone(argocd: Client, upstream: Upstream) -> None:
    outputs = lab(argocd, **dns_config())
    sent = bearer(argocd.token())
    upstream.close()
    assert argocd.https(dns_host(outputs), "/version", headers=sent).status == 503
    assert private(argocd, address(outputs), authority(outputs), **sent).json["kind"] == "Status"


def test_a_deleted_cluster_ends_at_both(argocd: Client) -> None:
    outputs = lab(argocd, **dns_config())
    sent = bearer(argocd.token())
    assert argocd.delete(CLUSTER, f"projects/{HUB}/locations/asia-northeast1/clusters/lab").status == 200
    assert argocd.https(dns_host(outputs), "/version", headers=sent).status == 404
    with pytest.raises(OSError, match="i/o timeout"):
        private(argocd, address(outputs), authority(outputs))


def test_the_environment_of_the_hubs_processes(argocd: Client) -> None:
    assert environment(argocd.state, {}, hub=True)["HTTPS_PROXY"] == argocd.cloud["hubProxy"]
    assert environment(argocd.state, {})["HTTPS_PROXY"] == argocd.cloud["proxy"]


def test_the_certificate_of_a_dns_endpoint_is_made_for_its_name(client: Client) -> None:
    host = "gke-abc-100000000001.asia-northeast1.gke.goog"
    connection = client.connect(host)
    connection.connect()
    assert isinstance(connection.sock, ssl.SSLSocket)
    assert connection.sock.getpeercert()["subjectAltName"] == (("DNS", host),)  # type: ignore[index]
    connection.close()


def test_the_authorities_survive_a_restart(tmp_path: Path) -> None:
    first = Authority(tmp_path)
    public, own = first.certificate.read_text(), first.cluster_certificate("a")
    second = Authority(tmp_path)
    assert (second.certificate.read_text(), second.cluster_certificate("a")) == (public, own)
    assert second.cluster_certificate("b") != own


def test_the_public_authority_is_good_for_the_sandboxs_names_only(tmp_path: Path) -> None:
    from cryptography import x509

    made = x509.load_pem_x509_certificate(Authority(tmp_path).certificate.read_bytes())
    constraints = made.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [name.value for name in constraints.value.permitted_subtrees or ()] == [
        "googleapis.com",
        "gke.goog",
        "mirror.fleet.internal",
    ]


def test_a_restart_keeps_the_hubs_way(argocd: Client) -> None:
    stored = json.loads((argocd.state / "cloud" / "endpoints.json").read_text())
    assert f":{stored['inside']}@" in argocd.cloud["hubProxy"]
    assert stored["ports"]["direct"]
