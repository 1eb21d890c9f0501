"""What holds for every fleet: invariants of the graph of each committed stack, on paper, through the real
engine.

Not proven here: that Google Cloud accepts the resources (the sandbox's cloud and its rules), nor that
anything is delivered.
"""

from __future__ import annotations

import json

import pytest

from model import Configuration, load_stack
from model.gateway import kubeconfig
from tests.program.graph import CHECKOUT, STACKS, Graph, Resource

pytestmark = pytest.mark.engine

PROVIDER = "pulumi:providers:kubernetes"
CLUSTER = "gcp:container/cluster:Cluster"
SECRET = "kubernetes:core/v1:Secret"
ARGO = "kubernetes:argoproj.io/v1alpha1:"
RELEASE = "kubernetes:helm.sh/v3:Release"

_NAMED_BY = {
    "gcp:projects/service:Service": ("project", "service"),
    "gcp:projects/serviceIdentity:ServiceIdentity": ("project", "service"),
    "gcp:projects/iAMMember:IAMMember": ("project", "role", "member"),
    "gcp:serviceaccount/iAMMember:IAMMember": ("serviceAccountId", "role", "member"),
    "gcp:serviceaccount/account:Account": ("project", "accountId"),
    "gcp:gkehub/fleet:Fleet": ("project", "displayName"),
    "gcp:gkehub/membership:Membership": ("project", "membershipId", "location"),
    CLUSTER: ("project", "name", "location"),
    RELEASE: ("name", "namespace"),
}


@pytest.fixture(scope="module", params=STACKS)
def made(request: pytest.FixtureRequest, graphs: dict[str, Graph]) -> tuple[Graph, Configuration]:
    return graphs[request.param], load_stack(CHECKOUT / "stacks", request.param)


def test_every_resource_has_an_explicit_name(made: tuple[Graph, Configuration]) -> None:
    for resource in made[0]:
        if not resource.is_custom or resource.type.startswith("pulumi:"):
            continue
        if resource.type in _NAMED_BY:
            named = [resource.inputs.get(key) for key in _NAMED_BY[resource.type]]
        else:
            named = [resource.inputs.get("metadata", {}).get("name")]
        assert all(isinstance(name, str) and name for name in named), resource.urn


def test_every_cluster_has_one_provider_and_nothing_uses_a_default_one(
    made: tuple[Graph, Configuration],
) -> None:
    graph, configuration = made
    names = [provider.name for provider in graph.of_type(PROVIDER)]
    assert names == sorted(cluster.name for cluster in configuration.fleet.clusters)
    providers = {provider.urn for provider in graph.of_type(PROVIDER)}
    assert all(resource.provider in providers for resource in graph if resource.is_in_kubernetes)


def test_kubeconfigs_are_known_before_the_clusters_are(made: tuple[Graph, Configuration]) -> None:
    graph, configuration = made
    for cluster in configuration.fleet.clusters:
        provider = graph.only(PROVIDER, cluster.name)
        assert provider.inputs["kubeconfig"] == kubeconfig(configuration.fleet, cluster)
        identifier = f"{cluster.project}/{cluster.location}/{cluster.name}"
        assert provider.inputs["clusterIdentifier"] == identifier
        assert str(provider.inputs["skipUpdateUnreachable"]).lower() == "true"
        assert str(provider.inputs["deleteUnreachable"]).lower() == "false"


def test_clusters_and_secrets_are_protected_where_the_fleet_says_so(
    made: tuple[Graph, Configuration],
) -> None:
    graph, configuration = made
    wanted = configuration.fleet.protect
    secrets = [secret for secret in graph.of_type(SECRET) if secret.name.startswith("cluster-")]
    assert len(secrets) == len(configuration.fleet.clusters)
    assert all(resource.protect is wanted for resource in [*secrets, *graph.of_type(CLUSTER)])
    assert all(cluster.inputs["deletionProtection"] is wanted for cluster in graph.of_type(CLUSTER))


def test_every_custom_resource_comes_after_argo_cd(made: tuple[Graph, Configuration]) -> None:
    graph, _ = made
    release = graph.only(RELEASE, "argocd")
    custom = [resource for resource in graph if resource.type.startswith(ARGO)]
    assert {resource.type.removeprefix(ARGO) for resource in custom} == {
        "AppProject",
        "Application",
        "ApplicationSet",
    }
    assert all(release.urn in graph.behind(resource) for resource in custom)


def test_argo_cd_hears_of_a_member_only_when_it_can_work_there(made: tuple[Graph, Configuration]) -> None:
    graph, configuration = made
    application_sets = {found.urn for found in graph.of_type(f"{ARGO}ApplicationSet")}
    roles = {found.urn for found in graph if found.name.startswith("argocd-hub-gkehub.gateway")}
    for member in configuration.fleet.members:
        secret = graph.only(SECRET, f"cluster-{member.name}")
        binding = graph.only(
            "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", f"{member.name}-fleet-argocd"
        )
        assert {binding.urn, *application_sets, *roles} <= graph.behind(secret)


def test_clusters_come_after_the_rights_to_join(made: tuple[Graph, Configuration]) -> None:
    graph, configuration = made
    host = configuration.fleet.host_project
    for cluster in graph.of_type(CLUSTER):
        project = cluster.inputs["project"]
        roles = {"gkehub.serviceAgent"} | ({"gkehub.crossProjectServiceAgent"} if project != host else set())
        needed = {f"{project}-{role}" for role in roles} | {
            f"{host}-gkehub.serviceAgent",
            f"{project}-container",
        }
        behind = {graph.resources[urn].name for urn in graph.behind(cluster)}
        assert needed <= behind


def test_what_is_inside_a_created_cluster_goes_with_it(made: tuple[Graph, Configuration]) -> None:
    graph, _ = made
    created = {cluster.name: cluster.urn for cluster in graph.of_type(CLUSTER)}
    for resource in graph:
        if resource.is_in_kubernetes:
            cluster = resource.provider.rpartition("::")[2]
            assert resource.state.get("deletedWith", "") == created.get(cluster, ""), resource.urn


def test_argo_cd_is_installed_once_and_never_taken_away(made: tuple[Graph, Configuration]) -> None:
    graph, _ = made
    release = graph.only(RELEASE, "argocd")
    assert {"values", "version"} <= set(release.state["ignoreChanges"])
    assert release.state["retainOnDelete"] is True
    assert graph.only("kubernetes:core/v1:Namespace", "argocd").state["retainOnDelete"] is True
    application = graph.only(f"{ARGO}Application", "argocd").inputs["spec"]
    assert application["source"]["targetRevision"] == release.inputs["version"]


def test_application_sets_are_deleted_in_the_background(made: tuple[Graph, Configuration]) -> None:
    for found in made[0].of_type(f"{ARGO}ApplicationSet"):
        annotations = found.inputs["metadata"]["annotations"]
        assert annotations == {"pulumi.com/deletionPropagationPolicy": "background"}


def test_argo_cd_has_no_role_on_a_project_of_clusters(made: tuple[Graph, Configuration]) -> None:
    graph, configuration = made
    grants = [
        g for g in graph.of_type("gcp:projects/iAMMember:IAMMember") if "argocd-hub@" in g.inputs["member"]
    ]
    assert {(grant.inputs["project"], grant.inputs["role"]) for grant in grants} == {
        (configuration.fleet.host_project, "roles/gkehub.gatewayEditor"),
        (configuration.fleet.host_project, "roles/gkehub.viewer"),
    }


def test_resources_grow_with_clusters_plus_addons(graphs: dict[str, Graph]) -> None:
    """A member costs five resources and three components, whatever is delivered to it."""
    for graph in graphs.values():
        created = {cluster.name for cluster in graph.of_type(CLUSTER)}
        for member in created - {found.name for found in graph.of_type("gke-fleet:index:HubCluster")}:
            own = [resource for resource in graph if _belongs_to(resource, member)]
            assert sorted(resource.type.rpartition(":")[2] for resource in own) == [
                *("Cluster", "ClusterRole", "ClusterRoleBinding", "ClusterSecret"),
                *("JoinedCluster", "MemberCluster", "Secret", "kubernetes"),
            ]


def test_secret_of_production_is_there_and_hidden(graphs: dict[str, Graph]) -> None:
    secret = graphs["prod"].only(SECRET, "git-credentials")
    assert secret.inputs["metadata"]["labels"] == {"argocd.argoproj.io/secret-type": "repo-creds"}
    assert "secret" in json.dumps(secret.inputs["stringData"])
    assert all(found.name != "git-credentials" for found in graphs["sandbox"].of_type(SECRET))


def _belongs_to(resource: Resource, member: str) -> bool:
    return resource.name in {member, f"cluster-{member}", f"{member}-fleet-argocd"}
