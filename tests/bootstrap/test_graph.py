"""What the bootstrap project makes: held by its graph, on paper, through the real CLI.

It does not prove that these rights are enough at Google; that they are enough in the sandbox's cloud, and that
none can be left out, is shown there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bootstrap.load import load
from bootstrap.rights import grants_only
from tests.bootstrap.bootstrapped import FILE, text
from tests.bootstrap.paper import STACKS
from tests.program.graph import CHECKOUT, Graph, pulumi

pytestmark = pytest.mark.engine

PROJECT = "gcp:organizations/project:Project"
SERVICE = "gcp:projects/service:Service"
ACCOUNT = "gcp:serviceaccount/account:Account"
CUSTOM_ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
GRANT = "gcp:projects/iAMMember:IAMMember"
ACCOUNT_GRANT = "gcp:serviceaccount/iAMMember:IAMMember"
BUCKET = "gcp:storage/bucket:Bucket"
BUCKET_GRANT = "gcp:storage/bucketIAMMember:BucketIAMMember"
RING = "gcp:kms/keyRing:KeyRing"
KEY = "gcp:kms/cryptoKey:CryptoKey"
KEY_GRANT = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
ALL_GRANTS = (GRANT, ACCOUNT_GRANT, BUCKET_GRANT, KEY_GRANT)
HOSTS = {"sandbox": "acme-sandbox-hub", "prod": "acme-fleet-prod"}

both = pytest.mark.parametrize("stack", STACKS)


def member(stack: str, account: str) -> str:
    return f"serviceAccount:{account}@{HOSTS[stack]}.iam.gserviceaccount.com"


def roles(graph: Graph, stack: str, account: str) -> dict[str, set[str]]:
    """Project id -> roles of an account on it."""
    found: dict[str, set[str]] = {}
    for grant in graph.of_type(GRANT):
        if grant.inputs["member"] == member(stack, account):
            found.setdefault(grant.inputs["project"], set()).add(grant.inputs["role"])
    return found


def _listed(inputs: Mapping[str, Any]) -> set[str]:
    """The roles that the condition of a grant lists."""
    expression = (inputs.get("condition") or {}).get("expression", "")
    return set(re.findall(r"'((?:roles|projects)/[^']+)'", expression))


@both
def test_what_there_is(graphs: dict[str, Graph], stack: str) -> None:
    graph = graphs[stack]
    counted = {
        token: len(graph.of_type(token)) for token in (PROJECT, ACCOUNT, BUCKET, RING, KEY, POOL, PROVIDER)
    }
    created = {"sandbox": 4, "prod": 4}[stack]
    assert counted == {PROJECT: created, ACCOUNT: 2, BUCKET: 2, RING: 1, KEY: 1, POOL: 1, PROVIDER: 1}


@both
def test_no_key_of_an_account_and_no_basic_role(graphs: dict[str, Graph], stack: str) -> None:
    graph = graphs[stack]
    assert not [resource.type for resource in graph if "serviceaccount/key" in resource.type]
    granted = {resource.inputs["role"] for token in ALL_GRANTS for resource in graph.of_type(token)}
    assert granted.isdisjoint({"roles/owner", "roles/editor", "roles/viewer"})
    too_much = {
        "roles/secretmanager.admin",
        "roles/iam.roleAdmin",
        "roles/iam.securityAdmin",
        "roles/iam.serviceAccountTokenCreator",
    }
    assert granted.isdisjoint(too_much)
    members = {resource.inputs["member"] for token in ALL_GRANTS for resource in graph.of_type(token)}
    assert not members & {"allUsers", "allAuthenticatedUsers"}


def test_the_deployer_in_production(graphs: dict[str, Graph]) -> None:
    every = {"roles/serviceusage.serviceUsageAdmin", "roles/resourcemanager.projectIamAdmin"}
    clusters = every | {"roles/container.admin", "roles/iam.serviceAccountUser"}
    found = roles(graphs["prod"], "prod", "deployer")
    assert found["acme-fleet-prod"] == clusters | {
        "roles/gkehub.editor",
        "roles/gkehub.gatewayEditor",
        "roles/iam.serviceAccountAdmin",
    }
    nodes = "projects/acme-internal-prod/roles/fleetNodeAccounts"
    assert found["acme-internal-prod"] == clusters | {nodes}
    assert found["acme-shop-prod"] == clusters | {
        "projects/acme-shop-prod/roles/fleetNodeAccounts",
        "projects/acme-shop-prod/roles/fleetSecretGrants",
    }
    assert found["acme-data-prod"] == clusters | {
        "projects/acme-data-prod/roles/fleetNodeAccounts",
        "roles/compute.networkAdmin",
    }


@both
def test_preview_reads_and_nothing_else(graphs: dict[str, Graph], stack: str) -> None:
    graph = graphs[stack]
    found = set().union(*roles(graph, stack, "preview").values())
    assert found <= {
        "roles/compute.networkViewer",
        "roles/container.clusterViewer",
        "roles/gkehub.viewer",
        "roles/iam.securityReviewer",
        "roles/iam.serviceAccountViewer",
        "roles/serviceusage.serviceUsageViewer",
    }
    own = {
        token: {
            r.inputs["role"] for r in graph.of_type(token) if r.inputs["member"] == member(stack, "preview")
        }
        for token in ALL_GRANTS
    }
    assert own[BUCKET_GRANT] == {"roles/storage.objectViewer"}
    assert own[KEY_GRANT] == set(), "preview must not open a secret"
    assert own[ACCOUNT_GRANT] == set()


@both
def test_the_deployer_grants_what_is_listed_and_no_other_right_is_conditional(
    graphs: dict[str, Graph], stack: str
) -> None:
    graph = graphs[stack]
    limited = {
        g.inputs["project"]: g.inputs["condition"] for g in graph.of_type(GRANT) if g.inputs.get("condition")
    }
    admins = {
        g.inputs["project"]
        for g in graph.of_type(GRANT)
        if g.inputs["role"] == "roles/resourcemanager.projectIamAdmin"
        and g.inputs["member"] == member(stack, "deployer")
    }
    assert limited.keys() == admins == roles(graph, stack, "deployer").keys()
    listed = {project: _listed({"condition": condition}) for project, condition in limited.items()}
    for project, condition in limited.items():
        assert condition["expression"] == grants_only(sorted(listed[project]))
        assert not any("dmin" in role and role != "roles/gkehub.gatewayAdmin" for role in listed[project])
    member_roles = {
        "roles/container.defaultNodeServiceAccount",
        "roles/gkehub.crossProjectServiceAgent",
        "roles/gkehub.serviceAgent",
    }
    if stack == "prod":
        assert listed["acme-shop-prod"] == member_roles
        assert listed["acme-data-prod"] == member_roles | {"projects/acme-data-prod/roles/fleetDnsEndpoint"}
        assert "roles/gkehub.crossProjectServiceAgent" not in listed["acme-fleet-prod"]


def test_the_condition_is_written_as_google_documents_it() -> None:
    assert grants_only(["roles/a.b", "projects/acme-shop/roles/c"]) == (
        "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', [])"
        ".hasOnly(['roles/a.b', 'projects/acme-shop/roles/c'])"
    )


@both
def test_custom_roles_hold_what_they_say(graphs: dict[str, Graph], stack: str) -> None:
    graph = graphs[stack]
    permissions = {role.inputs["roleId"]: role.inputs["permissions"] for role in graph.of_type(CUSTOM_ROLE)}
    assert permissions == {
        "fleetNodeAccounts": [
            f"iam.serviceAccounts.{v}" for v in ("create", "delete", "get", "list", "update")
        ],
        "fleetDnsEndpoint": ["container.clusters.connect"],
        "fleetSecretGrants": [f"secretmanager.secrets.{v}" for v in ("get", "getIamPolicy", "setIamPolicy")],
    }
    made = {
        f"projects/{role.inputs['project']}/roles/{role.inputs['roleId']}"
        for role in graph.of_type(CUSTOM_ROLE)
    }
    granted = {g.inputs["role"] for g in graph.of_type(GRANT) if g.inputs["role"].startswith("projects/")}
    bound_by_the_fleet = {name for name in made if name.endswith("/fleetDnsEndpoint")}
    assert made - bound_by_the_fleet == granted
    listed = {
        name
        for grant in graph.of_type(GRANT)
        for name in _listed(grant.inputs)
        if name.startswith("projects/")
    }
    assert bound_by_the_fleet == listed
    for grant in graph.of_type(GRANT):
        if grant.inputs["role"].startswith("projects/"):
            behind = {graph.resources[urn].inputs.get("roleId") for urn in graph.behind(grant)}
            assert grant.inputs["role"].rpartition("/")[2] in behind


@both
def test_ci_comes_from_one_repository_and_a_reviewed_environment(
    graphs: dict[str, Graph], stack: str
) -> None:
    graph = graphs[stack]
    (provider,) = graph.of_type(PROVIDER)
    assert provider.inputs["attributeCondition"] == (
        "assertion.repository_owner_id == '1000001' && assertion.repository_id == '2000001'"
    )
    assert provider.inputs["attributeMapping"] == {"google.subject": "assertion.sub"}
    assert provider.inputs["oidc"]["issuerUri"] == "https://token.actions.githubusercontent.com"
    found = {g.name: g.inputs for g in graph.of_type(ACCOUNT_GRANT)}
    environment = {"sandbox": "sandbox", "prod": "production"}[stack]
    previews = {"sandbox": "pull_request", "prod": "environment:production-preview"}[stack]
    subjects = {
        "deployer-from-github": f"repo:acme/fleet:environment:{environment}",
        "preview-from-github": f"repo:acme/fleet:{previews}",
    }
    assert found.keys() == subjects.keys()
    for name, inputs in found.items():
        assert inputs["role"] == "roles/iam.workloadIdentityUser"
        pool = r"projects/\d+/locations/global/workloadIdentityPools/github"
        pattern = rf"principal://iam\.googleapis\.com/{pool}/subject/{subjects[name]}"
        assert re.fullmatch(pattern, inputs["member"]), inputs["member"]
        assert inputs["serviceAccountId"].endswith(member(stack, name.split("-")[0]).partition(":")[2])


@both
def test_state_is_private_and_kept(graphs: dict[str, Graph], stack: str) -> None:
    graph, protects = graphs[stack], stack == "prod"
    buckets = {bucket.inputs["name"]: bucket for bucket in graph.of_type(BUCKET)}
    for bucket in buckets.values():
        assert bucket.inputs["uniformBucketLevelAccess"] is True
        assert bucket.inputs["publicAccessPrevention"] == "enforced"
        assert bucket.inputs["versioning"] == {"enabled": True}
        assert bucket.inputs["softDeletePolicy"]["retentionDurationSeconds"] == 30 * 86400
        (rule,) = bucket.inputs["lifecycleRules"]
        assert rule["condition"] == {"daysSinceNoncurrentTime": 90, "numNewerVersions": 20}
        assert bucket.protect is protects
        assert bucket.inputs["forceDestroy"] is not protects
    owners = [name for name in buckets if name.endswith("-bootstrap")]
    assert len(owners) == 1
    granted = {grant.inputs["bucket"] for grant in graph.of_type(BUCKET_GRANT)}
    assert granted == buckets.keys() - set(owners), "nobody of CI may reach the owner's own state"


@both
def test_the_key_turns_and_stays(graphs: dict[str, Graph], stack: str) -> None:
    graph = graphs[stack]
    (key,), (ring,) = graph.of_type(KEY), graph.of_type(RING)
    assert key.inputs["rotationPeriod"] == "7776000s"
    assert key.protect is ring.protect is (stack == "prod")
    (grant,) = graph.of_type(KEY_GRANT)
    assert grant.inputs["role"] == "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    assert grant.inputs["member"] == member(stack, "deployer")


def test_projects_of_production_cannot_be_lost(graphs: dict[str, Graph]) -> None:
    for project in graphs["prod"].of_type(PROJECT):
        assert project.protect
        assert project.inputs["deletionPolicy"] == "PREVENT"
        assert project.inputs["autoCreateNetwork"] is False
        assert project.inputs["folderId"] == "520000000017"


def test_a_project_that_exists_is_used_and_not_made(graphs: dict[str, Graph]) -> None:
    graph = graphs["prod"]
    assert "acme-data-prod" not in {project.inputs["projectId"] for project in graph.of_type(PROJECT)}
    assert "acme-data-prod" in roles(graph, "prod", "deployer")


@both
def test_everything_in_a_new_project_comes_after_it_and_its_apis(
    graphs: dict[str, Graph], stack: str
) -> None:
    graph = graphs[stack]
    new = {project.inputs["projectId"]: project.urn for project in graph.of_type(PROJECT)}
    for grant in graph.of_type(GRANT):
        project = grant.inputs["project"]
        behind = graph.behind(grant)
        if project in new:
            assert new[project] in behind
        apis = {
            graph.resources[urn].inputs["service"]
            for urn in behind
            if graph.resources[urn].type == SERVICE and graph.resources[urn].inputs["project"] == project
        }
        assert {"cloudresourcemanager.googleapis.com", "iam.googleapis.com"} <= apis


@both
def test_what_the_fleets_files_need_comes_out(states: dict[str, list[dict[str, Any]]], stack: str) -> None:
    (out,) = (state["outputs"] for state in states[stack] if state["type"] == "pulumi:pulumi:Stack")
    settings = load(CHECKOUT / "bootstrap", stack)
    assert out["projects"].keys() == settings.projects.keys()
    assert all(re.fullmatch(r"\d+", number) for number in out["projects"].values())
    assert out["hostProject"] == settings.host_project
    assert out["backend"] == f"gs://{settings.state.bucket}"
    assert out["ownerBackend"] == f"gs://{settings.state.bucket}-bootstrap"
    key = f"keyRings/pulumi/cryptoKeys/gke-fleet-{stack}"
    assert out["secretsProvider"] == f"gcpkms://projects/{HOSTS[stack]}/locations/asia-northeast1/{key}"
    pool = r"projects/\d+/locations/global/workloadIdentityPools/github"
    assert re.fullmatch(rf"{pool}/providers/fleet-repository", out["workloadIdentityProvider"])
    assert f"serviceAccount:{out['deployer']}" == member(stack, "deployer")


def test_what_the_clouds_tests_start_from_is_fresh(states: dict[str, list[dict[str, Any]]]) -> None:
    fresh = text(states["sandbox"])
    assert FILE.read_text(encoding="utf-8") == fresh, "run: python -m tests.bootstrap.bootstrapped"
    kinds = [request["type"] for request in json.loads(fresh)]
    assert kinds.index(PROJECT) < kinds.index(SERVICE) < kinds.index(ACCOUNT) < kinds.index(GRANT)


def test_a_mistake_stops_the_program_before_anything_is_made(
    project: Path, paper: Mapping[str, str], states: dict[str, list[dict[str, Any]]]
) -> None:
    file = project / "sandbox.yaml"
    good = file.read_text(encoding="utf-8")
    try:
        bad = good.replace('ownerId: "1000001"', "ownerId: 1000001").replace(
            "location: asia", "location: aisa"
        )
        file.write_text(bad, encoding="utf-8")
        done = pulumi(project, paper, "preview", "--stack", "sandbox", check=False)
    finally:
        file.write_text(good, encoding="utf-8")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "2 configuration errors" in said
    assert "github.ownerId is '1000001'" in said
    assert "state.location is 'aisa-northeast1'" in said
    assert "Traceback" not in said
