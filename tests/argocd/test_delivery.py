"""Argo CD's real processes, as the workloads of a real API server say, deliver a real chart.

The tests of this file build on one another in their order: one hub takes about a minute to come up. What they do not
prove: the way through Connect Gateway, which needs the cloud.
"""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.argocd.conftest import VALUES, Hub, alive, until

pytestmark = pytest.mark.sandbox

COMPONENTS = {
    "argocd-application-controller",
    "argocd-applicationset-controller",
    "argocd-redis",
    "argocd-repo-server",
    "argocd-server",
}


def application(name: str, source: dict[str, Any], namespace: str, **automated: bool) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
            "syncPolicy": {
                "automated": {"selfHeal": True, **automated},
                "syncOptions": ["ServerSideApply=true", "CreateNamespace=true"],
            },
        },
    }


def healthy(hub: Hub, name: str) -> bool:
    status = hub.get("application", name).get("status", {})
    return (status.get("sync", {}).get("status"), status.get("health", {}).get("status")) == (
        "Synced",
        "Healthy",
    )


def test_every_known_component_has_a_process(hub: Hub) -> None:
    processes = hub.record["processes"]
    assert set(processes) == COMPONENTS
    assert all(alive(one["pid"]) for one in processes.values())
    assert hub.get("secret", "argocd-redis")["data"]["auth"]


def test_a_process_acts_as_its_pod_s_service_account(hub: Hub) -> None:
    folder = hub.state / "argocd" / "components"
    who = hub.run(
        *("kubectl", "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"),
        KUBECONFIG=str(folder / "argocd-applicationset-controller" / "kubeconfig"),
    )
    assert who == "system:serviceaccount:argocd:argocd-applicationset-controller"
    # The repo server's pod asks for no token, so its process has none either.
    assert not (folder / "argocd-repo-server" / "token").exists()


def test_external_secrets_is_delivered(hub: Hub) -> None:
    cluster = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "cluster-hub",
            "namespace": "argocd",
            "labels": {"argocd.argoproj.io/secret-type": "cluster"},
        },
        "stringData": {"name": "hub", "server": "https://kubernetes.default.svc", "config": "{}"},
    }
    source = {
        "repoURL": f"{hub.mirror}/charts.external-secrets.io",
        "chart": "external-secrets",
        "targetRevision": "1.3.1",
        "helm": {"valuesObject": {"webhook": {"create": False}, "certController": {"create": False}}},
    }
    hub.apply(cluster, application("external-secrets", source, "external-secrets", prune=True))
    until("external-secrets is healthy", lambda: healthy(hub, "external-secrets"), 240)
    assert hub.run("kubectl", "get", "crd", "externalsecrets.external-secrets.io", "-o", "name")


def test_the_command_line_tool_has_a_session(hub: Hub) -> None:
    assert hub.argocd("app", "list", "-o", "name").split() == ["argocd/external-secrets"]


def test_an_empty_folder_of_the_git_repository_prunes(hub: Hub) -> None:
    source = {
        "repoURL": f"{hub.mirror}/github.com/acme/platform.git",
        "targetRevision": "d41e9dfd0cb08bb8f9f83abb0299ace2a7bb46fe",
        "path": "empty",
    }
    hub.apply(application("external-secrets", source, "external-secrets", prune=True, allowEmpty=True))
    until("everything is pruned", lambda: not _deployments(hub, "external-secrets"), 240)
    until("the Application is healthy", lambda: healthy(hub, "external-secrets"))


def _deployments(hub: Hub, namespace: str) -> str:
    return hub.run("kubectl", "get", "deployments", "-n", namespace, "-o", "name")


def test_argo_cd_manages_itself_and_a_changed_value_restarts_the_right_process(hub: Hub) -> None:
    source = {
        "repoURL": f"{hub.mirror}/argoproj.github.io/argo-helm",
        "chart": "argo-cd",
        "targetRevision": "10.3.3",
        "helm": {"releaseName": "argocd", "valuesObject": VALUES},
    }
    hub.apply(application("argocd", source, "argocd", prune=False))
    until("Argo CD is healthy", lambda: healthy(hub, "argocd"), 240)
    before = {name: hub.pid(name) for name in COMPONENTS}

    changed = {**VALUES, "server": {"extraArgs": ["--loglevel=debug"]}}
    hub.apply(
        application(
            "argocd", {**source, "helm": {"releaseName": "argocd", "valuesObject": changed}}, "argocd"
        )
    )
    until(
        "the server has another process",
        lambda: hub.pid("argocd-server") not in (None, before["argocd-server"]),
        240,
    )
    pid = hub.pid("argocd-server")
    assert b"--loglevel=debug" in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert {name for name in COMPONENTS if hub.pid(name) != before[name]} == {"argocd-server"}
    until("Argo CD is healthy again", lambda: healthy(hub, "argocd"), 240)


def test_a_scaled_down_component_ends_and_comes_back_at_its_port(hub: Hub) -> None:
    before = hub.record["processes"]["argocd-applicationset-controller"]
    # Its own Application would put it back.
    hub.run("kubectl", "delete", "application", "argocd", "-n", "argocd")
    hub.run(
        "kubectl", "scale", "deployment", "argocd-applicationset-controller", "-n", "argocd", "--replicas=0"
    )
    until("it has ended", lambda: not alive(before["pid"]))
    until("nobody says that it runs", lambda: hub.pid("argocd-applicationset-controller") is None)
    hub.run(
        "kubectl", "scale", "deployment", "argocd-applicationset-controller", "-n", "argocd", "--replicas=1"
    )
    until("it runs again", lambda: hub.pid("argocd-applicationset-controller"))
    assert hub.record["processes"]["argocd-applicationset-controller"]["ports"] == before["ports"]


def test_a_crashed_component_is_started_again(hub: Hub) -> None:
    pid = hub.pid("argocd-redis")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until("it runs again", lambda: hub.pid("argocd-redis") not in (None, pid))
    assert hub.record["processes"]["argocd-redis"]["restarts"] == 1


def test_a_hub_that_goes_takes_its_processes_along(hub: Hub) -> None:
    pids = [one["pid"] for one in hub.record["processes"].values()]
    away = hub.kubeconfig.rename(hub.kubeconfig.with_suffix(".away"))
    try:
        until("all have ended", lambda: not any(alive(pid) for pid in pids))
        until("the record says so", lambda: hub.record["hub"] is None)
    finally:
        away.rename(hub.kubeconfig)
    until("all run again", lambda: set(hub.record["processes"]) == COMPONENTS)


def test_nothing_outlives_a_killed_runner_and_the_next_one_goes_on(hub: Hub) -> None:
    pids = [one["pid"] for one in hub.record["processes"].values()]
    hub.stop_runner(signal.SIGKILL)
    until("all have ended", lambda: not any(alive(pid) for pid in pids))
    (hub.state / "argocd.json").unlink()
    hub.start_runner()
    until("all run again", lambda: set(hub.record["processes"]) == COMPONENTS)
    assert not {one["pid"] for one in hub.record["processes"].values()} & set(pids)


def test_a_runner_that_is_asked_to_end_ends_everything(hub: Hub) -> None:
    pids = [one["pid"] for one in hub.record["processes"].values()]
    assert hub.stop_runner() == 0
    assert not any(alive(pid) for pid in pids)
    assert not (hub.state / "argocd.json").exists()
