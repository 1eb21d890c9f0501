"""What operators ask before they go through the gateway: the memberships, and a kubeconfig for one.

Owns the three calls behind `gcloud container fleet memberships get-credentials`: Resource Manager's
`testIamPermissions`, GKE Hub's `memberships.list` and `get`, and the gateway's `generateCredentials`, each
with the permission that it asks for on the fleet host project. Answers have the forms of the APIs' discovery
documents; fields that nobody here reads are left out.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import yaml
from aiohttp import web

from sandbox.cloud.faults import FaultSwitches
from sandbox.cloud.forward import authenticated
from sandbox.cloud.iam import Iam
from sandbox.cloud.memberships import Membership, memberships
from sandbox.cloud.organization import Organization, Project
from sandbox.cloud.refusal import api_disabled, denied, invalid, not_found
from sandbox.cloud.store import Store
from sandbox.cloud.tokens import Tokens

HUB_HOST = "gkehub.googleapis.com"
RESOURCE_HOST = "cloudresourcemanager.googleapis.com"
_GATEWAY_HOST = "connectgateway.googleapis.com"
_LIST, _GET, _GENERATE = (
    "gkehub.memberships.list",
    "gkehub.memberships.get",
    "gkehub.gateway.generateCredentials",
)
_MEMBERSHIPS = re.compile(
    r"/v1/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/memberships(?:/(?P<id>[^/:]+))?"
)
_CREDENTIALS = re.compile(_MEMBERSHIPS.pattern.removesuffix("?") + ":generateCredentials")
_TEST = re.compile(r"/v[13]/projects/(?P<project>[^/:]+):testIamPermissions")


class _Call(NamedTuple):
    """How an API is called: `answer` takes caller, project, the path's parts and the body."""

    method: str
    path: re.Pattern[str]
    answer: Callable[[str, Project, re.Match[str], dict[str, Any]], Any]


class HubApi:
    """Handles requests to GKE Hub and Resource Manager, and the gateway's control method."""

    def __init__(
        self,
        *,
        store: Store,
        organization: Organization,
        iam: Iam,
        tokens: Tokens,
        faults: FaultSwitches,
    ) -> None:
        self._store = store
        self._organization = organization
        self._iam = iam
        self._tokens = tokens
        self._faults = faults

    @staticmethod
    def serves(host: str, path: str) -> bool:
        """Whether a request is for these APIs; the gateway's hosts have one method of its own besides the
        data path."""
        if host in (HUB_HOST, RESOURCE_HOST):
            return True
        return host.endswith(_GATEWAY_HOST) and path.endswith(":generateCredentials")

    async def handle(self, request: web.Request, host: str) -> web.Response:
        """Answer one request. Raises Refusal."""
        caller = authenticated(request, self._tokens)
        api = host if host in (HUB_HOST, RESOURCE_HOST) else _GATEWAY_HOST
        method, path, answer = {
            RESOURCE_HOST: _Call("POST", _TEST, self._test),
            HUB_HOST: _Call("GET", _MEMBERSHIPS, self._memberships),
            _GATEWAY_HOST: _Call("GET", _CREDENTIALS, self._credentials),
        }[api]
        match = path.fullmatch(request.path)
        if match is None or request.method != method:
            raise not_found(f"The requested URL {request.path} was not found on this server.")
        project = self._organization.project(match["project"])
        if api not in project.apis | self._store.enabled(project.id):
            raise api_disabled(api, project.number)
        return web.json_response(answer(caller, project, match, await _document(request)))

    def _test(self, caller: str, project: Project, _: re.Match[str], asked: dict[str, Any]) -> Any:
        """Those of the asked permissions that the caller has on the project."""
        held = [name for name in asked.get("permissions", ()) if self._iam.may(caller, str(name), project.id)]
        return {"permissions": held} if held else {}

    def _memberships(self, caller: str, project: Project, match: re.Match[str], _: dict[str, Any]) -> Any:
        location, name = match["location"], match["id"]
        where = f"projects/{project.id}/locations/{location}/memberships"
        if name:
            self._permit(caller, _GET, project, f"{where}/{name}")
            return self._describe(self._member(project, location, name))
        self._permit(caller, _LIST, project, where)
        lost = self._faults.current.unreachable
        found = [
            member
            for member in memberships(self._store, self._organization)
            if member.host == project.id
            and location in ("-", member.location)
            and member.location not in lost
        ]
        answer: dict[str, Any] = {"resources": [self._describe(member) for member in found]}
        unreachable = [f"projects/{project.id}/locations/{one}" for one in lost if location in ("-", one)]
        if unreachable:
            answer["unreachable"] = unreachable
        return answer

    def _credentials(self, caller: str, project: Project, match: re.Match[str], _: dict[str, Any]) -> Any:
        location, name = match["location"], match["id"]
        resource = f"projects/{project.id}/locations/{location}/memberships/{name}"
        self._permit(caller, _GENERATE, project, resource)
        member = self._member(project, location, name)
        host = _GATEWAY_HOST if location == "global" else f"{location}-{_GATEWAY_HOST}"
        endpoint = f"https://{host}/v1/projects/{project.number}/locations/{location}/{member.collection}/{member.id}"
        context = f"connectgateway_{project.id}_{location}_{member.id}"
        kubeconfig = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": context, "cluster": {"server": endpoint}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
            "users": [{"name": context, "user": {"exec": _PLUGIN}}],
        }
        text = yaml.safe_dump(kubeconfig, sort_keys=False)
        return {"endpoint": endpoint, "kubeconfig": base64.b64encode(text.encode()).decode()}

    def _member(self, project: Project, location: str, name: str) -> Membership:
        for member in memberships(self._store, self._organization):
            if (member.host, member.location, member.id) == (project.id, location, name):
                return member
        raise not_found(
            f"Resource 'projects/{project.id}/locations/{location}/memberships/{name}' was not found"
        )

    def _permit(self, caller: str, permission: str, project: Project, resource: str) -> None:
        if not self._iam.may(caller, permission, project.id):
            raise denied(f"Permission '{permission}' denied on '{resource}'", permission, resource)

    @staticmethod
    def _describe(member: Membership) -> dict[str, Any]:
        described: dict[str, Any] = {"name": member.name, "state": {"code": "READY"}}
        if member.cluster:
            described["endpoint"] = {
                "gkeCluster": {"resourceLink": f"//container.googleapis.com/{member.cluster}"}
            }
            project = member.cluster.split("/")[1]
            described["authority"] = {
                "issuer": f"https://container.googleapis.com/v1/{member.cluster}",
                "workloadIdentityPool": f"{project}.svc.id.goog",
            }
        return described


_PLUGIN = {
    "apiVersion": "client.authentication.k8s.io/v1beta1",
    "command": "gke-gcloud-auth-plugin",
    "installHint": "Install gke-gcloud-auth-plugin for use with kubectl",
    "interactiveMode": "IfAvailable",
    "provideClusterInfo": True,
}


async def _document(request: web.Request) -> dict[str, Any]:
    if not request.can_read_body:
        return {}
    try:
        document = json.loads(await request.read())
    except ValueError as error:
        raise invalid(f"Invalid JSON payload received: {error}") from error
    if not isinstance(document, dict):
        raise invalid("Invalid JSON payload received: not an object")
    return document
