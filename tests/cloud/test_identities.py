"""Who a call of the control API is, and the ways in which somebody becomes somebody: tokens, federation, a cluster's
owner elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.ground import GroundError
from sandbox.ground import Sandbox
from tests.cloud import fleet
from tests.cloud.client import CLUSTER, DEPLOYER, HUB, LAB, NUMBER, OWNER, PROJECT, SERVICE, Client
from tests.cloud.conftest import Running
from tests.cloud.machines import FakeMachines, Upstream
from tests.cloud.replay import bootstrapped

PROVIDER = f"projects/{NUMBER}/locations/global/workloadIdentityPools/github/providers/fleet-repository"
PREVIEW = f"preview@{HUB}.iam.gserviceaccount.com"


@pytest.fixture
def empty(tmp_path: Path, upstream: Upstream) -> Iterator[Client]:
    """A cloud before bootstrap."""
    running = Running(tmp_path, FakeMachines(upstream))
    yield running.client
    running.stop()


def test_nobody_but_the_owner_is_there_at_first(empty: Client) -> None:
    inputs = {"projectId": HUB, "name": "acme hub", "orgId": "400000000001"}
    answer = empty.create(PROJECT, **inputs)
    assert (answer.status, DEPLOYER in answer.message) == (401, True)
    assert (
        "Permission denied on resource project"
        in empty.create_as(OWNER, SERVICE, project=HUB, service="iam.googleapis.com").message
    )
    assert empty.create_as(OWNER, PROJECT, **inputs).json["outputs"]["number"] == NUMBER


@pytest.mark.parametrize("caller", ["nobody@acme.example", f"nobody@{HUB}.iam.gserviceaccount.com"])
def test_a_call_is_somebodys(client: Client, caller: str) -> None:
    answer = client.create_as(caller, SERVICE, project=HUB, service="container.googleapis.com")
    assert (answer.status, caller in answer.message) == (401, True)


def test_preview_reads_and_makes_nothing(hub: Client) -> None:
    answer = hub.create_as(PREVIEW, SERVICE, project=LAB, service="container.googleapis.com")
    assert (answer.status, answer.message) == (
        403,
        "Permission denied to enable service [container.googleapis.com]",
    )
    hub_id = f"projects/{HUB}/locations/asia-northeast1/clusters/hub"
    for verb, status in (("read", 200), ("delete", 403)):
        assert hub.control(f"/v1/{verb}", {"type": CLUSTER, "id": hub_id, "as": PREVIEW}).status == status


def test_the_plugins_are_who_the_environment_says(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {"project": LAB, "service": "container.googleapis.com"}
    monkeypatch.setenv("GKE_FLEET_IDENTITY", PREVIEW)
    with pytest.raises(GroundError, match="Permission denied to enable service"):
        Sandbox(client.state).gcp().create(SERVICE, "", inputs)
    monkeypatch.delenv("GKE_FLEET_IDENTITY")
    assert Sandbox(client.state).gcp().create(SERVICE, "", inputs)[0] == f"{LAB}/container.googleapis.com"


def test_what_a_service_elsewhere_would_ask(client: Client) -> None:
    asked = {"permission": "storage.objects.get", "project": HUB, "resource": "acme-sandbox-pulumi-state"}
    for caller, verb, expected in (
        (DEPLOYER, "create", True),
        (PREVIEW, "get", True),
        (PREVIEW, "create", False),
        (OWNER, "create", True),
    ):
        body = asked | {"permission": f"storage.objects.{verb}", "as": caller}
        assert client.control("/v1/permitted", body).json == {"permitted": expected}


# Federation


def claims(subject: str, **more: str) -> dict[str, str]:
    """Claims of a workflow of the fleet's repository."""
    (provider,) = (step.inputs for step in bootstrapped() if "attributeCondition" in step.inputs)
    terms = [term.split("==") for term in str(provider["attributeCondition"]).split("&&")]
    given = {name.strip().removeprefix("assertion."): value.strip(" '\"") for name, value in terms}
    return {"sub": subject, "iss": provider["oidc"]["issuerUri"]} | given | more


def federate(client: Client, given: dict[str, str], account: str | None = None) -> Any:
    asked = {"provider": PROVIDER, "claims": given} | ({"account": account} if account else {})
    return client.control("/v1/federate", asked)


def test_each_workflow_is_its_own_account(client: Client) -> None:
    deploys, previews = "repo:acme/fleet:environment:sandbox", "repo:acme/fleet:pull_request"
    assert federate(client, claims(deploys), DEPLOYER).json["subject"] == DEPLOYER
    assert federate(client, claims(previews), PREVIEW).json["subject"] == PREVIEW
    for subject, account in ((previews, DEPLOYER), ("repo:acme/fleet:ref:refs/heads/x", DEPLOYER)):
        answer = federate(client, claims(subject), account)
        assert (answer.status, "getAccessToken" in answer.message) == (403, True)
    principal = federate(client, claims(previews)).json["subject"]
    assert principal.endswith(f"workloadIdentityPools/github/subject/{previews}")


@pytest.mark.parametrize("claim", ["repository_id", "repository_owner_id"])
def test_other_repositories_are_nobody(client: Client, claim: str) -> None:
    answer = federate(client, claims("repo:acme/fleet:pull_request", **{claim: "666"}), PREVIEW)
    assert (answer.status, answer.message) == (
        401,
        "The given credential is rejected by the attribute condition.",
    )


def test_other_issuers_are_nobody(client: Client) -> None:
    answer = federate(client, claims("s", iss="https://elsewhere.example"), PREVIEW)
    assert (answer.status, "issuer" in answer.message) == (400, True)


# Clusters elsewhere


def test_a_cluster_elsewhere(hub: Client, machines: FakeMachines) -> None:
    asked = {"name": "plant", "location": "asia-northeast1"}
    answer = hub.control("/v1/external", asked)
    assert (answer.status, "GKE Connect API has not been used" in answer.message) == (403, True)
    fleet.enable(hub, HUB, "gkeconnect")
    made = hub.control("/v1/external", asked)
    assert made.json["id"] == f"projects/{HUB}/locations/asia-northeast1/memberships/plant"
    assert hub.control("/v1/external", asked).status == 409
    agent = {"kind": "ServiceAccount", "name": "connect-agent-sa", "namespace": "gke-connect"}
    assert any(agent in document.get("subjects", ()) for document in machines.applied["plant"])
    described = hub.control("/v1/clusters").json
    assert [(entry["name"], entry["state"], entry["hub"]) for entry in described] == [
        ("hub", "RUNNING", True),
        ("plant", "RUNNING", False),
    ]
    assert len(machines.nodes["plant"]["default-pool"]) == 2
    membership = "gcp:gkehub/membership:Membership"
    assert hub.control("/v1/delete", {"type": membership, "id": made.json["id"], "as": OWNER}).status == 200
    assert machines.alive == {"hub"}


def test_a_cluster_elsewhere_is_up_again_after_a_restart(
    hub: Client, running: Running, machines: FakeMachines, tmp_path: Path
) -> None:
    fleet.enable(hub, HUB, "gkeconnect")
    assert hub.control("/v1/external", {"name": "plant", "location": "asia-northeast1"}).status == 200
    running.stop()
    machines.alive.clear()
    again = Running(tmp_path, machines)
    try:
        again.client.control("/v1/health")
        states = {entry["name"] for entry in again.client.control("/v1/clusters").json}
        assert states == {"hub", "plant"}
        assert sorted(machines.started) == ["hub", "plant"]
    finally:
        again.stop()
