"""What the stand-in argo-cd chart renders where `redis-ha.enabled` is true.

Owns the objects that the program and the runner can see: StatefulSet, Deployment, Services and ServiceAccounts,
with the names, replicas, ports and the hard anti-affinity of the official chart's sub-chart
redis-ha (https://github.com/DandyDeveloper/charts). Does not own its configuration: the scripts that elect a
master would not run in a simulated pod, so their ConfigMaps and Roles and the Services of single pods are left
out.
"""

from typing import Any

NAME = "argocd-redis-ha"
PROXY = f"{NAME}-haproxy"

REPLICAS = 3
"""Of Redis as of its proxies, each on a node of its own."""

_PASSWORD = {"name": "AUTH", "valueFrom": {"secretKeyRef": {"name": "argocd-redis", "key": "auth"}}}


def objects() -> list[dict[str, Any]]:
    """The objects, without namespace."""
    redis = {
        "name": "redis",
        "image": "ecr-public.aws.com/docker/library/redis:8.2.3-alpine",
        "command": ["redis-server"],
        "args": ["/data/conf/redis.conf"],
        "env": [_PASSWORD],
        "ports": [{"name": "redis", "containerPort": 6379}],
    }
    sentinel = {
        **redis,
        "name": "sentinel",
        "command": ["redis-sentinel"],
        "args": ["/data/conf/sentinel.conf"],
        "ports": [{"name": "sentinel", "containerPort": 26379}],
    }
    proxy = {
        "name": "haproxy",
        "image": "ecr-public.aws.com/docker/library/haproxy:3.0.8-alpine",
        "env": [_PASSWORD],
        "ports": [{"name": "redis", "containerPort": 6379}, {"name": "metrics-port", "containerPort": 9101}],
    }
    server = _workload("StatefulSet", f"{NAME}-server", NAME, [redis, sentinel])
    server["spec"] |= {"serviceName": NAME, "podManagementPolicy": "OrderedReady"}
    return [
        _named("ServiceAccount", NAME, automountServiceAccountToken=False),
        _named("ServiceAccount", PROXY, automountServiceAccountToken=False),
        _service(
            NAME, [("tcp-server", 6379, "redis"), ("tcp-sentinel", 26379, "sentinel")], clusterIP="None"
        ),
        _service(PROXY, [("tcp-haproxy", 6379, "redis"), ("http-exporter-port", 9101, "metrics-port")]),
        server,
        _workload("Deployment", PROXY, PROXY, [proxy]),
    ]


def selector(name: str) -> dict[str, str]:
    """Labels of the pods of `NAME` or `PROXY`."""
    if name == PROXY:
        return {"app": "redis-ha-haproxy", "release": "argocd", "component": "haproxy"}
    return {"app": "redis-ha", "release": "argocd", NAME: "replica"}


def _named(kind: str, name: str, **more: Any) -> dict[str, Any]:
    version = "v1" if kind.startswith("Service") else "apps/v1"
    labels = {"app": "redis-ha", "release": "argocd", "app.kubernetes.io/part-of": "argocd"}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": labels}, **more}


def _service(name: str, ports: list[tuple[str, int, str]], **more: Any) -> dict[str, Any]:
    listed = [
        {"name": called, "port": port, "protocol": "TCP", "targetPort": target}
        for called, port, target in ports
    ]
    return _named("Service", name, spec={"selector": selector(name), "ports": listed, **more})


def _workload(kind: str, name: str, pods: str, containers: list[dict[str, Any]]) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": PROXY} if pods == PROXY else {}
    apart = [{"labelSelector": {"matchLabels": selector(pods)}, "topologyKey": "kubernetes.io/hostname"}]
    pod = {
        "serviceAccountName": pods,
        "automountServiceAccountToken": False,
        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": apart}},
        "containers": containers,
    }
    return _named(
        kind,
        name,
        spec={
            "replicas": REPLICAS,
            "selector": {"matchLabels": selector(pods)},
            "template": {"metadata": {"labels": {**selector(pods), **labels}}, "spec": pod},
        },
    )
