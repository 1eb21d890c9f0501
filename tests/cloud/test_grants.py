"""Nothing is granted for nothing: every role, API and service agent is taken away once, and something must fail.

Two lists are played into clouds: what bootstrap makes, as the owner, and what the program makes, as the deployer, for
the sandbox's fleet and for one with every way of joining and reaching a cluster. What shows nowhere in the lists
themselves shows at a door of the cloud: a probe of `PROBES` that worked does not.

What this does not prove: that Google Cloud asks for the same. It asks for what `sandbox/cloud` knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from plugins.gcp.types import TYPES
from sandbox.cloud.rules import GRANTS, SERVICE
from sandbox.cloud.store import Record
from tests.cloud import program
from tests.cloud.client import (
    CLUSTER,
    CUSTOM_ROLE,
    DEPLOYER,
    HUB,
    IDENTITY,
    LAB,
    NUMBER,
    SHOP,
    Answer,
    Client,
)
from tests.cloud.conftest import Running
from tests.cloud.doors import dns_host, metadata, person
from tests.cloud.machines import FakeMachines, Upstream
from tests.cloud.replay import Paper, Step, bootstrapped, without

FLEETS = ("sandbox", "everything")
TOKYO = "asia-northeast1"
KEY = f"projects/{HUB}/locations/{TOKYO}/keyRings/pulumi/cryptoKeys/gke-fleet-sandbox"
BUCKET = "acme-sandbox-pulumi-state"

NEEDS_OF_THE_CLI = (
    ("storage.objects.list", BUCKET),
    ("storage.objects.get", BUCKET),
    ("storage.objects.create", BUCKET),
    ("storage.objects.delete", BUCKET),
    ("cloudkms.cryptoKeyVersions.useToEncrypt", KEY),
    ("cloudkms.cryptoKeyVersions.useToDecrypt", KEY),
)
"""What the CLI does with its backend and its secrets provider, which the sandbox does not have: (permission, resource).
Its gocloud drivers read, write, list and delete objects, and encrypt and decrypt with the key."""

NEEDS_OF_THE_PROVIDERS = ("get", "post", "put", "patch", "delete")
"""Requests of the kubernetes Providers, through the gateway, as the deployer."""


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Step]]:
    """What the program makes for each fleet."""
    return {fleet: program.steps(tmp_path_factory.mktemp(fleet), fleet) for fleet in FLEETS}


def other_teams_cluster() -> Record:
    """The cluster that the fleet `everything` registers: it was there before."""
    inputs = {"project": SHOP, "name": "old-shop", "location": "asia-northeast2", "enableAutopilot": True}
    return Record(
        type=CLUSTER,
        id=TYPES[CLUSTER].identify(inputs),
        inputs=inputs,
        outputs={},
        created=0.0,
        machine="old-shop",
    )


def played(foundation: list[Step], steps: list[Step]) -> tuple[Paper, list[str]]:
    """A cloud with both lists, and everything that went wrong."""
    cloud = Paper()
    wrong = [f"{step}: {error}" for step, error in cloud.play(foundation, cloud.organization.owner)]
    cloud.store.put(other_teams_cluster())
    wrong += [f"{step}: {error}" for step, error in cloud.play(steps, DEPLOYER)]
    for cluster in cloud.resources.clusters():
        if cluster.machine != "old-shop":
            wrong += [condition["message"] for condition in cloud.resources.conditions(cluster)]
    return cloud, wrong


@pytest.fixture
def everything(programs: dict[str, list[Step]]) -> list[Step]:
    """What the program makes for the fleet `everything`; nothing of it is refused, or an absence would show nothing."""
    _, wrong = played(bootstrapped(), programs["everything"])
    assert not wrong, "\n".join(wrong)
    return programs["everything"]


# Nothing is missing


@pytest.mark.parametrize("fleet", FLEETS)
def test_a_whole_fleet_plays_without_refusal(programs: dict[str, list[Step]], fleet: str) -> None:
    cloud, wrong = played(bootstrapped(), programs[fleet])
    assert not wrong, "\n".join(wrong)
    for permission, resource in NEEDS_OF_THE_CLI:
        assert cloud.iam.may(DEPLOYER, permission, HUB, resource), permission


def test_a_second_time_says_what_is_there(everything: list[Step]) -> None:
    cloud, _ = played(bootstrapped(), everything)
    refused = cloud.play(everything, DEPLOYER)
    additive = {SERVICE, IDENTITY, *GRANTS, "gcp:projects/iAMAuditConfig:IAMAuditConfig"}
    assert {error.code for _, error in refused} == {409}
    assert {step.type for step, _ in refused} == {
        step.type for step in everything if step.type not in additive
    }


# The deployer's roles


def of_the_deployer() -> list[Step]:
    return [
        step
        for step in bootstrapped()
        if step.type in GRANTS and step.inputs["member"] == f"serviceAccount:{DEPLOYER}"
    ]


@pytest.mark.parametrize("grant", of_the_deployer(), ids=str)
def test_the_deployer_has_no_role_for_nothing(everything: list[Step], grant: Step) -> None:
    cloud, wrong = played(without(bootstrapped(), lambda step: step == grant), everything)
    wrong += [
        permission
        for permission, resource in NEEDS_OF_THE_CLI
        if not cloud.iam.may(DEPLOYER, permission, HUB, resource)
    ]
    wrong += [
        verb for verb in NEEDS_OF_THE_PROVIDERS if not cloud.iam.may(DEPLOYER, f"gkehub.gateway.{verb}", HUB)
    ]
    assert wrong, f"nothing notices that the deployer lacks {grant}"


# What the program makes


@dataclass(frozen=True)
class Doors:
    """A cloud of the fleet `everything`, and the tokens of who comes to its doors."""

    client: Client

    def workload(self, namespace: str, name: str, cluster: str = "") -> dict[str, str]:
        """Headers of a ServiceAccount of a cluster."""
        path = "/computeMetadata/v1/instance/service-accounts/default/token"
        answer = metadata(self.client, path, namespace=namespace, name=name, cluster=cluster)
        assert answer.status == 200, answer.body
        return {"Authorization": f"Bearer {answer.json['access_token']}"}

    def person(self, email: str) -> dict[str, str]:
        """Headers of somebody."""
        return {"Authorization": f"Bearer {person(self.client, email)}"}

    def cluster(self, name: str) -> dict[str, Any]:
        """The outputs of a GKE cluster of the lab."""
        id_ = f"projects/{LAB}/locations/{TOKYO}/clusters/{name}"
        outputs: dict[str, Any] = self.client.control("/v1/read", {"type": CLUSTER, "id": id_}).json[
            "outputs"
        ]
        return outputs

    def gateway(self, headers: Mapping[str, str], method: str, path: str = "/version") -> Answer:
        """A request through the gateway to tokyo-shop."""
        url = f"/v1/projects/{NUMBER}/locations/{TOKYO}/gkeMemberships/tokyo-shop{path}"
        return self.client.https(
            f"{TOKYO}-connectgateway.googleapis.com", url, method=method, headers=headers
        )


_EXEC = "/api/v1/namespaces/a/pods/p/exec?command=ls"
_SERVER = ("argocd", "argocd-server")
_CONTROLLER = ("argocd", "argocd-application-controller")


def _delivers(doors: Doors) -> bool:
    return doors.gateway(doors.workload(*_CONTROLLER), "POST").status == 200


def _shows(doors: Doors) -> bool:
    return doors.gateway(doors.workload(*_SERVER), "GET").status == 200


def _opens_a_terminal(doors: Doors) -> bool:
    # Let in, it is told that it is no WebSocket.
    return doors.gateway(doors.workload(*_SERVER), "GET", _EXEC).status != 403


def _by_dns(who: tuple[str, str]) -> Callable[[Doors], bool]:
    def probe(doors: Doors) -> bool:
        host = dns_host(doors.cluster("tokyo-lab"))
        return doors.client.https(host, "/version", headers=doors.workload(*who)).status == 200

    return probe


def _reads_a_secret(project: str, cluster: str, secret: str) -> Callable[[Doors], bool]:
    def probe(doors: Doors) -> bool:
        headers = doors.workload("external-secrets", "external-secrets", cluster)
        path = f"/v1/projects/{project}/secrets/{secret}/versions/latest:access"
        return doors.client.https("secretmanager.googleapis.com", path, headers=headers).status == 200

    return probe


def _gets_in(email: str, path: str = "/version") -> Callable[[Doors], bool]:
    return lambda doors: doors.gateway(doors.person(email), "GET", path).status != 403


def _lists_the_fleet(email: str) -> Callable[[Doors], bool]:
    def probe(doors: Doors) -> bool:
        path = f"/v1/projects/{HUB}/locations/-/memberships"
        return doors.client.https("gkehub.googleapis.com", path, headers=doors.person(email)).status == 200

    return probe


def _deploys_from_a_workflow(doors: Doors) -> bool:
    (provider,) = (
        step.inputs for step in bootstrapped() if step.type.endswith(":WorkloadIdentityPoolProvider")
    )
    (subject,) = (
        str(step.inputs["member"]).partition("/subject/")[2]
        for step in bootstrapped()
        if step.type in GRANTS and DEPLOYER in str(step.inputs.get("serviceAccountId", ""))
    )
    terms = [term.split("==") for term in str(provider["attributeCondition"]).split("&&")]
    claims = {name.strip().removeprefix("assertion."): value.strip(" '\"") for name, value in terms}
    pool = f"projects/{NUMBER}/locations/global/workloadIdentityPools/{provider['workloadIdentityPoolId']}"
    asked = {
        "provider": f"{pool}/providers/{provider['workloadIdentityPoolProviderId']}",
        "claims": {"sub": subject, **claims},
        "account": DEPLOYER,
    }
    return doors.client.control("/v1/federate", asked).status == 200


def _connects_from_elsewhere(doors: Doors) -> bool:
    return doors.client.control("/v1/external", {"name": "plant", "location": TOKYO}).status == 200


PROBES: dict[str, Callable[[Doors], bool]] = {
    "Argo CD delivers through the gateway": _delivers,
    "Argo CD shows live objects through the gateway": _shows,
    "Argo CD opens a terminal": _opens_a_terminal,
    "Argo CD delivers through the DNS endpoint": _by_dns(_CONTROLLER),
    "Argo CD shows live objects through the DNS endpoint": _by_dns(_SERVER),
    "External Secrets reads the shop's database secret": _reads_a_secret(SHOP, "tokyo-shop", "shop-database"),
    "External Secrets reads the shop's payments secret": _reads_a_secret(SHOP, "tokyo-shop", "shop-payments"),
    "External Secrets reads the lab's secret": _reads_a_secret(LAB, "tokyo-lab", "lab-notebooks"),
    "the platform team opens a shell": _gets_in("operator@acme.example", _EXEC),
    "the platform team finds clusters": _lists_the_fleet("operator@acme.example"),
    "developers read": _gets_in("developer@acme.example"),
    "developers find clusters": _lists_the_fleet("developer@acme.example"),
    "a reviewed workflow deploys": _deploys_from_a_workflow,
    "a cluster elsewhere connects": _connects_from_elsewhere,
}
"""What the fleet is for, at the cloud's doors: each works in the whole fleet, and says False where it does not."""


def failing(cloud: Paper, folder: Path) -> Iterator[str]:
    """The probes that do not work in a cloud that begins with what `cloud` has."""
    cloud.save(folder / "cloud" / "store.json")
    upstream = Upstream()
    upstream.annotations = {
        "argocd-server": {
            "iam.gke.io/gcp-service-account": f"argocd-server-hub@{HUB}.iam.gserviceaccount.com"
        },
        "argocd-application-controller": {
            "iam.gke.io/gcp-service-account": f"argocd-hub@{HUB}.iam.gserviceaccount.com"
        },
        "external-secrets": {},
    }
    running = Running(folder, FakeMachines(upstream))
    try:
        for what, probe in PROBES.items():
            try:
                works = probe(Doors(running.client))
            except AssertionError:  # no token, so nothing else either
                works = False
            if not works:
                yield what
    finally:
        running.stop()
        upstream.close()


def test_every_probe_works_in_the_whole_fleet(everything: list[Step], tmp_path: Path) -> None:
    cloud, _ = played(bootstrapped(), everything)
    assert not list(failing(cloud, tmp_path))


def _taken_away(step: Step) -> tuple[str, ...]:
    """What names a thing that is granted, enabled or brought into being: a project's API is one thing, whoever enables
    it."""
    named = ("project", "service", "role", "member", "serviceAccountId", "secretId", "roleId")
    return (step.type, *(str(step.inputs.get(name, "")) for name in named))


def test_the_program_makes_nothing_for_nothing(
    everything: list[Step], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each grant, API, service agent and custom role of the fleet `everything`, one after the other.

    One test, because what there is to take away is known when the program has run.
    """
    things = [step for step in everything if step.type in {SERVICE, IDENTITY, CUSTOM_ROLE, *GRANTS}]
    assert len(things) > 40
    unnoticed = []
    for thing in things:
        name = _taken_away(thing)
        foundation = [step for step in bootstrapped() if _taken_away(step) != name]
        steps = [step for step in everything if _taken_away(step) != name]
        cloud, wrong = played(foundation, steps)
        if not wrong and not list(failing(cloud, tmp_path_factory.mktemp("without"))):
            unnoticed.append(str(thing))
    assert not unnoticed, "nothing notices the absence of:\n" + "\n".join(unnoticed)
