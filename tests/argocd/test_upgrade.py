"""Argo CD moves itself to another version of its chart and back, through its Application: the processes follow.

The tests of this file build on one another in their order. What they do not prove: that Argo CD 3.5.2 works after
3.5.1, and back. The chart is a stand-in at both versions, and the programs that run are the sandbox's one version
throughout; what changes are pod templates, labels, a parameter, and every process.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from components.argocd import HELM_HANDS_OVER
from model import Configuration, load_stack
from model.application_set import ADDONS_PROJECT, application_set_spec
from model.argocd import addons_project_spec, argocd_project_spec, chart_values, self_application_spec
from model.cluster_secret import secret_content, secret_labels, secret_name
from model.gateway import IN_CLUSTER
from tests.argocd.conftest import Hub, alive, installed, until
from tests.argocd.test_delivery import COMPONENTS, healthy
from tests.model.conftest import written

pytestmark = pytest.mark.sandbox

FLEET = """\
hostProject: acme-host
projects: {acme-host: "100000000001"}
protect: false
argocd: {reconciliationSeconds: 15, reconciliationJitterSeconds: 0}
clusters:
  - {name: hub, role: hub, project: acme-host, location: asia-northeast1, kubernetes: "1.36", ring: stable}
"""

CATALOGUE = """\
rings: [stable]
argocd:
  chart: argo-cd
  repository: https://argoproj.github.io/argo-helm
  version: 10.3.3
  appVersion: v3.5.1
emptySource:
  repository: https://github.com/acme/platform.git
  revision: d41e9dfd0cb08bb8f9f83abb0299ace2a7bb46fe
  path: empty
addons:
  external-secrets:
    chart: external-secrets
    repository: https://charts.external-secrets.io
    version: 1.3.1
    namespace: external-secrets
    values: {installCRDs: false, webhook: {create: false}, certController: {create: false}}
    kinds:
      cluster:
        - rbac.authorization.k8s.io/ClusterRole
        - rbac.authorization.k8s.io/ClusterRoleBinding
      namespaced:
        - Service
        - ServiceAccount
        - apps/Deployment
        - rbac.authorization.k8s.io/Role
        - rbac.authorization.k8s.io/RoleBinding
    kubernetes: ["1.36"]
"""

ADDON = "external-secrets-hub"
"""The add-on's one Application."""

IMAGE = "quay.io/argoproj/argocd"
CHANGED = "ARGOCD_SERVER_GLOB_CACHE_SIZE"
"""The variable of argocd-server that comes with 10.9.0 of the stand-in and goes with it."""


@dataclass
class Fleet:
    """A hub on which Argo CD manages itself and delivers one add-on. `workloads`: what the add-on had then."""

    hub: Hub
    made: Configuration
    workloads: dict[str, str] = field(default_factory=dict)

    def documents(self, version: str) -> list[dict[str, Any]]:
        """What the program puts on the hub, with this version of the chart in the catalogue."""
        argocd = self.made.catalogue.argocd.model_copy(update={"version": version})
        fleet, catalogue = self.made.fleet, replace(self.made.catalogue, argocd=argocd)
        documents = [
            _custom("AppProject", "argocd", argocd_project_spec(catalogue)),
            _custom("AppProject", ADDONS_PROJECT, addons_project_spec(fleet, catalogue)),
            _custom(
                "Application",
                "argocd",
                self_application_spec(fleet, catalogue),
                annotations={HELM_HANDS_OVER: "helm"},
            ),
            _custom(
                "ApplicationSet",
                "external-secrets",
                application_set_spec(fleet, catalogue, "external-secrets"),
            ),
        ]
        # The mirror of a sandbox with a cloud has https and a name, as every mirror that a stack can have.
        text = re.sub(r"https://(?=(argoproj|charts|github)\.)", f"{self.hub.mirror}/", json.dumps(documents))
        moved: list[dict[str, Any]] = json.loads(text)
        return moved

    def move(self, version: str) -> None:
        """What `up` does after the one line of the catalogue was changed."""
        self.hub.apply(*self.documents(version))

    def is_at(self, version: str) -> bool:
        """Whether Argo CD has made itself that version of the chart, ended that sync, and is well."""
        status = self.hub.get("application", "argocd").get("status", {})
        sync, operation = status.get("sync", {}), status.get("operationState", {})
        said = (
            *(sync.get("revision"), sync.get("status"), status.get("health", {}).get("status")),
            *(operation.get("syncResult", {}).get("revision"), operation.get("phase")),
        )
        return said == (version, "Synced", "Healthy", version, "Succeeded")

    def is_looked_at(self) -> bool:
        """Whether the controller that runs now has compared the add-on, and all is well with it."""
        started = self.hub.record["processes"]["argocd-application-controller"]["started"]
        at = self.hub.get("application", ADDON)["status"]["reconciledAt"]
        return datetime.fromisoformat(at) > datetime.fromisoformat(started) and healthy(self.hub, ADDON)

    def existing(self) -> dict[str, str]:
        """UIDs of all that the add-on has and is made from."""
        kinds = "deployments,replicasets,pods,serviceaccounts,roles,rolebindings"
        listed = json.loads(self.hub.run("kubectl", "get", kinds, "-n", "external-secrets", "-o", "json"))
        ours = [
            *listed["items"],
            self.hub.get("application", ADDON),
            self.hub.get("applicationset", "external-secrets"),
        ]
        return {f"{one['kind']}/{one['metadata']['name']}": one["metadata"]["uid"] for one in ours}

    def check_addon(self, seen: Path) -> None:
        """The add-on has all that it had, was well all the time (`seen`), and is healed when it is changed by hand."""
        hub = self.hub
        until("the controller has looked at the add-on", self.is_looked_at, pause=1)
        # Unknown may be in between, where the repository server was away as the controller asked it.
        states = set(seen.read_text().splitlines())
        assert states - {"Unknown Healthy"} == {"Synced Healthy"}, states
        label = "app.kubernetes.io/version"
        deployment = ("deployment", "external-secrets", "-n", "external-secrets")
        hub.run("kubectl", "label", "--overwrite", *deployment, f"{label}=by-hand")
        read = ("kubectl", "get", *deployment, "-o", "json")
        until(
            "a change by hand is healed",
            lambda: json.loads(hub.run(*read))["metadata"]["labels"][label] != "by-hand",
        )
        assert self.existing() == self.workloads, "nothing was deleted or made anew"


def _custom(
    kind: str, name: str, spec: dict[str, Any], annotations: dict[str, str] | None = None
) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "argocd", "annotations": annotations or {}}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    made = load_stack(written(tmp_path_factory.mktemp("fleet"), FLEET, CATALOGUE), "acme")
    values = chart_values(made.fleet, made.catalogue)
    with installed(tmp_path_factory.mktemp("hub"), values, len(COMPONENTS)) as hub:
        yield Fleet(hub, made)


@pytest.fixture
def seen(fleet: Fleet, tmp_path: Path) -> Iterator[Path]:
    """A file that gets every sync and health status that the add-on's Application has during a test."""
    path = tmp_path / "seen"
    words = "jsonpath={.status.sync.status} {.status.health.status}{'\\n'}"
    command = ["kubectl", "get", "application", ADDON, "-n", "argocd", "--watch", "-o", words]
    with path.open("wb") as output:
        watching = subprocess.Popen(
            [str(fleet.hub.tools / command[0]), *command[1:]],
            stdout=output,
            env={**os.environ, "KUBECONFIG": str(fleet.hub.kubeconfig)},
        )
    until("the watch has begun", lambda: path.stat().st_size)
    yield path
    watching.terminate()
    watching.wait(10)


def variables(pid: int) -> dict[str, str]:
    """The environment of a process."""
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair)


def programs(hub: Hub) -> dict[str, str]:
    """Component -> the file that its process runs."""
    return {
        name: str(Path(f"/proc/{one['pid']}/exe").readlink()) for name, one in hub.record["processes"].items()
    }


def images(hub: Hub) -> dict[str, str]:
    """Component -> the image that its pod template names, but for Redis, whose is not Argo CD's."""
    processes = hub.record["processes"]
    return {name: processes[name]["image"] for name in COMPONENTS - {"argocd-redis"}}


def wait_until_moved(fleet: Fleet, version: str, app_version: str, before: dict[str, Any]) -> None:
    """Wait until Argo CD is healthy at a version of the chart, and no process is left of `before`.

    Its controller is ended amid the sync that changes it; the next one takes that sync up and ends it.
    """
    hub = fleet.hub
    until(f"Argo CD is healthy at {version}", lambda: fleet.is_at(version), 240, pause=1)
    until("every component runs", lambda: set(hub.record["processes"]) == COMPONENTS)
    after = hub.record["processes"]
    assert {name for name in COMPONENTS if after[name]["pid"] == before[name]["pid"]} == set()
    assert not any(alive(one["pid"]) for one in before.values())
    assert set(images(hub).values()) == {f"{IMAGE}:{app_version}"}


def test_argo_cd_manages_itself_and_delivers(fleet: Fleet) -> None:
    hub, hub_cluster = fleet.hub, fleet.made.fleet.hub
    hub.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": secret_name(hub_cluster),
                "namespace": "argocd",
                "labels": secret_labels(fleet.made.fleet, hub_cluster),
            },
            "stringData": secret_content(fleet.made.fleet, hub_cluster, IN_CLUSTER),
        }
    )
    fleet.move("10.3.3")
    until("Argo CD is healthy", lambda: fleet.is_at("10.3.3"), 240, pause=1)
    until("the add-on has its Application", lambda: _has_addon(hub))
    until("the add-on is healthy", lambda: healthy(hub, ADDON), 240)
    assert set(images(hub).values()) == {f"{IMAGE}:v3.5.1"}
    assert CHANGED not in variables(hub.record["processes"]["argocd-server"]["pid"])
    fleet.workloads = fleet.existing()
    assert {one.partition("/")[0] for one in fleet.workloads} >= {"Deployment", "Pod", "ApplicationSet"}


def _has_addon(hub: Hub) -> bool:
    names = hub.run("kubectl", "get", "-n", "argocd", "applications", "-o", "name")
    return f"application.argoproj.io/{ADDON}" in names.split()


def test_an_upgrade_replaces_every_process_and_loses_nothing(fleet: Fleet, seen: Path) -> None:
    hub, before, ran = fleet.hub, fleet.hub.record["processes"], programs(fleet.hub)
    fleet.move("10.9.0")
    wait_until_moved(fleet, "10.9.0", "v3.5.2", before)
    assert variables(hub.record["processes"]["argocd-server"]["pid"])[CHANGED] == "4096"
    labels = hub.get("statefulset", "argocd-application-controller")["metadata"]["labels"]
    assert (labels["helm.sh/chart"], labels["app.kubernetes.io/version"]) == ("argo-cd-10.9.0", "v3.5.2")
    assert programs(hub) == ran, "the record's image is what the hub wants, not what runs here"
    fleet.check_addon(seen)


def test_a_version_that_is_nowhere_stops_nothing_and_is_told(fleet: Fleet, seen: Path) -> None:
    hub, before = fleet.hub, fleet.hub.record["processes"]
    fleet.move("10.9.9")

    def told() -> str:
        conditions = hub.get("application", "argocd")["status"].get("conditions", [])
        return " ".join(one["message"] for one in conditions if one["type"] == "ComparisonError")

    until("the Application says why", told)
    assert "argo-cd" in told() and "10.9.9" in told()
    fleet.check_addon(seen)
    assert hub.record["processes"] == before


def test_back_to_the_version_before_the_same_backwards(fleet: Fleet, seen: Path) -> None:
    hub, before = fleet.hub, fleet.hub.record["processes"]
    fleet.move("10.3.3")
    wait_until_moved(fleet, "10.3.3", "v3.5.1", before)
    assert CHANGED not in variables(hub.record["processes"]["argocd-server"]["pid"])
    assert "server.glob.cache.size" not in hub.get("configmap", "argocd-cmd-params-cm")["data"]
    assert not hub.get("application", "argocd")["status"].get("conditions")
    labels = hub.get("statefulset", "argocd-application-controller")["metadata"]["labels"]
    assert (labels["helm.sh/chart"], labels["app.kubernetes.io/version"]) == ("argo-cd-10.3.3", "v3.5.1")
    fleet.check_addon(seen)
