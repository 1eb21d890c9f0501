"""What holds for every fleet: invariants of the graph of each committed stack and of each fleet that no stack is
(every way to join, every endpoint, every mode, every part), on paper, through the real engine.

Not proven here: that Google Cloud accepts the resources (the sandbox's cloud and its rules), nor that
anything is delivered.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from model import Configuration, load_stack
from model.cluster import Cluster
from model.gateway import kubeconfig
from model.identity import caller_member, callers
from model.rights import cluster_rights
from model.vocabulary import Endpoint, Join, Mode
from tests.program.fleets import FLEETS, write
from tests.program.graph import CHECKOUT, STACKS, Graph, Resource

pytestmark = pytest.mark.engine

PROVIDER = "pulumi:providers:kubernetes"
ACCOUNT = "gcp:serviceaccount/account:Account"
CLUSTER = "gcp:container/cluster:Cluster"
FLEET = "gcp:gkehub/fleet:Fleet"
GRANT = "gcp:projects/iAMMember:IAMMember"
MEMBERSHIP = "gcp:gkehub/membership:Membership"
NETWORK = "gcp:compute/network:Network"
POOL = "gcp:container/nodePool:NodePool"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
SECRET_GRANT = "gcp:secretmanager/secretIamMember:SecretIamMember"
SECRET = "kubernetes:core/v1:Secret"
ARGO = "kubernetes:argoproj.io/v1alpha1:"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"
RELEASE = "kubernetes:helm.sh/v3:Release"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
DNS_ROLE = "fleetDnsEndpoint"

_NAMED_BY = {
    "gcp:projects/service:Service": ("project", "service"),
    "gcp:projects/serviceIdentity:ServiceIdentity": ("project", "service"),
    "gcp:projects/iAMCustomRole:IAMCustomRole": ("project", "roleId"),
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": ("project", "service"),
    GRANT: ("project", "role", "member"),
    "gcp:serviceaccount/iAMMember:IAMMember": ("serviceAccountId", "role", "member"),
    ACCOUNT: ("project", "accountId"),
    SECRET_GRANT: ("project", "secretId", "role", "member"),
    FLEET: ("project", "displayName"),
    MEMBERSHIP: ("project", "membershipId", "location"),
    NETWORK: ("project", "name"),
    SUBNETWORK: ("project", "region", "name"),
    "gcp:compute/router:Router": ("project", "region", "name"),
    "gcp:compute/routerNat:RouterNat": ("project", "region", "router", "name"),
    CLUSTER: ("project", "name", "location"),
    POOL: ("project", "location", "cluster", "name"),
    RELEASE: ("name", "namespace"),
}


@pytest.fixture(scope="module")
def configurations(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Configuration]:
    """What each graph was made from."""
    stacks = tmp_path_factory.mktemp("configurations") / "stacks"
    shutil.copytree(CHECKOUT / "stacks", stacks)
    for stack in FLEETS:
        write(stacks, stack)
    return {stack: load_stack(stacks, stack) for stack in (*STACKS, *FLEETS)}


@pytest.fixture(scope="module", params=[*STACKS, *FLEETS])
def made(
    request: pytest.FixtureRequest,
    graphs: Mapping[str, Graph],
    fleets: Mapping[str, Graph],
    configurations: Mapping[str, Configuration],
) -> tuple[Graph, Configuration]:
    return {**graphs, **fleets}[request.param], configurations[request.param]


def held(configuration: Configuration) -> tuple[Cluster, ...]:
    """The clusters of the part."""
    return configuration.part.clusters(configuration.fleet)


def held_members(configuration: Configuration) -> tuple[Cluster, ...]:
    return tuple(cluster for cluster in held(configuration) if not cluster.is_hub)


def names(graph: Graph, urns: set[str], token: str) -> set[str]:
    """Names of the resources of a type among some."""
    return {graph.resources[urn].name for urn in urns if graph.resources[urn].type == token}


def physical(resource: Resource) -> list[object]:
    """What a resource is called where it lives."""
    if resource.type in _NAMED_BY:
        return [resource.inputs.get(key) for key in _NAMED_BY[resource.type]]
    metadata = resource.inputs.get("metadata", {})
    return [metadata.get("name"), *([metadata["namespace"]] if "namespace" in metadata else [])]


def test_every_resource_has_an_explicit_name_of_its_own(made: tuple[Graph, Configuration]) -> None:
    found: Counter[tuple[object, ...]] = Counter()
    for resource in made[0]:
        if not resource.is_custom or resource.type.startswith("pulumi:"):
            continue
        named = physical(resource)
        assert all(isinstance(name, str) and name for name in named), resource.urn
        found[(resource.type, resource.provider if resource.is_in_kubernetes else "", *named)] += 1
    assert [key for key, count in found.items() if count > 1] == []


def test_every_cluster_has_one_provider_and_nothing_uses_a_default_one(
    made: tuple[Graph, Configuration],
) -> None:
    graph, configuration = made
    wanted = {cluster.name for cluster in held(configuration)} | {configuration.fleet.hub.name}
    assert [provider.name for provider in graph.of_type(PROVIDER)] == sorted(wanted)
    providers = {provider.urn for provider in graph.of_type(PROVIDER)}
    assert all(resource.provider in providers for resource in graph if resource.is_in_kubernetes)


def test_kubeconfigs_are_known_before_the_clusters_are(made: tuple[Graph, Configuration]) -> None:
    graph, configuration = made
    for cluster in (*held_members(configuration), configuration.fleet.hub):
        provider = graph.only(PROVIDER, cluster.name)
        assert UNKNOWN not in json.dumps(provider.inputs)
        assert provider.inputs["kubeconfig"] == kubeconfig(configuration.fleet, cluster)
        identifier = f"{cluster.project}/{cluster.location}/{cluster.name}"
        assert provider.inputs["clusterIdentifier"] == identifier
        assert str(provider.inputs["skipUpdateUnreachable"]).lower() == "true"
        assert str(provider.inputs["deleteUnreachable"]).lower() == "false"


def test_what_would_hurt_to_lose_is_protected_where_the_fleet_says_so(
    made: tuple[Graph, Configuration],
) -> None:
    graph, configuration = made
    wanted = configuration.fleet.protect
    secrets = [secret for secret in graph.of_type(SECRET) if secret.name.startswith("cluster-")]
    assert len(secrets) == len(held(configuration))
    kinds = (CLUSTER, FLEET, MEMBERSHIP, NETWORK, SUBNETWORK)
    kept = [*secrets, *(found for kind in kinds for found in graph.of_type(kind))]
    assert [resource.urn for resource in kept if resource.protect is not wanted] == []
    assert all(cluster.inputs["deletionProtection"] is wanted for cluster in graph.of_type(CLUSTER))


def test_every_custom_resource_comes_after_argo_cd(made: tuple[Graph, Configuration]) -> None:
    graph, configuration = made
    custom = [resource for resource in graph if resource.type.startswith(ARGO)]
    if not configuration.part.has_hub:
        assert custom == graph.of_type(RELEASE) == []
        return
    release = graph.only(RELEASE, "argocd")
    assert {resource.type.removeprefix(ARGO) for resource in custom} == {
        "AppProject",
        "Application",
        "ApplicationSet",
    }
    assert all(release.urn in graph.behind(resource) for resource in custom)


def test_argo_cd_hears_of_a_member_only_when_it_can_work_there(made: tuple[Graph, Configuration]) -> None:
    graph, configuration = made
    fleet = configuration.fleet
    application_sets = {found.urn for found in graph.of_type(f"{ARGO}ApplicationSet")}
    assert bool(application_sets) is configuration.part.has_hub
    for member in held_members(configuration):
        behind = graph.behind(graph.only(SECRET, f"cluster-{member.name}"))
        assert application_sets <= behind
        rights = {f"{member.name}-{right.name}" for right in cluster_rights(fleet, member)}
        assert rights and rights <= names(graph, behind, BINDING)
        pools = {f"{member.name}.{pool.name}" for pool in member.node_pools}
        assert pools <= names(graph, behind, POOL)
        secrets = {f"{member.project}.{secret}" for secret in member.secrets}
        elsewhere = not configuration.part.has_hub and member.project == fleet.hub.project
        assert elsewhere or secrets <= names(graph, behind, SECRET_GRANT)
        grants = names(graph, behind, GRANT)
        through = [name for name in grants if name.startswith(f"{member.project}-{DNS_ROLE}")]
        assert bool(through) or member.endpoint is not Endpoint.DNS
        at_the_gateway = [name for name in grants if "-gkehub.gateway" in name]
        assert bool(at_the_gateway) or member.endpoint is not Endpoint.GATEWAY or not application_sets


def test_argo_cd_is_there_only_when_its_nodes_and_its_identity_are(
    made: tuple[Graph, Configuration],
) -> None:
    graph, configuration = made
    for release in graph.of_type(RELEASE):
        behind = graph.behind(release)
        assert {pool.urn for pool in graph.of_type(POOL) if pool.name.startswith("all-hub.")} <= behind
        bindings = {found.urn for found in graph.of_type("gcp:serviceaccount/iAMMember:IAMMember")}
        has_accounts = configuration.fleet.argocd.identity.value == "account"
        assert bool(bindings) is has_accounts and bindings <= behind


def test_clusters_come_after_the_rights_to_join(made: tuple[Graph, Configuration]) -> None:
    graph, configuration = made
    host = configuration.fleet.host_project
    for joining in [*graph.of_type(CLUSTER), *graph.of_type(MEMBERSHIP)]:
        entry = next(c for c in configuration.fleet.clusters if joining.name in (c.name, c.membership_id))
        behind = {graph.resources[urn].name for urn in graph.behind(joining)}
        needed = {f"{host}-gkehub.serviceAgent"} if configuration.part.has_hub else set()
        if entry.project in configuration.part.projects(configuration.fleet):
            roles = ("gkehub.serviceAgent", "gkehub.crossProjectServiceAgent")
            needed |= {f"{entry.project}-{role}" for role in roles} | {f"{entry.project}-container"}
        assert needed <= behind, joining.urn


def test_clusters_come_after_their_network_and_their_nodes_account(
    made: tuple[Graph, Configuration],
) -> None:
    graph, configuration = made
    for cluster in graph.of_type(CLUSTER):
        entry = next(c for c in configuration.fleet.clusters if c.name == cluster.name)
        behind = graph.behind(cluster)
        assert f"{entry.name}-nodes" in names(graph, behind, ACCOUNT)
        grant = graph.only(GRANT, f"{entry.name}-nodes")
        assert grant.urn in behind
        assert grant.inputs["member"].startswith(f"serviceAccount:{_runs_as(cluster)}")
        if entry.new_subnetwork is not None:
            assert entry.name in names(graph, behind, SUBNETWORK)
            nats = names(graph, behind, "gcp:compute/routerNat:RouterNat")
            assert (entry.name in nats) is entry.new_subnetwork.nat


def _runs_as(cluster: Resource) -> object:
    inputs = cluster.inputs
    if inputs.get("enableAutopilot"):
        return inputs["clusterAutoscaling"]["autoProvisioningDefaults"]["serviceAccount"]
    return inputs["nodeConfig"]["serviceAccount"]


def test_no_cluster_is_public_and_none_pays_for_a_feature(made: tuple[Graph, Configuration]) -> None:
    for cluster in made[0].of_type(CLUSTER):
        inputs = cluster.inputs
        private = inputs["privateClusterConfig"]
        assert private["enablePrivateNodes"] is True and private["enablePrivateEndpoint"] is True
        allowed = inputs["masterAuthorizedNetworksConfig"]
        assert allowed["gcpPublicCidrsAccessEnabled"] is False
        assert allowed["privateEndpointEnforcementEnabled"] is True
        assert all(block["cidrBlock"].startswith("10.") for block in allowed["cidrBlocks"])
        assert inputs["masterAuth"]["clientCertificateConfig"]["issueClientCertificate"] is False
        assert inputs["anonymousAuthenticationConfig"]["mode"] == "LIMITED"
        assert set(inputs["rbacBindingConfig"].values()) == {False}
        assert inputs["releaseChannel"]["channel"] in {"RAPID", "REGULAR", "STABLE"}
        assert "enterpriseConfig" not in inputs
        assert inputs["securityPostureConfig"] == {
            "mode": "BASIC",
            "vulnerabilityMode": "VULNERABILITY_DISABLED",
        }


_FORCED = {
    *("datapathProvider", "enableShieldedNodes", "enableLegacyAbac", "initialNodeCount", "loggingConfig"),
    *("monitoringConfig", "networkingMode", "nodeConfig", "removeDefaultNodePool", "workloadIdentityConfig"),
    "gatewayApiConfig",
}


def test_autopilot_is_told_nothing_that_it_forces_and_standard_everything(
    made: tuple[Graph, Configuration],
) -> None:
    graph, configuration = made
    for cluster in graph.of_type(CLUSTER):
        entry = next(c for c in configuration.fleet.clusters if c.name == cluster.name)
        given = {key for key in cluster.inputs if key != "__defaults"}
        if entry.mode is Mode.AUTOPILOT:
            assert cluster.inputs["enableAutopilot"] is True and not _FORCED & given
            continue
        assert given >= _FORCED and "enableAutopilot" not in given
        assert cluster.inputs["removeDefaultNodePool"] is True
        pools = [pool for pool in graph.of_type(POOL) if pool.name.startswith(f"{entry.name}.")]
        assert len(pools) == len(entry.node_pools) > 0
        for pool in pools:
            nodes = pool.inputs["nodeConfig"]
            assert nodes["serviceAccount"] == _runs_as(cluster)
            assert nodes["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
            assert nodes["shieldedInstanceConfig"] == {
                "enableIntegrityMonitoring": True,
                "enableSecureBoot": True,
            }
            assert pool.inputs["networkConfig"]["enablePrivateNodes"] is True


def test_the_control_plane_is_opened_as_far_as_the_endpoint_asks(made: tuple[Graph, Configuration]) -> None:
    graph, configuration = made
    for cluster in graph.of_type(CLUSTER):
        entry = next(c for c in configuration.fleet.clusters if c.name == cluster.name)
        endpoint = cluster.inputs["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]
        assert endpoint["allowExternalTraffic"] is (entry.endpoint is Endpoint.DNS)
        assert endpoint["enableK8sTokensViaDns"] is endpoint["enableK8sCertsViaDns"] is False
        from_elsewhere = entry.endpoint is Endpoint.PRIVATE and entry.location != "asia-northeast1"
        reach = cluster.inputs["privateClusterConfig"]["masterGlobalAccessConfig"]
        assert reach == {"enabled": from_elsewhere}
        blocks = cluster.inputs["masterAuthorizedNetworksConfig"]["cidrBlocks"]
        assert {block["displayName"]: block["cidrBlock"] for block in blocks} == entry.authorized_networks


def test_what_is_inside_a_created_cluster_goes_with_it(made: tuple[Graph, Configuration]) -> None:
    graph, _ = made
    created = {cluster.name: cluster.urn for cluster in graph.of_type(CLUSTER)}
    for resource in graph:
        if resource.is_in_kubernetes:
            cluster = resource.provider.rpartition("::")[2]
            assert resource.state.get("deletedWith", "") == created.get(cluster, ""), resource.urn


def test_argo_cd_is_installed_once_and_never_taken_away(made: tuple[Graph, Configuration]) -> None:
    graph, configuration = made
    if not configuration.part.has_hub:
        return
    release = graph.only(RELEASE, "argocd")
    assert {"values", "version"} <= set(release.state["ignoreChanges"])
    assert release.state["retainOnDelete"] is True
    assert graph.only("kubernetes:core/v1:Namespace", "argocd").state["retainOnDelete"] is True
    application = graph.only(f"{ARGO}Application", "argocd").inputs["spec"]
    assert application["source"]["targetRevision"] == release.inputs["version"]


def test_application_sets_are_deleted_in_the_background(made: tuple[Graph, Configuration]) -> None:
    for found in made[0].of_type(f"{ARGO}ApplicationSet"):
        annotations = found.inputs["metadata"]["annotations"]
        assert annotations["pulumi.com/deletionPropagationPolicy"] == "background"


def test_argo_cd_has_one_role_at_the_gateway_and_none_that_goes_past_rbac(
    made: tuple[Graph, Configuration],
) -> None:
    graph, configuration = made
    fleet = configuration.fleet
    found = {
        (caller.service_account, grant.inputs["project"], grant.inputs["role"])
        for caller in callers(fleet)
        for grant in graph.of_type(GRANT)
        if grant.inputs["member"] == caller_member(fleet, caller)
    }
    server = "gatewayAdmin" if fleet.argocd.exec else "gatewayEditor"
    roles = {"argocd-application-controller": "gatewayEditor", "argocd-server": server}
    wanted = set()
    if configuration.part.has_hub and fleet.reached_by(Endpoint.GATEWAY):
        wanted |= {(name, fleet.host_project, f"roles/gkehub.{role}") for name, role in roles.items()}
    for member in held_members(configuration):
        if member.endpoint is Endpoint.DNS:
            role = f"projects/{member.project}/roles/{DNS_ROLE}"
            wanted |= {(name, member.project, role) for name in roles}
    assert found == wanted
    for custom in graph.of_type("gcp:projects/iAMCustomRole:IAMCustomRole"):
        assert custom.inputs["permissions"] == ["container.clusters.connect"]


def test_the_part_is_made_and_nothing_else(made: tuple[Graph, Configuration]) -> None:
    graph, configuration = made
    entries = held(configuration)
    created = sorted(c.name for c in entries if c.join is Join.CREATE)
    registered = sorted(c.membership_id for c in entries if c.join is Join.REGISTER)
    assert [found.name for found in graph.of_type(CLUSTER)] == created
    assert [found.name for found in graph.of_type(MEMBERSHIP)] == registered
    for membership in graph.of_type(MEMBERSHIP):
        entry = next(c for c in entries if c.membership_id == membership.name)
        assert membership.inputs["location"] == entry.membership_location
    assert len(graph.of_type(FLEET)) == configuration.part.has_hub


def test_every_grant_of_the_fleet_with_everything(fleets: Mapping[str, Graph]) -> None:
    """Written out, so that a new grant is read by a person."""
    agent = "serviceAccount:service-200000000001@gcp-sa-gkehub.iam.gserviceaccount.com"
    controller = "serviceAccount:argocd-hub@acme-all-hub.iam.gserviceaccount.com"
    server = "serviceAccount:argocd-server-hub@acme-all-hub.iam.gserviceaccount.com"
    host = "acme-all-host"
    wanted = {
        (host, "roles/gkehub.serviceAgent", agent),
        (host, "roles/gkehub.gatewayEditor", controller),
        (host, "roles/gkehub.gatewayAdmin", server),
    }
    for project in ("hub", "shop", "data", "old", "away"):
        wanted |= {
            (f"acme-all-{project}", f"roles/gkehub.{role}", agent)
            for role in ("serviceAgent", "crossProjectServiceAgent")
        }
    for group, role in (("auditors", "Reader"), ("developers", "Editor"), ("platform", "Admin")):
        wanted |= {
            (host, f"roles/gkehub.{each}", f"group:{group}@acme.example")
            for each in (f"gateway{role}", "viewer")
        }
    for project in ("data", "old", "away"):
        role = f"projects/acme-all-{project}/roles/{DNS_ROLE}"
        wanted |= {(f"acme-all-{project}", role, member) for member in (controller, server)}
    for cluster, project in (
        *(("all-hub", "hub"), ("create-private", "hub"), ("create-gateway", "shop")),
        *(("create-own-network", "shop"), ("create-dns", "data")),
    ):
        account = f"serviceAccount:nodes-{cluster}@acme-all-{project}.iam.gserviceaccount.com"
        wanted.add((f"acme-all-{project}", "roles/container.defaultNodeServiceAccount", account))
    grants = fleets["everything"].of_type(GRANT)
    found = {(grant.inputs["project"], grant.inputs["role"], grant.inputs["member"]) for grant in grants}
    assert found == wanted and len(grants) == len(wanted)
    secrets = fleets["everything"].of_type(SECRET_GRANT)
    assert {(grant.inputs["secretId"], grant.inputs["member"].rpartition("/")[2]) for grant in secrets} == {
        (secret, "external-secrets")
        for secret in ("argocd-login", "shop-database", "shop-payments", "data-warehouse")
    }
    assert {grant.inputs["role"] for grant in secrets} == {"roles/secretmanager.secretAccessor"}


def test_parts_together_are_the_whole_with_the_same_names(fleets: Mapping[str, Graph]) -> None:
    """Moving between the forms replaces nothing, because no address changes: only the stack's name in it."""
    whole = dict(_addresses(fleets["everything"]))
    parts = {stack: dict(_addresses(fleets[f"everything-{stack}"])) for stack in ("hub", "one", "two")}
    assert set().union(*parts.values()) == set(whole)
    shared = Counter(address for part in parts.values() for address in part)
    assert {address.rpartition("$")[2] for address, count in shared.items() if count > 1} == {
        *("gke-fleet:index:Fleet::everything", "gke-fleet:index:HubCluster::all-hub"),
        *("gke-fleet:index:JoinedCluster::all-hub", f"{PROVIDER}::all-hub"),
        "pulumi:pulumi:Stack",
    }
    for part in parts.values():
        for address, parent in part.items():
            assert whole[address] == parent, address


def test_parts_send_the_same_inputs_as_the_whole(fleets: Mapping[str, Graph]) -> None:
    whole = {_address(found.urn): found.inputs for found in fleets["everything"]}
    for stack in ("everything-hub", "everything-one", "everything-two"):
        for found in fleets[stack]:
            if found.is_custom and not found.type.startswith("pulumi:pulumi"):
                assert found.inputs == whole[_address(found.urn)], found.urn


def _address(urn: str) -> str:
    """A URN without what is different between stacks: their names."""
    return "pulumi:pulumi:Stack" if "::pulumi:pulumi:Stack::" in urn else urn.split("::", 2)[2]


def _addresses(graph: Graph) -> Iterator[tuple[str, str]]:
    for resource in graph:
        yield _address(resource.urn), _address(str(resource.state.get("parent", "")) or "::::")


def test_secrets_are_granted_once_the_project_has_its_workload_pool(fleets: Mapping[str, Graph]) -> None:
    graph = fleets["everything"]
    for grant in graph.of_type(SECRET_GRANT):
        project = grant.inputs["project"]
        clusters = {found.name for found in graph.of_type(CLUSTER) if found.inputs["project"] == project}
        assert clusters & names(graph, graph.behind(grant), CLUSTER), grant.urn
    # What only a neighbour in the project needs holds up nobody: this one reads no secret.
    behind = graph.behind(graph.only(SECRET, "cluster-create-own-network"))
    assert "create-gateway" not in names(graph, behind, CLUSTER)


def test_operators_get_in_everywhere_the_hub_too(fleets: Mapping[str, Graph]) -> None:
    graph = fleets["everything"]
    reader = [found for found in graph.of_type(BINDING) if found.name.endswith("-fleet-operators-reader")]
    assert "all-hub-fleet-operators-reader" in {found.name for found in reader}
    assert all(found.inputs["roleRef"]["name"] == "view" for found in reader)
    assert {found.inputs["subjects"][0]["name"] for found in reader} == {"auditors@acme.example"}
    for cluster in graph.of_type(CLUSTER):
        assert cluster.inputs["authenticatorGroupsConfig"] == {
            "securityGroup": "gke-security-groups@acme.example"
        }
    assert not any("operators" in found.name for found in fleets["one-account"])


def test_terminals_are_the_servers_alone(fleets: Mapping[str, Graph]) -> None:
    for stack, user in (("everything", "argocd-server-hub@acme-all-hub"), ("principal", "principal://")):
        bindings = [f for f in fleets[stack].of_type(BINDING) if f.name.endswith("-fleet-argocd-exec")]
        assert bindings
        for binding in bindings:
            (subject,) = binding.inputs["subjects"]
            assert subject["name"].startswith(user)
            assert "controller" not in subject["name"]
    assert not any(found.name.endswith("-exec") for found in fleets["one-account"])


def test_a_principal_has_no_account(fleets: Mapping[str, Graph]) -> None:
    graph = fleets["principal"]
    assert all(account.name.endswith("-nodes") for account in graph.of_type(ACCOUNT))
    grant = graph.only(GRANT, "argocd-application-controller-gkehub.gatewayEditor")
    assert grant.inputs["member"].startswith("principal://iam.googleapis.com/projects/200000000002/")
    assert graph.only(CLUSTER, "all-hub").urn in graph.behind(grant), "the pool comes with the hub"


def test_settings_of_a_created_cluster_reach_google(fleets: Mapping[str, Graph]) -> None:
    inputs = fleets["everything"].only(CLUSTER, "create-dns").inputs
    assert inputs["maintenancePolicy"] == {
        "recurringWindow": {
            "startTime": "2026-01-01T18:00:00Z",
            "endTime": "2026-01-02T02:00:00Z",
            "recurrence": "FREQ=WEEKLY;BYDAY=SA,SU",
        }
    }
    assert inputs["databaseEncryption"]["state"] == "ENCRYPTED"
    assert inputs["databaseEncryption"]["keyName"].endswith("/cryptoKeys/data")
    assert inputs["ipAllocationPolicy"] == {
        "clusterSecondaryRangeName": "pods",
        "servicesSecondaryRangeName": "services",
    }
    assert inputs["releaseChannel"] == {"channel": "RAPID"}


def test_created_networks_let_no_node_out_but_by_nat(fleets: Mapping[str, Graph]) -> None:
    graph = fleets["everything"]
    assert {network.inputs["project"] for network in graph.of_type(NETWORK)} == {
        "acme-all-hub",
        "acme-all-shop",
    }
    assert all(network.inputs["autoCreateSubnetworks"] is False for network in graph.of_type(NETWORK))
    assert all(found.inputs["privateIpGoogleAccess"] is True for found in graph.of_type(SUBNETWORK))
    nats = graph.of_type("gcp:compute/routerNat:RouterNat")
    assert {nat.name for nat in nats} == {"all-hub", "create-own-network"}
    for nat in nats:
        (served,) = nat.inputs["subnetworks"]
        assert served["name"].endswith(f"/subnetworks/{nat.name}")
    routers = {router.inputs["region"] for router in graph.of_type("gcp:compute/router:Router")}
    assert routers == {"asia-northeast1", "asia-northeast2"}
    for subnetwork in graph.of_type(SUBNETWORK):
        behind = graph.behind(subnetwork)
        assert f"{subnetwork.inputs['project']}-fleet" in names(graph, behind, NETWORK)


def test_audit_is_there_where_it_is_asked_for(fleets: Mapping[str, Graph]) -> None:
    (audit,) = fleets["everything"].of_type("gcp:projects/iAMAuditConfig:IAMAuditConfig")
    assert audit.inputs["project"] == "acme-all-host"
    assert audit.inputs["service"] == "gkehub.googleapis.com"
    assert audit.inputs["auditLogConfigs"] == [{"logType": "ADMIN_READ"}]
    assert not fleets["one-account"].of_type("gcp:projects/iAMAuditConfig:IAMAuditConfig")


def test_secret_of_production_is_there_and_hidden(graphs: dict[str, Graph]) -> None:
    secret = graphs["prod"].only(SECRET, "git-credentials")
    assert secret.inputs["metadata"]["labels"] == {"argocd.argoproj.io/secret-type": "repo-creds"}
    assert "secret" in json.dumps(secret.inputs["stringData"])
    assert all(found.name != "git-credentials" for found in graphs["sandbox"].of_type(SECRET))
