"""What the model writes for clusters to read: addresses, kubeconfigs, Secrets, values, rights, projects."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from model import Configuration, load_stack
from model.application_set import application_set_spec
from model.argocd import addons_project_spec, argocd_project_spec, chart_values, self_application_spec
from model.cluster_secret import secret_content, secret_labels, secret_name
from model.gateway import IN_CLUSTER, gateway_url, kubeconfig
from model.identity import apis, argocd_account, fleet_agent, fleet_agent_grants, workload_member
from model.mirror import through
from model.rights import cluster_role_rules
from tests.model.conftest import CATALOGUE, FLEET, STACK

STACKS = Path(__file__).resolve().parents[2] / "stacks"


@pytest.fixture(scope="module")
def sandbox() -> Configuration:
    return load_stack(STACKS, "sandbox")


def test_gateway_address_of_a_regional_membership(sandbox: Configuration) -> None:
    osaka = sandbox.fleet.members[1]
    assert gateway_url(sandbox.fleet, osaka) == (
        "https://asia-northeast2-connectgateway.googleapis.com/v1/projects/100000000001/locations/asia-northeast2/"
        "gkeMemberships/osaka-data"
    )


def test_gateway_address_of_a_global_membership(folder: Callable[..., Path]) -> None:
    joined = "    join: registered\n    membership: {id: old-tokyo, location: global}\n"
    root = folder(fleet=FLEET.replace("  - name: tokyo\n", "  - name: tokyo\n" + joined))
    fleet = load_stack(root, "acme").fleet
    assert gateway_url(fleet, fleet.members[0]) == (
        "https://connectgateway.googleapis.com/v1/projects/100000000001/locations/global/gkeMemberships/old-tokyo"
    )


def test_kubeconfig_holds_no_credential_and_no_authority(sandbox: Configuration) -> None:
    document = json.loads(kubeconfig(sandbox.fleet, sandbox.fleet.hub))
    (cluster,), (user,) = document["clusters"], document["users"]
    assert cluster["cluster"] == {"server": gateway_url(sandbox.fleet, sandbox.fleet.hub)}
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"
    assert document["current-context"] == document["contexts"][0]["name"]


def test_cluster_secret_of_a_member(sandbox: Configuration) -> None:
    tokyo = sandbox.fleet.members[0]
    content = secret_content(sandbox.fleet, tokyo, gateway_url(sandbox.fleet, tokyo))
    assert secret_name(tokyo) == "cluster-tokyo-shop"
    assert content["name"] == "tokyo-shop"
    assert content["server"] == gateway_url(sandbox.fleet, tokyo)
    assert json.loads(content["config"]) == {
        "execProviderConfig": {
            "command": "argocd-k8s-auth",
            "args": ["gcp"],
            "apiVersion": "client.authentication.k8s.io/v1beta1",
        },
        "tlsClientConfig": {"insecure": False},
    }
    assert secret_labels(sandbox.fleet, tokyo) == {
        "argocd.argoproj.io/secret-type": "cluster",
        "fleet_environment": "sandbox",
        "fleet_cluster": "tokyo-shop",
        "fleet_ring": "canary",
        "fleet_role": "member",
        "fleet_lifecycle": "active",
        "fleet_project": "acme-sandbox-shop",
        "fleet_location": "asia-northeast1",
        "team": "shop",
        "dns": "public",
    }


def test_cluster_secret_of_the_hub_uses_its_own_service_account(sandbox: Configuration) -> None:
    content = secret_content(sandbox.fleet, sandbox.fleet.hub, IN_CLUSTER)
    assert content["server"] == "https://kubernetes.default.svc"
    assert json.loads(content["config"]) == {"tlsClientConfig": {"insecure": False}}


def test_chart_values_are_in_the_form_the_chart_takes(sandbox: Configuration) -> None:
    values = chart_values(sandbox.fleet, sandbox.catalogue)
    settings = values["configs"]["cm"]
    assert settings["timeout.reconciliation"] == "20s"
    assert settings["timeout.reconciliation.jitter"] == "0s"
    assert isinstance(settings["resource.exclusions"], str)
    assert {"apiGroups", "kinds", "clusters"} == set(yaml.safe_load(settings["resource.exclusions"])[0])
    assert values["controller"]["env"] == [
        {"name": "ARGOCD_CLUSTER_CACHE_WATCH_RESYNC_DURATION", "value": "0s"}
    ]
    account = {"iam.gke.io/gcp-service-account": "argocd-hub@acme-sandbox-hub.iam.gserviceaccount.com"}
    assert values["controller"]["serviceAccount"]["annotations"] == account
    assert values["server"]["serviceAccount"]["annotations"] == account
    assert "serviceAccount" not in values["repoServer"]
    assert (values["dex"], values["notifications"]) == ({"enabled": False}, {"enabled": False})
    assert (
        values["redis"]["enabled"] and values["crds"]["keep"] and values["global"]["networkPolicy"]["create"]
    )


def test_argocd_manages_itself_with_the_values_it_was_installed_with(sandbox: Configuration) -> None:
    spec = self_application_spec(sandbox.fleet, sandbox.catalogue)
    values = chart_values(sandbox.fleet, sandbox.catalogue)
    assert spec["source"]["helm"] == {"releaseName": "argocd", "valuesObject": values}
    assert spec["source"]["repoURL"] == "https://mirror.fleet.internal/argoproj.github.io/argo-helm"
    assert spec["source"]["targetRevision"] == sandbox.catalogue.argocd.version
    assert "ServerSideApply=true" in spec["syncPolicy"]["syncOptions"]
    assert spec["syncPolicy"]["automated"] == {"prune": False, "selfHeal": True}


def test_application_set_deletes_nothing_by_accident(sandbox: Configuration) -> None:
    spec = application_set_spec(sandbox.fleet, sandbox.catalogue, "external-secrets")
    assert spec["goTemplate"] and spec["goTemplateOptions"] == ["missingkey=error"]
    assert spec["syncPolicy"] == {"applicationsSync": "sync", "preserveResourcesOnDeletion": True}
    assert "finalizers" not in spec["template"]["metadata"]
    automated = spec["template"]["spec"]["syncPolicy"]["automated"]
    assert automated == {"prune": True, "selfHeal": True}, "an empty chart must not prune everything"
    assert {"ServerSideApply=true", "CreateNamespace=true"} <= set(
        spec["template"]["spec"]["syncPolicy"]["syncOptions"]
    )


def test_removing_points_to_the_empty_folder_and_has_no_chart(folder: Callable[..., Path]) -> None:
    leaving = "    lifecycle: leaving\n    workloads: remove\n"
    root = folder(fleet=FLEET.replace("  - name: tokyo\n", "  - name: tokyo\n" + leaving))
    made = load_stack(root, "acme")
    spec = application_set_spec(made.fleet, made.catalogue, "external-secrets")
    generator = spec["generators"][-1]["clusters"]
    assert generator["selector"] == {
        "matchExpressions": [{"key": "fleet_cluster", "operator": "In", "values": ["tokyo"]}],
    }
    assert generator["template"]["spec"]["source"] == {
        "repoURL": "https://git.example.org/platform.git",
        "path": "empty",
        "targetRevision": "{{ .values.version }}",
    }
    assert generator["template"]["spec"]["syncPolicy"]["automated"]["allowEmpty"] is True
    (removing,) = [application for application in made.applications if application.removing]
    assert (removing.cluster, removing.version) == ("tokyo", "0123456789abcdef0123456789abcdef01234567")


def test_keeping_takes_the_application_away(folder: Callable[..., Path]) -> None:
    leaving = "    lifecycle: leaving\n    workloads: keep\n"
    made = load_stack(folder(fleet=FLEET.replace("  - name: tokyo\n", "  - name: tokyo\n" + leaving)), "acme")
    assert {application.cluster for application in made.applications} == {"hub", "osaka"}
    assert not made.fleet.protects(made.fleet.members[0]) and made.fleet.protects(made.fleet.members[1])


@pytest.mark.parametrize(
    ("upstream", "mirrored"),
    [
        ("https://charts.external-secrets.io", "https://mirror.acme.dev/charts.external-secrets.io"),
        ("https://argoproj.github.io/argo-helm", "https://mirror.acme.dev/argoproj.github.io/argo-helm"),
        ("https://github.com/acme/platform.git", "https://mirror.acme.dev/github.com/acme/platform.git"),
    ],
)
def test_mirror_keeps_the_upstream_host_as_a_folder(upstream: str, mirrored: str) -> None:
    assert through("https://mirror.acme.dev/", upstream) == mirrored


def test_every_repository_goes_through_the_mirror(folder: Callable[..., Path]) -> None:
    made = load_stack(folder(stack=STACK + "  gke-fleet:mirror: https://mirror.acme.dev\n"), "acme")
    texts = json.dumps(
        [
            self_application_spec(made.fleet, made.catalogue),
            application_set_spec(made.fleet, made.catalogue, "external-secrets"),
            addons_project_spec(made.fleet, made.catalogue),
            argocd_project_spec(made.catalogue),
        ]
    )
    assert "https://mirror.acme.dev/charts.example.org" in texts
    assert "https://charts.example.org" not in texts and "https://git.example.org" not in texts


def test_projects_name_everything_and_use_no_wildcard(folder: Callable[..., Path]) -> None:
    made = load_stack(folder(), "acme")
    for spec in (addons_project_spec(made.fleet, made.catalogue), argocd_project_spec(made.catalogue)):
        assert "*" not in json.dumps(spec)
        assert spec["sourceRepos"] and spec["destinations"]
    addons = addons_project_spec(made.fleet, made.catalogue)
    assert addons["clusterResourceWhitelist"] == [
        {"group": "", "kind": "Namespace"},
        {"group": "apiextensions.k8s.io", "kind": "CustomResourceDefinition"},
    ]
    assert len(addons["destinations"]) == 3


def test_rights_write_by_name_and_are_not_everything() -> None:
    rules = cluster_role_rules()
    writing = [rule for rule in rules if set(rule["verbs"]) - {"get", "list", "watch"}]
    assert all("*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]] for rule in writing)
    written = {resource for rule in writing for resource in rule["resources"]}
    assert {
        "customresourcedefinitions",
        "clusterroles",
        "validatingwebhookconfigurations",
        "deployments",
    } <= written
    assert "nodes" not in written and "pods/exec" not in written


def test_identities(sandbox: Configuration) -> None:
    fleet = sandbox.fleet
    assert argocd_account(fleet) == "argocd-hub@acme-sandbox-hub.iam.gserviceaccount.com"
    assert workload_member(fleet, "argocd-server") == (
        "serviceAccount:acme-sandbox-hub.svc.id.goog[argocd/argocd-server]"
    )
    assert fleet_agent(fleet) == "serviceAccount:service-100000000001@gcp-sa-gkehub.iam.gserviceaccount.com"
    assert ("acme-sandbox-shop", "roles/gkehub.crossProjectServiceAgent") in fleet_agent_grants(fleet)
    assert ("acme-sandbox-hub", "roles/gkehub.serviceAgent") in fleet_agent_grants(fleet)
    assert not any("acme-sandbox-lab" in pair for pair in (*fleet_agent_grants(fleet), *apis(fleet)))
    assert not any(api.startswith("anthos") for _, api in apis(fleet))


@pytest.mark.parametrize(("stack", "count"), [("sandbox", 3), ("dev", 3), ("prod", 9)])
def test_committed_fleets_are_right(stack: str, count: int) -> None:
    made = load_stack(STACKS, stack)
    assert len(made.fleet.clusters) == count
    everywhere = [name for name, addon in made.catalogue.addons.items() if addon.select.is_empty]
    names = {one.application for one in made.applications}
    assert {f"{addon}-{c.name}" for addon in everywhere for c in made.fleet.clusters} <= names
    assert len(names) == len(made.applications) <= 1 + count * len(made.catalogue.addons)


def test_catalogue_of_the_tests_has_the_shape_of_the_real_one() -> None:
    ours, real = (
        yaml.safe_load(CATALOGUE),
        yaml.safe_load((STACKS / "catalog.yaml").read_text(encoding="utf-8")),
    )
    assert set(ours) | {"ahead"} == set(real)
