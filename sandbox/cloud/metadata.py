"""The GKE metadata server: gives a process the token of the one account that its ServiceAccount may be.

Owns the endpoints under /computeMetadata and the rule of Workload Identity: the ServiceAccount exists on the
hub and names the account in the annotation `iam.gke.io/gcp-service-account`, and the account's IAM policy
lets `serviceAccount:PROJECT.svc.id.goog[namespace/name]` be it. On GKE the caller is known by its pod's
address; here each ServiceAccount has a port of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import aiohttp
from aiohttp import web

from sandbox.cloud.bootstrap import Bootstrap
from sandbox.cloud.iam import Iam
from sandbox.cloud.machines import Links
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
    """The metadata server of one ServiceAccount on the hub. `hub` finds the hub's record, None while there is none."""

    def __init__(
        self,
        *,
        namespace: str,
        name: str,
        hub: Callable[[], Record | None],
        links: Links,
        iam: Iam,
        tokens: Tokens,
        bootstrap: Bootstrap,
    ) -> None:
        self._namespace = namespace
        self._name = name
        self._hub = hub
        self._links = links
        self._iam = iam
        self._tokens = tokens
        self._bootstrap = bootstrap

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
        return web.Response(text=self._bootstrap.number(self._project()))

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
        member = f"serviceAccount:{self._project()}.svc.id.goog[{self._namespace}/{self._name}]"
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
        """The e-mail in the ServiceAccount's annotation."""
        who = f"{self._namespace}/{self._name}"
        annotations = await self._annotations()
        if annotations is None:
            raise web.HTTPForbidden(
                text=f"Kubernetes service account {who} does not exist in the cluster.\n{_MORE}\n"
            )
        email = annotations.get(_ANNOTATION)
        if not email:
            raise web.HTTPForbidden(
                text=(
                    "Unable to generate access token; IAM returned 403 Forbidden: the Kubernetes service account "
                    f"{who} has no annotation {_ANNOTATION}.\n{_MORE}\n"
                )
            )
        return email

    async def _annotations(self) -> dict[str, str] | None:
        hub = self._hub()
        if hub is None:
            raise web.HTTPServiceUnavailable(text="there is no hub cluster yet\n")
        try:
            server, session = self._links.open(hub.machine)
            path = f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{self._name}"
            async with session.get(server + path, headers={"Accept": "application/json"}) as answer:
                if answer.status == 404:
                    return None
                answer.raise_for_status()
                document = await answer.json()
        except (aiohttp.ClientError, ClusterFailure) as error:
            raise web.HTTPServiceUnavailable(text=f"the hub does not answer: {error}\n") from error
        return dict(document["metadata"].get("annotations") or {})

    def _project(self) -> str:
        hub = self._hub()
        if hub is None:
            raise web.HTTPServiceUnavailable(text="there is no hub cluster yet\n")
        return self._bootstrap.project(str(hub.inputs["project"])).id


@web.middleware
async def _google_only(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Only callers that say they mean the metadata server; the header keeps browsers and forwarded requests out."""
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
