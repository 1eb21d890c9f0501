"""Create, read, update and delete: what the cloud refuses, in whose words, and what it keeps.

The clusters here are stand-ins, so nothing is proven about real API servers.
"""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from sandbox.cloud.server import AlreadyRunning, Cloud
from tests.cloud import fleet
from tests.cloud.client import (
    ACCOUNT,
    ACCOUNT_GRANT,
    AGENT,
    ARGOCD,
    CLUSTER,
    DEPLOYER,
    FLEET,
    GRANT,
    HUB,
    IDENTITY,
    MEMBERSHIP,
    NETWORK,
    OWNER,
    SERVICE,
    SHOP,
    Answer,
    Client,
    until,
)
from tests.cloud.conftest import Running
from tests.cloud.machines import FakeMachines

HUB_ID = f"projects/{HUB}/locations/asia-northeast1/clusters/hub"
SHOP_ID = f"projects/{SHOP}/locations/asia-northeast1/clusters/shop"


def refused(answer: Answer, code: int, *words: str) -> None:
    assert answer.status == code, answer.body
    assert answer.json["error"]["code"] == code
    for word in words:
        assert word in answer.message


def link(id_: str) -> dict[str, Any]:
    return {"gkeCluster": {"resourceLink": f"//container.googleapis.com/{id_}"}}


def test_nobody_without_the_token(client: Client) -> None:
    refused(client.control("/v1/health", token="wrong"), 401)


def test_a_type_that_the_cloud_does_not_have(client: Client) -> None:
    refused(client.create("gcp:sql/x:X", project=HUB), 501, "gcp:sql/x:X", "gcp:container/cluster:Cluster")


def test_a_project_that_does_not_exist(client: Client) -> None:
    refused(
        client.create(SERVICE, project="acme-nowhere", service="container.googleapis.com"),
        403,
        "Permission denied on resource project acme-nowhere",
    )


@pytest.mark.parametrize(
    ("type_", "inputs", "title", "service"),
    [
        (CLUSTER, fleet.cluster(), "Kubernetes Engine API", "container.googleapis.com"),
        (FLEET, {"project": HUB}, "GKE Hub API", "gkehub.googleapis.com"),
        (MEMBERSHIP, {"project": HUB, "membershipId": "m"}, "GKE Hub API", "gkehub.googleapis.com"),
    ],
)
def test_an_api_that_is_not_enabled(
    client: Client, type_: str, inputs: dict[str, Any], title: str, service: str
) -> None:
    answer = client.create(type_, **inputs)
    refused(
        answer,
        403,
        f"{title} has not been used in project 100000000001 before or it is disabled. Enable it by visiting "
        f"https://console.developers.google.com/apis/api/{service}/overview?project=100000000001 then retry.",
    )
    assert answer.json["error"]["details"][0]["reason"] == "SERVICE_DISABLED"


def test_a_cluster_needs_gkehub_on_the_fleet_host(client: Client) -> None:
    fleet.enable(client, HUB, "compute", "container")
    refused(client.create(CLUSTER, **fleet.cluster()), 403, "GKE Hub API has not been used")


def test_an_api_is_disabled_on_destroy_only_if_asked(client: Client) -> None:
    made = client.made(SERVICE, project=HUB, service="gkehub.googleapis.com")
    assert client.delete(SERVICE, made["id"]).status == 200
    fleet_made = client.made(FLEET, project=HUB)
    assert client.delete(FLEET, fleet_made["id"]).status == 200
    client.made(SERVICE, project=HUB, service="gkehub.googleapis.com", disableOnDestroy=True)
    assert client.delete(SERVICE, made["id"]).status == 200
    refused(client.create(FLEET, project=HUB), 403, "GKE Hub API has not been used")


def test_create_is_not_idempotent(hub: Client) -> None:
    hub.made(ACCOUNT, project=HUB, accountId="argocd-hub")
    refused(hub.create(CLUSTER, **fleet.cluster()), 409, f"Already exists: {HUB_ID}.")
    refused(
        hub.create(ACCOUNT, project=HUB, accountId="argocd-hub"),
        409,
        "Service account argocd-hub already exists",
    )
    refused(hub.create(FLEET, project=HUB), 409, "fleets/default' already exists")


def test_adding_to_a_policy_or_enabling_an_api_again_is_fine(hub: Client) -> None:
    again = hub.made(GRANT, project=HUB, role="roles/gkehub.serviceAgent", member=AGENT)
    assert again["id"] == f"{HUB}/roles/gkehub.serviceAgent/{AGENT}"
    hub.made(SERVICE, project=HUB, service="gkehub.googleapis.com")
    hub.made(IDENTITY, project=HUB, service="gkehub.googleapis.com")


@pytest.mark.parametrize(
    ("project", "role"),
    [
        (HUB, "roles/gkehub.serviceAgent"),
        (SHOP, "roles/gkehub.serviceAgent"),
        (SHOP, "roles/gkehub.crossProjectServiceAgent"),
    ],
)
def test_a_member_in_another_project_needs_each_grant_of_the_service_agent(
    client: Client, project: str, role: str
) -> None:
    fleet.host(client)
    fleet.admit(client)
    assert client.delete(GRANT, f"{project}/{role}/{AGENT}").status == 200
    refused(
        client.create(CLUSTER, **fleet.cluster("shop", SHOP)),
        403,
        f'hub default service account does not have access to the GKE cluster project for "//container.googleapis.com/'
        f'{SHOP_ID}"',
    )
    refused(client.control("/v1/read", {"type": CLUSTER, "id": SHOP_ID}), 404)
    client.made(GRANT, project=project, role=role, member=AGENT)
    client.made(CLUSTER, **fleet.cluster("shop", SHOP))


def test_a_member_in_the_host_project_needs_no_grant(client: Client) -> None:
    fleet.enable(client, HUB, "compute", "container", "gkehub")
    made = client.made(CLUSTER, **fleet.cluster())
    assert made["id"] == HUB_ID
    assert made["outputs"]["fleet"]["membership"] == (
        f"//gkehub.googleapis.com/projects/{HUB}/locations/asia-northeast1/memberships/hub"
    )
    assert made["outputs"]["endpoint"]
    assert made["outputs"]["masterVersion"].startswith("1.36")


def test_a_late_grant_of_the_service_agent_is_waited_for(client: Client) -> None:
    fleet.host(client)
    client.faults(grantDelay=0.5)
    fleet.admit(client)
    assert client.made(CLUSTER, **fleet.cluster("shop", SHOP))["outputs"]["fleet"]["membershipId"] == "shop"


@pytest.mark.parametrize(
    ("type_", "inputs", "name"),
    [
        (ACCOUNT, {"project": HUB, "accountId": "short"}, "accountId"),
        (ACCOUNT, {"project": HUB, "accountId": "Argocd-Hub"}, "accountId"),
        (CLUSTER, fleet.cluster("Hub"), "name"),
        (CLUSTER, fleet.cluster("x" * 41), "name"),
        (CLUSTER, fleet.cluster(location="tokyo"), "location"),
        (MEMBERSHIP, {"project": HUB, "membershipId": "m_1"}, "membershipId"),
        (FLEET, {"project": HUB, "displayName": "abc"}, "displayName"),
        (GRANT, {"project": HUB, "role": "admin", "member": AGENT}, "role"),
        (GRANT, {"project": HUB, "role": "roles/viewer", "member": "someone"}, "member"),
    ],
)
def test_names(client: Client, type_: str, inputs: dict[str, Any], name: str) -> None:
    fleet.enable(client, HUB, "compute", "container", "gkehub")
    refused(client.create(type_, **inputs), 400, f'"{name}"')


def test_a_protected_cluster_stays(client: Client) -> None:
    fleet.enable(client, HUB, "compute", "container", "gkehub")
    inputs = fleet.cluster()
    del inputs["deletionProtection"]
    client.made(CLUSTER, **inputs)
    refused(
        client.delete(CLUSTER, HUB_ID),
        400,
        "Cannot destroy cluster because deletion_protection is set to true",
    )
    update = {"type": CLUSTER, "id": HUB_ID, "inputs": fleet.cluster()}
    assert client.control("/v1/update", update).status == 200
    assert client.delete(CLUSTER, HUB_ID).status == 200
    refused(client.delete(CLUSTER, HUB_ID), 404, f"Not found: {HUB_ID}.")


def test_an_update_keeps_the_membership_and_refuses_what_replaces(hub: Client) -> None:
    changed = fleet.cluster(resourceLabels={"a": "b"})
    answer = hub.control("/v1/update", {"type": CLUSTER, "id": HUB_ID, "inputs": changed})
    assert answer.json["outputs"]["fleet"]["membershipId"] == "hub"
    assert answer.json["outputs"]["resourceLabels"] == {"a": "b"}
    moved = fleet.cluster(location="asia-northeast2")
    refused(
        hub.control("/v1/update", {"type": CLUSTER, "id": HUB_ID, "inputs": moved}),
        400,
        "location cannot be changed in place",
    )


def test_a_cluster_is_in_one_membership(hub: Client) -> None:
    prefix = f"//gkehub.googleapis.com/projects/{HUB}/locations"
    refused(
        hub.create(MEMBERSHIP, project=HUB, membershipId="hub", endpoint=link(HUB_ID)),
        409,
        f"Error code 6, message: intend to register the cluster with resource: {prefix}/global/memberships/hub, but "
        f"the cluster is already registered with resource: {prefix}/asia-northeast1/memberships/hub",
    )


def test_a_cluster_without_fleet_can_be_registered_once(client: Client) -> None:
    fleet.host(client)
    inputs = fleet.cluster()
    del inputs["fleet"]
    assert "fleet" not in client.made(CLUSTER, **inputs)["outputs"]
    made = client.made(MEMBERSHIP, project=HUB, membershipId="hub", endpoint=link(HUB_ID))
    assert made["id"] == f"projects/{HUB}/locations/global/memberships/hub"
    refused(
        client.create(MEMBERSHIP, project=HUB, membershipId="again", endpoint=link(HUB_ID)), 409, "code 6"
    )
    refused(client.create(MEMBERSHIP, project=HUB, membershipId="x", endpoint=link(SHOP_ID)), 404, SHOP_ID)


def test_a_membership_whose_name_is_taken_gets_a_suffix(hub: Client) -> None:
    fleet.admit(hub)
    made = hub.made(CLUSTER, **fleet.cluster("hub", SHOP))
    assert made["outputs"]["fleet"]["membershipId"].startswith("hub-")
    clusters = hub.control("/v1/clusters").json
    assert len({cluster["kubeconfig"] for cluster in clusters}) == 2


def test_registering_begins_a_fleet(client: Client) -> None:
    fleet.enable(client, HUB, "compute", "container", "gkehub")
    client.made(CLUSTER, **fleet.cluster())
    refused(client.create(FLEET, project=HUB), 409)


def test_the_deployer_has_the_roles_of_bootstrap_only(client: Client) -> None:
    fleet.enable(client, SHOP, "gkehub", "compute")
    refused(
        client.create(FLEET, project=SHOP),
        403,
        f"Permission 'gkehub.fleet.create' denied on 'projects/{SHOP}/locations/global'",
    )
    refused(
        client.create(NETWORK, project=SHOP, name="fleet", autoCreateSubnetworks=False),
        403,
        f"Required 'compute.networks.create' permission for 'projects/{SHOP}/global/networks/fleet'",
    )


def test_a_workload_pool_begins_with_the_first_cluster(client: Client) -> None:
    client.made(ACCOUNT, project=HUB, accountId="argocd-hub")
    grant = {
        "serviceAccountId": f"projects/{HUB}/serviceAccounts/{ARGOCD}",
        "role": "roles/iam.workloadIdentityUser",
        "member": f"serviceAccount:{HUB}.svc.id.goog[argocd/argocd-server]",
    }
    refused(client.create(ACCOUNT_GRANT, **grant), 400, f"Identity Pool does not exist ({HUB}.svc.id.goog)")
    fleet.hub(client)
    client.made(ACCOUNT_GRANT, **grant)


def test_a_grant_to_an_account_that_does_not_exist(client: Client) -> None:
    refused(
        client.create(GRANT, project=HUB, role="roles/gkehub.serviceAgent", member=AGENT),
        400,
        "does not exist",
    )
    refused(
        client.create(
            ACCOUNT_GRANT,
            serviceAccountId=f"projects/{HUB}/serviceAccounts/{ARGOCD}",
            role="roles/iam.workloadIdentityUser",
            member="user:a@acme.example",
        ),
        404,
        "does not exist",
    )


def test_a_condition_of_another_form_is_refused_rather_than_misjudged(client: Client) -> None:
    answer = client.create_as(
        OWNER,
        GRANT,
        project=HUB,
        role="roles/viewer",
        member="user:operator@acme.example",
        condition={"title": "t", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"},
    )
    refused(answer, 501, "does not evaluate IAM conditions but the one")


def test_tokens_are_for_people_and_for_accounts_that_the_owner_made(hub: Client) -> None:
    fleet.argocd(hub)
    refused(hub.control("/v1/token", {"account": ARGOCD}), 403, ARGOCD)
    preview = DEPLOYER.replace("deployer", "preview")
    for account in (DEPLOYER, preview, OWNER, "operator@acme.example", "developer@acme.example"):
        assert hub.control("/v1/token", {"account": account}).status == 200, account
    refused(hub.control("/v1/token", {"account": "stranger@acme.example"}), 403, "stranger")


@pytest.mark.parametrize(
    "body", [{}, {"type": CLUSTER}, {"type": 1, "inputs": {}}, {"type": CLUSTER, "inputs": []}]
)
def test_a_malformed_request(client: Client, body: dict[str, Any]) -> None:
    refused(client.control("/v1/create", body), 400)


def test_an_unknown_fault_switch(client: Client) -> None:
    refused(client.control("/v1/faults", {"nonsense": 1}), 400, "nonsense")
    refused(
        client.control("/v1/faults", {"memberships": {"hub": {"status": 500}}}), 400, "401, 403, 404 or 429"
    )
    refused(client.control("/v1/faults", {"memberships": {"hub": {"satus": 403}}}), 400, "satus")


def test_a_create_whose_caller_went_away_is_finished(client: Client, machines: FakeMachines) -> None:
    fleet.host(client)
    machines.hold.clear()
    with pytest.raises(TimeoutError):
        client.control("/v1/create", {"type": CLUSTER, "inputs": fleet.cluster()}, timeout=0.3)
    refused(client.create(CLUSTER, **fleet.cluster()), 409)
    assert client.control("/v1/clusters").json[0]["state"] == "PROVISIONING"
    threading.Timer(0.2, machines.hold.set).start()
    # A read waits for what is under way, so it finds the finished cluster.
    answer = client.control("/v1/read", {"type": CLUSTER, "id": HUB_ID})
    assert answer.json["outputs"]["fleet"]["membershipId"] == "hub"
    assert client.control("/v1/clusters").json[0]["state"] == "RUNNING"


def test_a_cluster_that_fails_leaves_nothing(client: Client, machines: FakeMachines) -> None:
    fleet.host(client)
    machines.failure = "the API server is not ready"
    refused(client.create(CLUSTER, **fleet.cluster()), 500, "the API server is not ready")
    assert client.control("/v1/clusters").json == []
    machines.failure = ""
    client.made(CLUSTER, **fleet.cluster())


def test_a_restart_keeps_everything(running: Running, machines: FakeMachines, tmp_path: Path) -> None:
    client = running.client
    fleet.hub(client)
    fleet.argocd(client)
    before = client.control("/v1/read", {"type": CLUSTER, "id": HUB_ID}).json
    metadata = client.control("/v1/metadata", {"namespace": "argocd", "serviceAccount": "argocd-server"}).json
    token = client.token()
    running.stop()
    assert not (tmp_path / "cloud.json").exists()
    machines.alive.clear()
    again = Running(tmp_path, machines)
    try:
        for door in ("control", "proxy", "token", "ca"):
            assert again.client.cloud[door] == client.cloud[door]
        assert client.control("/v1/read", {"type": CLUSTER, "id": HUB_ID}).json == before
        asked = {"namespace": "argocd", "serviceAccount": "argocd-server"}
        assert client.control("/v1/metadata", asked).json == metadata
        assert machines.started == ["hub"]
        assert client.gateway("/version", token=token).status == 200
    finally:
        again.stop()


def test_a_restart_takes_a_new_port_if_the_old_is_taken(
    running: Running, machines: FakeMachines, tmp_path: Path
) -> None:
    control = running.client.cloud["control"]
    running.stop()
    with socket.create_server(("127.0.0.1", int(control.rpartition(":")[2]))):
        again = Running(tmp_path, machines)
        try:
            assert again.client.cloud["control"] != control
            assert again.client.control("/v1/health").status == 200
        finally:
            again.stop()


@pytest.mark.parametrize("state", ["PROVISIONING", "DELETING"])
def test_an_operation_that_was_cut_off_is_taken_up(
    running: Running, machines: FakeMachines, tmp_path: Path, state: str
) -> None:
    fleet.hub(running.client)
    running.stop()
    # What a SIGKILL in the middle leaves on disk.
    file = tmp_path / "cloud" / "store.json"
    document = json.loads(file.read_text())
    next(record for record in document["resources"] if record["type"] == CLUSTER)["state"] = state
    file.write_text(json.dumps(document))
    again = Running(tmp_path, machines)
    try:
        until(lambda: again.client.control("/v1/health").json["operations"] == 0, "operations end")
        answer = again.client.control("/v1/read", {"type": CLUSTER, "id": HUB_ID})
        assert answer.status == (200 if state == "PROVISIONING" else 404)
    finally:
        again.stop()


def test_one_cloud_per_folder(client: Client, machines: FakeMachines) -> None:
    with pytest.raises(AlreadyRunning, match=str(client.cloud["pid"])):
        Cloud(client.state, machines)
