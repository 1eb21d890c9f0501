"""Kubernetes' and the gateway's names for what a request does.

Pure: method, path and query in; verbs and permissions out.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs

_STREAMS = frozenset({"exec", "attach", "portforward"})
_GATEWAY = {
    "GET": "get",
    "HEAD": "get",
    "OPTIONS": "get",
    "POST": "post",
    "PUT": "put",
    "PATCH": "patch",
    "DELETE": "delete",
}
_CHANGES = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_FORBIDDEN = re.compile(
    r'cannot (?P<verb>[a-z]+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
)

# IAM writes resources in camelCase; of those with several words, the ones that Kubernetes itself has.
_CAMEL = {
    name.lower(): name
    for name in (
        "apiServices",
        "certificateSigningRequests",
        "clusterRoleBindings",
        "clusterRoles",
        "componentStatuses",
        "configMaps",
        "controllerRevisions",
        "cronJobs",
        "csiDrivers",
        "csiNodes",
        "csiStorageCapacities",
        "customResourceDefinitions",
        "daemonSets",
        "endpointSlices",
        "horizontalPodAutoscalers",
        "ingressClasses",
        "limitRanges",
        "localSubjectAccessReviews",
        "mutatingWebhookConfigurations",
        "networkPolicies",
        "persistentVolumeClaims",
        "persistentVolumes",
        "podDisruptionBudgets",
        "podTemplates",
        "priorityClasses",
        "replicaSets",
        "replicationControllers",
        "resourceQuotas",
        "roleBindings",
        "runtimeClasses",
        "selfSubjectAccessReviews",
        "selfSubjectRulesReviews",
        "serviceAccounts",
        "statefulSets",
        "storageClasses",
        "subjectAccessReviews",
        "tokenReviews",
        "validatingAdmissionPolicies",
        "validatingWebhookConfigurations",
        "volumeAttachments",
    )
}
_VERBS = {"watch": "list", "patch": "update", "deletecollection": "delete"}


def verb(method: str, path: str, query: str) -> str:
    """The Kubernetes verb of a request, for the counters: "discovery" for what is no resource, "stream" for exec."""
    resource = _resource(path)
    if not resource:
        return "discovery" if method in ("GET", "HEAD", "OPTIONS") else method.lower()
    if _is_stream(resource):
        return "stream"
    if method in ("GET", "HEAD"):
        if len(resource) > 1:
            return "get"
        return "watch" if parse_qs(query).get("watch", [""])[0] in ("true", "1") else "list"
    if method == "DELETE" and len(resource) == 1:
        return "deletecollection"
    return _CHANGES.get(method, method.lower())


def gateway_permission(method: str, path: str, *, upgrade: bool) -> str:
    """The IAM permission that the gateway asks for. Lists, watches and logs are `get`; exec and its like `stream`."""
    if upgrade or _is_stream(_resource(path)):
        return "gkehub.gateway.stream"
    return f"gkehub.gateway.{_GATEWAY.get(method, 'post')}"


def iam_suffix(message: str) -> str:
    """What GKE adds to a 403 of the API server, because IAM, its second authorizer, did not let the request
    in either; "" if the message is not one of RBAC's."""
    match = _FORBIDDEN.search(message)
    if not match:
        return ""
    name, _, sub = match["resource"].partition("/")
    group = match["group"]
    built_in = "." not in group or group.endswith(".k8s.io")
    resource = _CAMEL.get(name, name) if built_in else "thirdPartyObjects"
    does = _VERBS.get(match["verb"], match["verb"])
    permission = f"{resource}.{does}{sub[:1].upper()}{sub[1:]}" if sub else f"{resource}.{does}"
    return f': requires one of ["container.{permission}"] permission(s).'


def _resource(path: str) -> list[str]:
    """The path's resource, name and subresource, without group, version and namespace; empty for anything else."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"]:
        parts = parts[2:]
    elif parts[:1] == ["apis"]:
        parts = parts[3:]
    else:
        return []
    if parts[:1] == ["namespaces"] and len(parts) > 2 and parts[2] not in ("status", "finalize"):
        parts = parts[2:]
    return parts


def _is_stream(resource: list[str]) -> bool:
    return len(resource) > 2 and resource[0] == "pods" and resource[2] in _STREAMS
