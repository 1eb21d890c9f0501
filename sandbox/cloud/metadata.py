"""The GKE metadata server: gives a process the token of the one identity that its ServiceAccount may be.

Owns the endpoints under /computeMetadata and the rules of Workload Identity. The cluster has it (Autopilot,
or `workloadIdentityConfig`). The ServiceAccount exists there, and either names an account in the annotation
`iam.gke.io/gcp-service-account`, whose IAM policy must let
`serviceAccount:PROJECT.svc.id.goog[namespace/name]` be it; or has no annotation and is itself, the direct
principal
`principal://iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/PROJECT.svc.id.goog/subject/ns/NAMESPACE/sa/NAME`
(https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity). The pool is the project's: the
same namespace and name on another cluster of the project is the same identity.

On GKE the caller is known by its pod's address; here each ServiceAccount has a port of its own. A cluster
without Workload Identity gives its Pods the account of the node; here it gives them nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import aiohttp
from aiohttp import web

from sandbox.cloud.iam import Iam
from sandbox.cloud.machines import Links
from sandbox.cloud.organization import Organization
from sandbox.cloud.store import Record
from sandbox.cloud.tokens import Tokens
from sandbox.clusters import ClusterFailure

_log = logging.getLogger(__name__)
_ANNOTATION = "iam.gke.io/gcp-service-account"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email")
_FLAVOR = {"Metadata-Flavor": "Google", "Server": "GKE Metadata Server"}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_MORE = (
    "For more information, refer to the Workload Identity documentation:\n\t"
    "https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity#authenticating_to"
)


class Metadata:
    """The metadata server of one ServiceAccount of a cluster. `cluster` finds the cluster's record, None
    while there is none that runs."""

    def __init__(
        self,
        *,
        namespace: str,
        name: str,
        cluster: Callable[[], Record | None],
        links: Links,
        iam: Iam,
        tokens: Tokens,
        organization: Organization,
    ) -> None:
        self._namespace = namespace
        self._name = name
        self._cluster = cluster
        self._links = links
        self._iam = iam
        self._tokens = tokens
        self._organization = organization

    def application(self) -> web.Application:
        """The web application of this ServiceAccount's port."""
        app = web.Application(middlewares=[_google_only])
        root = "/computeMetadata/v1"
        account = f"{root}/instance/service-accounts/{{account}}"
        app.router.add_get("/", _text("computeMetadata/\n"))
        app.router.add_get("/computeMetadata/", _text("v1/\n"))
        app.router.add_get(f"{root}/", _text("instance/\nproject/\n"))
        app.router.add_get(f"{root}/project/project-id", self._project_id)
        app.router.add_get(f"{root}/project/numeric-project-id", self._project_number)
        app.router.add_get(f"{root}/instance/service-accounts/", self._accounts)
        app.router.add_get(f"{account}/", self._account)
        app.router.add_get(f"{account}/email", self._email)
        app.router.add_get(f"{account}/scopes", self._scopes)
        app.router.add_get(f"{account}/token", self._token)
        return app

    async def _project_id(self, request: web.Request) -> web.Response:
        return web.Response(text=self._project())

    async def _project_number(self, request: web.Request) -> web.Response:
        return web.Response(text=self._organization.number(self._project()))

    async def _accounts(self, request: web.Request) -> web.Response:
        return web.Response(text=f"default/\n{await self._identity()}/\n")

    async def _account(self, request: web.Request) -> web.Response:
        email = await self._asked(request)
        if request.query.get("recursive", "").lower() == "true":
            return web.json_response({"aliases": ["default"], "email": email, "scopes": list(_SCOPES)})
        return web.Response(text="aliases\nemail\nidentity\nscopes\ntoken\n")

    async def _email(self, request: web.Request) -> web.Response:
        return web.Response(text=await self._asked(request))

    async def _scopes(self, request: web.Request) -> web.Response:
        await self._asked(request)
        return web.Response(text="\n".join(_SCOPES) + "\n")

    async def _token(self, request: web.Request) -> web.Response:
        email = await self._asked(request)
        pool = f"{self._project()}.svc.id.goog"
        if email == pool:
            token = self._tokens.issue(self._principal(pool))
            return web.json_response({**asdict(token), "token_type": "Bearer"})
        member = f"serviceAccount:{pool}[{self._namespace}/{self._name}]"
        if not self._iam.usable(email) or not self._iam.may_act_as(member, email):
            _log.info("%s may not be %s", member, email)
            raise web.HTTPForbidden(
                text=(
                    "Unable to generate access token; IAM returned 403 Forbidden: Permission "
                    "'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).\n"
                    "This error could be caused by a missing IAM policy binding on the target IAM service "
                    f"account.\n{_MORE}\n"
                )
            )
        return web.json_response({**asdict(self._tokens.issue(email)), "token_type": "Bearer"})

    async def _asked(self, request: web.Request) -> str:
        """The identity, if the path names it (or `default`)."""
        email = await self._identity()
        if request.match_info["account"] not in ("default", email):
            raise web.HTTPNotFound(text="service account not found\n")
        return email

    async def _identity(self) -> str:
        """The e-mail in the ServiceAccount's annotation; without one the name of the project's pool, which is
        what GKE calls an identity that has no e-mail."""
        pool = f"{self._project()}.svc.id.goog"
        if not _has_pool(self._running()):
            raise web.HTTPNotFound(
                text=f"the cluster has no Workload Identity: its Pods have no identity in {pool}\n"
            )
        annotations = await self._annotations()
        if annotations is None:
            raise web.HTTPForbidden(
                text=(
                    f"Kubernetes service account {self._namespace}/{self._name} does not exist in the cluster."
                    f"\n{_MORE}\n"
                )
            )
        return annotations.get(_ANNOTATION) or pool

    def _principal(self, pool: str) -> str:
        number = self._organization.number(self._project())
        return (
            f"principal://iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/{pool}"
            f"/subject/ns/{self._namespace}/sa/{self._name}"
        )

    async def _annotations(self) -> dict[str, str] | None:
        cluster = self._running()
        try:
            server, session = self._links.open(cluster.machine)
            path = f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{self._name}"
            async with session.get(server + path, headers={"Accept": "application/json"}) as answer:
                if answer.status == 404:
                    return None
                answer.raise_for_status()
                document = await answer.json()
        except (aiohttp.ClientError, ClusterFailure) as error:
            raise web.HTTPServiceUnavailable(text=f"{cluster.id} does not answer: {error}\n") from error
        return dict(document["metadata"].get("annotations") or {})

    def _running(self) -> Record:
        cluster = self._cluster()
        if cluster is None:
            raise web.HTTPServiceUnavailable(text="there is no such cluster yet\n")
        return cluster

    def _project(self) -> str:
        return self._organization.project(str(self._running().inputs["project"])).id


def _has_pool(cluster: Record) -> bool:
    """Whether a cluster has Workload Identity. Autopilot always has."""
    pool = (cluster.inputs.get("workloadIdentityConfig") or {}).get("workloadPool")
    return bool(pool or cluster.inputs.get("enableAutopilot"))


@web.middleware
async def _google_only(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Only callers that say they mean the metadata server; the header keeps browsers and forwarded requests
    out."""
    if request.path != "/" and request.headers.get("Metadata-Flavor") != "Google":
        return web.Response(status=403, text="Missing Metadata-Flavor:Google header.\n", headers=_FLAVOR)
    if "X-Forwarded-For" in request.headers:
        return web.Response(
            status=403, text="Request with X-Forwarded-For is not allowed.\n", headers=_FLAVOR
        )
    try:
        response = await handler(request)
    except web.HTTPException as error:
        error.headers.update(_FLAVOR)
        raise
    response.headers.update(_FLAVOR)
    return response


def _text(text: str) -> _Handler:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=text)

    return handle
