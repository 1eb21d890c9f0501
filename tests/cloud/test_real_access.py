"""Rights inside real API servers: the Connect agent's impersonation, people's groups, IAM past RBAC at each
door.

What the stand-in for API servers cannot prove: that they take what the cloud sends, and say no themselves.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import clusters
from sandbox.environment import environment
from sandbox.tools import ensure
from tests.cloud import fleet
from tests.cloud.client import ACCOUNT, ARGOCD, CLUSTER, HOST, HUB, MEMBERSHIP, NUMBER, Answer, Client, until
from tests.cloud.conftest import Process
from tests.cloud.doors import address, authority, dns_host, granted, person, private, revoked

pytestmark = pytest.mark.sandbox

RBAC = "rbac.authorization.k8s.io"
BINDINGS = f"/apis/{RBAC}/v1/clusterrolebindings"
ROLES = f"/apis/{RBAC}/v1/clusterroles"
MAPS = "/api/v1/namespaces/default/configmaps"
STORE = f"/v1/projects/{NUMBER}/locations/global/memberships/store"
GROUPS = "gke-security-groups@acme.example"
AGENT = {"kind": "ServiceAccount", "name": "connect-agent-sa", "namespace": "gke-connect"}


def binding(name: str, role: str, subject: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [subject],
    }


def user(name: str, kind: str = "User") -> dict[str, str]:
    return {"apiGroup": RBAC, "kind": kind, "name": name}


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def ask(
    client: Client, host: str, path: str, token: str, document: dict[str, Any] | None = None, method: str = ""
) -> Answer:
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps(document) if document else ""
    return client.https(host, path, method=method or ("POST" if body else "GET"), headers=sent, body=body)


@pytest.fixture(scope="module")
def access(real: Process) -> Iterator[Client]:
    """The real cloud with a member `access` that takes Google's groups, and has both endpoints of its own."""
    client = real.client
    # The process may have been restarted since, and switches do not outlive it.
    client.faults(grantDelay=0)
    made = client.made(
        CLUSTER,
        **fleet.cluster("access"),
        authenticatorGroupsConfig={"securityGroup": GROUPS},
        controlPlaneEndpointsConfig={"dnsEndpointConfig": {"allowExternalTraffic": True}},
    )
    yield client
    assert client.delete(CLUSTER, made["id"]).status == 200


@pytest.fixture(scope="module")
def argocd(access: Client, real: Process) -> str:
    """A token of Argo CD's account, which may use the gateway and has no right in any cluster."""
    clusters.apply(real.state, "hub", fleet.argocd_server())
    if (
        access.control("/v1/read", {"type": ACCOUNT, "id": f"projects/{HUB}/serviceAccounts/{ARGOCD}"}).status
        == 404
    ):
        fleet.argocd(access)
    granted(access, HUB, "roles/gkehub.gatewayEditor", f"serviceAccount:{ARGOCD}")
    return access.argocd_token()


@pytest.fixture
def store(access: Client) -> Iterator[Client]:
    """A cluster outside Google with a Connect agent."""
    fleet.enable(access, HUB, "gkeconnect")
    made = access.control("/v1/external", {"name": "store", "location": "global"})
    assert made.status == 200, made.body
    yield access
    assert access.delete(MEMBERSHIP, made.json["id"]).status == 200


def test_through_the_agent_the_clusters_own_rbac_decides_who_may_be_whom(
    store: Client, real: Process, argocd: str
) -> None:
    host = "connectgateway.googleapis.com"
    deployer = store.token()
    assert ask(store, host, f"{STORE}/api/v1/nodes", deployer).status == 200
    refused = ask(store, host, f"{STORE}{MAPS}", argocd)
    assert refused.status == 403
    assert refused.json["message"] == (
        f'users "{ARGOCD}" is forbidden: User "system:serviceaccount:gke-connect:connect-agent-sa" cannot '
        'impersonate resource "users" in API group "" at the cluster scope'
    )
    role = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "gateway-impersonate-argocd"},
        "rules": [
            {"apiGroups": [""], "resources": ["users"], "resourceNames": [ARGOCD], "verbs": ["impersonate"]}
        ],
    }
    allowed = binding("gateway-impersonate-argocd", "gateway-impersonate-argocd", AGENT)
    assert ask(store, host, f"{STORE}{ROLES}", deployer, role).status == 201
    assert ask(store, host, f"{STORE}{BINDINGS}", deployer, allowed).status == 201
    until(
        lambda: (
            ARGOCD in ask(store, host, f"{STORE}{MAPS}", argocd).json["message"].partition("cannot")[0]
            and "impersonate" not in ask(store, host, f"{STORE}{MAPS}", argocd).json["message"]
        ),
        "the agent may impersonate",
    )
    # What the caller may is another matter, and no permission of Google's is named.
    message = ask(store, host, f"{STORE}{MAPS}", argocd).json["message"]
    assert message.endswith('cannot list resource "configmaps" in API group "" in the namespace "default"')
    assert ask(store, host, f"{STORE}{BINDINGS}", deployer, binding("a", "edit", user(ARGOCD))).status == 201
    until(lambda: ask(store, host, f"{STORE}{MAPS}", argocd, config_map("a")).status in (201, 409), "it may")
    kubectl = [
        str(ensure("delivery") / "kubectl"),
        "--kubeconfig",
        str(clusters.kubeconfig(real.state, "store")),
    ]
    subprocess.run(
        [*kubectl, "delete", "serviceaccount", "-n", "gke-connect", "connect-agent-sa"],
        check=True,
        capture_output=True,
        timeout=60,
    )
    # API servers remember a good token for seconds.
    until(lambda: ask(store, host, f"{STORE}/version", deployer).status == 404, "the agent is lost", 30)
    assert "cannot connect to agent" in ask(store, host, f"{STORE}/version", deployer).message


@pytest.mark.parametrize(
    ("role", "rights", "reads", "writes", "binds"),
    [
        ("roles/gkehub.gatewayReader", "view", 200, 403, 403),
        ("roles/gkehub.gatewayEditor", "edit", 200, 201, 403),
        ("roles/gkehub.gatewayAdmin", "cluster-admin", 200, 201, 201),
    ],
)
def test_a_group_through_the_gateway(
    access: Client, role: str, rights: str, reads: int, writes: int, binds: int
) -> None:
    group, token = "platform@acme.example", person(access, "operator@acme.example")
    grant = granted(access, HUB, role, f"group:{group}")
    path = f"/v1/projects/{NUMBER}/locations/asia-northeast1/gkeMemberships"
    base = f"{path}/access"
    assert ask(access, HOST, f"{base}{MAPS}", token).status == 403
    made = binding(f"group-{rights}", rights, user(group, "Group"))
    assert ask(access, HOST, f"{base}{BINDINGS}", access.token(), made).status == 201
    try:
        until(lambda: ask(access, HOST, f"{base}{MAPS}", token).status == reads, "the group counts")
        answer = ask(access, HOST, f"{base}{MAPS}", token, config_map(rights))
        assert answer.status == writes, answer.body
        answer = ask(access, HOST, f"{base}{BINDINGS}", token, binding(f"by-{rights}", "view", user("x")))
        assert answer.status == binds, answer.body
        # The hub takes no groups into account: there the same person has nothing.
        clusters.apply(access.state, "hub", [made])
        assert ask(access, HOST, f"{path}/hub{MAPS}", token).status == 403
    finally:
        ask(access, HOST, f"{base}{BINDINGS}/group-{rights}", access.token(), method="DELETE")
        revoked(access, grant)


def test_each_door_leads_to_the_same_rights(access: Client, argocd: str, tmp_path: Path) -> None:
    """kubectl through the DNS endpoint and at the private address: RBAC first, then IAM, which goes past
    it."""
    outputs = access.control(
        "/v1/read", {"type": CLUSTER, "id": f"projects/{HUB}/locations/asia-northeast1/clusters/access"}
    ).json["outputs"]
    viewer = granted(access, HUB, "roles/container.clusterViewer", f"serviceAccount:{ARGOCD}")
    config = tmp_path / "config"
    config.write_text(yaml.safe_dump(_kubeconfig(f"https://{dns_host(outputs)}", argocd)))

    def kubectl(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(ensure("delivery") / "kubectl"), "--kubeconfig", str(config), *words],
            env=environment(access.state) | {"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def at_private_address() -> Answer:
        sent = {"Authorization": f"Bearer {argocd}"}
        return private(access, address(outputs), authority(outputs), f"{MAPS}/by-iam", **sent)

    refused = kubectl("create", "configmap", "by-iam")
    assert f'User "{ARGOCD}" cannot create resource "configmaps"' in refused.stderr
    # As JSON; the words of a refusal in protobuf, as `create` asks for, stay the API server's.
    assert (
        'requires one of ["container.configMaps.list"] permission(s).' in kubectl("get", "configmaps").stderr
    )
    developer = granted(access, HUB, "roles/container.developer", f"serviceAccount:{ARGOCD}")
    try:
        # No RoleBinding names Argo CD's account: IAM alone lets it in.
        assert kubectl("create", "configmap", "by-iam").returncode == 0
        assert at_private_address().status == 200
    finally:
        revoked(access, developer)
        revoked(access, viewer)
    # Google's refusal is no Status of Kubernetes, so kubectl has no words for it.
    assert "Error from server (Forbidden): unknown" in kubectl("get", "configmaps").stderr
    assert "container.clusters.connect" in ask(access, dns_host(outputs), MAPS, argocd).message
    assert at_private_address().status == 403


def _kubeconfig(server: str, token: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "a",
        "clusters": [{"name": "a", "cluster": {"server": server}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "users": [{"name": "a", "user": {"token": token}}],
    }
