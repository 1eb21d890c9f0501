"""A pod template becomes a command line and an environment for this machine."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.argocd.component import (
    PROGRAMS,
    arguments,
    components,
    mounts,
    own_environment,
    program_of,
    translation,
    why_not_run,
)
from sandbox.argocd.launch import expand
from sandbox.argocd.runner import is_plaintext

PORTS = {"argocd-repo-server": 31001, "redis": 31002, "argocd-server": 31003, "haproxy": 31005}


def port(component: str, name: str) -> int:
    return PORTS[component]


def workload(container: dict[str, Any], **spec: Any) -> dict[str, Any]:
    pod = {"serviceAccountName": "argocd-server", "containers": [container], **spec.pop("pod", {})}
    return {
        "metadata": {"name": "argocd-server", "namespace": "argocd"},
        "spec": {"template": {"spec": pod}, **spec},
    }


SERVER = {
    "name": "argocd-server",
    "image": "quay.io/argoproj/argocd:v3.5.1",
    "args": [
        "/usr/local/bin/argocd-server",
        "--port=8080",
        "--metrics-port=8083",
        "--repo-server=argocd-repo-server:8081",
    ],
    "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "x", "mountPath": "/a", "subPath": "b"}],
}


@pytest.mark.parametrize(
    ("container", "program"),
    [
        ({"args": ["/usr/local/bin/argocd-repo-server"]}, "argocd-repo-server"),
        ({"command": ["argocd", "admin", "redis-initial-password"]}, "argocd"),
        ({"command": ["argocd", "app", "list"]}, None),
        ({"command": ["/shared/argocd-dex", "rundex"]}, None),
        ({"command": ["sh", "-c"], "args": ["/bin/cp /usr/local/bin/argocd /x"]}, None),
        ({"image": "public.ecr.aws/docker/library/redis:8.2.3-alpine", "args": ["--save", ""]}, "redis"),
        ({"image": "public.ecr.aws/docker/library/haproxy:3.0.8-alpine"}, "haproxy"),
        ({"image": "registry.example/redis-exporter:1.0.0"}, None),
    ],
)
def test_which_containers_are_known(container: dict[str, Any], program: str | None) -> None:
    assert program_of(container) == program


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("argocd-repo-server:8081", "127.0.0.1:31001"),
        ("argocd-redis.argocd.svc.cluster.local:6379", "127.0.0.1:31002"),
        ("https://argocd-server.argocd.svc:443/api", "https://127.0.0.1:31003/api"),
        ("argocd-redis-ha-haproxy:6379", "127.0.0.1:31005"),
        ("argocd-repo-server:9999", "argocd-repo-server:9999"),
        ("https://argocd-dex-server:5556", "https://argocd-dex-server:5556"),
        ("/tmp/kubecache", "/here/tmp/kubecache"),
        ("/tmp", "/here/tmp"),
        ("/tmpfile", "/tmpfile"),
    ],
)
def test_addresses_and_paths_are_this_machine_s(text: str, here: str) -> None:
    assert translation(port, {"/tmp": Path("/here/tmp")})(text) == here


def test_a_listening_component_is_put_on_loopback() -> None:
    (one,) = components(workload(SERVER))
    assert arguments(one, {"api": 31003, "metrics": 31004}, translation(port, {})) == [
        "argocd-server",
        "--port=8080",
        "--metrics-port=8083",
        "--repo-server=127.0.0.1:31001",
        "--address=127.0.0.1",
        "--port=31003",
        "--metrics-address=127.0.0.1",
        "--metrics-port=31004",
    ]


def test_redis_is_another_program() -> None:
    (one,) = components(
        workload({"image": "redis:8", "args": ["--requirepass $(REDIS_PASSWORD)"]}, replicas=3)
    )
    assert arguments(one, {"redis": 31002}, str) == ["miniredis", "127.0.0.1:31002"]


def test_three_redis_and_their_proxy_are_one_redis() -> None:
    proxy = workload({"image": "library/haproxy:3"}, replicas=3)
    (one,) = components(proxy)
    assert arguments(one, {"redis": 31005}, str) == ["miniredis", "127.0.0.1:31005"]
    redis = {"image": "library/redis:8", "command": ["redis-server"], "args": ["/data/conf/redis.conf"]}
    sentinel = {**redis, "command": ["redis-sentinel"]}
    three = workload(redis, replicas=3, pod={"containers": [redis, sentinel]})
    assert components(three) == []
    assert "one Redis stands" in (why_not_run(three) or "")
    assert why_not_run(workload({"image": "library/redis:8"})) is None
    assert PROGRAMS["haproxy"].renamed == {"AUTH": "REDIS_PASSWORD"}


def test_whoever_would_wait_for_a_leader_is_not_run() -> None:
    sets = workload({"args": ["/usr/local/bin/argocd-applicationset-controller"]}, replicas=2)
    (one,) = components(sets)
    assert "one process for 2 replicas" in (why_not_run(sets) or "")
    assert "--enable-leader-election=false" in arguments(one, {"metrics": 1, "probe": 2, "webhook": 3}, str)
    assert why_not_run(workload(SERVER, replicas=2)) is None


def test_each_replica_is_a_process_and_controllers_know_their_shard() -> None:
    container = {"args": ["/usr/local/bin/argocd-application-controller"]}
    first, second = components(workload(container, replicas=2))
    assert (first.name, second.name) == ("argocd-server", "argocd-server-1")
    assert (first.place, second.place) == ("argocd-application-controller", "argocd-application-controller-1")
    assert own_environment(second, Path("/x"))["ARGOCD_CONTROLLER_SHARD"] == "1"
    (alone,) = components(workload(container))
    assert "ARGOCD_CONTROLLER_SHARD" not in own_environment(alone, Path("/x"))


def test_no_replicas_and_a_workload_on_its_way_out_are_no_process() -> None:
    assert components(workload(SERVER, replicas=0)) == []
    leaving = workload(SERVER)
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert components(leaving) == []


def test_what_restarts_a_process() -> None:
    (before,) = components(workload(SERVER))
    status = workload(SERVER)
    status["status"] = {"readyReplicas": 1}
    status["metadata"]["annotations"] = {"a": "b"}
    assert components(status)[0].digest == before.digest
    rolled = workload(SERVER)
    rolled["spec"]["template"]["metadata"] = {"annotations": {"checksum/cm": "x"}}
    assert components(rolled)[0].digest != before.digest
    assert components(workload(SERVER, replicas=2))[0].digest != before.digest
    upgraded = components(workload({**SERVER, "image": "quay.io/argoproj/argocd:v3.5.2"}))[0]
    assert upgraded.digest != before.digest
    assert (before.image, upgraded.image) == (
        "quay.io/argoproj/argocd:v3.5.1",
        "quay.io/argoproj/argocd:v3.5.2",
    )


def test_init_containers_of_the_argocd_tool_run_first() -> None:
    inits = [
        {"name": "copyutil", "command": ["/bin/cp", "-n", "/usr/local/bin/argocd", "/shared"]},
        {"name": "secret-init", "command": ["argocd", "admin", "redis-initial-password"]},
    ]
    (one,) = components(workload(SERVER, pod={"initContainers": inits}))
    (init,) = one.secret_inits
    assert (init.name, init.account) == ("argocd-server-secret-init", "argocd-server")
    assert arguments(init, {}, str) == ["argocd", "admin", "redis-initial-password"]


def test_mounts_without_a_sub_path_are_folders_here() -> None:
    (one,) = components(workload(SERVER))
    assert mounts(one, Path("/s")) == {"/tmp": Path("/s/volumes/tmp")}


def test_the_kubelet_s_way_with_variables() -> None:
    assert expand("--pass $(A) $(B)", {"A": "x"}) == "--pass x $(B)"


@pytest.mark.parametrize(
    ("command", "environment", "plaintext"),
    [
        (["argocd-server", "--insecure"], {}, True),
        (["argocd-server"], {"ARGOCD_SERVER_INSECURE": "true"}, True),
        (["argocd-server"], {"ARGOCD_SERVER_INSECURE": "false"}, False),
    ],
)
def test_whether_the_server_speaks_tls(
    command: list[str], environment: dict[str, str], plaintext: bool
) -> None:
    assert is_plaintext(command, environment) is plaintext
