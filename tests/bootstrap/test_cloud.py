"""The rights in the sandbox's cloud: each of the deployer's is needed, preview reads and changes nothing, and a job on
GitHub becomes an account only from the one repository and in its environment.

What the fleets ask of the cloud comes from their program on paper. It does not prove that Google asks for the same
permissions.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sandbox.cloud.federation import Federation
from sandbox.cloud.refusal import Refusal
from tests.cloud.program import steps
from tests.cloud.replay import Paper, Step, bootstrapped

pytestmark = pytest.mark.engine

DEPLOYER = "deployer@acme-sandbox-hub.iam.gserviceaccount.com"
PREVIEW = "preview@acme-sandbox-hub.iam.gserviceaccount.com"
FLEETS = ("sandbox", "everything")
ELSEWHERE = {
    # The way into clusters: tests/cloud/test_gateway.py.
    "roles/gkehub.gatewayEditor",
    # The CLI's own way to state and secrets, which are on this machine's disk in the sandbox.
    "roles/storage.objectUser",
    "roles/cloudkms.cryptoKeyEncrypterDecrypter",
}
PROVIDER = "projects/100000000001/locations/global/workloadIdentityPools/github/providers/fleet-repository"
CLAIMS = {
    "iss": "https://token.actions.githubusercontent.com",
    "sub": "repo:acme/fleet:environment:sandbox",
    "repository_owner_id": "1000001",
    "repository_id": "2000001",
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Step]]:
    """What each fleet asks of the cloud."""
    return {fleet: steps(tmp_path_factory.mktemp(fleet), fleet) for fleet in FLEETS}


def bootstrapped_cloud(without: Step | None = None) -> Paper:
    cloud = Paper()
    cloud.bootstrap([step for step in bootstrapped() if step != without])
    return cloud


def deployers() -> list[Step]:
    return [step for step in bootstrapped() if step.inputs.get("member") == f"serviceAccount:{DEPLOYER}"]


def test_the_sandboxs_fleet_is_made_with_these_rights(asked: dict[str, list[Step]]) -> None:
    refused = bootstrapped_cloud().play(asked["sandbox"], DEPLOYER)
    assert not refused, "\n".join(f"{step}: {refusal}" for step, refusal in refused)


@pytest.mark.parametrize("right", deployers(), ids=str)
def test_without_one_of_them_something_is_refused(asked: dict[str, list[Step]], right: Step) -> None:
    if right.inputs["role"] in ELSEWHERE:
        # Nothing of the cloud's control side asks for these; if it begins to, they are not elsewhere any more.
        assert not bootstrapped_cloud(right).play(asked["sandbox"], DEPLOYER)
        return
    more = [
        len(bootstrapped_cloud(right).play(asked[fleet], DEPLOYER))
        - len(bootstrapped_cloud().play(asked[fleet], DEPLOYER))
        for fleet in FLEETS
    ]
    assert max(more) > 0, "nothing needs this right"


def test_preview_reads_all_that_a_fleet_makes_and_changes_nothing(asked: dict[str, list[Step]]) -> None:
    cloud = bootstrapped_cloud()
    before = {(record.type, record.id) for record in records(cloud)}
    cloud.play(asked["everything"], DEPLOYER)
    made = [record for record in records(cloud) if (record.type, record.id) not in before]
    assert len(made) > 40

    async def read() -> None:
        for record in made:
            await cloud.resources.read(PREVIEW, record.type, record.id)

    asyncio.run(read())
    refused = cloud.play(asked["everything"], PREVIEW)
    assert len(refused) == len(asked["everything"])


def records(cloud: Paper) -> list[Any]:
    types = {step.type for step in bootstrapped()} | {
        "gcp:container/cluster:Cluster",
        "gcp:container/nodePool:NodePool",
        "gcp:compute/network:Network",
        "gcp:compute/subnetwork:Subnetwork",
        "gcp:compute/router:Router",
        "gcp:compute/routerNat:RouterNat",
        "gcp:gkehub/fleet:Fleet",
        "gcp:gkehub/membership:Membership",
        "gcp:projects/iAMAuditConfig:IAMAuditConfig",
        "gcp:projects/serviceIdentity:ServiceIdentity",
        "gcp:secretmanager/secretIamMember:SecretIamMember",
    }
    return [record for type_ in sorted(types) for record in cloud.store.of(type_)]


def become(account: str, **other: str) -> str:
    cloud = bootstrapped_cloud()
    federation = Federation(cloud.store, cloud.organization, cloud.iam)
    return federation.subject(PROVIDER, CLAIMS | other, account)


def test_a_reviewed_job_becomes_the_deployer_and_a_pull_request_the_reader() -> None:
    assert become(DEPLOYER) == DEPLOYER
    assert become(PREVIEW, sub="repo:acme/fleet:pull_request") == PREVIEW


@pytest.mark.parametrize(
    ("account", "claims"),
    [
        (DEPLOYER, {"sub": "repo:acme/fleet:pull_request"}),
        (DEPLOYER, {"sub": "repo:acme/fleet:ref:refs/heads/main"}),
        (DEPLOYER, {"sub": "repo:acme/fleet:environment:other"}),
        (DEPLOYER, {"repository_id": "2000002"}),
        (DEPLOYER, {"repository_owner_id": "1000002"}),
        (PREVIEW, {}),
        (PREVIEW, {"sub": "repo:acme/fleet:pull_request", "repository_id": "2000002"}),
    ],
    ids=str,
)
def test_any_other_job_becomes_nobody(account: str, claims: dict[str, str]) -> None:
    with pytest.raises(Refusal) as caught:
        become(account, **claims)
    assert caught.value.code in (401, 403)
