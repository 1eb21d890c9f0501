"""What needs no engine: values on the wire, the tables of types and kinds, ids."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.codec import (
    UNKNOWN,
    Secret,
    changed_paths,
    decode,
    encode,
    has_unknown,
    marked_like,
    observed,
    plain,
    without_indexes,
)
from plugins.gcp.types import CLUSTER, TYPES, paper_number
from plugins.ground import pending_id
from plugins.kubernetes import kinds
from plugins.kubernetes.readiness import lacking, needs_endpoints

COMPLETE = {"type": "Complete", "status": "True"}
LEAVES = st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text() | st.just(UNKNOWN)
VALUES = st.recursive(
    LEAVES | LEAVES.map(Secret),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)

INPUTS: dict[str, dict[str, Any]] = {
    "gcp:projects/service:Service": {"project": "acme-prod", "service": "container.googleapis.com"},
    "gcp:projects/serviceIdentity:ServiceIdentity": {"project": "acme-prod", "service": "gkehub.googleapis.com"},
    "gcp:projects/iAMMember:IAMMember": {
        "project": "acme-prod", "role": "roles/gkehub.viewer", "member": "user:a@acme.example",
    },
    "gcp:serviceaccount/account:Account": {"project": "acme-prod", "accountId": "robot-1"},
    "gcp:serviceaccount/iAMMember:IAMMember": {
        "serviceAccountId": "projects/acme-prod/serviceAccounts/r@acme-prod.iam.gserviceaccount.com",
        "role": "roles/iam.workloadIdentityUser",
        "member": "serviceAccount:acme-prod.svc.id.goog[argocd/argocd-server]",
    },
    "gcp:gkehub/fleet:Fleet": {"project": "acme-prod"},
    "gcp:gkehub/membership:Membership": {
        "project": "acme-prod", "location": "asia-northeast1", "membershipId": "one",
    },
    CLUSTER: {
        "project": "acme-prod", "location": "asia-northeast1-a", "name": "one", "fleet": {"project": "acme-host"},
    },
    "gcp:container/nodePool:NodePool": {
        "project": "acme-prod", "location": "asia-northeast1", "cluster": "one", "name": "main",
    },
    "gcp:compute/network:Network": {"project": "acme-prod", "name": "fleet"},
    "gcp:compute/subnetwork:Subnetwork": {
        "project": "acme-prod", "region": "asia-northeast1", "name": "one", "network": "fleet",
        "ipCidrRange": "10.0.0.0/20",
    },
    "gcp:compute/router:Router": {
        "project": "acme-prod", "region": "asia-northeast1", "name": "out", "network": "fleet",
    },
    "gcp:compute/routerNat:RouterNat": {
        "project": "acme-prod", "region": "asia-northeast1", "router": "out", "name": "nat",
        "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
    },
    "gcp:projects/iAMCustomRole:IAMCustomRole": {
        "project": "acme-prod", "roleId": "fleetDnsEndpoint", "title": "t",
        "permissions": ["container.clusters.connect"],
    },
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": {
        "project": "acme-prod", "service": "gkehub.googleapis.com", "auditLogConfigs": [{"logType": "ADMIN_READ"}],
    },
    "gcp:secretmanager/secretIamMember:SecretIamMember": {
        "project": "acme-prod", "secretId": "shop-database", "role": "roles/secretmanager.secretAccessor",
        "member": "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/s",
    },
    "gcp:organizations/project:Project": {
        "projectId": "acme-prod", "name": "Acme prod", "orgId": "400000000001",
        "billingAccount": "000000-000000-000000",
    },
    "gcp:storage/bucket:Bucket": {"project": "acme-prod", "name": "acme-state", "location": "ASIA-NORTHEAST1"},
    "gcp:storage/bucketIAMMember:BucketIAMMember": {
        "bucket": "acme-state", "role": "roles/storage.objectUser", "member": "group:ops@acme.example",
    },
    "gcp:kms/keyRing:KeyRing": {"project": "acme-prod", "location": "asia-northeast1", "name": "fleet"},
    "gcp:kms/cryptoKey:CryptoKey": {
        "keyRing": "projects/acme-prod/locations/asia-northeast1/keyRings/fleet", "name": "state",
        "rotationPeriod": "7776000s",
    },
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": {
        "cryptoKeyId": "projects/acme-prod/locations/asia-northeast1/keyRings/fleet/cryptoKeys/state",
        "role": "roles/cloudkms.cryptoKeyDecrypter", "member": "group:ops@acme.example",
    },
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": {
        "project": "acme-prod", "workloadIdentityPoolId": "github",
    },
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": {
        "project": "acme-prod", "workloadIdentityPoolId": "github", "workloadIdentityPoolProviderId": "actions",
    },
}  # fmt: skip


@given(st.dictionaries(st.text(max_size=6), VALUES, max_size=5))
def test_values_survive_the_wire(values: dict[str, Any]) -> None:
    assert decode(encode(values)) == values


@given(VALUES, VALUES)
def test_a_value_differs_from_itself_only_where_it_is_unknown(one: Any, other: Any) -> None:
    assert bool(changed_paths({"a": one}, {"a": one})) == has_unknown(one)
    assert marked_like(plain(one), one) == one
    assert has_unknown([one, other]) == (has_unknown(one) or has_unknown(other))


def test_paths_are_the_engine_s() -> None:
    old = {"a": [{"b": 1}, {"b": 2}], "m": {"x.y/z": "1"}, "gone": True, "s": Secret("1"), "none": None}
    new = {"a": [{"b": 1}, {"b": 3}, {"b": 4}], "m": {"x.y/z": "2"}, "more": 1, "s": "1"}
    changed = {"a[1].b": "update", "a[2]": "add", 'm["x.y/z"]': "update", "gone": "delete", "more": "add"}
    assert changed_paths(old, new) == changed
    assert [without_indexes(path) for path in ("a[1].b", 'm["x.y/z"].c', "x")] == ["a.b", "m.x.y/z.c", "x"]


@pytest.mark.parametrize("token", sorted(TYPES))
def test_every_type_says_its_id_and_reads_it_back(token: str) -> None:
    kind, inputs = TYPES[token], INPUTS[token]
    id_ = kind.identify(inputs)
    assert pending_id(token, inputs) == id_
    assert kind.from_id(id_).items() <= inputs.items()
    outputs = kind.outputs(inputs, paper_number)
    assert outputs == kind.outputs(inputs, paper_number)
    assert inputs.keys() <= outputs.keys()
    assert {path.partition(".")[0] for path in kind.computed} <= outputs.keys()
    assert kind.problems(inputs) == []


def test_a_cluster_s_membership_is_regional_and_named_after_it() -> None:
    fleet = TYPES[CLUSTER].outputs(INPUTS[CLUSTER], paper_number)["fleet"]
    assert (
        fleet["membership"]
        == "//gkehub.googleapis.com/projects/acme-host/locations/asia-northeast1/memberships/one"
    )
    assert (fleet["membershipId"], fleet["membershipLocation"]) == ("one", "asia-northeast1")


@pytest.mark.parametrize(
    ("token", "asked", "id_"),
    [
        ("gcp:projects/iAMMember:IAMMember", "acme-prod roles/x user:a@b.example",
         "acme-prod/roles/x/user:a@b.example"),
        ("gcp:projects/iAMMember:IAMMember", "acme-prod roles/x user:a@b.example only two",
         "acme-prod/roles/x/user:a@b.example/only two"),
        ("gcp:storage/bucketIAMMember:BucketIAMMember", "state roles/x user:a@b.example",
         "b/state/roles/x/user:a@b.example"),
        ("gcp:projects/iAMAuditConfig:IAMAuditConfig", "acme-prod gkehub.googleapis.com",
         "acme-prod/audit_config/gkehub.googleapis.com"),
        ("gcp:organizations/project:Project", "acme-prod", "projects/acme-prod"),
        ("gcp:storage/bucket:Bucket", "acme-prod/state", "state"),
    ],
)  # fmt: skip
def test_an_import_may_ask_with_another_form_of_the_id(token: str, asked: str, id_: str) -> None:
    assert TYPES[token].imported_id(asked) == id_


def test_what_other_inputs_say_need_not_be_given() -> None:
    pool = {"cluster": "projects/acme-prod/locations/asia-northeast1-a/clusters/one", "name": "main"}
    kind = TYPES["gcp:container/nodePool:NodePool"]
    assert kind.identify(pool) == f"{pool['cluster']}/nodePools/main"
    assert len(kind.outputs(pool, paper_number)["instanceGroupUrls"]) == 1
    regional = {**pool, "cluster": "projects/acme-prod/locations/asia-northeast1/clusters/one"}
    assert len(kind.outputs(regional, paper_number)["instanceGroupUrls"]) == 3
    secret = {"secretId": "projects/acme-shop/secrets/s", "role": "roles/x", "member": "user:a@acme.example"}
    kind = TYPES["gcp:secretmanager/secretIamMember:SecretIamMember"]
    assert kind.identify(secret) == "projects/acme-shop/secrets/s/roles/x/user:a@acme.example"
    assert kind.identify({**secret, "secretId": "s", "project": "acme-shop"}) == kind.identify(secret)


def test_a_pool_is_named_with_the_project_s_number() -> None:
    token = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
    outputs = TYPES[token].outputs(INPUTS[token], lambda _: "77")
    assert outputs["name"] == "projects/77/locations/global/workloadIdentityPools/github"


@pytest.mark.parametrize(
    ("token", "given", "problem"),
    [
        (
            "gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
            {"workloadIdentityPoolId": "gcp-github"},
            "gcp-",
        ),
        ("gcp:projects/iAMCustomRole:IAMCustomRole", {"roleId": "fleet-dns"}, "underscores"),
        ("gcp:compute/subnetwork:Subnetwork", {"ipCidrRange": "10.0.0.0"}, "range"),
        ("gcp:compute/subnetwork:Subnetwork", {"region": "asia-northeast1-a"}, "region"),
        ("gcp:compute/network:Network", {"name": "Fleet"}, "lower-case"),
        ("gcp:organizations/project:Project", {"projectId": "123456"}, "project id"),
        ("gcp:organizations/project:Project", {"billingAccount": "billingAccounts/0"}, "billing account"),
        ("gcp:storage/bucket:Bucket", {"name": "goog-state"}, "3 to 222"),
        ("gcp:kms/cryptoKey:CryptoKey", {"keyRing": "fleet"}, "full name of a key ring"),
        ("gcp:kms/cryptoKey:CryptoKey", {"rotationPeriod": "90d"}, "seconds"),
        ("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", {"cryptoKeyId": "state"}, "full name of a key"),
        ("gcp:container/nodePool:NodePool", {"cluster": ""}, "is required"),
    ],
)
def test_what_google_would_not_take(token: str, given: dict[str, Any], problem: str) -> None:
    (found,) = TYPES[token].problems({**INPUTS[token], **given})
    assert found[0] in given
    assert problem in found[1]


def test_generated_names_are_fit_for_addresses() -> None:
    assert TYPES["gcp:compute/network:Network"].generated_name("Fleet", "abc") == "fleet-abc"
    assert TYPES[CLUSTER].generated_name("Fleet", "abc") == "Fleet-abc"


def test_pending_ids_of_objects() -> None:
    assert pending_id("kubernetes:core/v1:Secret", {"metadata": {"name": "s", "namespace": "n"}}) == "n/s"
    assert pending_id("kubernetes:core/v1:Namespace", {"metadata": {"name": "n"}}) == "n"
    assert pending_id("kubernetes:helm.sh/v3:Release", {"name": "r", "namespace": "n"}) == "n/r"
    assert pending_id("kubernetes:core/v1:Secret", {"metadata": {}}) is None
    assert pending_id("pulumi:providers:kubernetes", {}) is None
    assert pending_id("gcp:projects/service:Service", {"service": "x"}) is None


def test_a_read_shows_only_what_somebody_changed_of_what_was_asked_for() -> None:
    asked = {
        "a": 1,
        "empty": {},
        "list": [{"name": "x", "v": 1}],
        "gone": 1,
        "__defaults": ["a"],
        "s": Secret("1"),
    }
    live = {"a": 2, "more": 3, "list": [{"name": "y"}, {"name": "x", "v": 1, "set": True}], "s": "1"}
    assert observed(asked, live) == {
        "a": 2, "empty": {}, "list": [{"name": "x", "v": 1}], "__defaults": ["a"], "s": Secret("1"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("live", "ready"),
    [
        ({"apiVersion": "v1", "kind": "Namespace", "status": {"phase": "Active"}}, True),
        ({"apiVersion": "v1", "kind": "Namespace", "status": {"phase": "Terminating"}}, False),
        (
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 1},
             "status": {"observedGeneration": 1, "availableReplicas": 1, "updatedReplicas": 1, "replicas": 1}},
            False,
        ),
        (
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 1},
             "status": {"observedGeneration": 2, "availableReplicas": 1, "updatedReplicas": 1, "replicas": 1}},
            True,
        ),
        ({"apiVersion": "v1", "kind": "Pod", "status": {"phase": "Pending"}}, False),
        ({"apiVersion": "v1", "kind": "Service", "spec": {"type": "LoadBalancer"}, "status": {}}, False),
        (
            {"apiVersion": "batch/v1", "kind": "Job", "status": {"conditions": [COMPLETE]}},
            True,
        ),
        ({"apiVersion": "acme.example/v1", "kind": "Widget"}, True),
    ],
)  # fmt: skip
def test_when_an_object_is_ready(live: dict[str, Any], ready: bool) -> None:
    assert (lacking(live) == []) == ready


def test_only_a_service_with_a_selector_needs_endpoints() -> None:
    service = {"apiVersion": "v1", "kind": "Service"}
    assert needs_endpoints({**service, "spec": {"selector": {"a": "b"}, "clusterIP": "10.0.0.1"}})
    assert not needs_endpoints({**service, "spec": {"clusterIP": "10.0.0.1"}})
    assert not needs_endpoints({**service, "spec": {"selector": {"a": "b"}, "clusterIP": "None"}})


def test_another_version_of_the_same_group_is_the_same_object() -> None:
    old = {"apiVersion": "apps/v1beta1", "kind": "Deployment"}
    assert not kinds.replaces(old, {"apiVersion": "apps/v1", "kind": "Deployment"}, "apiVersion")
    assert kinds.replaces(old, {"apiVersion": "acme/v1", "kind": "Deployment"}, "apiVersion")
    assert kinds.is_namespaced("v1", "Namespace") is False
    assert kinds.is_namespaced("v1", "Secret") is True
    assert kinds.is_namespaced("argoproj.io/v1alpha1", "Application") is None
