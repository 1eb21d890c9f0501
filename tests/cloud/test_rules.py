"""What Google would refuse, type by type and in its words where they are known; and what a refusal follows from.

In the process of the test, over stand-ins for clusters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.cloud.refusal import Refusal
from sandbox.cloud.store import Record
from tests.cloud import fleet
from tests.cloud.client import (
    ACCOUNT,
    ACCOUNT_GRANT,
    AGENT,
    AUDIT,
    BUCKET_GRANT,
    CLUSTER,
    CUSTOM_ROLE,
    DATA,
    DEPLOYER,
    GRANT,
    HUB,
    IDENTITY,
    KEY,
    KEY_GRANT,
    KEY_RING,
    LAB,
    MEMBERSHIP,
    NAT,
    NETWORK,
    NODE_POOL,
    NUMBER,
    OWNER,
    POOL,
    PROJECT,
    PROVIDER,
    ROUTER,
    SECRET_GRANT,
    SERVICE,
    SHOP,
    SUBNETWORK,
)
from tests.cloud.replay import Paper

TOKYO = "asia-northeast1"
SHARED = f"projects/{HUB}/global/networks/shared"
NODES = f"nodes-lab@{LAB}.iam.gserviceaccount.com"
ROBOT = "service-100000000004@container-engine-robot.iam.gserviceaccount.com"


@pytest.fixture
def cloud() -> Paper:
    """A cloud in which bootstrap has run."""
    made = Paper()
    made.bootstrap()
    return made


@pytest.fixture
def lab(cloud: Paper) -> Paper:
    """The lab's project is ready for a cluster, without a fleet: APIs and the network `fleet` with a subnetwork."""
    enable(cloud, LAB, "compute", "container", "secretmanager", "gkehub")
    network(cloud)
    return cloud


def enable(cloud: Paper, project: str, *apis: str) -> None:
    for api in apis:
        cloud.create(DEPLOYER, SERVICE, project=project, service=f"{api}.googleapis.com")


def network(cloud: Paper) -> Record:
    cloud.create(DEPLOYER, NETWORK, project=LAB, name="fleet", autoCreateSubnetworks=False)
    return cloud.create(DEPLOYER, SUBNETWORK, **subnetwork())


def subnetwork(**more: Any) -> dict[str, Any]:
    return {
        "project": LAB,
        "name": "lab",
        "network": f"projects/{LAB}/global/networks/fleet",
        "region": TOKYO,
        "ipCidrRange": "10.200.0.0/22",
        "secondaryIpRanges": [
            {"rangeName": "pods", "ipCidrRange": "10.204.0.0/16"},
            {"rangeName": "services", "ipCidrRange": "10.208.0.0/20"},
        ],
    } | more


def cluster(**more: Any) -> dict[str, Any]:
    """A Standard cluster in the lab's own network, outside every fleet."""
    return {
        "project": LAB,
        "name": "lab",
        "location": TOKYO,
        "initialNodeCount": 1,
        "removeDefaultNodePool": True,
        "network": f"projects/{LAB}/global/networks/fleet",
        "subnetwork": f"projects/{LAB}/regions/{TOKYO}/subnetworks/lab",
        "ipAllocationPolicy": {
            "clusterSecondaryRangeName": "pods",
            "servicesSecondaryRangeName": "services",
        },
        "deletionProtection": False,
    } | more


def pool(**more: Any) -> dict[str, Any]:
    return {
        "project": LAB,
        "name": "small",
        "location": TOKYO,
        "cluster": f"projects/{LAB}/locations/{TOKYO}/clusters/lab",
        "autoscaling": {"minNodeCount": 1, "maxNodeCount": 3},
    } | more


def refused(
    cloud: Paper,
    words: str,
    type_: str,
    inputs: Mapping[str, Any],
    *,
    caller: str = DEPLOYER,
    code: int = 400,
) -> None:
    with pytest.raises(Refusal) as caught:
        cloud.create(caller, type_, **inputs)
    assert words in caught.value.message
    assert caught.value.code == code


# Projects


def test_projects_are_the_owners_to_make(cloud: Paper) -> None:
    inputs = {"projectId": "acme-sandbox-new", "name": "new project", "orgId": "400000000001"}
    refused(cloud, "The caller does not have permission", PROJECT, inputs, code=403)
    refused(cloud, "does not have permission", PROJECT, inputs | {"orgId": "1"}, caller=OWNER, code=403)
    made = cloud.create(OWNER, PROJECT, **inputs)
    assert made.outputs["number"] == cloud.organization.number("acme-sandbox-new")
    refused(cloud, "already exists", PROJECT, inputs, caller=OWNER, code=409)


def test_an_api_that_costs_needs_somebody_who_pays(cloud: Paper) -> None:
    cloud.create(OWNER, PROJECT, projectId="acme-sandbox-new", name="new project", orgId="400000000001")
    refused(
        cloud,
        "Billing must be enabled for activation of service(s) 'container.googleapis.com' to proceed",
        SERVICE,
        {"project": "acme-sandbox-new", "service": "container.googleapis.com"},
        caller=OWNER,
    )


def test_a_project_with_policy_prevent_stays(cloud: Paper) -> None:
    inputs = {"projectId": "acme-sandbox-new", "name": "new project", "orgId": "400000000001"}
    made = cloud.create(OWNER, PROJECT, **inputs, deletionPolicy="PREVENT")
    with pytest.raises(Refusal, match="deletion_policy is set to PREVENT"):
        cloud.delete(OWNER, made)
    cloud.delete(OWNER, cloud.update(OWNER, made, deletionPolicy="DELETE"))
    with pytest.raises(Refusal, match="Permission denied on resource project acme-sandbox-new"):
        cloud.organization.project("acme-sandbox-new")


def test_a_project_takes_everything_with_it(lab: Paper) -> None:
    lab.create(DEPLOYER, CLUSTER, **cluster())
    project = next(record for record in lab.store.of(PROJECT) if record.inputs["projectId"] == LAB)
    lab.delete(OWNER, project)
    assert lab.machines.alive == set()
    assert not list(lab.store.of(SUBNETWORK))


# Networks


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"ipCidrRange": "10.204.255.0/24"},
            "Invalid IPCidrRange: 10.204.255.0/24 conflicts with existing subnetwork 'lab' in region 'asia-northeast1'",
        ),
        (
            {
                "ipCidrRange": "10.1.0.0/24",
                "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.200.2.0/24"}],
            },
            "'resource.secondaryIpRanges[0].ipCidrRange': '10.200.2.0/24'. Invalid IPCidrRange",
        ),
        (
            {
                "ipCidrRange": "10.1.0.0/24",
                "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.1.0.0/16"}],
            },
            "conflicts with '10.1.0.0/24' of the same subnetwork",
        ),
        ({"ipCidrRange": "10.1.0.1/24"}, "Must be a CIDR address range"),
    ],
)
def test_ranges_of_one_network_do_not_overlap(lab: Paper, more: dict[str, Any], words: str) -> None:
    inputs = subnetwork(name="other") | {"secondaryIpRanges": []} | more
    refused(lab, words, SUBNETWORK, inputs)


def test_ranges_of_different_networks_may_overlap(lab: Paper) -> None:
    lab.create(DEPLOYER, NETWORK, project=LAB, name="other", autoCreateSubnetworks=False)
    lab.create(DEPLOYER, SUBNETWORK, **subnetwork(network="other", name="other"))


def test_a_subnetwork_keeps_its_ranges_in_an_update(lab: Paper) -> None:
    (record,) = lab.store.of(SUBNETWORK)
    changed = lab.update(DEPLOYER, record, privateIpGoogleAccess=True)
    assert changed.outputs["privateIpGoogleAccess"] is True


def test_the_ranges_of_the_network_team_count_too(cloud: Paper) -> None:
    enable(cloud, HUB, "compute")
    inputs = subnetwork(project=HUB, network=SHARED, name="mine", secondaryIpRanges=[])
    refused(
        cloud,
        "conflicts with existing subnetwork 'hub' in region 'asia-northeast1'",
        SUBNETWORK,
        inputs | {"ipCidrRange": "10.18.0.0/24"},
        caller=OWNER,
    )


def test_what_a_network_needs(lab: Paper) -> None:
    refused(
        lab, "networks/nowhere' was not found", SUBNETWORK, subnetwork(network="nowhere", name="x"), code=404
    )
    router = {"project": LAB, "name": "r", "region": TOKYO, "network": "nowhere"}
    refused(lab, "networks/nowhere' was not found", ROUTER, router, code=404)
    nat = {
        "project": LAB,
        "name": "n",
        "region": TOKYO,
        "router": "r",
        "natIpAllocateOption": "AUTO_ONLY",
        "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
    }
    refused(lab, "routers/r' was not found", NAT, nat, code=404)
    made = lab.create(DEPLOYER, ROUTER, **router | {"network": "fleet"})
    lab.create(DEPLOYER, NAT, **nat)
    lab.delete(DEPLOYER, made)
    assert not list(lab.store.of(NAT))


def test_what_is_in_use_stays(lab: Paper) -> None:
    made = lab.create(DEPLOYER, CLUSTER, **cluster())
    (net,), (sub,) = lab.store.of(NETWORK), lab.store.of(SUBNETWORK)
    with pytest.raises(Refusal, match=f"The subnetwork resource '{sub.id}' is already being used by"):
        lab.delete(DEPLOYER, sub)
    with pytest.raises(Refusal, match=f"The network resource '{net.id}' is already being used by '{sub.id}'"):
        lab.delete(DEPLOYER, net)
    for record in (made, sub, net):
        lab.delete(DEPLOYER, record)


# Clusters


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"network": "nowhere"}, 400, 'Network "nowhere" does not exist.'),
        ({"subnetwork": "nowhere"}, 400, 'Subnetwork "nowhere" does not exist'),
        ({"location": "asia-northeast2"}, 400, 'does not exist in region "asia-northeast2"'),
        (
            {"ipAllocationPolicy": {"clusterSecondaryRangeName": "podz"}},
            400,
            'Pod secondary range "podz" does not exist in network "fleet", subnetwork "lab".',
        ),
        (
            {"ipAllocationPolicy": {"servicesSecondaryRangeName": "x"}},
            400,
            'Services secondary range "x" does not exist',
        ),
        ({"nodeConfig": {"serviceAccount": NODES}}, 400, f'Service account "{NODES}" does not exist.'),
        ({"initialNodeCount": 0}, 400, "Cluster.initial_node_count must be greater than zero."),
        ({"enableAutopilot": True}, 400, "Autopilot"),
        (
            {"workloadIdentityConfig": {"workloadPool": f"{HUB}.svc.id.goog"}},
            400,
            f'Workload pool "{HUB}.svc.id.goog" is not supported',
        ),
        (
            {"masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": "10.0.0.1/8"}]}},
            400,
            "10.0.0.1/8 is not a CIDR block",
        ),
        (
            {"databaseEncryption": {"state": "ENCRYPTED", "keyName": "mine"}},
            400,
            'Cloud KMS key "mine" is not',
        ),
    ],
)
def test_what_a_cluster_may_not_name(lab: Paper, more: dict[str, Any], code: int, words: str) -> None:
    refused(lab, words, CLUSTER, cluster(**more), code=code)
    assert lab.machines.alive == set()


def test_two_clusters_share_pods_but_not_services(lab: Paper) -> None:
    lab.create(DEPLOYER, CLUSTER, **cluster())
    refused(
        lab,
        'Services range "services" in network "fleet", subnetwork "lab" is already used by another cluster.',
        CLUSTER,
        cluster(name="second"),
    )
    lab.create(
        DEPLOYER,
        CLUSTER,
        **cluster(name="second", ipAllocationPolicy={"clusterSecondaryRangeName": "pods"}),
    )


def test_nodes_run_as_an_account_that_the_caller_may_act_as(lab: Paper) -> None:
    lab.create(DEPLOYER, ACCOUNT, project=LAB, accountId="nodes-lab")
    lab.create(
        OWNER, CUSTOM_ROLE, project=LAB, roleId="gke", title="t", permissions=["container.clusters.create"]
    )
    lab.create(
        OWNER, GRANT, project=LAB, role=f"projects/{LAB}/roles/gke", member="user:operator@acme.example"
    )
    inputs = cluster(nodeConfig={"serviceAccount": NODES})
    refused(
        lab,
        f'The user does not have access to service account "{NODES}". Ask a project owner to grant you the '
        "iam.serviceAccountUser role",
        CLUSTER,
        inputs,
        caller="operator@acme.example",
        code=403,
    )
    lab.create(
        OWNER,
        ACCOUNT_GRANT,
        serviceAccountId=f"projects/{LAB}/serviceAccounts/{NODES}",
        role="roles/iam.serviceAccountUser",
        member="user:operator@acme.example",
    )
    lab.create("operator@acme.example", CLUSTER, **inputs)


def test_an_encryption_key(lab: Paper) -> None:
    def encrypted(key: str) -> dict[str, Any]:
        return cluster(databaseEncryption={"state": "ENCRYPTED", "keyName": key})

    enable(lab, LAB, "cloudkms")
    names = {
        where: f"projects/{LAB}/locations/{where}/keyRings/r/cryptoKeys/k" for where in (TOKYO, "global")
    }
    for where, name in names.items():
        lab.create(OWNER, KEY_RING, project=LAB, name="r", location=where)
        lab.create(OWNER, KEY, keyRing=name.partition("/cryptoKeys")[0], name="k")
    refused(
        lab,
        f'in the same location as the cluster: "{TOKYO}", not "global"',
        CLUSTER,
        encrypted(names["global"]),
    )
    refused(lab, "not found", CLUSTER, encrypted(names[TOKYO] + "x"), code=404)
    refused(lab, f"grant {ROBOT}", CLUSTER, encrypted(names[TOKYO]), code=403)
    lab.create(
        OWNER,
        KEY_GRANT,
        cryptoKeyId=names[TOKYO],
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=f"serviceAccount:{ROBOT}",
    )
    lab.create(DEPLOYER, CLUSTER, **encrypted(names[TOKYO]))


# Nodes


def test_pools_make_nodes_in_every_zone(lab: Paper) -> None:
    lab.create(DEPLOYER, CLUSTER, **cluster())
    assert "lab" not in lab.machines.nodes
    config = {
        "machineType": "e2-standard-4",
        "labels": {"tier": "2"},
        "taints": [{"key": "big", "value": "yes", "effect": "NO_SCHEDULE"}],
    }
    made = lab.create(DEPLOYER, NODE_POOL, **pool(nodeConfig=config))
    nodes = lab.machines.nodes["lab"]["small"]
    zones = [node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes]
    assert zones == [f"{TOKYO}-{zone}" for zone in "abc"]
    assert len({node["metadata"]["name"] for node in nodes}) == 3
    assert nodes[0]["spec"]["taints"] == [{"key": "big", "value": "yes", "effect": "NoSchedule"}]
    assert nodes[0]["metadata"]["labels"]["tier"] == "2"
    changed = lab.update(DEPLOYER, made, autoscaling={"minNodeCount": 2, "maxNodeCount": 3})
    assert len(lab.machines.nodes["lab"]["small"]) == 6
    lab.delete(DEPLOYER, changed)
    assert lab.machines.nodes["lab"]["small"] == []


def test_a_cluster_with_its_default_pool(lab: Paper) -> None:
    lab.create(DEPLOYER, CLUSTER, **cluster(removeDefaultNodePool=False))
    assert len(lab.machines.nodes["lab"]["default-pool"]) == 3


def test_pools_go_with_their_cluster(lab: Paper) -> None:
    made = lab.create(DEPLOYER, CLUSTER, **cluster())
    lab.create(DEPLOYER, NODE_POOL, **pool())
    lab.delete(DEPLOYER, made)
    assert not list(lab.store.of(NODE_POOL))


def test_nodes_come_up_once_their_account_may_work(lab: Paper) -> None:
    lab.create(DEPLOYER, ACCOUNT, project=LAB, accountId="nodes-lab")
    made = lab.create(DEPLOYER, CLUSTER, **cluster())
    lab.create(DEPLOYER, NODE_POOL, **pool(nodeConfig={"serviceAccount": NODES}))
    assert lab.machines.nodes["lab"]["small"] == []
    assert [condition["code"] for condition in lab.resources.conditions(made)] == [
        "NODE_SA_MISSING_PERMISSIONS"
    ]
    role = "roles/container.defaultNodeServiceAccount"
    granted = lab.create(DEPLOYER, GRANT, project=LAB, role=role, member=f"serviceAccount:{NODES}")
    assert len(lab.machines.nodes["lab"]["small"]) == 3
    assert lab.resources.conditions(made) == []
    lab.delete(DEPLOYER, granted)
    assert lab.machines.nodes["lab"]["small"] == []


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"cluster": f"projects/{LAB}/locations/{TOKYO}/clusters/x"}, 404, "Not found"),
        ({"location": f"{TOKYO}-a"}, 404, "Not found"),
        ({"autoscaling": {"minNodeCount": 4, "maxNodeCount": 3}}, 400, "is greater than"),
        ({"nodeConfig": {"serviceAccount": NODES}}, 400, f'Service account "{NODES}" does not exist.'),
        ({"name": "Small"}, 400, "name"),
    ],
)
def test_what_a_pool_may_not_name(lab: Paper, more: dict[str, Any], code: int, words: str) -> None:
    lab.create(DEPLOYER, CLUSTER, **cluster())
    refused(lab, words, NODE_POOL, pool(**more), code=code)


def test_an_autopilot_cluster_has_no_pools_of_others(lab: Paper) -> None:
    inputs = {"initialNodeCount": None, "removeDefaultNodePool": None, "enableAutopilot": True}
    lab.create(DEPLOYER, CLUSTER, **cluster(**inputs))
    refused(lab, "Autopilot clusters do not support mutating or creating node pools", NODE_POOL, pool())
    assert len(lab.machines.nodes["lab"]["pool-1"]) == 2


# Fleets


def register(cloud: Paper, **more: Any) -> dict[str, Any]:
    enable(cloud, HUB, "gkehub")
    cloud.create(DEPLOYER, IDENTITY, project=HUB, service="gkehub.googleapis.com")
    for project, role in (
        (HUB, "roles/gkehub.serviceAgent"),
        (LAB, "roles/gkehub.serviceAgent"),
        (LAB, "roles/gkehub.crossProjectServiceAgent"),
    ):
        cloud.create(DEPLOYER, GRANT, project=project, role=role, member=AGENT)
    cloud.create(DEPLOYER, CLUSTER, **cluster())
    name = f"projects/{LAB}/locations/{TOKYO}/clusters/lab"
    return {
        "project": HUB,
        "membershipId": "lab",
        "location": TOKYO,
        "endpoint": {"gkeCluster": {"resourceLink": f"//container.googleapis.com/{name}"}},
        "authority": {"issuer": f"https://container.googleapis.com/v1/{name}"},
    } | more


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"location": "asia-northeast2"}, 'use "asia-northeast1" or "global"'),
        (
            {"authority": {"issuer": "https://container.googleapis.com/v1/x"}},
            "is not the issuer of the cluster",
        ),
    ],
)
def test_a_membership_is_that_of_its_cluster(lab: Paper, more: dict[str, Any], words: str) -> None:
    refused(lab, words, MEMBERSHIP, register(lab, **more))


@pytest.mark.parametrize("location", [TOKYO, "global"])
def test_a_membership_is_regional_or_global(lab: Paper, location: str) -> None:
    made = lab.create(DEPLOYER, MEMBERSHIP, **register(lab, location=location))
    assert made.id == f"projects/{HUB}/locations/{location}/memberships/lab"


def test_the_project_of_a_member_needs_the_hubs_api_too(lab: Paper) -> None:
    inputs = register(lab)
    lab.store.set_api(LAB, "gkehub.googleapis.com", enabled=False)
    refused(lab, "GKE Hub API has not been used in project 100000000004", MEMBERSHIP, inputs, code=403)


def test_a_service_agent_needs_its_api(cloud: Paper) -> None:
    refused(
        cloud,
        "GKE Hub API has not been used",
        IDENTITY,
        {"project": HUB, "service": "gkehub.googleapis.com"},
        code=403,
    )


# IAM


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("group:nobody@acme.example", "Group nobody@acme.example does not exist."),
        ("user:nobody@acme.example", "User nobody@acme.example does not exist."),
        (f"serviceAccount:nobody@{HUB}.iam.gserviceaccount.com", "does not exist"),
        (f"serviceAccount:{HUB}.svc.id.goog[argocd/argocd-server]", "Identity Pool does not exist"),
        (
            f"principal://iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/{HUB}.svc.id.goog"
            "/subject/ns/a/sa/b",
            "Identity Pool does not exist",
        ),
        (
            f"principal://iam.googleapis.com/projects/{HUB}/locations/global/workloadIdentityPools/github/subject/x",
            "must name its project by number",
        ),
        ("allUsers", "do not belong to a permitted customer"),
        ("principal://somewhere", "Invalid principal"),
    ],
)
def test_members_exist(cloud: Paper, member: str, words: str) -> None:
    refused(cloud, words, GRANT, {"project": HUB, "role": "roles/gkehub.viewer", "member": member})


def test_a_condition_limits_what_the_deployer_grants(cloud: Paper) -> None:
    member = "group:platform@acme.example"
    refused(
        cloud,
        "Permission 'resourcemanager.projects.setIamPolicy' denied",
        GRANT,
        {"project": HUB, "role": "roles/owner", "member": member},
        code=403,
    )
    made = cloud.create(OWNER, GRANT, project=HUB, role="roles/owner", member=member)
    with pytest.raises(Refusal, match="setIamPolicy"):
        cloud.delete(DEPLOYER, made)
    cloud.delete(
        DEPLOYER, cloud.create(DEPLOYER, GRANT, project=HUB, role="roles/gkehub.viewer", member=member)
    )


def test_a_custom_role_permits_what_it_lists(cloud: Paper) -> None:
    member = "group:platform@acme.example"
    role = f"projects/{LAB}/roles/lister"
    grant = {"project": LAB, "role": role, "member": member}
    custom = {"project": LAB, "roleId": "lister", "title": "t", "permissions": ["container.clusters.connect"]}
    refused(cloud, "iam.roles.create' denied", CUSTOM_ROLE, custom, code=403)
    refused(cloud, "does not exist in the resource's hierarchy", GRANT, grant, caller=OWNER)
    made = cloud.create(OWNER, CUSTOM_ROLE, **custom)
    refused(cloud, "does not exist", GRANT, grant | {"project": DATA}, caller=OWNER)
    cloud.create(OWNER, GRANT, **grant)
    assert cloud.iam.may("operator@acme.example", "container.clusters.connect", LAB)
    assert not cloud.iam.may("operator@acme.example", "container.clusters.get", LAB)
    assert not cloud.iam.may("developer@acme.example", "container.clusters.connect", LAB)
    cloud.update(OWNER, made, permissions=["container.clusters.get"])
    assert not cloud.iam.may("operator@acme.example", "container.clusters.connect", LAB)
    nonsense = custom | {"roleId": "other", "permissions": ["nonsense"]}
    refused(cloud, "Permission nonsense is not valid", CUSTOM_ROLE, nonsense, caller=OWNER)


def test_a_role_that_the_cloud_does_not_know_is_not_granted(cloud: Paper) -> None:
    refused(
        cloud,
        "does not know what roles/run.admin permits",
        GRANT,
        {"project": HUB, "role": "roles/run.admin", "member": f"serviceAccount:{DEPLOYER}"},
        caller=OWNER,
        code=501,
    )


def test_workloads_count_as_their_sets(cloud: Paper) -> None:
    enable(cloud, HUB, "compute", "container", "gkehub")
    cloud.create(DEPLOYER, CLUSTER, **fleet.cluster(fleet=None))
    pool_name = f"projects/{NUMBER}/locations/global/workloadIdentityPools/{HUB}.svc.id.goog"
    subject = f"principal://iam.googleapis.com/{pool_name}/subject/ns/argocd/sa/argocd-server"
    for member, expected in (
        (f"principalSet://iam.googleapis.com/{pool_name}/namespace/other", False),
        (f"principalSet://iam.googleapis.com/{pool_name}/namespace/argocd", True),
    ):
        made = cloud.create(OWNER, GRANT, project=HUB, role="roles/gkehub.viewer", member=member)
        assert cloud.iam.may(subject, "gkehub.memberships.list", HUB) is expected
        cloud.delete(OWNER, made)
    assert not cloud.iam.may(subject, "gkehub.memberships.list", HUB)


def test_a_grant_on_one_resource_counts_there_only(cloud: Paper) -> None:
    enable(cloud, SHOP, "secretmanager")
    grant = {
        "project": SHOP,
        "role": "roles/secretmanager.secretAccessor",
        "member": "user:developer@acme.example",
    }
    refused(
        cloud,
        "Secret [projects/100000000002/secrets/x] not found.",
        SECRET_GRANT,
        grant | {"secretId": "x"},
        code=404,
    )
    cloud.create(DEPLOYER, SECRET_GRANT, secretId="shop-database", **grant)

    def may(secret: str) -> bool:
        name = f"projects/{SHOP}/secrets/{secret}" if secret else ""
        return cloud.iam.may("developer@acme.example", "secretmanager.versions.access", SHOP, name)

    assert may("shop-database")
    assert not may("shop-payments")
    assert not may("")


def test_secrets_need_their_api(cloud: Paper) -> None:
    refused(
        cloud,
        "Secret Manager API has not been used",
        SECRET_GRANT,
        {
            "project": SHOP,
            "secretId": "shop-database",
            "role": "roles/secretmanager.secretAccessor",
            "member": "user:developer@acme.example",
        },
        code=403,
    )


def test_buckets_and_keys_have_policies_of_their_own(cloud: Paper) -> None:
    refused(
        cloud,
        "The specified bucket does not exist",
        BUCKET_GRANT,
        {"bucket": "nowhere", "role": "roles/storage.objectViewer", "member": f"serviceAccount:{DEPLOYER}"},
        caller=OWNER,
        code=404,
    )
    key = f"projects/{HUB}/locations/{TOKYO}/keyRings/pulumi/cryptoKeys/gke-fleet-sandbox"
    assert cloud.iam.may(DEPLOYER, "storage.objects.create", HUB, "acme-sandbox-pulumi-state")
    assert not cloud.iam.may(DEPLOYER, "storage.objects.create", HUB, "other")
    assert cloud.iam.may(DEPLOYER, "cloudkms.cryptoKeyVersions.useToDecrypt", HUB, key)
    assert not cloud.iam.may(DEPLOYER, "cloudkms.cryptoKeyVersions.useToDecrypt", HUB)


def test_an_audit_config_is_a_change_of_policy(cloud: Paper) -> None:
    config = {
        "project": HUB,
        "service": "gkehub.googleapis.com",
        "auditLogConfigs": [{"logType": "ADMIN_READ"}],
    }
    refused(cloud, "setIamPolicy' denied", AUDIT, config, caller="operator@acme.example", code=403)
    cloud.create(DEPLOYER, AUDIT, **config)


def test_groups_count_in_a_cluster_that_knows_their_group(cloud: Paper) -> None:
    enable(cloud, HUB, "compute", "container", "gkehub")
    plain = cloud.create(DEPLOYER, CLUSTER, **fleet.cluster(fleet=None))
    assert cloud.iam.kubernetes_groups("operator@acme.example", plain) == []
    grouped = cloud.update(
        DEPLOYER, plain, authenticatorGroupsConfig={"securityGroup": "gke-security-groups@acme.example"}
    )
    assert cloud.iam.kubernetes_groups("operator@acme.example", grouped) == ["platform@acme.example"]
    other = cloud.update(
        DEPLOYER, plain, authenticatorGroupsConfig={"securityGroup": "developers@acme.example"}
    )
    assert cloud.iam.kubernetes_groups("operator@acme.example", other) == []


@pytest.mark.parametrize(
    ("role", "group"),
    [
        ("roles/container.admin", "iam:container.admin"),
        ("roles/container.developer", "iam:container.developer"),
        ("roles/container.viewer", "iam:container.viewer"),
    ],
)
def test_iam_is_a_second_authorizer_for_everybody(cloud: Paper, role: str, group: str) -> None:
    enable(cloud, HUB, "compute", "container", "gkehub")
    record = cloud.create(DEPLOYER, CLUSTER, **fleet.cluster(fleet=None))
    pool_name = f"projects/{NUMBER}/locations/global/workloadIdentityPools/{HUB}.svc.id.goog"
    workload = f"principal://iam.googleapis.com/{pool_name}/subject/ns/argocd/sa/argocd-server"
    for subject, member in (
        ("operator@acme.example", "group:platform@acme.example"),
        ("developer@acme.example", "user:developer@acme.example"),
        (workload, workload),
    ):
        assert group not in cloud.iam.kubernetes_groups(subject, record)
        cloud.create(OWNER, GRANT, project=HUB, role=role, member=member)
        assert group in cloud.iam.kubernetes_groups(subject, record)


# Federation


GITHUB = {
    "project": HUB,
    "workloadIdentityPoolId": "github",
    "workloadIdentityPoolProviderId": "other",
    "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
    "attributeMapping": {"google.subject": "assertion.sub"},
    "attributeCondition": "assertion.repository_id == '1'",
}


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"attributeCondition": ""}, 400, "must reference one of the provider's claims"),
        ({"attributeCondition": "assertion.a == 'b' || true"}, 501, "reads conditions of the form"),
        ({"attributeMapping": {"attribute.a": "assertion.a"}}, 400, "must map google.subject"),
        ({"attributeMapping": {"google.subject": "assertion.sub + 'x'"}}, 501, "mappings to assertion.NAME"),
        ({"workloadIdentityPoolId": "gitlab"}, 404, "was not found"),
    ],
)
def test_what_a_provider_may_not_be(cloud: Paper, more: dict[str, Any], code: int, words: str) -> None:
    refused(cloud, words, PROVIDER, GITHUB | more, caller=OWNER, code=code)


def test_pools_are_not_the_deployers(cloud: Paper) -> None:
    refused(
        cloud,
        "iam.workloadIdentityPools.create",
        POOL,
        {"project": HUB, "workloadIdentityPoolId": "mine"},
        code=403,
    )
    refused(cloud, "iam.workloadIdentityPoolProviders.create", PROVIDER, GITHUB, code=403)
