"""Kubernetes' and the gateway's names for a request, row by row."""

from __future__ import annotations

import pytest

from sandbox.cloud.kubepath import gateway_permission, iam_suffix, verb

PODS = "/api/v1/namespaces/a/pods"


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", PODS, "", "list"),
        ("GET", PODS, "watch=true", "watch"),
        ("GET", PODS, "limit=5&watch=1", "watch"),
        ("GET", PODS, "watch=false", "list"),
        ("GET", f"{PODS}/p", "", "get"),
        ("GET", f"{PODS}/p/log", "follow=true", "get"),
        ("GET", "/api/v1/namespaces", "", "list"),
        ("GET", "/api/v1/namespaces/a", "", "get"),
        ("PUT", "/api/v1/namespaces/a/finalize", "", "update"),
        ("GET", "/apis/apps/v1/deployments", "", "list"),
        ("POST", "/apis/apps/v1/namespaces/a/deployments", "", "create"),
        ("PATCH", "/apis/apps/v1/namespaces/a/deployments/d", "", "patch"),
        ("DELETE", "/apis/apps/v1/namespaces/a/deployments/d", "", "delete"),
        ("DELETE", "/apis/apps/v1/namespaces/a/deployments", "", "deletecollection"),
        ("POST", f"{PODS}/p/exec", "", "stream"),
        ("GET", "/version", "", "discovery"),
        ("GET", "/apis", "", "discovery"),
        ("GET", "/apis/apps/v1", "", "discovery"),
        ("GET", "/openapi/v3", "", "discovery"),
    ],
)
def test_verbs(method: str, path: str, query: str, expected: str) -> None:
    assert verb(method, path, query) == expected


@pytest.mark.parametrize(
    ("method", "path", "upgrade", "expected"),
    [
        ("GET", PODS, False, "get"),
        ("HEAD", "/", False, "get"),
        ("GET", PODS, True, "stream"),
        ("GET", f"{PODS}/p/exec", False, "stream"),
        ("POST", f"{PODS}/p/attach", False, "stream"),
        ("POST", f"{PODS}/p/portforward", False, "stream"),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", False, "post"),
        ("PUT", f"{PODS}/p", False, "put"),
        ("PATCH", f"{PODS}/p", False, "patch"),
        ("DELETE", f"{PODS}/p", False, "delete"),
    ],
)
def test_permissions(method: str, path: str, upgrade: bool, expected: str) -> None:
    assert gateway_permission(method, path, upgrade=upgrade) == f"gkehub.gateway.{expected}"


@pytest.mark.parametrize(
    ("verb", "resource", "group", "permission"),
    [
        ("list", "nodes", "", "nodes.list"),
        ("watch", "nodes", "", "nodes.list"),
        ("patch", "clusterroles", "rbac.authorization.k8s.io", "clusterRoles.update"),
        ("deletecollection", "pods", "", "pods.delete"),
        ("create", "deployments", "apps", "deployments.create"),
        ("create", "externalsecrets", "external-secrets.io", "thirdPartyObjects.create"),
    ],
)
def test_what_gke_adds_to_a_refusal(verb: str, resource: str, group: str, permission: str) -> None:
    message = (
        f'{resource} is forbidden: User "E" cannot {verb} resource "{resource}" in API group "{group}" at the'
    )
    assert iam_suffix(message) == f': requires one of ["container.{permission}"] permission(s).'


def test_nothing_is_added_to_other_words() -> None:
    assert iam_suffix("exceeded quota") == ""
