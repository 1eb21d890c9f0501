"""What a change means: the table itself, the judging by it, and its page. No engine.

Not proven here: that the provider in use behaves as its source of the version that the table names.
"""

from __future__ import annotations

import importlib
import inspect
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.codec import UNKNOWN
from plugins.gcp.replacement import CONDITIONS, Replacement, replacement, table
from plugins.gcp.types import BUCKET, CLUSTER, NODE_POOL, SUBNETWORK, TYPES
from tests.plugins.test_pure import INPUTS
from whatif.replacement import page

DOCS = Path(__file__).resolve().parents[2] / "docs"
CHANGES: dict[str, dict[str, Any]] = {
    "gcp:compute/network:Network": {"autoCreateSubnetworks": False},
    "gcp:compute/router:Router": {"network": "other"},
    "gcp:compute/routerNat:RouterNat": {"router": "other"},
    SUBNETWORK: {"region": "asia-northeast2"},
    CLUSTER: {"enableAutopilot": True},
    NODE_POOL: {"nodeConfig": {"spot": True}},
    "gcp:gkehub/fleet:Fleet": {"project": "acme-other"},
    "gcp:gkehub/membership:Membership": {"location": "global"},
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": {"workloadIdentityPoolId": "other"},
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": {
        "workloadIdentityPoolProviderId": "other"
    },
    "gcp:kms/cryptoKey:CryptoKey": {"versionTemplate": {"algorithm": "X", "protectionLevel": "HSM"}},
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": {"role": "roles/cloudkms.viewer"},
    "gcp:kms/keyRing:KeyRing": {"location": "global"},
    "gcp:organizations/project:Project": {"projectId": "acme-other"},
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": {"project": "acme-other"},
    "gcp:projects/iAMCustomRole:IAMCustomRole": {"roleId": "other"},
    "gcp:projects/iAMMember:IAMMember": {"condition": {"title": "t", "expression": "true"}},
    "gcp:projects/service:Service": {"service": "gkehub.googleapis.com"},
    "gcp:projects/serviceIdentity:ServiceIdentity": {"service": "container.googleapis.com"},
    "gcp:secretmanager/secretIamMember:SecretIamMember": {"secretId": "other"},
    "gcp:serviceaccount/account:Account": {"accountId": "robot-2"},
    "gcp:serviceaccount/iAMMember:IAMMember": {"member": "user:b@acme.example"},
    BUCKET: {"hierarchicalNamespace": {"enabled": True}},
    "gcp:storage/bucketIAMMember:BucketIAMMember": {"bucket": "other"},
}
"""A change of each type that replaces."""


def test_the_table_has_every_type_and_says_where_it_comes_from() -> None:
    assert table()["types"].keys() == TYPES.keys() == CHANGES.keys()
    assert re.fullmatch("[0-9a-f]{40}", table()["source"]["commit"])
    assert table()["used"]["version"] == version("pulumi_gcp")
    for token in TYPES:
        kind = replacement(token)
        assert kind.files
        assert not kind.replaces & (kind.in_place | kind.replaces_when.keys())
        assert not kind.in_place & kind.replaces_when.keys()
        assert set(kind.replaces_when.values()) <= CONDITIONS.keys()
        assert kind.notes.keys() <= kind.paths | {""}
        for path in kind.filled | kind.links | kind.unread:
            assert kind.verdict(path) != "not known", path


@pytest.mark.parametrize("token", sorted(TYPES))
def test_every_attribute_of_the_table_is_an_input_of_the_sdk(token: str) -> None:
    known = sdk_inputs(token)
    assert {path for path in replacement(token).paths if path not in known} == set()


def test_what_the_sdk_has_and_the_table_has_not_is_not_known() -> None:
    """What came after the version that was read, and blocks where the provider's schema ends in outputs."""
    came_later = {
        "gcp:gkehub/fleet:Fleet": {"labels"},
        CLUSTER: {"nodePools.bestEffortProvisioning"},
        NODE_POOL: {"bestEffortProvisioning"},
    }
    for token, paths in came_later.items():
        for path in paths:
            assert path in sdk_inputs(token)
            assert replacement(token).verdict(path) == "not known"
    for token in TYPES:
        first = {path for path in sdk_inputs(token) if "." not in path}
        unknown = {path for path in first if replacement(token).verdict(path) == "not known"}
        assert unknown == {path for path in came_later.get(token, set()) if "." not in path}, token


@pytest.mark.parametrize("token", sorted(TYPES))
def test_a_change_of_each_type_that_replaces(token: str) -> None:
    kind, old = TYPES[token], INPUTS[token]
    found = kind.replaced_by(old, {**old, **CHANGES[token]})
    assert {path.partition(".")[0] for path in found} == CHANGES[token].keys()
    assert kind.replaced_by(old, old) == []


@pytest.mark.parametrize(
    ("token", "old", "new", "verdicts"),
    [
        (CLUSTER, {"resourceLabels": {"a": "1"}}, {"resourceLabels": {"a": "2"}}, {"resourceLabels.a": "in place"}),
        (CLUSTER, {"resourceLabels": {"a.b/c": "1"}}, {}, {"resourceLabels": "in place"}),
        (CLUSTER, {"somethingNew": 1}, {"somethingNew": 2}, {"somethingNew": "not known"}),
        (CLUSTER, {}, {"somethingNew": {}}, {"somethingNew": "not known"}),
        # A block counts by itself, and by what it has a value for.
        (CLUSTER, {}, {"nodeConfig": {"machineType": "e2"}}, {"nodeConfig": "replaces"}),
        (CLUSTER, {"nodeConfig": {}}, {"nodeConfig": {"labels": {"a": "b"}}}, {"nodeConfig.labels": "in place"}),
        (CLUSTER, {}, {"privateClusterConfig": {"enablePrivateNodes": True}}, {"privateClusterConfig": "in place"}),
        (CLUSTER, {}, {"privateClusterConfig": {"masterIpv4CidrBlock": "10.0.0.0/28"}},
         {"privateClusterConfig": "replaces"}),
        (CLUSTER, {}, {"privateClusterConfig": {"new": 1}}, {"privateClusterConfig": "not known"}),
        (CLUSTER, {}, {"masterAuth": {"clientCertificateConfig": {"issueClientCertificate": False}}},
         {"masterAuth": "replaces"}),
        (CLUSTER, {"fleet": {"project": "acme-one"}}, {"fleet": {"project": "acme-two"}},
         {"fleet.project": "in place"}),
        # Lists: any entry.
        (NODE_POOL, {"nodeConfig": {"guestAccelerators": [{"type": "a"}, {"type": "b"}]}},
         {"nodeConfig": {"guestAccelerators": [{"type": "a"}, {"type": "c"}]}},
         {"nodeConfig.guestAccelerators[1].type": "replaces"}),
        (NODE_POOL, {"nodeConfig": {"oauthScopes": ["a"]}}, {"nodeConfig": {"oauthScopes": ["a", "b"]}},
         {"nodeConfig.oauthScopes[1]": "replaces"}),
        (NODE_POOL, {"autoscaling": {"maxNodeCount": 3}}, {"autoscaling": {"maxNodeCount": 4}},
         {"autoscaling.maxNodeCount": "in place"}),
        (SUBNETWORK, {"secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.4.0.0/14"}]},
         {"secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.8.0.0/14"}]},
         {"secondaryIpRanges[0].ipCidrRange": "in place"}),
        # Conditions.
        (CLUSTER, {"enableFqdnNetworkPolicy": False}, {"enableFqdnNetworkPolicy": True},
         {"enableFqdnNetworkPolicy": "in place"}),
        (CLUSTER, {"enableFqdnNetworkPolicy": True}, {"enableFqdnNetworkPolicy": False},
         {"enableFqdnNetworkPolicy": "replaces"}),
        (CLUSTER, {"enableFqdnNetworkPolicy": True}, {}, {"enableFqdnNetworkPolicy": "replaces"}),
        (CLUSTER, {"enableK8sBetaApis": {"enabledApis": ["a"]}}, {"enableK8sBetaApis": {"enabledApis": ["a", "b"]}},
         {"enableK8sBetaApis.enabledApis[1]": "in place"}),
        (CLUSTER, {"enableK8sBetaApis": {"enabledApis": ["a", "b"]}}, {"enableK8sBetaApis": {"enabledApis": ["b"]}},
         {"enableK8sBetaApis.enabledApis[0]": "replaces", "enableK8sBetaApis.enabledApis[1]": "replaces"}),
        (CLUSTER, {"enableAutopilot": True},
         {"enableAutopilot": True, "dnsConfig": {"additiveVpcScopeDnsDomain": "d"}}, {"dnsConfig": "replaces"}),
        (CLUSTER, {}, {"dnsConfig": {"additiveVpcScopeDnsDomain": "d"}}, {"dnsConfig": "in place"}),
        (SUBNETWORK, {"ipCidrRange": "10.0.0.0/20"}, {"ipCidrRange": "10.0.0.0/19"}, {"ipCidrRange": "in place"}),
        (SUBNETWORK, {"ipCidrRange": "10.0.0.0/20"}, {"ipCidrRange": "10.0.0.0/21"}, {"ipCidrRange": "replaces"}),
        (BUCKET, {"retentionPolicy": {"isLocked": True, "retentionPeriod": "1"}},
         {"retentionPolicy": {"isLocked": False, "retentionPeriod": "1"}}, {"retentionPolicy.isLocked": "replaces"}),
        # What Google fills in stays when the program leaves it out.
        (CLUSTER, {"clusterIpv4Cidr": "10.4.0.0/14", "nodeConfig": {"machineType": "e2"}, "description": "x"}, {},
         {"description": "replaces"}),
        (CLUSTER, {"nodeConfig": {"machineType": "e2", "diskType": "pd"}}, {"nodeConfig": {"machineType": "e2"}}, {}),
        (NODE_POOL, {"nodeLocations": ["a", "b"]}, {"nodeLocations": ["a"]}, {"nodeLocations[1]": "in place"}),
        # One thing in two ways to name it.
        (CLUSTER, {"network": "projects/p/global/networks/n"}, {"network": "n"}, {}),
        (CLUSTER, {"network": "projects/p/global/networks/n"},
         {"network": "https://www.googleapis.com/compute/v1/projects/p/global/networks/n"}, {}),
        (CLUSTER, {"network": "projects/p/global/networks/n"}, {"network": "projects/q/global/networks/n"},
         {"network": "replaces"}),
        ("gcp:gkehub/membership:Membership",
         {"endpoint": {"gkeCluster": {"resourceLink": "//container.googleapis.com/projects/p/locations/l/clusters/c"}}},
         {"endpoint": {"gkeCluster": {"resourceLink": "projects/p/locations/l/clusters/c"}}}, {}),
        # Nobody knows yet what it will be.
        (CLUSTER, {"network": "n"}, {"network": UNKNOWN}, {"network": "replaces"}),
        (CLUSTER, {"nodeConfig": {"machineType": "e2"}}, {"nodeConfig": UNKNOWN}, {"nodeConfig": "replaces"}),
        (CLUSTER, {"loggingService": "a"}, {"loggingService": UNKNOWN}, {"loggingService": "in place"}),
    ],
)  # fmt: skip
def test_what_a_change_means(
    token: str, old: dict[str, Any], new: dict[str, Any], verdicts: dict[str, str]
) -> None:
    assert replacement(token).changes(old, new) == verdicts


def test_to_give_what_google_filled_in_already_is_no_change() -> None:
    kind = replacement(CLUSTER)
    live = {"subnetwork": "projects/p/regions/r/subnetworks/default", "description": "x"}
    assert kind.changes({}, {"subnetwork": live["subnetwork"]}, live) == {}
    assert kind.changes({}, {"subnetwork": "other"}, live) == {"subnetwork": "replaces"}
    assert kind.changes({}, {"description": "x"}, live) == {"description": "replaces"}


@given(st.sampled_from(sorted(TYPES)), st.text(alphabet="abcXYZ", min_size=1, max_size=12), st.integers())
def test_what_the_table_has_not_is_never_taken_for_harmless(token: str, name: str, value: int) -> None:
    kind = replacement(token)
    if kind.verdict(name) == "not known":
        assert kind.changes({}, {name: value}) == {name: "not known"}
        assert kind.changes({name: [value]}, {name: [value + 1]}) == {f"{name}[0]": "not known"}


@given(st.data())
def test_the_same_inputs_are_no_change_and_every_attribute_that_replaces_does(data: Any) -> None:
    token = data.draw(st.sampled_from(sorted(TYPES)))
    kind: Replacement = replacement(token)
    path = data.draw(st.sampled_from(sorted(kind.replaces)))
    names = path.split(".")
    old, new = nested(names, "before"), nested(names, "after")
    assert kind.changes(old, old) == {}
    assert kind.changes(old, new) == {path: "replaces"}


def nested(names: list[str], value: Any) -> dict[str, Any]:
    """`value` at the path that `names` are."""
    for name in reversed(names):
        value = {name: value}
    return dict(value)


def test_an_import_brings_what_the_provider_reads() -> None:
    live = {
        "name": "one",
        "minMasterVersion": "1.36",
        "deletionProtection": False,
        "removeDefaultNodePool": True,
    }
    assert TYPES[CLUSTER].imported(live) == {"name": "one", "deletionProtection": True}
    assert TYPES["gcp:projects/service:Service"].imported({"service": "s", "disableOnDestroy": True}) == {
        "service": "s"
    }


def test_the_page_is_fresh() -> None:
    fresh = "docs/replacement.md is not of the table; write it anew: python -m whatif.replacement"
    assert (DOCS / "replacement.md").read_text() == page(), fresh


def sdk_inputs(token: str) -> set[str]:
    """Paths of all inputs of a type as the SDK has them, without indexes."""
    _, module, name = token.split(":")
    package = importlib.import_module(f"pulumi_gcp.{module.split('/')[0]}")
    source = inspect.getmodule(getattr(package, name))
    assert source is not None
    nested_types = importlib.import_module(f"{package.__name__}._inputs")
    found: set[str] = set()
    _collect(getattr(source, f"{name}Args"), nested_types, "", found)
    return found


def _collect(arguments: type, nested_types: Any, prefix: str, found: set[str]) -> None:
    for name, value in vars(arguments).items():
        if not isinstance(value, property) or value.fget is None:
            continue
        head, *rest = name.split("_")
        path = f"{prefix}{head}{''.join(part[:1].upper() + part[1:] for part in rest)}"
        found.add(path)
        inner = re.search(r"\b(\w+Args)\b", str(value.fget.__annotations__["return"]))
        if inner and hasattr(nested_types, inner[1]):
            _collect(getattr(nested_types, inner[1]), nested_types, f"{path}.", found)
