"""Argo CD with more than one of each part, as the program's own values have it: processes share the work.

What this does not prove: that three Redis elect a master. One stands behind their proxy here, and the runner says so.
"""

import base64
import json
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from model.argocd import chart_values
from model.load import load_stack
from tests.argocd.conftest import Hub, installed, until
from tests.argocd.test_delivery import application, healthy
from tests.model.conftest import FLEET, written

pytestmark = pytest.mark.sandbox

SETTINGS = """\
argocd:
  domain: argocd.acme.example
  exec: true
  sso:
    issuer: https://login.acme.example/realms/acme
    clientId: argocd
    groups: {platform: admin, developers: readonly}
  reconciliationSeconds: 15
  reconciliationJitterSeconds: 0
  redisHa: true
  sharding: round-robin
  replicas: {controller: 2, server: 2, repoServer: 2, applicationSet: 2}
"""

PROCESSES = {
    *("argocd-application-controller", "argocd-application-controller-1", "argocd-server", "argocd-server-1"),
    *("argocd-repo-server", "argocd-repo-server-1", "argocd-redis-ha-haproxy"),
    "argocd-applicationset-controller",
}

EMPTY = {"targetRevision": "d41e9dfd0cb08bb8f9f83abb0299ace2a7bb46fe", "path": "empty"}
"""The mirror's folder without content, but for its address."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    fleet = FLEET.replace("argocd:\n  reconciliationSeconds: 60\n", SETTINGS)
    loaded = load_stack(written(tmp_path_factory.mktemp("fleet"), fleet), "acme")
    values = chart_values(loaded.fleet, loaded.catalogue)
    # Redis in three needs a node for each.
    with installed(tmp_path_factory.mktemp("hub"), values, len(PROCESSES), nodes=3) as made:
        yield made


def test_each_replica_is_a_process_and_three_redis_are_one(hub: Hub) -> None:
    assert set(hub.record["processes"]) == PROCESSES
    assert set(hub.record["notRun"]) == {
        *("argocd-redis-ha-server", "argocd-redis-ha-haproxy", "argocd-applicationset-controller")
    }
    log = (hub.state / "logs" / "argocd.log").read_text()
    assert log.count("argocd-redis-ha-server: no process: Redis with sentinels is not run here") == 1
    redis = hub.get("statefulset", "argocd-redis-ha-server")["status"]
    assert redis["readyReplicas"] == 3, "on three nodes"


def test_controllers_share_clusters_out(hub: Hub) -> None:
    """Two clusters, the second one being the hub under another address: one for each controller."""
    config = yaml.safe_load(hub.kubeconfig.read_text())
    server = config["clusters"][0]["cluster"]["server"]
    addresses = {"first": "https://kubernetes.default.svc", "second": server}
    hub.apply(
        _cluster_secret("first", addresses["first"], {}),
        _cluster_secret("second", server, {"tlsClientConfig": _credentials(hub.kubeconfig, config)}),
    )
    logs = [hub.state / "argocd" / "logs" / f"argocd-application-controller{end}.log" for end in ("", "-1")]
    # Another cluster can move the others: Applications come when both controllers have shared out both.
    until(
        "clusters are shared out",
        lambda: all(f"{server} has been assigned" in log.read_text() for log in logs),
    )
    folder = EMPTY | {"repoURL": f"{hub.mirror}/github.com/acme/platform.git"}
    for name, address in addresses.items():
        one = application(name, folder, "default")
        one["spec"]["destination"]["server"] = address
        hub.apply(one)
    until("both are delivered", lambda: healthy(hub, "first") and healthy(hub, "second"), 240)
    worked = [
        {name for name in ("first", "second") if f'"application":"{name}"' in log.read_text()} for log in logs
    ]
    assert worked in ([{"first"}, {"second"}], [{"second"}, {"first"}])


def test_a_project_that_names_a_cluster_lets_its_address_through(hub: Hub) -> None:
    """The second cluster is named; the Application says its address. The first one is not named."""
    addresses = {
        base64.b64decode(one["data"]["name"]).decode(): base64.b64decode(one["data"]["server"]).decode()
        for one in hub.get("secrets", "-l", "argocd.argoproj.io/secret-type=cluster")["items"]
    }
    repository = f"{hub.mirror}/github.com/acme/platform.git"
    project = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "named", "namespace": "argocd"},
        "spec": {
            "sourceRepos": [repository],
            "destinations": [{"name": "second", "namespace": "default"}],
        },
    }
    hub.apply(project)
    for name in ("first", "second"):
        one = application(f"named-{name}", EMPTY | {"repoURL": repository}, "default")
        one["spec"] |= {"project": "named"}
        one["spec"]["destination"]["server"] = addresses[name]
        hub.apply(one)
    until("it is delivered", lambda: healthy(hub, "named-second"), 120)
    until("it is refused", lambda: _conditions(hub, "named-first"), 60)
    assert "do not match any of the allowed destinations" in _conditions(hub, "named-first")


def _conditions(hub: Hub, name: str) -> str:
    conditions = hub.get("application", name).get("status", {}).get("conditions", [])
    return " ".join(one["message"] for one in conditions)


def test_the_server_offers_login_and_terminal(hub: Hub) -> None:
    # Nobody signs its certificate here.
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    address = f"https://{hub.record['server']}/api/v1/settings"
    with urllib.request.urlopen(address, context=trusting) as answer:
        settings = json.load(answer)
    assert settings["url"] == "https://argocd.acme.example"
    assert settings["execEnabled"] is True
    login = settings["oidcConfig"]
    assert (login["issuer"], login["clientID"]) == ("https://login.acme.example/realms/acme", "argocd")
    assert login["scopes"] == ["openid", "profile", "email", "groups"]


@pytest.mark.parametrize(
    ("who", "verb", "what", "may"),
    [
        ("platform", "delete", "applications", "Yes"),
        ("platform", "create", "exec", "Yes"),
        ("developers", "get", "applications", "Yes"),
        ("developers", "sync", "applications", "No"),
        ("developers", "create", "exec", "No"),
        ("strangers", "get", "applications", "No"),
    ],
)
def test_groups_may_what_they_were_given(hub: Hub, who: str, verb: str, what: str, may: str) -> None:
    """Argo CD's own tool answers from the ConfigMap on the hub."""
    done = subprocess.run(
        [
            *(str(hub.tools / "argocd"), "admin", "settings", "rbac", "can", who, verb, what, "*/*"),
            *("--namespace", "argocd", "--kubeconfig", str(hub.kubeconfig)),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(hub.state), "PATH": str(hub.tools)},
    )
    assert done.stdout.split()[-1] == may, done.stderr


def _cluster_secret(name: str, server: str, config: dict[str, Any]) -> dict[str, Any]:
    labels = {"argocd.argoproj.io/secret-type": "cluster"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"cluster-{name}", "namespace": "argocd", "labels": labels},
        "stringData": {"name": name, "server": server, "config": json.dumps(config)},
    }


def _credentials(kubeconfig: Path, config: dict[str, Any]) -> dict[str, str]:
    user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]

    def content(entry: dict[str, str], key: str) -> str:
        if f"{key}-data" in entry:
            return entry[f"{key}-data"]
        return base64.b64encode((kubeconfig.parent / entry[key]).read_bytes()).decode()

    return {
        "caData": content(cluster, "certificate-authority"),
        "certData": content(user, "client-certificate"),
        "keyData": content(user, "client-key"),
    }
