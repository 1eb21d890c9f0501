"""Connect Gateway: whom it lets in, what it asks for, what it passes on, and what goes wrong on purpose.

Behind it stands a small HTTP server, so these tests prove what the gateway sends and answers, not that an API
server takes it; `test_real.py` does that.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from sandbox.cloud.tokens import Tokens
from tests.cloud import fleet
from tests.cloud.client import (
    ARGOCD,
    BASE,
    CLUSTER,
    DEPLOYER,
    HOST,
    HUB,
    MEMBERSHIP,
    NUMBER,
    SERVICE,
    SHOP,
    Answer,
    Client,
    until,
)
from tests.cloud.doors import AgentUpstream, granted, person, revoked
from tests.cloud.machines import FakeMachines, Upstream

PODS = "/api/v1/namespaces/a/pods"


def refused(answer: Answer, code: int, status: str, *words: str) -> None:
    assert answer.status == code, answer.body
    assert answer.json["error"]["status"] == status
    for word in words:
        assert word in answer.message


def headers(answer: Answer, name: str) -> list[str]:
    return [value for key, value in answer.json["headers"] if key.lower() == name.lower()]


def grant(client: Client, role: str, project: str = HUB) -> str:
    """Give Argo CD's account a role; returns the grant's id."""
    return granted(client, project, role, f"serviceAccount:{ARGOCD}")


@pytest.fixture
def argocd(hub: Client, upstream: Upstream) -> Client:
    """A hub with Argo CD's account, which has no role yet."""
    upstream.annotations["argocd-server"] = {"iam.gke.io/gcp-service-account": ARGOCD}
    fleet.argocd(hub)
    return hub


@pytest.mark.parametrize(
    "authorization",
    [None, "Basic abc", "Bearer ", "Bearer x", "Bearer ya29.sandbox.x.y", "Bearer ya29.sandbox.\xe9"],
)
def test_who_has_no_token(hub: Client, authorization: str | None) -> None:
    sent = {} if authorization is None else {"Authorization": authorization}
    refused(hub.https(HOST, f"{BASE}/hub/version", headers=sent), 401, "UNAUTHENTICATED")


def test_a_token_ends_and_cannot_be_made_up() -> None:
    now = 0.0
    tokens = Tokens(b"key", lambda email: email != "gone", lambda: now)
    token = tokens.issue("a", lifetime=10).access_token
    assert tokens.account(token) == "a"
    assert tokens.account(token[:-1] + ("0" if token[-1] != "0" else "1")) is None
    assert Tokens(b"other", lambda email: True, lambda: now).account(token) is None
    assert tokens.account(tokens.issue("gone").access_token) is None
    now = 10.0
    assert tokens.account(token) is None


def test_the_api_must_be_enabled_on_the_host(hub: Client) -> None:
    assert hub.gateway("/version").status == 200
    assert hub.delete(SERVICE, f"{HUB}/connectgateway.googleapis.com").status == 200
    refused(
        hub.gateway("/version"),
        403,
        "PERMISSION_DENIED",
        f"Connect Gateway API has not been used in project {NUMBER} before or it is disabled",
    )


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("", ""),
        ("roles/gkehub.viewer", ""),
        ("roles/container.admin", ""),
        ("roles/gkehub.gatewayReader", "GET"),
        ("roles/gkehub.gatewayEditor", "GET POST PUT PATCH DELETE"),
        ("roles/gkehub.gatewayAdmin", "GET POST PUT PATCH DELETE"),
    ],
)
def test_a_role_lets_its_verbs_through(argocd: Client, role: str, allowed: str) -> None:
    if role:
        grant(argocd, role)
    token = argocd.argocd_token()
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = argocd.gateway(PODS, method=method, token=token)
        if method in allowed.split():
            assert (answer.status, answer.json["method"]) == (200, method)
        else:
            refused(
                answer,
                403,
                "PERMISSION_DENIED",
                f"Permission 'gkehub.gateway.{method.lower()}' denied on resource "
                f"'projects/{NUMBER}/locations/asia-northeast1/memberships/hub'",
            )


def test_a_role_counts_on_the_host_project_only(argocd: Client) -> None:
    grant(argocd, "roles/gkehub.gatewayEditor", SHOP)
    refused(argocd.gateway("/version", token=argocd.argocd_token()), 403, "PERMISSION_DENIED")


def test_a_new_grant_counts_after_the_delay_and_a_removed_one_at_once(argocd: Client) -> None:
    token = argocd.argocd_token()
    argocd.faults(grantDelay=0.5)
    made = grant(argocd, "roles/gkehub.gatewayEditor")
    assert argocd.gateway("/version", token=token).status == 403
    until(lambda: argocd.gateway("/version", token=token).status == 200, "the grant counts")
    revoked(argocd, made)
    assert argocd.gateway("/version", token=token).status == 403


def test_exec_needs_stream(argocd: Client) -> None:
    grant(argocd, "roles/gkehub.gatewayEditor")
    token = argocd.argocd_token()
    answer = argocd.gateway(f"{PODS}/p/exec?command=ls", method="POST", token=token)
    refused(answer, 403, "PERMISSION_DENIED", "gkehub.gateway.stream")
    answer = argocd.gateway(f"{PODS}/p/log?follow=true", token=token)
    assert answer.status == 200


def test_spdy_is_refused(argocd: Client) -> None:
    grant(argocd, "roles/gkehub.gatewayAdmin")
    answer = argocd.gateway(
        f"{PODS}/p/exec", method="POST", token=argocd.argocd_token(), Connection="Upgrade", Upgrade="SPDY/3.1"
    )
    refused(answer, 400, "INVALID_ARGUMENT", "spdy/3.1")


async def _exec(client: Client, token: str) -> Any:
    tls = ssl.create_default_context(cafile=client.cloud["ca"])
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(
            f"https://{HOST}{BASE}/hub{PODS}/p/exec?command=ls",
            headers={"Authorization": f"Bearer {token}"},
            protocols=["v5.channel.k8s.io"],
            proxy=client.cloud["proxy"],
            ssl=tls,
        ) as socket,
    ):
        await socket.send_bytes(b"hello")
        return socket.protocol, await socket.receive_bytes(timeout=10), client.control("/v1/requests").json


def test_exec_goes_through_a_websocket(argocd: Client) -> None:
    grant(argocd, "roles/gkehub.gatewayAdmin")
    token = argocd.argocd_token()
    protocol, said, requests = asyncio.run(_exec(argocd, token))
    assert (protocol, said) == ("v5.channel.k8s.io", b"echo hello")
    assert requests["projects"][HUB]["streams"] == 1
    until(
        lambda: argocd.control("/v1/requests").json["projects"][HUB]["streams"] == 0,
        "the stream is given back",
    )
    argocd.faults(streams=0)
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        asyncio.run(_exec(argocd, token))
    assert error.value.status == 429


@pytest.mark.parametrize(
    ("host", "path"),
    [
        (HOST, f"{BASE}/nobody/version"),
        (HOST, f"{BASE.replace('gkeMemberships', 'memberships')}/hub/version"),
        (HOST, f"{BASE.replace('asia-northeast1', 'asia-northeast2')}/hub/version"),
        (HOST, f"{BASE.replace('asia-northeast1', 'global')}/hub/version"),
        ("connectgateway.googleapis.com", f"{BASE}/hub/version"),
        ("connectgateway.googleapis.com", f"{BASE.replace('asia-northeast1', 'global')}/hub/version"),
        ("asia-northeast2-connectgateway.googleapis.com", f"{BASE}/hub/version"),
        (HOST, "/v1/projects/100000000001/version"),
        (HOST, "/v2" + BASE.removeprefix("/v1") + "/hub/version"),
        ("container.googleapis.com", "/v1/projects"),
    ],
)
def test_what_is_not_found(hub: Client, host: str, path: str) -> None:
    answer = hub.https(host, path, headers={"Authorization": f"Bearer {hub.token()}"})
    refused(answer, 404, "NOT_FOUND")


def test_a_registered_cluster_answers_at_the_global_host(client: Client) -> None:
    fleet.host(client)
    inputs = fleet.cluster()
    del inputs["fleet"]
    made = client.made(CLUSTER, **inputs)
    endpoint = {"gkeCluster": {"resourceLink": f"//container.googleapis.com/{made['id']}"}}
    client.made(MEMBERSHIP, project=HUB, membershipId="hub", endpoint=endpoint)
    sent = {"Authorization": f"Bearer {client.token()}"}
    path = f"{BASE.replace('asia-northeast1', 'global')}/hub/version"
    assert client.https("connectgateway.googleapis.com", path, headers=sent).status == 200
    assert client.https(HOST, f"{BASE}/hub/version", headers=sent).status == 404


def test_an_unknown_project(hub: Client) -> None:
    path = f"{BASE.replace(NUMBER, '999999999999')}/hub/version"
    answer = hub.https(HOST, path, headers={"Authorization": f"Bearer {hub.token()}"})
    refused(answer, 403, "PERMISSION_DENIED", "999999999999")


def test_what_the_member_gets_to_see(hub: Client) -> None:
    answer = hub.gateway(
        f"{PODS}?fieldSelector=a%3Db&limit=5",
        method="POST",
        body='{"a": 1}',
        Accept="application/json",
        **{"Content-Type": "application/json", "X-Remote-User": "root", "X-Remote-Group": "system:masters"},
    )
    assert answer.json["path"] == f"/hub{PODS}?fieldSelector=a%3Db&limit=5"
    assert answer.json["body"] == '{"a": 1}'
    assert headers(answer, "Impersonate-User") == [DEPLOYER]
    # The deployer has container.admin on the hub's project.
    assert headers(answer, "Impersonate-Group") == ["system:authenticated", "iam:container.admin"]
    assert headers(answer, "Content-Type") == ["application/json"]
    assert (
        headers(answer, "Authorization")
        == headers(answer, "X-Remote-User")
        == headers(answer, "X-Remote-Group")
        == []
    )


@pytest.mark.parametrize(
    ("project", "role", "groups"),
    [
        (HUB, "roles/container.developer", ["iam:container.developer"]),
        (HUB, "roles/container.viewer", ["iam:container.viewer"]),
        (SHOP, "roles/container.admin", []),
    ],
)
def test_iam_as_second_authorizer_is_that_of_the_clusters_project(
    argocd: Client, project: str, role: str, groups: list[str]
) -> None:
    grant(argocd, "roles/gkehub.gatewayEditor")
    grant(argocd, role, project)
    answer = argocd.gateway("/version", token=argocd.argocd_token())
    assert headers(answer, "Impersonate-Group") == ["system:authenticated", *groups]


@pytest.mark.parametrize("header", ["Impersonate-User", "impersonate-group", "Impersonate-Extra-scopes"])
def test_nobody_impersonates(hub: Client, header: str) -> None:
    answer = hub.gateway("/version", **{header: "system:masters"})
    refused(answer, 403, "PERMISSION_DENIED", header)


def test_headers_up_to_8_kb(hub: Client) -> None:
    assert hub.gateway("/version", **{"X-A": "a" * 7000}).status == 200
    refused(hub.gateway("/version", **{"X-A": "a" * 8200}), 431, "INVALID_ARGUMENT", "8 KB")


def test_a_large_body_is_no_matter(hub: Client) -> None:
    assert len(hub.gateway(PODS, method="POST", body="a" * 3_000_000).json["body"]) == 3_000_000


def test_a_refusal_of_rbac_names_the_iam_permission_too(hub: Client, upstream: Upstream) -> None:
    message = 'nodes is forbidden: User "E" cannot list resource "nodes" in API group "" at the cluster scope'
    upstream.forbidden = {"kind": "Status", "code": 403, "message": message}
    answer = hub.gateway("/forbidden")
    assert answer.status == 403
    assert answer.json["message"] == message + ': requires one of ["container.nodes.list"] permission(s).'
    upstream.forbidden = {"kind": "Status", "code": 403, "message": "admission webhook denied the request"}
    assert hub.gateway("/forbidden").json["message"] == "admission webhook denied the request"


def test_the_budget_of_a_minute(hub: Client) -> None:
    token = hub.token()
    hub.faults(requestsPerMinute=2)
    assert [hub.gateway("/version", token=token).status for _ in range(2)] == [200, 200]
    answer = hub.gateway("/version", token=token)
    refused(answer, 429, "RESOURCE_EXHAUSTED", f"project_number:{NUMBER}")
    hub.faults(clear=True)
    assert hub.gateway("/version", token=token).status == 200
    assert hub.control("/v1/faults").json["requestsPerMinute"] == 2400


def test_a_watch_comes_through_piece_by_piece_and_ends_with_its_watcher(
    hub: Client, upstream: Upstream
) -> None:
    connection = hub.connect(HOST)
    connection.request(
        "GET", f"{BASE}/hub{PODS}?watch=true", headers={"Authorization": f"Bearer {hub.token()}"}
    )
    answer = connection.getresponse()
    assert answer.getheader("Transfer-Encoding") == "chunked"
    assert answer.read1() == b"first\n"
    for number in range(3):
        upstream.more(f"{number}\n".encode())
        assert answer.read1() == f"{number}\n".encode()
    assert hub.control("/v1/requests").json["memberships"]["hub"]["verbs"] == {"watch": 1}
    assert not upstream.gone.is_set()
    answer.close()
    connection.close()
    assert upstream.gone.wait(10)
    until(
        lambda: hub.control("/v1/requests").json["memberships"]["hub"]["statuses"] == {"client gone": 1},
        "it is counted",
    )


@pytest.mark.parametrize(
    ("fault", "code", "status", "words"),
    [
        ({"status": 401}, 401, "UNAUTHENTICATED", ""),
        ({"status": 403}, 403, "PERMISSION_DENIED", ""),
        ({"status": 404}, 404, "NOT_FOUND", "gkeMemberships/hub"),
        ({"status": 429}, 429, "RESOURCE_EXHAUSTED", "Quota exceeded"),
        (
            {"agentLost": True},
            404,
            "NOT_FOUND",
            f"cannot connect to agent or connection unexpectedly terminated for (project: {NUMBER}, membership: hub)",
        ),
    ],
)
def test_a_fault_of_one_membership(
    hub: Client, fault: dict[str, Any], code: int, status: str, words: str
) -> None:
    hub.faults(memberships={"hub": fault})
    refused(hub.gateway("/version"), code, status, words)
    hub.faults(memberships={"other": fault, "hub": None})
    assert hub.gateway("/version").status == 200


def test_a_member_that_is_down_or_slow(hub: Client) -> None:
    hub.faults(memberships={"hub": {"down": True}})
    with pytest.raises(OSError, match=r"closed|reset|EOF|without response"):
        hub.gateway("/version")
    hub.faults(memberships={"hub": {"slow": 0.3}})
    before = time.monotonic()
    assert hub.gateway("/version").status == 200
    assert time.monotonic() - before >= 0.3
    assert hub.control("/v1/requests").json["memberships"]["hub"]["statuses"] == {"dropped": 1, "200": 1}


def test_an_api_server_that_is_gone(hub: Client, upstream: Upstream) -> None:
    assert hub.gateway("/version").status == 200
    upstream.close()
    refused(hub.gateway("/version"), 503, "UNAVAILABLE")


def test_a_deleted_cluster_is_not_found(hub: Client, machines: FakeMachines) -> None:
    hub.delete(CLUSTER, f"projects/{HUB}/locations/asia-northeast1/clusters/hub")
    assert machines.alive == set()
    refused(hub.gateway("/version"), 404, "NOT_FOUND")


def test_requests_are_counted_by_membership_verb_and_account(hub: Client) -> None:
    token = hub.token()
    for path, method in ((PODS, "GET"), (f"{PODS}/p", "GET"), (f"{PODS}/p", "PATCH"), ("/apis", "GET")):
        hub.gateway(path, method=method, token=token)
    counted = hub.control("/v1/requests").json
    assert counted["memberships"]["hub"] == {
        "verbs": {"list": 1, "get": 1, "patch": 1, "discovery": 1},
        "statuses": {"200": 4},
        "accounts": {DEPLOYER: 4},
    }
    assert counted["projects"][HUB]["lastMinute"] == 4


STORE = f"/v1/projects/{NUMBER}/locations/global/memberships/store"
GLOBAL = "connectgateway.googleapis.com"


@pytest.fixture
def upstream() -> Iterator[AgentUpstream]:
    made = AgentUpstream()
    yield made
    made.close()


@pytest.fixture
def store(hub: Client, upstream: AgentUpstream) -> Client:
    """A hub, and a cluster outside Google whose Connect agent answers."""
    fleet.enable(hub, HUB, "gkeconnect")
    upstream.agent = "of-the-agent"
    made = hub.control("/v1/external", {"name": "store", "location": "global"})
    assert made.status == 200, made.body
    return hub


def through_agent(client: Client, path: str, token: str = "", **more: Any) -> Answer:
    sent = {"Authorization": f"Bearer {token or client.token()}"}
    return client.https(GLOBAL, f"{STORE}{path}", headers=sent, **more)


def test_a_cluster_elsewhere_sees_its_agent_impersonate_the_caller(store: Client) -> None:
    answer = through_agent(store, f"{PODS}?limit=5", method="POST", body="{}")
    assert answer.json["path"].endswith(f"{PODS}?limit=5")
    assert headers(answer, "Authorization") == ["Bearer of-the-agent"]
    assert headers(answer, "Impersonate-User") == [DEPLOYER]
    # Neither roles on a project nor Google's groups: the API server adds system:authenticated itself.
    assert headers(answer, "Impersonate-Group") == []


def test_a_refusal_through_the_agent_is_the_api_servers_own(store: Client, upstream: Upstream) -> None:
    message = 'nodes is forbidden: User "E" cannot list resource "nodes" in API group "" at the cluster scope'
    upstream.forbidden = {"kind": "Status", "code": 403, "message": message}
    assert through_agent(store, "/forbidden").json["message"] == message


def test_the_agents_path_asks_for_the_same_permissions(store: Client, upstream: Upstream) -> None:
    upstream.annotations["argocd-server"] = {"iam.gke.io/gcp-service-account": ARGOCD}
    fleet.argocd(store)
    refused(
        through_agent(store, "/version", store.argocd_token()), 403, "PERMISSION_DENIED", "gkehub.gateway.get"
    )


def test_a_cluster_elsewhere_has_one_url(store: Client) -> None:
    sent = {"Authorization": f"Bearer {store.token()}"}
    native = STORE.replace("/memberships/", "/gkeMemberships/")
    refused(store.https(GLOBAL, f"{native}/version", headers=sent), 404, "NOT_FOUND")
    refused(store.https(HOST, f"{STORE}/version", headers=sent), 404, "NOT_FOUND")


def test_a_cluster_elsewhere_whose_agent_is_gone(store: Client, upstream: AgentUpstream) -> None:
    upstream.agent = ""
    refused(
        through_agent(store, "/version"),
        404,
        "NOT_FOUND",
        "cannot connect to agent or connection unexpectedly terminated for "
        f"(project: {NUMBER}, membership: store)",
    )
    upstream.agent = "again"
    assert through_agent(store, "/version").status == 200


def test_an_agents_token_that_the_cluster_no_longer_takes(store: Client, upstream: AgentUpstream) -> None:
    assert through_agent(store, "/version").status == 200
    upstream.agent = "another"
    refused(through_agent(store, "/version"), 404, "NOT_FOUND", "cannot connect to agent")
    assert headers(through_agent(store, "/version"), "Authorization") == ["Bearer another"]


def test_exec_through_the_agent_needs_stream(store: Client) -> None:
    answer = through_agent(store, f"{PODS}/p/exec?command=ls", method="POST")
    refused(answer, 403, "PERMISSION_DENIED", "gkehub.gateway.stream")


@pytest.mark.parametrize(
    ("settings", "email", "groups"),
    [
        ({}, "operator@acme.example", []),
        (
            {"authenticatorGroupsConfig": {"securityGroup": "gke-security-groups@acme.example"}},
            "operator@acme.example",
            ["platform@acme.example"],
        ),
        (
            {"authenticatorGroupsConfig": {"securityGroup": "gke-security-groups@acme.example"}},
            "developer@acme.example",
            ["developers@acme.example"],
        ),
        # Nested in nothing that the cluster names.
        (
            {"authenticatorGroupsConfig": {"securityGroup": "gke-security-groups@other.example"}},
            "operator@acme.example",
            [],
        ),
    ],
)
def test_a_persons_groups_count_where_the_cluster_takes_them(
    client: Client, settings: dict[str, Any], email: str, groups: list[str]
) -> None:
    fleet.host(client)
    client.made(CLUSTER, **(fleet.cluster() | settings))
    for group in ("platform@acme.example", "developers@acme.example"):
        granted(client, HUB, "roles/gkehub.gatewayReader", f"group:{group}")
    token = person(client, email)
    answer = client.gateway("/version", token=token)
    assert headers(answer, "Impersonate-User") == [email]
    assert headers(answer, "Impersonate-Group") == ["system:authenticated", *groups]
    refused(client.gateway(PODS, method="POST", token=token), 403, "PERMISSION_DENIED", "gkehub.gateway.post")


def test_a_direct_principal_is_its_uri(hub: Client, upstream: Upstream) -> None:
    upstream.annotations["argocd-server"] = {}
    principal = (
        f"principal://iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/{HUB}.svc.id.goog"
        "/subject/ns/argocd/sa/argocd-server"
    )
    refused(hub.gateway("/version", token=hub.argocd_token()), 403, "PERMISSION_DENIED")
    granted(hub, HUB, "roles/gkehub.gatewayEditor", principal)
    answer = hub.gateway("/version", token=hub.argocd_token())
    assert headers(answer, "Impersonate-User") == [principal]
    assert headers(answer, "Impersonate-Group") == ["system:authenticated"]
