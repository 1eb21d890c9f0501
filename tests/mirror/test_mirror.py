"""The mirror as a process, asked by the real helm and git.

What this does not prove: that the official argo-cd chart behaves like the stand-in. The stand-in is held
against upstream's manifests and against what is known of the official chart.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from sandbox.tools import ensure, manifests

pytestmark = pytest.mark.sandbox

ES = "charts.external-secrets.io"
ARGO = "argoproj.github.io/argo-helm"

Objects = dict[tuple[str, str], dict[str, Any]]


class Mirror(NamedTuple):
    url: str
    folder: Path
    helm: Path
    process: subprocess.Popen[bytes]

    def template(
        self, repository: str, chart: str, version: str, *more: str
    ) -> "subprocess.CompletedProcess[str]":
        release = "argocd" if chart == "argo-cd" else chart
        home = self.folder / "helm"
        return subprocess.run(
            [
                str(self.helm),
                "template",
                release,
                chart,
                "--repo",
                f"{self.url}/{repository}",
                "--version",
                version,
                "--namespace",
                "argocd",
                "--kube-version",
                "1.36.3",
                *more,
            ],
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "HELM_CACHE_HOME": str(home),
                "HELM_CONFIG_HOME": str(home),
                "HELM_DATA_HOME": str(home),
            },
        )


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    state = tmp_path_factory.mktemp("mirror")
    process = subprocess.Popen([sys.executable, "-m", "sandbox.mirror", "--state", str(state)])
    record = state / "mirror.json"
    deadline = time.monotonic() + 60
    while not record.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    try:
        yield Mirror(
            json.loads(record.read_text())["url"], state, ensure("delivery", print) / "helm", process
        )
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert not record.exists()


def objects(text: str) -> Objects:
    documents = yaml.load_all(text, Loader=yaml.CSafeLoader)
    return {(one["kind"], one["metadata"]["name"]): one for one in documents if one}


def values(tmp_path: Path, content: dict[str, Any]) -> tuple[str, str]:
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(content))
    return "--values", str(path)


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
    (entry,) = index["entries"]["argo-cd"]
    assert entry["description"].startswith("STAND-IN")
    assert (entry["version"], entry["appVersion"]) == ("10.3.3", "v3.5.1")


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
        ("redis-ha.enabled=true", "'redis-ha'"),
        ("configs.cm.url.nested=x", "/configs/cm/url"),
    ],
)
def test_a_value_that_it_does_not_know_is_refused(mirror: Mirror, setting: str, says: str) -> None:
    done = mirror.template(ARGO, "argo-cd", "10.3.3", "--set", setting)
    assert done.returncode != 0
    assert says in done.stderr
