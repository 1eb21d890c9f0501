"""The whole slice, on a running sandbox: the real CLI, real API servers, a real Argo CD.

The tests run in the order of this file on one sandbox and each leaves it as it found it. What they do not prove:
anything about Google Cloud or the official provider plugins, which are simulated.
"""

import contextlib
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox import clusters
from tests.e2e.conftest import Sandbox, until

pytestmark = [pytest.mark.sandbox, pytest.mark.e2e]

MEMBERS = ("tokyo-shop", "osaka-data")
OTHER_VERSION = "0.20.3"
"""Another version of the add-on's chart that the sandbox's mirror has."""

DEPLOYMENT = ("-n", "external-secrets", "get", "deployment", "external-secrets")


def healthy(sandbox: Sandbox) -> dict[str, dict[str, str]]:
    """Application -> entry of `status --format json`, which must say that all is well."""
    done = sandbox.fleet("status", "--format", "json")
    assert done.returncode == 0, done.stderr
    return {entry["application"]: entry for entry in json.loads(done.stdout)["applications"]}


def message_of(sandbox: Sandbox, application: str) -> str:
    """Everything Argo CD says is wrong with an Application."""
    status = (sandbox.application(application) or {}).get("status", {})
    said = [c.get("message", "") for c in status.get("conditions", [])]
    said.append(status.get("operationState", {}).get("message", ""))
    return " | ".join(said)


def refresh(sandbox: Sandbox, application: str) -> None:
    """Ask Argo CD to look at an Application now."""
    sandbox.shell(
        "kubectl", "-n", "argocd", "annotate", "application", application, "argocd.argoproj.io/refresh=normal",
        "--overwrite",
    )  # fmt: skip


def restart(sandbox: Sandbox, component: str) -> None:
    """End the process of an Argo CD component (by its pid) and wait for the runner to start it again."""
    record = sandbox.state / "argocd.json"

    def pid() -> Any:
        return json.loads(record.read_text())["processes"].get(component, {}).get("pid")

    before = pid()
    os.kill(before, signal.SIGKILL)
    until(f"{component} is started again", lambda: pid() not in (None, before))


# -- what a person sees


def test_the_first_up_prints_the_fleet(sandbox: Sandbox) -> None:
    assert sandbox.first is not None
    for cluster in ("hub", *MEMBERS):
        assert re.search(
            rf"{cluster}\s.*external-secrets\s+\d+\.\d+\.\d+\s+Synced\s+Healthy", sandbox.first.stdout
        )
    assert "What to try next" in sandbox.first.stderr


def test_a_second_up_changes_nothing_and_says_so(sandbox: Sandbox) -> None:
    again = sandbox.up()
    assert "Nothing to change" in again.stderr
    assert "Synced" in again.stdout


def test_a_second_up_while_one_runs_is_refused(sandbox: Sandbox) -> None:
    first = sandbox.popen("up")
    try:
        until(
            "the first one works", lambda: str(first.pid) in (sandbox.state / "one-at-a-time").read_text(), 30
        )
        second = sandbox.fleet("up")
        assert second.returncode == 1
        assert str(first.pid) in second.stderr
    finally:
        first.communicate()
    assert first.returncode == 0


def test_status_for_scripts(sandbox: Sandbox) -> None:
    document = json.loads(sandbox.fleet("status", "--format", "json").stdout)
    assert {c["cluster"] for c in document["clusters"]} == {"hub", *MEMBERS}
    assert all(
        {"application", "cluster", "version", "sync", "health"} <= set(a) for a in document["applications"]
    )


def test_the_shell_holds_the_real_tools_and_passes_exit_codes_on(sandbox: Sandbox) -> None:
    assert sandbox.shell("sh", "-c", "exit 7").returncode == 7
    listed = sandbox.shell("kubectl", "get", "applications", "-A")
    assert "external-secrets-tokyo-shop" in listed.stdout, listed.stderr
    apps = sandbox.shell("argocd", "app", "list")
    assert apps.returncode == 0, apps.stderr
    assert "external-secrets-osaka-data" in apps.stdout
    exported = sandbox.shell("pulumi", "stack", "export", "--stack", "sandbox")
    assert exported.returncode == 0, exported.stderr
    assert json.loads(exported.stdout)["deployment"]["resources"]
    preview = sandbox.shell("pulumi", "preview", "--stack", "sandbox", "--expect-no-changes")
    assert preview.returncode == 0, preview.stdout + preview.stderr


def test_no_tracked_file_was_changed(sandbox: Sandbox) -> None:
    from tests.e2e.conftest import CHECKOUT

    for path in (sandbox.root / "stacks").iterdir():
        assert path.read_bytes() == (CHECKOUT / "stacks" / path.name).read_bytes()


# -- delivery


def test_the_applications_are_exactly_those_the_model_predicts(sandbox: Sandbox) -> None:
    predicted = json.loads(sandbox.fleet("preview", "sandbox", "--format", "json").stdout)["applications"]
    seen = healthy(sandbox)
    assert {a["application"]: (a["cluster"], a["version"], a["ring"]) for a in predicted} == {
        name: (a["cluster"], a["version"], a["ring"]) for name, a in seen.items()
    }


@pytest.mark.parametrize("member", MEMBERS)
def test_both_members_hold_the_addon_and_got_it_through_the_gateway(sandbox: Sandbox, member: str) -> None:
    assert sandbox.kubectl(member, *DEPLOYMENT)["status"]["availableReplicas"] >= 1
    requests = json.dumps(sandbox.cloud("GET", "/v1/requests"))
    assert member in requests
    assert "argocd-hub@" in requests


def test_argo_cd_manages_itself(sandbox: Sandbox) -> None:
    status = sandbox.application("argocd")["status"]
    assert (status["sync"]["status"], status["health"]["status"]) == ("Synced", "Healthy")


def test_refresh_of_the_untouched_sandbox_finds_no_change(sandbox: Sandbox) -> None:
    done = sandbox.shell("pulumi", "refresh", "--stack", "sandbox", "--yes", "--expect-no-changes")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_workload_changed_by_hand_is_healed(sandbox: Sandbox) -> None:
    changed = sandbox.shell(
        "kubectl", "--context", "tokyo-shop", "-n", "external-secrets", "scale", "deployment", "external-secrets",
        "--replicas=3",
    )  # fmt: skip
    assert changed.returncode == 0, changed.stderr
    until(
        "the replicas are back",
        lambda: sandbox.kubectl("tokyo-shop", *DEPLOYMENT)["spec"]["replicas"] == 1,
    )


# -- every grant is needed


def damage(sandbox: Sandbox, cluster: str) -> None:
    """Delete the add-on's Deployment by hand, so that Argo CD has something to deliver."""
    done = sandbox.shell(
        "kubectl", "--context", cluster, "-n", "external-secrets", "delete", "deployment", "external-secrets"
    )
    assert done.returncode == 0, done.stderr


@dataclass(frozen=True)
class Grant:
    """Something in the program without which nothing may be delivered.

    Attributes:
        path: the source file that holds it.
        old, new: the text that makes it, and what stands there without it.
        words: what Argo CD then says.
        restarts: whether a token that was fetched before has to be forgotten first.
        refusals: the status that the gateway then answers Argo CD with, where it is the one that refuses.
    """

    path: str
    old: str
    new: str
    words: str
    restarts: bool = False
    refusals: str = ""


GRANTS = {
    "the gateway": Grant(
        path="model/identity.py",
        old="(role,) if through_gateway else (),",
        new="(),",
        # The gateway's refusal is Google's JSON, no Kubernetes Status, so client-go has no words for it.
        words="failed to discover server resources",
        refusals="403",
    ),
    "the account's binding to the controller": Grant(
        path="components/connect_gateway.py",
        old="if caller.account_id is not None\n",
        new='if caller.account_id is not None and caller.service_account == "argocd-server"\n',
        words="argocd-k8s-auth",
        restarts=True,
    ),
    "the binding in the member": Grant(
        path="components/cluster_rights.py",
        old="subjects=[subject.manifest() for subject in right.subjects]",
        new='subjects=[{"api_group": _RBAC, "kind": "User", "name": "nobody@example.invalid"}]',
        words="is forbidden: User",
    ),
}


def refusals(sandbox: Sandbox, status: str) -> int:
    """How often the gateway has answered requests to tokyo-shop with `status`."""
    counted = sandbox.cloud("GET", "/v1/requests")["memberships"]["tokyo-shop"]["statuses"]
    return int(counted.get(status, 0))


@pytest.mark.parametrize("name", sorted(GRANTS))
def test_without_a_grant_delivery_fails_and_with_it_heals(sandbox: Sandbox, name: str) -> None:
    grant = GRANTS[name]
    application = "external-secrets-tokyo-shop"
    sandbox.edit(grant.path, grant.old, grant.new)
    try:
        # `up` cannot tell yet: what was delivered before is still there. So its own answer is not asserted here.
        taken = sandbox.fleet("up", "--timeout", "5")
        assert taken.returncode in (0, 4), taken.stderr
        if grant.restarts:
            restart(sandbox, "argocd-application-controller")
        refused_before = refusals(sandbox, grant.refusals)
        damage(sandbox, "tokyo-shop")

        def refused() -> bool:
            refresh(sandbox, application)
            return grant.words in message_of(sandbox, application)

        until(f"delivery fails with {grant.words}", refused)
        assert sandbox.kubectl("tokyo-shop", *DEPLOYMENT) is None
        assert not grant.refusals or refusals(sandbox, grant.refusals) > refused_before
    finally:
        sandbox.restore(grant.path)
        sandbox.up()
    until("the workload is back", lambda: sandbox.kubectl("tokyo-shop", *DEPLOYMENT))
    healthy(sandbox)


# -- a fleet's life

FLEET = "stacks/sandbox.fleet.yaml"
CATALOGUE = "stacks/catalog.yaml"
LAB = {
    "name": "nagoya-lab",
    "role": "member",
    "project": "acme-sandbox-lab",
    "location": "asia-northeast1",
    "join": "create",
    "ring": "stable",
    "kubernetes": "1.36",
}


def add_lab(fleet: Any) -> None:
    fleet["clusters"].append(dict(LAB))


def drop_lab(fleet: Any) -> None:
    fleet["clusters"] = [c for c in fleet["clusters"] if c["name"] != LAB["name"]]


def leave(workloads: str) -> Callable[[Any], None]:
    def change(fleet: Any) -> None:
        fleet["clusters"][-1].update(lifecycle="leaving", workloads=workloads)

    return change


def processes(sandbox: Sandbox) -> dict[str, int]:
    """Component of Argo CD -> pid of its process."""
    record = json.loads((sandbox.state / "argocd.json").read_text())
    return {name: process["pid"] for name, process in record["processes"].items()}


@pytest.fixture
def files_as_they_were(sandbox: Sandbox) -> Iterator[None]:
    """Whatever a test does to the files, the sandbox is back to them afterwards."""
    yield
    sandbox.restore(FLEET)
    sandbox.restore(CATALOGUE)
    sandbox.up()


def test_a_changed_version_is_followed_by_all(sandbox: Sandbox, files_as_they_were: None) -> None:
    def older(catalogue: Any) -> None:
        catalogue["addons"]["external-secrets"]["version"] = OTHER_VERSION

    sandbox.change(CATALOGUE, older)
    sandbox.up()
    seen = healthy(sandbox)
    assert {seen[f"external-secrets-{m}"]["version"] for m in ("hub", *MEMBERS)} == {OTHER_VERSION}
    for member in MEMBERS:
        labels = sandbox.kubectl(member, *DEPLOYMENT)["metadata"]["labels"]
        assert labels["helm.sh/chart"] == f"external-secrets-{OTHER_VERSION}"


def test_a_changed_argo_cd_value_restarts_the_right_process(
    sandbox: Sandbox, files_as_they_were: None
) -> None:
    before = processes(sandbox)

    def slower(fleet: Any) -> None:
        fleet["argocd"]["reconciliationSeconds"] = 25

    sandbox.change(FLEET, slower)
    sandbox.up()
    until(
        "the controller runs with the new value",
        lambda: (
            processes(sandbox)["argocd-application-controller"] != before["argocd-application-controller"]
        ),
    )
    assert processes(sandbox)["argocd-redis"] == before["argocd-redis"]
    environ = Path(f"/proc/{processes(sandbox)['argocd-application-controller']}/environ").read_text()
    assert "ARGOCD_RECONCILIATION_TIMEOUT=25s" in environ


@pytest.mark.parametrize("workloads", ["keep", "remove"])
def test_a_member_comes_and_leaves_in_two_steps(
    sandbox: Sandbox, workloads: str, files_as_they_were: None
) -> None:
    sandbox.change(FLEET, add_lab)
    sandbox.cloud(
        "POST", "/v1/faults", {"grantDelay": 15 if workloads == "keep" else 2}
    )  # a grant that comes late
    try:
        sandbox.up()
    finally:
        sandbox.cloud("POST", "/v1/faults", {"grantDelay": 2})
    assert sandbox.kubectl(LAB["name"], *DEPLOYMENT)["status"]["availableReplicas"] >= 1
    sandbox.change(FLEET, leave(workloads))
    sandbox.up()
    application = f"external-secrets-{LAB['name']}"
    if workloads == "keep":
        until("the Application is gone", lambda: sandbox.application(application) is None)
        assert sandbox.kubectl(LAB["name"], *DEPLOYMENT) is not None
    else:
        until("the workload is gone", lambda: sandbox.kubectl(LAB["name"], *DEPLOYMENT) is None)
        assert sandbox.application(application)["status"].get("resources", []) == []
    sandbox.change(FLEET, drop_lab)
    sandbox.up()
    assert sandbox.application(application) is None
    assert LAB["name"] not in {c["name"] for c in sandbox.cloud("GET", "/v1/clusters")}


def test_a_dead_member_does_not_block_a_refresh(sandbox: Sandbox) -> None:
    clusters.kill(sandbox.state, "osaka-data")
    try:
        done = sandbox.shell("pulumi", "refresh", "--stack", "sandbox", "--yes", "--expect-no-changes")
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        clusters.start(sandbox.state, "osaka-data")
    until("osaka-data answers again", lambda: sandbox.fleet("status").returncode == 0)


# -- a run that was ended


def cli_at_work(fleet_pid: int) -> int | None:
    """The pid of the `pulumi up` that the `./fleet up` with this pid has started, or None."""
    children = Path(f"/proc/{fleet_pid}/task/{fleet_pid}/children")
    if children.exists():
        for child in map(int, children.read_text().split()):
            with contextlib.suppress(OSError):
                if b"\0up\0" in Path(f"/proc/{child}/cmdline").read_bytes():
                    return child
    return None


def creating(sandbox: Sandbox) -> bool:
    return any(c["name"] == LAB["name"] for c in sandbox.cloud("GET", "/v1/clusters"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_up_that_was_ended_goes_on(
    sandbox: Sandbox, number: signal.Signals, files_as_they_were: None
) -> None:
    sandbox.change(FLEET, add_lab)
    run = sandbox.popen("up")
    try:
        cli = until("pulumi up works", lambda: cli_at_work(run.pid))
        until("the new cluster is being created", lambda: creating(sandbox))
        if number is signal.SIGKILL:
            try:
                os.kill(cli, number)
            except ProcessLookupError:
                pytest.fail(f"pulumi up ended by itself: {run.communicate(timeout=120)}")
        os.kill(run.pid, number)
        _, said = run.communicate(timeout=120)
    finally:
        if run.poll() is None:
            run.kill()
            run.communicate()
    assert run.returncode != 0
    if number is not signal.SIGKILL:
        exported = json.loads(sandbox.shell("pulumi", "stack", "export", "--stack", "sandbox").stdout)
        assert not exported["deployment"].get("pending_operations"), said
        assert "Traceback" not in said
    sandbox.up()
    healthy(sandbox)
    assert sandbox.kubectl(LAB["name"], *DEPLOYMENT) is not None
    sandbox.change(FLEET, drop_lab)


# -- saying no


FLOATING = """
import json
import pulumi_kubernetes as k

server = "https://connectgateway.googleapis.com/v1/projects/1/locations/global/gkeMemberships/nowhere"
kubeconfig = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "x", "cluster": {"server": server}}],
    "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    "current-context": "x",
    "users": [{"name": "x", "user": {}}],
}
nowhere = k.Provider("nowhere", kubeconfig=json.dumps(kubeconfig))
k.helm.v3.Release(
    "floating",
    name="floating",
    chart="x",
    repository_opts={"repo": "https://charts.example.com"},
    version="1.2",
    namespace="default",
    opts=pulumi.ResourceOptions(provider=nowhere),
)
"""
"""A release whose version floats, appended to the program."""


def test_a_policy_stops_up_before_anything_is_applied(sandbox: Sandbox) -> None:
    before = sandbox.shell("pulumi", "stack", "export", "--stack", "sandbox").stdout
    path = "__main__.py"
    program = sandbox.root / path
    program.write_text(program.read_text() + FLOATING)
    try:
        done = sandbox.fleet("up")
        assert done.returncode == 1, done.stderr
        assert "chart-version-pinned" in done.stderr
        assert sandbox.shell("pulumi", "stack", "export", "--stack", "sandbox").stdout == before
    finally:
        sandbox.restore(path)
