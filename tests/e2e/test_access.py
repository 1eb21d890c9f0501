"""Who may do what, on a running sandbox: people, Argo CD's accounts, and the pods of External Secrets.

Proves it against the sandbox's IAM, gateway and Secret Manager, and against the RBAC of real API servers. What Google
Cloud itself would answer is simulated.
"""

import contextlib
import json
from collections.abc import Iterator

import pytest

from model.gateway import gateway_url
from model.load import load_stack
from model.rights import EXEC_ROLE
from tests.e2e.conftest import CHECKOUT, Sandbox, until
from tests.e2e.test_fleet import FLEET, damage, healthy, restart

pytestmark = [pytest.mark.sandbox, pytest.mark.e2e]
HUB_ACCOUNT = "argocd-hub@acme-sandbox-hub.iam.gserviceaccount.com"
DEPLOYER = "deployer@acme-sandbox-hub.iam.gserviceaccount.com"
DEVELOPER, OPERATOR = "developer@acme.example", "operator@acme.example"
SECRETS = "https://secretmanager.googleapis.com/v1/projects/acme-sandbox-shop/secrets"
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made-by-hand"}}


def address(cluster: str) -> str:
    """The API of one of the sandbox's own clusters behind Connect Gateway."""
    fleet = load_stack(CHECKOUT / "stacks", "sandbox").fleet
    return gateway_url(fleet, next(one for one in fleet.clusters if one.name == cluster))


# -- people


@pytest.mark.parametrize("cluster", ["hub", "tokyo-shop"])
def test_a_reader_reads_and_writes_nothing(sandbox: Sandbox, cluster: str) -> None:
    token = sandbox.token(DEVELOPER)
    pods = f"{address(cluster)}/api/v1/namespaces/default/pods"
    assert sandbox.call(token, "GET", pods) == 200
    assert (
        sandbox.call(token, "POST", f"{address(cluster)}/api/v1/namespaces/default/configmaps", CONFIG_MAP)
        == 403
    )
    assert sandbox.call(token, "GET", f"{address(cluster)}/api/v1/namespaces/default/secrets") == 403


def test_an_operator_works_and_a_stranger_stays_out(sandbox: Sandbox) -> None:
    token, maps = sandbox.token(OPERATOR), f"{address('osaka-data')}/api/v1/namespaces/default/configmaps"
    assert sandbox.call(token, "POST", maps, CONFIG_MAP) == 201
    assert sandbox.call(token, "DELETE", f"{maps}/made-by-hand") == 200
    assert sandbox.call("ya29.nobody", "GET", maps) == 401


@contextlib.contextmanager
def without_binding(sandbox: Sandbox, cluster: str, name: str) -> Iterator[None]:
    """A ClusterRoleBinding is gone for a while, and is its owner's again afterwards.

    It comes back by the hand of the one who applied it: fields of another owner would be a conflict in a later `up`.
    """
    binding = sandbox.kubectl(cluster, "get", "clusterrolebinding", name, "--show-managed-fields")
    (owner,) = {entry["manager"] for entry in binding["metadata"]["managedFields"]}
    for field in ("creationTimestamp", "managedFields", "resourceVersion", "uid"):
        binding["metadata"].pop(field, None)
    file = sandbox.root / "binding.json"
    file.write_text(json.dumps(binding))
    deleted = sandbox.shell("kubectl", "--context", cluster, "delete", "clusterrolebinding", name)
    assert deleted.returncode == 0, deleted.stderr
    try:
        yield
    finally:
        hand = ("apply", "--server-side", f"--field-manager={owner}", "-f", str(file))
        made = sandbox.shell("kubectl", "--context", cluster, *hand)
        assert made.returncode == 0, made.stderr


@pytest.mark.parametrize(
    ("person", "binding"),
    [(DEVELOPER, "fleet-operators-reader"), (OPERATOR, "fleet-operators-admin")],
)
def test_without_the_binding_in_the_cluster_a_group_is_out(
    sandbox: Sandbox, person: str, binding: str
) -> None:
    token, pods = sandbox.token(person), f"{address('osaka-data')}/api/v1/namespaces/default/pods"
    assert sandbox.call(token, "GET", pods) == 200
    with without_binding(sandbox, "osaka-data", binding):
        assert sandbox.call(token, "GET", pods) == 403


# -- External Secrets


def test_external_secrets_reads_the_named_secret_and_no_other(sandbox: Sandbox) -> None:
    token = sandbox.workload_token("external-secrets", "external-secrets", "tokyo-shop")
    assert sandbox.call(token, "GET", f"{SECRETS}/shop-database/versions/latest:access") == 200
    assert sandbox.call(token, "GET", f"{SECRETS}/shop-payments/versions/latest:access") == 403
    other = sandbox.workload_token("external-secrets", "external-secrets", "osaka-data")
    assert sandbox.call(other, "GET", f"{SECRETS}/shop-database/versions/latest:access") == 403


# -- Argo CD's account


def test_a_role_on_the_clusters_project_would_go_past_rbac(sandbox: Sandbox) -> None:
    """IAM is the second authorizer inside GKE: why Argo CD's account never gets a container role."""
    token = sandbox.workload_token("argocd", "argocd-application-controller")
    leases = f"{address('tokyo-shop')}/apis/coordination.k8s.io/v1/namespaces/default/leases"
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "past-rbac"}}
    assert sandbox.call(token, "POST", leases, lease) == 403
    grant = {
        "project": "acme-sandbox-shop",
        "role": "roles/container.developer",
        "member": f"serviceAccount:{HUB_ACCOUNT}",
    }
    kind = "gcp:projects/iAMMember:IAMMember"
    made = sandbox.owner_creates(kind, grant)
    try:
        until("IAM lets it through", lambda: sandbox.call(token, "POST", leases, lease) in (201, 409), 30)
    finally:
        sandbox.owner_deletes(kind, made)
        sandbox.call(sandbox.token(DEPLOYER), "DELETE", f"{leases}/past-rbac")
    assert sandbox.call(token, "POST", leases, lease) == 403


@pytest.fixture
def with_exec(sandbox: Sandbox) -> Iterator[None]:
    sandbox.change(FLEET, lambda fleet: fleet["argocd"].update(exec=True))
    try:
        sandbox.up()
        yield
    finally:
        sandbox.restore(FLEET)
        sandbox.up()


def exec_url(cluster: str) -> str:
    return f"{address(cluster)}/api/v1/namespaces/external-secrets/pods/none/exec?command=true&stdout=true"


def upgraded(sandbox: Sandbox, token: str, cluster: str) -> int:
    """What the gateway answers a WebSocket upgrade of exec: 403 without the right, else the API server's own word."""
    return sandbox.upgrade(token, exec_url(cluster))


def test_exec_is_the_servers_alone_and_only_where_it_is_switched_on(
    sandbox: Sandbox, with_exec: None
) -> None:
    server = sandbox.workload_token("argocd", "argocd-server")
    controller = sandbox.workload_token("argocd", "argocd-application-controller")
    # There is no such pod: 404 is the API server's, behind the gateway's and RBAC's consent.
    until("the server's stream right counts", lambda: upgraded(sandbox, server, "tokyo-shop") == 404, 30)
    assert upgraded(sandbox, controller, "tokyo-shop") == 403
    with without_binding(sandbox, "tokyo-shop", EXEC_ROLE):
        assert upgraded(sandbox, server, "tokyo-shop") == 403
    assert healthy(sandbox)


def test_without_exec_nobody_in_argo_cd_may_stream(sandbox: Sandbox) -> None:
    for account in ("argocd-server", "argocd-application-controller"):
        assert upgraded(sandbox, sandbox.workload_token("argocd", account), "tokyo-shop") == 403


@pytest.fixture
def as_principal(sandbox: Sandbox) -> Iterator[None]:
    """Argo CD calls as the principals that its ServiceAccounts are, and as its account again afterwards.

    The controller keeps a token until it ends, whoever it is by now: it is restarted after each change.
    """
    sandbox.change(FLEET, lambda fleet: fleet["argocd"].update(identity="principal"))
    try:
        sandbox.up()
        restart(sandbox, "argocd-application-controller")
        yield
    finally:
        sandbox.restore(FLEET)
        sandbox.up()
        restart(sandbox, "argocd-application-controller")


def test_the_direct_principal_delivers_too(sandbox: Sandbox, as_principal: None) -> None:
    """Opt-in. That GKE calls such a caller by its whole principal URI is this project's assumption."""
    damage(sandbox, "tokyo-shop")
    until(
        "the workload is back",
        lambda: sandbox.kubectl(
            "tokyo-shop", "-n", "external-secrets", "get", "deployment", "external-secrets"
        ),
    )
    requests = str(sandbox.cloud("GET", "/v1/requests"))
    assert "principal://iam.googleapis.com" in requests
