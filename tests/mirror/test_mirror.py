"""The mirror as a process, asked by the real helm and git.

What this does not prove: that the official argo-cd chart behaves like the stand-in. The stand-in is held
against upstream's manifests and against what is known of the official chart.
"""

import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml

from sandbox.tools import manifests
from tests.mirror.conftest import ARGO, ES, Mirror, objects, values

pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize("version", ["1.3.1", "0.20.3"])
def test_the_official_external_secrets_chart(mirror: Mirror, version: str) -> None:
    done = mirror.template(ES, "external-secrets", version)
    assert done.returncode == 0, done.stderr
    made = objects(done.stdout)
    assert sum(kind == "CustomResourceDefinition" for kind, _ in made) == 23
    image = made["Deployment", "external-secrets"]["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image.endswith(f":v{version}")


def test_its_crds_go_by_the_chart_s_own_value(mirror: Mirror) -> None:
    done = mirror.template(ES, "external-secrets", "1.3.1", "--set", "installCRDs=false")
    assert not [kind for kind, _ in objects(done.stdout) if kind == "CustomResourceDefinition"]


def test_a_version_that_is_not_there_is_an_error_that_lists_what_is(mirror: Mirror) -> None:
    done = mirror.template(ES, "external-secrets", "1.3.0")
    assert done.returncode != 0
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{mirror.url}/{ES}/external-secrets-1.3.0.tgz")
    assert caught.value.code == 404
    text = caught.value.read().decode()
    assert f"this mirror has no {ES}/external-secrets-1.3.0.tgz; it has:" in text
    assert f"{ES}/external-secrets-1.3.1.tgz" in text
    assert "github.com/acme/platform.git (git)" in text


@pytest.mark.parametrize(
    "path", ["../mirror.json", "%2e%2e/mirror.json", "github.com/acme/platform.git/config"]
)
def test_nothing_else_is_served(mirror: Mirror, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{mirror.url}/{path}")
    assert caught.value.code in (403, 404)


def test_git_clones_and_fetches_a_commit(mirror: Mirror, tmp_path: Path) -> None:
    url = f"{mirror.url}/github.com/acme/platform.git"
    subprocess.run(["git", "clone", "--quiet", url, "clone"], cwd=tmp_path, check=True)
    assert (tmp_path / "clone" / "empty" / ".gitkeep").exists()
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=tmp_path / "clone", check=True, capture_output=True, text=True
    ).stdout.strip()
    subprocess.run(["git", "init", "--quiet", "fetched"], cwd=tmp_path, check=True)
    subprocess.run(["git", "fetch", "--quiet", "--depth=1", url, head], cwd=tmp_path / "fetched", check=True)
    pushed = subprocess.run(["git", "push", "--quiet", url, "HEAD:x"], cwd=tmp_path / "clone", check=False)
    assert pushed.returncode != 0


def test_the_stand_in_is_marked_as_one(mirror: Mirror) -> None:
    index = yaml.safe_load(urllib.request.urlopen(f"{mirror.url}/{ARGO}/index.yaml").read())
    entries = index["entries"]["argo-cd"]
    assert all(entry["description"].startswith("STAND-IN") for entry in entries)
    assert [(entry["version"], entry["appVersion"]) for entry in entries] == [
        ("10.3.3", "v3.5.1"),
        ("10.9.0", "v3.5.2"),
    ]


def test_the_stand_in_holds_upstream_s_objects(mirror: Mirror) -> None:
    made = objects(mirror.template(ARGO, "argo-cd", "10.3.3").stdout)
    upstream = objects((manifests() / "install.yaml").read_text())
    init = {(kind, "argocd-redis-secret-init") for kind in ("Job", "Role", "RoleBinding", "ServiceAccount")}
    assert set(made) - set(upstream) == init
    assert set(upstream) - set(made) == {
        (kind, "argocd-redis") for kind in ("Role", "RoleBinding", "ServiceAccount")
    }
    for key, one in upstream.items():
        for part in ("rules", "roleRef"):
            assert made.get(key, one).get(part) == one.get(part)
    crd = made["CustomResourceDefinition", "applicationsets.argoproj.io"]
    assert crd["metadata"]["annotations"] == {
        "argocd.argoproj.io/sync-options": "ServerSideApply=true",
        "helm.sh/resource-policy": "keep",
    }
    assert crd["spec"] == upstream["CustomResourceDefinition", "applicationsets.argoproj.io"]["spec"]


def test_values_reach_where_the_official_chart_puts_them(mirror: Mirror, tmp_path: Path) -> None:
    account = {"iam.gke.io/gcp-service-account": "argocd@p.iam.gserviceaccount.com"}
    done = mirror.template(ARGO, "argo-cd", "10.3.3", *values(tmp_path, {
        "global": {"image": {"tag": "v3.5.7"}, "networkPolicy": {"create": False}, "domain": "cd.acme.example"},
        "configs": {
            "cm": {"admin.enabled": False, "timeout.reconciliation": "30s"},
            "params": {"controller.status.processors": 7},
            "rbac": {"policy.default": "role:readonly"},
        },
        "controller": {
            "replicas": 2,
            "serviceAccount": {"annotations": account},
            "env": [{"name": "ARGOCD_CLUSTER_CACHE_WATCH_RESYNC_DURATION", "value": "0"}],
            "resources": {"requests": {"cpu": "1"}},
        },
        "server": {"replicas": 3, "serviceAccount": {"annotations": account}},
        "applicationSet": {"replicas": 2, "extraEnv": [{"name": "A", "value": "b"}]},
        "crds": {"keep": False},
        "dex": {"enabled": False},
        "notifications": {"enabled": False},
    }))  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = objects(done.stdout)
    cm = made["ConfigMap", "argocd-cm"]["data"]
    assert (cm["url"], cm["admin.enabled"], cm["timeout.reconciliation"]) == (
        "https://cd.acme.example",
        "false",
        "30s",
    )
    assert "resource.exclusions" in cm
    params = made["ConfigMap", "argocd-cmd-params-cm"]["data"]
    assert params["controller.status.processors"] == "7"
    assert params["applicationsetcontroller.enable.leader.election"] == "true"
    assert "server.dex.server" not in params
    assert made["ConfigMap", "argocd-rbac-cm"]["data"]["policy.default"] == "role:readonly"
    assert not [
        name for kind, name in made if kind == "NetworkPolicy" or "dex" in name or "notifications" in name
    ]
    for name in ("argocd-application-controller", "argocd-server"):
        assert made["ServiceAccount", name]["metadata"]["annotations"] == account
    controller = made["StatefulSet", "argocd-application-controller"]["spec"]
    container = controller["template"]["spec"]["containers"][0]
    environment = {one["name"]: one for one in container["env"]}
    assert controller["replicas"] == 2
    assert environment["ARGOCD_CONTROLLER_REPLICAS"]["value"] == "2"
    assert container["env"][-1] == {"name": "ARGOCD_CLUSTER_CACHE_WATCH_RESYNC_DURATION", "value": "0"}
    assert environment["ARGOCD_APPLICATION_CONTROLLER_STATUS_PROCESSORS"]["valueFrom"]["configMapKeyRef"] == {
        "name": "argocd-cmd-params-cm",
        "key": "controller.status.processors",
        "optional": True,
    }
    assert container["resources"] == {"requests": {"cpu": "1"}}
    assert container["image"] == "quay.io/argoproj/argocd:v3.5.7"
    assert made["Deployment", "argocd-server"]["spec"]["replicas"] == 3
    sets = made["Deployment", "argocd-applicationset-controller"]["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "A", "value": "b"} in sets["env"]


def test_the_terminal_gives_the_server_a_right_that_it_has_not_before(mirror: Mirror) -> None:
    def execs(*more: str) -> list[tuple[str, str]]:
        made = objects(mirror.template(ARGO, "argo-cd", "10.3.3", *more).stdout)
        return [
            key
            for key, one in made.items()
            if {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}
            in (one.get("rules") or [])
        ]

    assert execs() == []
    on = execs("--set", "configs.cm.exec\\.enabled=true")
    assert sorted(on) == [("ClusterRole", "argocd-server"), ("Role", "argocd-server")]


def test_budgets_and_spread_follow_their_values(mirror: Mirror, tmp_path: Path) -> None:
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "ScheduleAnyway",
    }
    done = mirror.template(ARGO, "argo-cd", "10.3.3", *values(tmp_path, {
        "global": {"topologySpreadConstraints": [spread]},
        "controller": {"pdb": {"enabled": True, "maxUnavailable": 1}},
        "server": {"pdb": {"enabled": True, "minAvailable": 2}},
        "repoServer": {"pdb": {"enabled": True}},
    }))  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = objects(done.stdout)
    limits = {
        name: {key: limit for key, limit in one["spec"].items() if key != "selector"}
        for (kind, name), one in made.items()
        if kind == "PodDisruptionBudget"
    }
    # What the official chart does where no limit is given: a budget that allows everything.
    assert limits == {
        "argocd-application-controller": {"maxUnavailable": 1},
        "argocd-server": {"minAvailable": 2},
        "argocd-repo-server": {"minAvailable": 0},
    }
    for (kind, name), one in made.items():
        if kind in ("Deployment", "StatefulSet"):
            labels = one["spec"]["selector"]["matchLabels"]
            pod = one["spec"]["template"]["spec"]
            assert pod["topologySpreadConstraints"] == [
                {**spread, "labelSelector": {"matchLabels": labels}}
            ], name
            budget = made.get(("PodDisruptionBudget", name))
            assert budget is None or budget["spec"]["selector"]["matchLabels"] == labels


def test_redis_in_three_replaces_the_one(mirror: Mirror, tmp_path: Path) -> None:
    done = mirror.template(ARGO, "argo-cd", "10.3.3", *values(tmp_path, {
        "redis-ha": {
            "enabled": True,
            "podDisruptionBudget": {"maxUnavailable": 1},
            "topologySpreadConstraints": {"enabled": True},
            "haproxy": {"podDisruptionBudget": {"maxUnavailable": 1}},
        },
        "global": {"networkPolicy": {"create": True}},
    }))  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = objects(done.stdout)
    assert not [name for kind, name in made if name.startswith("argocd-redis") and kind == "NetworkPolicy"]
    assert ("Deployment", "argocd-redis") not in made and ("Service", "argocd-redis") not in made
    assert made["ConfigMap", "argocd-cmd-params-cm"]["data"]["redis.server"] == "argocd-redis-ha-haproxy:6379"
    assert ("Job", "argocd-redis-secret-init") in made, "it makes the password here too"
    for key in (("StatefulSet", "argocd-redis-ha-server"), ("Deployment", "argocd-redis-ha-haproxy")):
        spec = made[key]["spec"]
        labels = spec["selector"]["matchLabels"]
        assert spec["replicas"] == 3
        assert labels.items() <= spec["template"]["metadata"]["labels"].items()
        pod = spec["template"]["spec"]
        (apart,) = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert apart["topologyKey"] == "kubernetes.io/hostname", "three nodes are needed"
        (spread,) = pod["topologySpreadConstraints"]
        assert spread["labelSelector"]["matchLabels"] == labels
    budgets = {name for kind, name in made if kind == "PodDisruptionBudget"}
    assert budgets == {"argocd-redis-ha-pdb", "argocd-redis-ha-haproxy-pdb"}
    one = objects(mirror.template(ARGO, "argo-cd", "10.3.3").stdout)
    assert not [name for _, name in one if "redis-ha" in name]
    assert one["ConfigMap", "argocd-cmd-params-cm"]["data"]["redis.server"] == "argocd-redis:6379"


def test_what_the_official_chart_does_not_map_is_not_mapped(mirror: Mirror, tmp_path: Path) -> None:
    own = {"name": "ARGOCD_K8S_CLIENT_QPS", "value": "20"}
    done = mirror.template(ARGO, "argo-cd", "10.3.3", *values(tmp_path, {"controller": {"env": [own]}}))
    made = objects(done.stdout)
    for (kind, name), one in made.items():
        if kind in ("Deployment", "StatefulSet"):
            (main, *_) = one["spec"]["template"]["spec"]["containers"]
            names = [variable["name"] for variable in main["env"]]
            # Server-side apply takes no list with a variable twice.
            assert len(names) == len(set(names)), name
            assert ("ARGOCD_K8S_CLIENT_QPS" in names) == (name == "argocd-application-controller")


@pytest.mark.parametrize(
    ("change", "rolled"),
    [
        ("configs.cm.foo=bar", {"argocd-application-controller", "argocd-server", "argocd-repo-server"}),
        (
            "configs.params.server\\.insecure=true",
            {
                "argocd-application-controller",
                "argocd-server",
                "argocd-repo-server",
                "argocd-applicationset-controller",
                "argocd-dex-server",
                "argocd-notifications-controller",
            },
        ),
        ("configs.rbac.scopes=[x]", set()),
    ],
)
def test_which_change_rolls_which_pods(mirror: Mirror, change: str, rolled: set[str]) -> None:
    before = objects(mirror.template(ARGO, "argo-cd", "10.3.3").stdout)
    after = objects(mirror.template(ARGO, "argo-cd", "10.3.3", "--set", change).stdout)
    workloads = {key for key in before if key[0] in ("Deployment", "StatefulSet")}
    assert {name for kind, name in workloads if before[kind, name] != after[kind, name]} == rolled


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("controler.replicas=2", "'controler'"),
        ("configs.params.nonsense=1", "'nonsense'"),
        ("server.extraEnv[0].name=X", "'extraEnv'"),
        ("redis-ha.replicas=5", "'replicas'"),
        ("redis.pdb.enabled=true", "'pdb'"),
        ("configs.params.controller\\.k8s\\.client\\.qps=9", "'controller.k8s.client.qps'"),
        ("global.topologySpreadConstraints[0].maxSkew=1", "topologyKey"),
        ("configs.cm.url.nested=x", "/configs/cm/url"),
    ],
)
def test_a_value_that_it_does_not_know_is_refused(mirror: Mirror, setting: str, says: str) -> None:
    done = mirror.template(ARGO, "argo-cd", "10.3.3", "--set", setting)
    assert done.returncode != 0
    assert says in done.stderr


def test_a_later_stand_in_differs_in_every_pod_and_in_one_parameter(mirror: Mirror) -> None:
    before, after = (
        objects(mirror.template(ARGO, "argo-cd", version).stdout) for version in ("10.3.3", "10.9.0")
    )
    assert set(before) == set(after)
    for (kind, name), one in after.items():
        if kind in ("Deployment", "StatefulSet"):
            earlier, pod = before[kind, name]["spec"]["template"], one["spec"]["template"]
            labels = [each["metadata"]["labels"]["helm.sh/chart"] for each in (earlier, pod)]
            assert labels == ["argo-cd-10.3.3", "argo-cd-10.9.0"], "so that every pod is replaced"
            assert before[kind, name]["spec"]["selector"] == one["spec"]["selector"], "it cannot be changed"
            image = pod["spec"]["containers"][0]["image"]
            assert image.endswith(":v3.5.2") == image.startswith("quay.io/argoproj/argocd"), image
    key, params = "server.glob.cache.size", ("ConfigMap", "argocd-cmd-params-cm")
    assert key not in before[params]["data"] and after[params]["data"][key] == "4096"
