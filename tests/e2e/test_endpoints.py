"""Every way of reaching a member: DNS endpoint, private endpoint, a global membership, the Connect agent.

Four more members beside the sandbox's own two, which are born in the fleet and reached through the regional gateway.
Argo CD is real and so are the API servers; the endpoints are the sandbox's. Each grant that belongs to one way is
taken away once.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Sandbox, until
from tests.e2e.test_fleet import DEPLOYMENT, FLEET, damage, healthy, message_of, refresh, restart

pytestmark = [pytest.mark.sandbox, pytest.mark.e2e]

CLUSTER = "gcp:container/cluster:Cluster"
LAB = {"project": "acme-sandbox-lab", "location": "asia-northeast1", "ring": "stable", "kubernetes": "1.36"}
SHARED = "projects/acme-sandbox-hub"
HUB_RANGES = {"hub-nodes": "10.10.0.0/20", "hub-pods": "10.16.0.0/14"}
MEMBERS: list[dict[str, Any]] = [
    {**LAB, "name": "lab-dns", "endpoint": "dns"},
    {
        **LAB,
        "name": "lab-private",
        "endpoint": "private",
        "authorizedNetworks": HUB_RANGES,
        "network": {
            "network": f"{SHARED}/global/networks/shared",
            "subnetwork": f"{SHARED}/regions/asia-northeast1/subnetworks/lab",
            "pods": "pods",
            "services": "services",
        },
    },
    {
        **LAB,
        "name": "lab-global",
        "join": "register",
        "membership": {"id": "lab-global", "location": "global"},
    },
    {
        **LAB,
        "name": "lab-edge",
        "join": "registered",
        "membership": {"id": "lab-edge", "location": "global", "agent": True},
    },
]
REFUSED = "failed to get server version"
"""What Argo CD says of a cluster that answers 403 to its first question."""
IMPERSONATION = "fleet-gateway-impersonation"
NAMES = [str(member["name"]) for member in MEMBERS]


def member(fleet: Any, name: str) -> Any:
    return next(cluster for cluster in fleet["clusters"] if cluster["name"] == name)


@pytest.fixture(scope="module")
def laboratory(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox with the four members; two of them exist before the program hears of them."""
    existing = {
        "project": LAB["project"],
        "location": LAB["location"],
        "name": "lab-global",
        "enableAutopilot": True,
        "deletionProtection": False,
    }
    for api in ("compute.googleapis.com", "container.googleapis.com"):
        sandbox.owner_creates("gcp:projects/service:Service", {"project": LAB["project"], "service": api})
    made = sandbox.owner_creates(CLUSTER, existing)
    agents = {"project": "acme-sandbox-hub", "service": "gkeconnect.googleapis.com"}
    sandbox.owner_creates("gcp:projects/service:Service", agents)
    sandbox.cloud("POST", "/v1/external", {"name": "lab-edge", "location": "global"}, seconds=120)
    sandbox.change(FLEET, lambda fleet: fleet["clusters"].extend(dict(one) for one in MEMBERS))
    try:
        sandbox.up()
        yield sandbox
    finally:
        sandbox.restore(FLEET)
        sandbox.up()
        sandbox.owner_deletes(CLUSTER, made)


@pytest.mark.parametrize("name", NAMES)
def test_the_addon_is_delivered(laboratory: Sandbox, name: str) -> None:
    seen = healthy(laboratory)[f"external-secrets-{name}"]
    assert (seen["sync"], seen["health"]) == ("Synced", "Healthy")
    assert laboratory.kubectl(name, *DEPLOYMENT)["status"]["availableReplicas"] >= 1


def server_of(sandbox: Sandbox, name: str) -> str:
    import base64

    secret = sandbox.kubectl("hub", "-n", "argocd", "get", "secret", f"cluster-{name}")
    return base64.b64decode(secret["data"]["server"]).decode()


def test_each_is_reached_at_the_address_of_its_kind(laboratory: Sandbox) -> None:
    servers = {name: server_of(laboratory, name) for name in NAMES}
    assert servers["lab-dns"].endswith(".asia-northeast1.gke.goog")
    assert servers["lab-private"].startswith("https://10.")
    assert servers["lab-global"].startswith(
        "https://connectgateway.googleapis.com/v1/projects/100000000001/locations/global/gkeMemberships/"
    )
    assert servers["lab-edge"].endswith("/locations/global/memberships/lab-edge")


def fails_without(sandbox: Sandbox, name: str, words: str) -> None:
    """Argo CD cannot put back what is missing on `name`, and says something that the pattern `words` finds."""
    application = f"external-secrets-{name}"
    restart(sandbox, "argocd-application-controller")
    damage(sandbox, name)
    said: list[str] = []

    def refused() -> bool:
        refresh(sandbox, application)
        said.append(message_of(sandbox, application))
        return re.search(words, said[-1]) is not None

    try:
        until(f"delivery to {name} fails with {words}", refused)
    except AssertionError as error:
        raise AssertionError(f"{error}; it says: {said[-1]}") from None
    assert sandbox.kubectl(name, *DEPLOYMENT) is None


def heals(sandbox: Sandbox, name: str) -> None:
    sandbox.up()
    until("the workload is back", lambda: sandbox.kubectl(name, *DEPLOYMENT))


def test_without_the_role_for_the_dns_endpoint_delivery_fails(laboratory: Sandbox) -> None:
    path = "model/identity.py"
    text = "return tuple(dict.fromkeys(caller_member(fleet, caller) for caller in callers(fleet)))"
    laboratory.edit(path, text, "return ()")
    try:
        assert laboratory.fleet("up", "--timeout", "5").returncode in (0, 4)
        fails_without(laboratory, "lab-dns", REFUSED)
    finally:
        laboratory.restore(path)
        heals(laboratory, "lab-dns")


def test_outside_the_authorized_networks_delivery_fails(laboratory: Sandbox) -> None:
    def narrower(fleet: Any) -> None:
        member(fleet, "lab-private")["authorizedNetworks"] = {"nobody": "10.99.0.0/24"}

    before = (laboratory.root / FLEET).read_text()
    laboratory.change(FLEET, narrower)
    try:
        assert laboratory.fleet("up", "--timeout", "5").returncode in (0, 4)
        fails_without(laboratory, "lab-private", "failed to")
    finally:
        (laboratory.root / FLEET).write_text(before)
        heals(laboratory, "lab-private")


def test_without_the_agents_right_to_impersonate_delivery_fails(laboratory: Sandbox) -> None:
    deleted = laboratory.shell(
        "kubectl", "--context", "lab-edge", "delete", "clusterrolebinding", IMPERSONATION
    )
    assert deleted.returncode == 0, deleted.stderr
    try:
        fails_without(laboratory, "lab-edge", REFUSED)
    finally:
        done = laboratory.shell("pulumi", "refresh", "--stack", "sandbox", "--yes")
        assert done.returncode == 0, done.stderr
        heals(laboratory, "lab-edge")


def test_a_refresh_of_all_ways_finds_no_change(laboratory: Sandbox) -> None:
    done = laboratory.shell("pulumi", "refresh", "--stack", "sandbox", "--yes", "--expect-no-changes")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_cluster_is_not_replaced_in_place(laboratory: Sandbox) -> None:
    def moved(fleet: Any) -> None:
        member(fleet, "lab-dns")["network"] = {
            "network": f"{SHARED}/global/networks/shared",
            "subnetwork": f"{SHARED}/regions/asia-northeast1/subnetworks/lab",
            "pods": "pods",
            "services": "services",
        }

    before = (laboratory.root / FLEET).read_text()
    laboratory.change(FLEET, moved)
    try:
        done = laboratory.fleet("up")
        assert done.returncode == 1, done.stderr
        assert "would be replaced in place: lab-dns" in " ".join(done.stderr.split())
        assert "name of its own" in " ".join(done.stderr.split())
    finally:
        (laboratory.root / FLEET).write_text(before)
    assert yaml.safe_load(before)["clusters"]
