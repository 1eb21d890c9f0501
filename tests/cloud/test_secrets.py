"""Secret Manager's data path: External Secrets of a member reads the secrets that it was given, and no
other."""

from __future__ import annotations

import base64

import pytest

from tests.cloud import fleet
from tests.cloud.client import CLUSTER, DATA, HUB, SERVICE, SHOP, Answer, Client
from tests.cloud.doors import granted, metadata
from tests.cloud.machines import Upstream

HOST = "secretmanager.googleapis.com"
SECRET_GRANT = "gcp:secretmanager/secretIamMember:SecretIamMember"
ACCESSOR = "roles/secretmanager.secretAccessor"
NUMBER = "100000000002"
WORKLOAD = (
    f"principal://iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/{SHOP}.svc.id.goog"
    "/subject/ns/external-secrets/sa/external-secrets"
)


@pytest.fixture
def shop(hub: Client, upstream: Upstream) -> Client:
    """A member with External Secrets' ServiceAccount, which has no annotation."""
    fleet.admit(hub)
    fleet.enable(hub, SHOP, "secretmanager")
    hub.made(CLUSTER, **fleet.cluster("shop", SHOP))
    upstream.annotations["external-secrets"] = {}
    return hub


def token(client: Client, cluster: str = "shop") -> str:
    answer = metadata(
        client,
        "/computeMetadata/v1/instance/service-accounts/default/token",
        name="external-secrets",
        namespace="external-secrets",
        cluster=cluster,
    )
    assert answer.status == 200, answer.body
    return str(answer.json["access_token"])


def access(
    client: Client, secret: str, bearer: str, *, project: str = SHOP, version: str = "latest"
) -> Answer:
    path = f"/v1/projects/{project}/secrets/{secret}/versions/{version}:access"
    return client.https(HOST, path, headers={"Authorization": f"Bearer {bearer}"})


def grant(client: Client, secret: str) -> None:
    client.made(SECRET_GRANT, project=SHOP, secretId=secret, role=ACCESSOR, member=WORKLOAD)


def test_one_secret_and_no_other(shop: Client) -> None:
    workload = token(shop)
    answer = access(shop, "shop-database", workload)
    assert (answer.status, answer.json["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert answer.message == (
        "Permission 'secretmanager.versions.access' denied for resource "
        f"'projects/{SHOP}/secrets/shop-database/versions/latest' (or it may not exist)."
    )
    grant(shop, "shop-database")
    answer = access(shop, "shop-database", workload)
    assert answer.json["name"] == f"projects/{NUMBER}/secrets/shop-database/versions/1"
    assert base64.b64decode(answer.json["payload"]["data"]) == f"value of shop-database in {SHOP}".encode()
    assert access(shop, "shop-database", workload, project=NUMBER, version="1").status == 200
    assert access(shop, "shop-payments", workload).status == 403


def test_the_identity_is_the_members_own(shop: Client, upstream: Upstream) -> None:
    """The same ServiceAccount on a cluster of another project is another identity."""
    fleet.admit(shop, DATA)
    shop.made(CLUSTER, **fleet.cluster("data", DATA))
    grant(shop, "shop-database")
    assert access(shop, "shop-database", token(shop, "data")).status == 403


def test_a_grant_on_the_project_counts_for_all_its_secrets(shop: Client) -> None:
    granted(shop, SHOP, ACCESSOR, WORKLOAD)
    workload = token(shop)
    assert access(shop, "shop-database", workload).status == 200
    assert access(shop, "shop-payments", workload).status == 200
    # It shows only now that there is none of this name.
    answer = access(shop, "shop-other", workload)
    assert (answer.status, answer.message) == (
        404,
        f"Secret [projects/{NUMBER}/secrets/shop-other] not found or has no versions.",
    )
    assert access(shop, "shop-database", workload, version="7").status == 404


def test_the_api_must_be_enabled(shop: Client) -> None:
    grant(shop, "shop-database")
    workload = token(shop)
    assert access(shop, "shop-database", workload).status == 200
    assert shop.delete(SERVICE, f"{SHOP}/secretmanager.googleapis.com").status == 200
    answer = access(shop, "shop-database", workload)
    assert answer.status == 403
    assert f"has not been used in project {NUMBER} before or it is disabled" in answer.message


def test_without_a_token(shop: Client) -> None:
    assert access(shop, "shop-database", "x").status == 401


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/projects/{SHOP}/secrets",
        f"/v1/projects/{SHOP}/secrets/shop-database",
        f"/v1/projects/{SHOP}/secrets/shop-database/versions/latest",
        f"/v2/projects/{SHOP}/secrets/shop-database/versions/latest:access",
    ],
)
def test_nothing_else_is_served(shop: Client, path: str) -> None:
    answer = shop.https(HOST, path, headers={"Authorization": f"Bearer {shop.token()}"})
    assert answer.status == 404


def test_an_unknown_project(shop: Client) -> None:
    assert access(shop, "x", shop.token(), project="acme-nowhere").status == 403
    assert access(shop, "x", shop.token(), project=HUB).status == 403
