"""The cloud as its own process over real API servers: RBAC, IAM as second authorizer, watches, Argo CD's own
credential helper, restarts and kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import clusters
from sandbox.cloud import nodes
from sandbox.cloud.proxy import allowed
from sandbox.cloud.store import Record
from sandbox.environment import environment
from sandbox.tools import ensure
from tests.cloud import fleet
from tests.cloud.client import (
    ARGOCD,
    BASE,
    CLUSTER,
    DATA,
    DEPLOYER,
    HOST,
    HUB,
    NUMBER,
    SHOP,
    Client,
    alive,
    until,
)
from tests.cloud.conftest import Process
from tests.cloud.doors import granted, revoked

pytestmark = pytest.mark.sandbox

SHOP_ID = f"projects/{SHOP}/locations/asia-northeast1/clusters/shop"
ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
MAPS = "/api/v1/namespaces/default/configmaps"


def ready_nodes(client: Client, member: str) -> dict[str, str]:
    """The pool of each node that is ready, by the node's name."""
    document = client.gateway("/api/v1/nodes", member=member).json
    return {
        node["metadata"]["name"]: node["metadata"]["labels"]["cloud.google.com/gke-nodepool"]
        for node in document["items"]
        if any(
            entry["type"] == "Ready" and entry["status"] == "True" for entry in node["status"]["conditions"]
        )
    }


def test_pools_are_nodes_that_come_up_and_go(real: Process) -> None:
    inputs = fleet.cluster("hub", HUB)
    until(lambda: list(ready_nodes(real.client, "hub").values()) == ["pool-1"] * 2, "the hub's own nodes")
    pool = {"name": "more", "autoscaling": {"minNodeCount": 1}, "nodeConfig": {"labels": {"tier": "1"}}}
    record = Record(type=CLUSTER, id="", inputs=inputs, outputs={}, created=0)
    name, found = nodes.pool(record, pool)
    clusters.set_nodes(real.state, "hub", name, found)
    until(lambda: list(ready_nodes(real.client, "hub").values()).count("more") == 3, "a pool of three zones")
    clusters.set_nodes(real.state, "hub", name, found[:1])
    until(lambda: list(ready_nodes(real.client, "hub").values()).count("more") == 1, "two of them are gone")
    clusters.set_nodes(real.state, "hub", name, [])
    until(lambda: len(ready_nodes(real.client, "hub")) == 2, "the pool is gone")


def post(
    client: Client, path: str, document: dict[str, Any], *, member: str, token: str | None = None
) -> int:
    return client.gateway(
        path,
        member=member,
        method="POST",
        token=token,
        body=json.dumps(document),
        **{"Content-Type": "application/json"},
    ).status


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def cluster_role(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}],
    }


def binding(name: str, role: str, user: str) -> dict[str, Any]:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }


@pytest.fixture(scope="module")
def argocd(real: Process) -> str:
    """Argo CD's account with `gatewayEditor`, annotated on the hub and bound; returns a token of it."""
    client = real.client
    fleet.argocd(client, "roles/gkehub.gatewayEditor")
    clusters.apply(real.state, "hub", fleet.argocd_server())
    return client.argocd_token()


def test_two_nodes_become_ready(real: Process) -> None:
    def ready() -> bool:
        nodes = real.client.gateway("/api/v1/nodes", member="shop").json["items"]
        conditions = [
            c for node in nodes for c in node["status"].get("conditions", []) if c["type"] == "Ready"
        ]
        return [condition["status"] for condition in conditions] == ["True", "True"]

    until(ready, "two nodes Ready")


def test_the_deployer_writes_rbac_because_iam_lets_it(real: Process) -> None:
    me = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = real.client.gateway(
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        member="shop",
        method="POST",
        body=json.dumps(me),
        **{"Content-Type": "application/json"},
    )
    assert answer.json["status"]["userInfo"]["username"] == DEPLOYER
    assert post(real.client, ROLES, cluster_role("by-deployer"), member="shop") == 201
    assert post(real.client, BINDINGS, binding("by-deployer", "by-deployer", ARGOCD), member="shop") == 201
    real.client.gateway(f"{BINDINGS}/by-deployer", member="shop", method="DELETE")


def test_the_members_own_rbac_decides_for_everybody_else(real: Process, argocd: str) -> None:
    client = real.client
    answer = client.gateway("/api/v1/nodes", member="shop", token=argocd)
    assert answer.status == 403
    assert answer.json["kind"] == "Status"
    assert answer.json["message"] == (
        f'nodes is forbidden: User "{ARGOCD}" cannot list resource "nodes" in API group "" at the cluster scope: '
        'requires one of ["container.nodes.list"] permission(s).'
    )
    assert client.gateway("/version", member="shop", token=argocd).status == 200
    assert post(client, ROLES, cluster_role("argocd"), member="shop") == 201
    assert post(client, BINDINGS, binding("argocd", "argocd", ARGOCD), member="shop") == 201
    until(
        lambda: post(client, MAPS, config_map("by-argocd"), member="shop", token=argocd) in (201, 409),
        "RBAC counts",
    )
    client.gateway(f"{BINDINGS}/argocd", member="shop", method="DELETE")
    until(lambda: client.gateway(MAPS, member="shop", token=argocd).status == 403, "RBAC no longer counts")


@pytest.mark.parametrize(
    ("role", "maps", "roles"),
    [
        ("roles/container.developer", 201, 403),
        ("roles/container.viewer", 403, 403),
        ("roles/container.admin", 201, 201),
    ],
)
def test_iam_goes_past_rbac(real: Process, argocd: str, role: str, maps: int, roles: int) -> None:
    client = real.client
    name = f"by-{role.rpartition('.')[2]}"
    grant = granted(client, SHOP, role, f"serviceAccount:{ARGOCD}")
    try:
        assert client.gateway("/api/v1/nodes", member="shop", token=argocd).status == 200
        assert client.gateway(ROLES, member="shop", token=argocd).status == 200
        assert post(client, MAPS, config_map(name), member="shop", token=argocd) == maps
        assert post(client, ROLES, cluster_role(name), member="shop", token=argocd) == roles
    finally:
        revoked(client, grant)
    assert client.gateway("/api/v1/nodes", member="shop", token=argocd).status == 403


def test_a_watch_shows_a_change_at_once(real: Process) -> None:
    connection = real.client.connect(HOST)
    sent = {"Authorization": f"Bearer {real.client.token()}"}
    connection.request(
        "GET", f"{BASE}/shop{MAPS}?watch=true&fieldSelector=metadata.name%3Dwatched", headers=sent
    )
    answer = connection.getresponse()
    assert answer.status == 200
    threading.Timer(0.2, lambda: post(real.client, MAPS, config_map("watched"), member="shop")).start()
    event = json.loads(answer.readline())
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "watched")
    answer.close()
    connection.close()


def test_argocds_own_helper_gets_its_token(real: Process, argocd: str) -> None:
    asked = {"namespace": "argocd", "serviceAccount": "argocd-server"}
    where = real.client.control("/v1/metadata", asked).json["host"]
    helper = real.state / "argocd-k8s-auth"
    helper.symlink_to(ensure("delivery") / "argocd")
    made = environment(real.state) | {"GCE_METADATA_HOST": where, "HOME": str(real.state)}
    done = subprocess.run(
        [str(helper), "gcp"], env=made, capture_output=True, text=True, check=True, timeout=60
    )
    token = json.loads(done.stdout)["status"]["token"]
    assert real.client.gateway("/version", member="shop", token=token).status == 200
    assert real.client.control("/v1/requests").json["memberships"]["shop"]["accounts"][ARGOCD] > 0


def test_kubectl_goes_the_whole_way(real: Process, tmp_path: Path) -> None:
    assert allowed(HOST, 443)
    exec_ = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "gke-gcloud-auth-plugin",
        "interactiveMode": "Never",
        "provideClusterInfo": True,
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "a",
        "clusters": [{"name": "a", "cluster": {"server": f"https://{HOST}{BASE}/shop"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "users": [{"name": "a", "user": {"exec": exec_}}],
    }
    config = tmp_path / "config"
    config.write_text(yaml.safe_dump(document))
    done = subprocess.run(
        [str(ensure("delivery") / "kubectl"), "--kubeconfig", str(config), "get", "namespaces", "-o", "name"],
        env=environment(real.state) | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "namespace/default" in done.stdout


def test_nothing_listens_on_another_address(real: Process) -> None:
    pids = {real.process.pid}
    for name in clusters.running(real.state):
        pids |= {int(pid) for pid in clusters.processes(real.state, name)}
    links = [
        link.readlink().name
        for pid in pids
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.is_symlink()
    ]
    inodes = {name.removeprefix("socket:[").rstrip("]") for name in links if name.startswith("socket:[")}
    listening = [
        line.split()[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[9] in inodes
    ]
    assert listening
    loopback = ("0100007F:", "00000000000000000000000001000000:", "0000000000000000FFFF00000100007F:")
    assert [address for address in listening if not address.startswith(loopback)] == []


def test_a_dead_member_answers_503_and_comes_back(real: Process) -> None:
    clusters.kill(real.state, "shop")
    assert "shop" not in clusters.running(real.state)
    answer = real.client.gateway("/version", member="shop")
    assert (answer.status, answer.json["error"]["status"]) == (503, "UNAVAILABLE")
    states = {cluster["name"]: cluster["state"] for cluster in real.client.control("/v1/clusters").json}
    assert states == {"hub": "RUNNING", "shop": "STOPPED"}
    clusters.start(real.state, "shop")

    def answers() -> bool:
        # The controller manager makes it, and may not have come to that before the member was killed.
        return real.client.gateway(f"{MAPS}/kube-root-ca.crt", member="shop").status == 200

    until(answers, "what a member makes by itself is there", 60)


def test_a_second_process_is_refused(real: Process) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.cloud", "--state", str(real.state)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"process {real.process.pid}" in done.stderr


def test_the_cloud_ends_cleanly_and_takes_up_dead_clusters(real: Process) -> None:
    maps = real.client.gateway(MAPS, member="shop").json["items"]
    assert real.end() == 0
    assert not (real.state / "cloud.json").exists()
    assert clusters.running(real.state) == ["hub", "shop"]
    clusters.kill(real.state, "shop")
    before = real.client.cloud
    real.start()
    assert {name: real.client.cloud[name] for name in ("control", "proxy", "token")} == {
        name: before[name] for name in ("control", "proxy", "token")
    }
    until(lambda: real.client.control("/v1/health").json["operations"] == 0, "shop is started", seconds=60)
    assert len(real.client.gateway(MAPS, member="shop").json["items"]) == len(maps)


def test_a_cluster_that_a_sigkill_cut_off_is_finished(real: Process) -> None:
    fleet.admit(real.client, DATA)
    inputs = fleet.cluster("late", DATA)

    def create() -> None:
        with pytest.raises(OSError, match=r"closed|reset|refused|without response"):
            real.client.control("/v1/create", {"type": CLUSTER, "inputs": inputs})

    caller = threading.Thread(target=create)
    caller.start()
    until(lambda: "late" in clusters.names(real.state), "the cluster begins")
    os.kill(real.process.pid, signal.SIGKILL)
    real.process.wait(10)
    caller.join(10)
    real.start()
    id_ = f"projects/{DATA}/locations/asia-northeast1/clusters/late"
    answer = real.client.control("/v1/read", {"type": CLUSTER, "id": id_})
    assert answer.status == 200, answer.body
    assert answer.json["outputs"]["fleet"]["membershipId"] == "late"
    assert real.client.gateway("/version", member="late").status == 200
    pids = clusters.processes(real.state, "late")
    assert len(pids) == 5
    assert real.client.delete(CLUSTER, id_).status == 200
    assert [pid for pid in pids if alive(pid)] == []
    assert "late" not in clusters.names(real.state)
    path = BASE.replace(NUMBER, HUB)
    answer = real.client.https(
        HOST, f"{path}/late/version", headers={"Authorization": f"Bearer {real.client.token()}"}
    )
    assert answer.status == 404
