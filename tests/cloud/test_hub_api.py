"""What an operator asks before going through the gateway, as gcloud's `fleet memberships get-credentials`
does."""

from __future__ import annotations

import base64
import json
import urllib.parse

import pytest
import yaml

from tests.cloud import fleet
from tests.cloud.client import HOST, HUB, NUMBER, SERVICE, Answer, Client
from tests.cloud.doors import granted, person

HUB_API = "gkehub.googleapis.com"
RESOURCES = "cloudresourcemanager.googleapis.com"
OPERATORS, OPERATOR = "group:platform@acme.example", "operator@acme.example"
LIST = f"/v1/projects/{HUB}/locations/-/memberships"
ONE = f"/v1/projects/{HUB}/locations/asia-northeast1/memberships/hub"


@pytest.fixture
def operator(hub: Client) -> dict[str, str]:
    """The headers of a person of the platform group, which has no role yet."""
    return {"Authorization": f"Bearer {person(hub, OPERATOR)}"}


def grant(client: Client, role: str) -> None:
    granted(client, HUB, role, OPERATORS)


def refused(answer: Answer, words: str, code: int = 403, status: str = "PERMISSION_DENIED") -> None:
    assert (answer.status, answer.json["error"]["status"]) == (code, status), answer.body
    assert answer.message == words


def test_get_credentials_step_by_step(hub: Client, operator: dict[str, str]) -> None:
    refused(
        hub.https(HUB_API, LIST, headers=operator),
        f"Permission 'gkehub.memberships.list' denied on 'projects/{HUB}/locations/-/memberships'",
    )
    grant(hub, "roles/gkehub.gatewayReader")
    # The gateway's role alone cannot list.
    assert hub.https(HUB_API, LIST, headers=operator).status == 403
    grant(hub, "roles/gkehub.viewer")
    asked = json.dumps({"permissions": ["gkehub.gateway.get", "gkehub.gateway.post"]})
    path = f"/v1/projects/{HUB}:testIamPermissions"
    answer = hub.https(RESOURCES, path, method="POST", headers=operator, body=asked)
    assert answer.json == {"permissions": ["gkehub.gateway.get"]}
    found = hub.https(HUB_API, LIST, headers=operator).json["resources"]
    assert [member["name"] for member in found] == [ONE.removeprefix("/v1/")]
    cluster = f"projects/{HUB}/locations/asia-northeast1/clusters/hub"
    assert found[0]["endpoint"]["gkeCluster"]["resourceLink"] == f"//container.googleapis.com/{cluster}"
    assert found[0]["authority"]["workloadIdentityPool"] == f"{HUB}.svc.id.goog"
    given = hub.https(HOST, f"{ONE}:generateCredentials", headers=operator).json
    endpoint = f"https://{HOST}/v1/projects/{NUMBER}/locations/asia-northeast1/gkeMemberships/hub"
    assert given["endpoint"] == endpoint
    kubeconfig = yaml.safe_load(base64.b64decode(given["kubeconfig"]))
    assert kubeconfig["current-context"] == f"connectgateway_{HUB}_asia-northeast1_hub"
    server = urllib.parse.urlsplit(kubeconfig["clusters"][0]["cluster"]["server"])
    answer = hub.https(str(server.hostname), f"{server.path}/version", headers=operator)
    assert answer.status == 200


def test_credentials_need_their_permission(hub: Client, operator: dict[str, str]) -> None:
    grant(hub, "roles/gkehub.viewer")
    refused(
        hub.https(HOST, f"{ONE}:generateCredentials", headers=operator),
        f"Permission 'gkehub.gateway.generateCredentials' denied on '{ONE.removeprefix('/v1/')}'",
    )


def test_one_membership(hub: Client, operator: dict[str, str]) -> None:
    refused(
        hub.https(HUB_API, ONE, headers=operator),
        f"Permission 'gkehub.memberships.get' denied on '{ONE.removeprefix('/v1/')}'",
    )
    grant(hub, "roles/gkehub.gatewayReader")
    assert hub.https(HUB_API, ONE, headers=operator).json["name"] == ONE.removeprefix("/v1/")
    other = f"{ONE.removesuffix('hub')}other"
    refused(
        hub.https(HUB_API, other, headers=operator),
        f"Resource '{other.removeprefix('/v1/')}' was not found",
        404,
        "NOT_FOUND",
    )
    elsewhere = ONE.replace("asia-northeast1", "global")
    assert hub.https(HUB_API, elsewhere, headers=operator).status == 404


def test_a_list_by_location(hub: Client) -> None:
    sent = {"Authorization": f"Bearer {hub.token()}"}
    here = hub.https(HUB_API, LIST.replace("/-/", "/asia-northeast1/"), headers=sent).json
    assert len(here["resources"]) == 1
    assert hub.https(HUB_API, LIST.replace("/-/", "/global/"), headers=sent).json == {"resources": []}


def test_a_list_that_is_not_whole_says_so(hub: Client) -> None:
    sent = {"Authorization": f"Bearer {hub.token()}"}
    hub.faults(unreachable=["asia-northeast1"])
    assert hub.https(HUB_API, LIST, headers=sent).json == {
        "resources": [],
        "unreachable": [f"projects/{HUB}/locations/asia-northeast1"],
    }


def test_the_api_must_be_enabled(hub: Client) -> None:
    sent = {"Authorization": f"Bearer {hub.token()}"}
    assert hub.https(HUB_API, LIST, headers=sent).status == 200
    assert hub.delete(SERVICE, f"{HUB}/gkehub.googleapis.com").status == 200
    answer = hub.https(HUB_API, LIST, headers=sent)
    assert answer.status == 403
    assert "GKE Hub API has not been used in project" in answer.message


def test_what_is_not_served(hub: Client) -> None:
    sent = {"Authorization": f"Bearer {hub.token()}"}
    assert hub.https(HUB_API, LIST).status == 401
    assert hub.https(HUB_API, f"/v1/projects/{HUB}/locations/-/features", headers=sent).status == 404
    assert hub.https(HUB_API, LIST, method="POST", headers=sent).status == 404
    assert hub.https(RESOURCES, f"/v1/projects/{HUB}", headers=sent).status == 404


def test_a_cluster_outside_google(hub: Client) -> None:
    fleet.enable(hub, HUB, "gkeconnect")
    made = hub.control("/v1/external", {"name": "store", "location": "global"})
    assert made.status == 200, made.body
    sent = {"Authorization": f"Bearer {hub.token()}"}
    path = f"/v1/projects/{HUB}/locations/global/memberships/store"
    assert "endpoint" not in hub.https(HUB_API, path, headers=sent).json
    given = hub.https("connectgateway.googleapis.com", f"{path}:generateCredentials", headers=sent).json
    assert given["endpoint"].endswith(f"/v1/projects/{NUMBER}/locations/global/memberships/store")


def test_an_operator_without_the_role_in_the_fleet(hub: Client, operator: dict[str, str]) -> None:
    asked = json.dumps({"permissions": ["gkehub.gateway.get"]})
    path = f"/v1/projects/{HUB}:testIamPermissions"
    assert hub.https(RESOURCES, path, method="POST", headers=operator, body=asked).json == {}
    bad = hub.https(RESOURCES, path, method="POST", headers=operator, body="[]")
    assert (bad.status, bad.json["error"]["status"]) == (400, "INVALID_ARGUMENT")
