"""Every chart of the catalogue in every version that the mirror has, rendered by the real helm.

What this does not prove: that the stand-in of reloader renders what the official chart does.
"""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from sandbox.mirror import content, reloader
from sandbox.tools import chart_name, charts
from sandbox.tools.modules import chart_sources
from tests.mirror.conftest import Mirror, values

pytestmark = pytest.mark.sandbox

RBAC = {"rbac.authorization.k8s.io/ClusterRole", "rbac.authorization.k8s.io/ClusterRoleBinding"}
ROLES = {"rbac.authorization.k8s.io/Role", "rbac.authorization.k8s.io/RoleBinding"}
CRD = "apiextensions.k8s.io/CustomResourceDefinition"
WEBHOOKS = {
    "admissionregistration.k8s.io/MutatingWebhookConfiguration",
    "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
}
WORKLOAD = {"ServiceAccount", "apps/Deployment"}

KEPT = {
    "argocd.argoproj.io/sync-options": "Prune=false",
    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
}


class Expected(NamedTuple):
    """What a chart makes of `values`: kinds, and the API groups of its CRDs."""

    values: dict[str, Any]
    kinds: set[str]
    groups: set[str]


CHARTS = {
    "cert-manager": Expected(
        {
            "crds": {"enabled": True},
            "startupapicheck": {"enabled": False},
            "global": {"leaderElection": {"namespace": "cert-manager"}},
        },
        {CRD, *WEBHOOKS, *RBAC, *ROLES, *WORKLOAD, "Service"},
        {"cert-manager.io", "acme.cert-manager.io"},
    ),
    "external-dns": Expected(
        {"provider": {"name": "google"}, "registry": "txt", "policy": "upsert-only"},
        {CRD, *RBAC, *WORKLOAD, "Service"},
        {"externaldns.k8s.io"},
    ),
    "external-secrets": Expected(
        {"crds": {"annotations": KEPT}},
        {
            CRD,
            *RBAC,
            *ROLES,
            *WORKLOAD,
            *(kind for kind in WEBHOOKS if "Validating" in kind),
            "Service",
            "Secret",
        },
        {"external-secrets.io", "generators.external-secrets.io"},
    ),
    "kyverno": Expected(
        {
            "crds": {"annotations": KEPT, "migration": {"enabled": False}},
            "config": {"preserve": False},
            "webhooksCleanup": {"enabled": False},
            "policyReportsCleanup": {"enabled": False},
        },
        {CRD, *RBAC, *ROLES, *WORKLOAD, "Service", "ConfigMap"},
        {"kyverno.io", "policies.kyverno.io", "reports.kyverno.io", "wgpolicyk8s.io"},
    ),
    "metrics-server": Expected(
        {},
        {
            "apiregistration.k8s.io/APIService",
            *RBAC,
            *WORKLOAD,
            "rbac.authorization.k8s.io/RoleBinding",
            "Service",
        },
        set(),
    ),
    "reloader": Expected({}, {*RBAC, *WORKLOAD}, set()),
}

VERSIONS = sorted(
    [*map(chart_name, chart_sources()), *(("reloader", version) for version in reloader.VERSIONS)],
)

ALSO_INTO = {"metrics-server": {"kube-system"}}


def path_of(chart: str) -> str:
    return content.HTTP.get(chart) or f"oci://{content.OCI[chart]}"


def made(mirror: Mirror, folder: Path, chart: str, version: str, *more: str) -> list[dict[str, Any]]:
    given = values(folder, CHARTS[chart].values)
    done = mirror.template(path_of(chart), chart, version, *given, *more, namespace=chart)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if one]


def hooked(one: dict[str, Any]) -> bool:
    return any(name.startswith("helm.sh/hook") for name in one["metadata"].get("annotations") or {})


@pytest.mark.parametrize(("chart", "version"), VERSIONS)
def test_a_chart_renders(mirror: Mirror, tmp_path: Path, chart: str, version: str) -> None:
    objects = made(mirror, tmp_path, chart, version)
    kinds = {
        f"{one['apiVersion'].rpartition('/')[0]}/{one['kind']}".lstrip("/")
        for one in objects
        if not hooked(one)
    }
    assert kinds == CHARTS[chart].kinds
    crds = [one for one in objects if one["kind"] == "CustomResourceDefinition"]
    assert {one["spec"]["group"] for one in crds} == CHARTS[chart].groups
    # Hooks of the kind `test` are left out by Argo CD; there is no value that turns kyverno's off.
    hooks = {one["metadata"]["annotations"].get("helm.sh/hook") for one in objects if hooked(one)}
    assert hooks <= {"test"}
    namespaces = {one["metadata"]["namespace"] for one in objects if "namespace" in one["metadata"]}
    assert namespaces == {chart, *ALSO_INTO.get(chart, set())}


@pytest.mark.parametrize(("chart", "version"), VERSIONS)
def test_its_workloads_are_of_the_version_that_it_names(
    mirror: Mirror, tmp_path: Path, chart: str, version: str
) -> None:
    done = mirror.run(
        mirror.helm,
        *("show", "chart", "--version", version),
        *(
            (f"{path_of(chart).replace('oci://', f'oci://{mirror.host}/')}/{chart}", "--plain-http")
            if chart in content.OCI
            else (chart, "--repo", f"{mirror.url}/{path_of(chart)}")
        ),
    )
    assert done.returncode == 0, done.stderr
    # An OCI client says what it pulled before it shows the chart.
    shown = yaml.safe_load(done.stdout[done.stdout.index("apiVersion: ") :])
    assert (shown["name"], shown["version"]) == (chart, version)
    workloads = [one for one in made(mirror, tmp_path, chart, version) if one["kind"] == "Deployment"]
    tags = {
        container["image"].rpartition(":")[2].removeprefix("v")
        for one in workloads
        for container in one["spec"]["template"]["spec"]["containers"]
    }
    assert tags == {shown["appVersion"].removeprefix("v")}


@pytest.mark.parametrize(
    ("chart", "version"), [one for one in VERSIONS if one[0] in ("kyverno", "external-secrets")]
)
def test_crds_that_are_to_stay_can_be_marked(
    mirror: Mirror, tmp_path: Path, chart: str, version: str
) -> None:
    crds = [
        one for one in made(mirror, tmp_path, chart, version) if one["kind"] == "CustomResourceDefinition"
    ]
    assert crds
    for one in crds:
        assert KEPT.items() <= one["metadata"]["annotations"].items(), one["metadata"]["name"]


def test_external_dns_demands_a_policy_from_1_22_on(mirror: Mirror) -> None:
    """The version that the catalogue moves to needs a value that the one before did not."""
    path = path_of("external-dns")
    assert mirror.template(path, "external-dns", "1.18.0").returncode == 0
    done = mirror.template(path, "external-dns", "1.22.0")
    assert done.returncode != 0
    assert "missing property 'policy'" in done.stderr


def test_every_official_chart_is_in_one_repository() -> None:
    names = {chart_name(folder)[0] for folder in charts().iterdir()}
    assert names | {"reloader"} == content.HTTP.keys() | content.OCI.keys()
    assert not content.HTTP.keys() & content.OCI.keys()


def test_the_stand_in_of_reloader_is_marked_as_one(mirror: Mirror) -> None:
    for chart in reloader.charts():
        assert chart.meta["description"].startswith("STAND-IN")


@pytest.mark.parametrize(
    ("setting", "says"),
    [("reloader.watchGloballly=false", "watchGloballly"), ("reloader.deployment.replicas=two", "replicas")],
)
def test_a_value_that_the_stand_in_does_not_know_is_refused(mirror: Mirror, setting: str, says: str) -> None:
    done = mirror.template(path_of("reloader"), "reloader", "2.2.16", "--set", setting)
    assert done.returncode != 0
    assert says in done.stderr


def test_values_reach_what_the_stand_in_makes(mirror: Mirror, tmp_path: Path) -> None:
    given = {
        "reloader": {
            "ignoreSecrets": True,
            "deployment": {"replicas": 2, "resources": {"requests": {"cpu": 1}}},
        }
    }
    done = mirror.template(path_of("reloader"), "reloader", "2.2.16", *values(tmp_path, given))
    assert done.returncode == 0, done.stderr
    found = {one["kind"]: one for one in yaml.safe_load_all(done.stdout) if one}
    assert found["ClusterRole"]["rules"][0]["resources"] == ["configmaps"]
    assert found["Deployment"]["spec"]["replicas"] == 2
    (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["resources"] == {"requests": {"cpu": 1}}
    assert "--resources-to-ignore=secrets" in container["args"]
