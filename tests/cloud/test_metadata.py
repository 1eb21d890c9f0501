"""The metadata server: whose token a ServiceAccount of a cluster gets, and when none.

The clusters' API is a stand-in; `test_real.py` asks with Argo CD's own `argocd-k8s-auth`.
"""

from __future__ import annotations

import pytest

from tests.cloud import fleet
from tests.cloud.client import (
    ACCOUNT,
    ACCOUNT_GRANT,
    ARGOCD,
    CLUSTER,
    HUB,
    NUMBER,
    SHOP,
    Answer,
    Client,
    until,
)
from tests.cloud.doors import granted, metadata
from tests.cloud.machines import Upstream

ROOT = "/computeMetadata/v1"
DEFAULT = f"{ROOT}/instance/service-accounts/default"
PRINCIPAL = (
    f"principal://iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/{HUB}.svc.id.goog"
    "/subject/ns/argocd/sa/argocd-server"
)
ANNOTATION = "iam.gke.io/gcp-service-account"
BINDING = (
    f"projects/{HUB}/serviceAccounts/{ARGOCD}/roles/iam.workloadIdentityUser/"
    f"serviceAccount:{HUB}.svc.id.goog[argocd/argocd-server]"
)


@pytest.fixture
def bound(hub: Client, upstream: Upstream) -> Client:
    """Annotated and bound: argocd/argocd-server may be Argo CD's account."""
    fleet.argocd(hub)
    upstream.annotations["argocd-server"] = {ANNOTATION: ARGOCD}
    return hub


def refused(answer: Answer, *words: str) -> None:
    assert answer.status == 403, answer.body
    for word in words:
        assert word in answer.body.decode()


def test_what_it_answers(bound: Client) -> None:
    assert bound.metadata("/").body == b"computeMetadata/\n"
    assert bound.metadata(f"{ROOT}/project/project-id").body.decode() == HUB
    assert bound.metadata(f"{ROOT}/project/numeric-project-id").body.decode() == NUMBER
    assert bound.metadata(f"{ROOT}/instance/service-accounts/").body.decode() == f"default/\n{ARGOCD}/\n"
    assert bound.metadata(f"{DEFAULT}/email").body.decode() == ARGOCD
    assert b"cloud-platform" in bound.metadata(f"{DEFAULT}/scopes").body
    assert b"token" in bound.metadata(f"{DEFAULT}/").body
    assert bound.metadata(f"{DEFAULT}/?recursive=true").json["email"] == ARGOCD
    token = bound.metadata(
        f"{DEFAULT}/token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform"
    ).json
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] > 0
    named = bound.metadata(f"{ROOT}/instance/service-accounts/{ARGOCD}/email")
    assert named.body.decode() == ARGOCD
    assert bound.metadata(f"{ROOT}/instance/service-accounts/other@x/email").status == 404


def test_only_for_callers_that_mean_it(bound: Client) -> None:
    refused(bound.metadata(f"{DEFAULT}/token", Accept="*/*"), "Missing Metadata-Flavor:Google header")
    forwarded = bound.metadata(
        f"{DEFAULT}/token", **{"Metadata-Flavor": "Google", "X-Forwarded-For": "10.0.0.1"}
    )
    refused(forwarded, "X-Forwarded-For")


def test_a_service_account_that_does_not_exist(bound: Client, upstream: Upstream) -> None:
    del upstream.annotations["argocd-server"]
    refused(bound.metadata(f"{DEFAULT}/token"), "argocd/argocd-server does not exist")


def test_a_service_account_without_annotation_is_itself(bound: Client, upstream: Upstream) -> None:
    upstream.annotations["argocd-server"] = {}
    pool = f"{HUB}.svc.id.goog"
    assert bound.metadata(f"{DEFAULT}/email").body.decode() == pool
    assert bound.metadata(f"{ROOT}/instance/service-accounts/").body.decode() == f"default/\n{pool}/\n"
    granted(bound, HUB, "roles/gkehub.gatewayEditor", PRINCIPAL)
    assert bound.gateway("/version", token=bound.argocd_token()).status == 200


def test_a_service_account_of_a_member(bound: Client, upstream: Upstream) -> None:
    fleet.admit(bound)
    bound.made(CLUSTER, **fleet.cluster("shop", SHOP))
    upstream.annotations["external-secrets"] = {}

    def asked(path: str, cluster: str) -> str:
        answer = metadata(bound, path, name="external-secrets", namespace="external-secrets", cluster=cluster)
        assert answer.status == 200, answer.body
        return answer.body.decode()

    id_ = f"projects/{SHOP}/locations/asia-northeast1/clusters/shop"
    assert asked(f"{ROOT}/project/project-id", "shop") == SHOP
    assert asked(f"{DEFAULT}/email", id_) == f"{SHOP}.svc.id.goog"
    assert asked(f"{DEFAULT}/email", "") == f"{HUB}.svc.id.goog"


@pytest.mark.parametrize(
    ("settings", "has"),
    [
        ({"enableAutopilot": True}, True),
        (
            {
                "initialNodeCount": 1,
                "workloadIdentityConfig": {"workloadPool": f"{SHOP}.svc.id.goog"},
            },
            True,
        ),
        ({"initialNodeCount": 1}, False),
    ],
)
def test_only_where_the_cluster_has_workload_identity(
    bound: Client, upstream: Upstream, settings: dict[str, object], has: bool
) -> None:
    fleet.admit(bound)
    inputs = fleet.cluster("shop", SHOP)
    del inputs["enableAutopilot"]
    bound.made(CLUSTER, **(inputs | settings))
    upstream.annotations["external-secrets"] = {}
    answer = metadata(
        bound, f"{DEFAULT}/token", name="external-secrets", namespace="external-secrets", cluster="shop"
    )
    assert answer.status == (200 if has else 404), answer.body
    if not has:
        assert b"no Workload Identity" in answer.body


def test_a_cluster_that_there_is_not(bound: Client) -> None:
    answer = metadata(bound, f"{DEFAULT}/token", name="a", namespace="argocd", cluster="nowhere")
    assert answer.status == 503


def test_an_account_that_does_not_exist(bound: Client, upstream: Upstream) -> None:
    upstream.annotations["argocd-server"] = {ANNOTATION: f"other@{HUB}.iam.gserviceaccount.com"}
    refused(bound.metadata(f"{DEFAULT}/token"), "iam.serviceAccounts.getAccessToken")


def test_annotated_but_not_bound(bound: Client, upstream: Upstream) -> None:
    upstream.annotations["argocd-repo-server"] = {ANNOTATION: ARGOCD}
    refused(
        bound.metadata(f"{DEFAULT}/token", name="argocd-repo-server"),
        "Unable to generate access token; IAM returned 403 Forbidden: Permission "
        "'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
        "missing IAM policy binding on the target IAM service account",
    )


def test_a_binding_counts_after_the_delay_and_not_once_removed(bound: Client) -> None:
    assert bound.delete(ACCOUNT_GRANT, BINDING).status == 200
    refused(bound.metadata(f"{DEFAULT}/token"), "getAccessToken")
    bound.faults(grantDelay=0.5)
    bound.made(
        ACCOUNT_GRANT,
        serviceAccountId=f"projects/{HUB}/serviceAccounts/{ARGOCD}",
        role="roles/iam.workloadIdentityUser",
        member=f"serviceAccount:{HUB}.svc.id.goog[argocd/argocd-server]",
    )
    refused(bound.metadata(f"{DEFAULT}/token"), "getAccessToken")
    until(lambda: bound.metadata(f"{DEFAULT}/token").status == 200, "the binding counts")


def test_a_token_is_no_good_once_its_account_is_gone(bound: Client) -> None:
    granted(bound, HUB, "roles/gkehub.gatewayEditor", f"serviceAccount:{ARGOCD}")
    token = bound.argocd_token()
    assert bound.gateway("/version", token=token).status == 200
    bound.delete(ACCOUNT, f"projects/{HUB}/serviceAccounts/{ARGOCD}")
    assert bound.gateway("/version", token=token).status == 401
    refused(bound.metadata(f"{DEFAULT}/token"), "getAccessToken")


def test_before_there_is_a_hub(client: Client) -> None:
    assert client.metadata(f"{DEFAULT}/token").status == 503


def test_each_service_account_has_its_port(bound: Client) -> None:
    def port(name: str) -> str:
        asked = {"namespace": "argocd", "serviceAccount": name}
        return str(bound.control("/v1/metadata", asked).json["host"])

    assert port("a") != port("b")
    assert port("a") == port("a")
