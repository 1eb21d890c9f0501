"""Connect Gateway: the one way for identities to the API servers of the fleet's members.

Owns URL forms, authentication, IAM, budget, faults and the forwarding with the caller's identity. Sources:
the gateway's documentation and gcloud's client for URLs, permissions and limits; error texts of the data path
are not documented, so they follow the GKE Hub API's.

A caller's roles on the cluster's project travel as Kubernetes groups (see authorizer.py); everything else is
decided by the member's own RBAC.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp import WSMsgType, web
from multidict import CIMultiDict
from yarl import URL

from sandbox.cloud import kubepath
from sandbox.cloud.bootstrap import Bootstrap, Project
from sandbox.cloud.budget import Budget
from sandbox.cloud.faults import FaultSwitches, MembershipFault
from sandbox.cloud.iam import Iam
from sandbox.cloud.machines import Links
from sandbox.cloud.memberships import CLUSTER, Membership, memberships
from sandbox.cloud.refusal import Refusal, api_disabled, denied, invalid, not_found, unauthenticated
from sandbox.cloud.store import Record, Store
from sandbox.cloud.tokens import Tokens
from sandbox.clusters import ClusterFailure

_log = logging.getLogger(__name__)
_HOST = "connectgateway.googleapis.com"
_SERVICE = "connectgateway.googleapis.com"
_PATH = re.compile(
    r"/(?P<version>v1|v1beta1|v1alpha1)/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
    r"/(?P<collection>gkeMemberships|memberships)/(?P<membership>[^/:]+)(?P<path>/.*)?"
)
_MAX_HEADER_BYTES = 8 * 1024
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_OURS = frozenset({"authorization", "host", "content-length", "expect", "cookie", "x-forwarded-for"})


@dataclass(frozen=True, kw_only=True)
class _Call:
    """A request that was read and whose caller is known."""

    request: web.Request
    account: str
    project: Project
    location: str
    collection: str
    membership: str
    path: str
    query: str
    upgrade: str

    @property
    def verb(self) -> str:
        return kubepath.verb(self.request.method, self.path, self.query)


class _Dropped(Exception):
    """The connection ends without an answer."""


class Gateway:
    """Handles every request to a `connectgateway.googleapis.com` host."""

    def __init__(
        self,
        *,
        store: Store,
        bootstrap: Bootstrap,
        iam: Iam,
        tokens: Tokens,
        faults: FaultSwitches,
        links: Links,
        budget: Budget,
    ) -> None:
        self._store = store
        self._bootstrap = bootstrap
        self._iam = iam
        self._tokens = tokens
        self._faults = faults
        self._links = links
        self._budget = budget

    @staticmethod
    def serves(host: str) -> bool:
        """Whether a host name is one of the gateway's."""
        return host == _HOST or host.endswith(f"-{_HOST}")

    async def handle(self, request: web.Request, host: str) -> web.StreamResponse:
        """Answer one request. Raises Refusal for Google's errors; those of Kubernetes pass through."""
        call = self._read(request)
        self._budget.begun(call.membership, call.verb, call.account)
        how = "client gone"
        try:
            response = await self._answer(call, host)
            how = str(response.status)
            return response
        except Refusal as refusal:
            how = str(refusal.code)
            raise
        except _Dropped:
            how = "dropped"
            _abort(request)
            return web.Response(status=503)
        finally:
            self._budget.ended(call.membership, how)

    def _read(self, request: web.Request) -> _Call:
        if sum(len(name) + len(value) + 4 for name, value in request.raw_headers) > _MAX_HEADER_BYTES:
            raise Refusal(431, "INVALID_ARGUMENT", "Request header fields are larger than 8 KB.")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        account = self._tokens.account(token.strip()) if scheme.lower() == "bearer" else None
        if account is None:
            raise unauthenticated()
        path, _, query = request.raw_path.partition("?")
        match = _PATH.fullmatch(path)
        if match is None:
            raise not_found(f"The requested URL {path} was not found on this server.")
        return _Call(
            request=request,
            account=account,
            project=self._bootstrap.project(match["project"]),
            location=match["location"],
            collection=match["collection"],
            membership=match["membership"],
            path=match["path"] or "/",
            query=query,
            upgrade=request.headers.get("Upgrade", "").lower(),
        )

    async def _answer(self, call: _Call, host: str) -> web.StreamResponse:
        self._admit(call)
        await self._fault(call)
        permission = kubepath.gateway_permission(call.request.method, call.path, upgrade=bool(call.upgrade))
        if not self._iam.may(call.account, permission, call.project.id):
            name = f"projects/{call.project.number}/locations/{call.location}/memberships/{call.membership}"
            raise denied(
                f"Permission '{permission}' denied on resource '{name}' (or it may not exist).",
                permission,
                name,
            )
        cluster = self._cluster(call, host)
        try:
            server, session = self._links.open(cluster.machine)
        except ClusterFailure as error:
            raise _unavailable() from error
        url = URL(server + call.path + (f"?{call.query}" if call.query else ""), encoded=True)
        headers = self._headers(call, cluster)
        try:
            if call.upgrade:
                return await self._stream(call, session, url, headers)
            return await _forward(call.request, session, url, headers)
        except aiohttp.ClientConnectionError as error:
            _log.warning("%s does not answer: %s", cluster.id, error)
            raise _unavailable() from error

    def _admit(self, call: _Call) -> None:
        project = call.project
        if _SERVICE not in project.apis | self._store.enabled(project.id):
            raise api_disabled(_SERVICE, project.number)
        if not self._budget.spend(project.id, self._faults.current.requests_per_minute):
            raise _exhausted("Requests per minute", project.number)
        forged = [name for name in call.request.headers if name.lower().startswith("impersonate-")]
        if forged:
            raise denied(f"The gateway sets the caller's identity itself; {forged[0]} is not accepted.")

    async def _fault(self, call: _Call) -> None:
        fault = self._faults.current.memberships.get(call.membership, MembershipFault())
        if fault.slow:
            await asyncio.sleep(fault.slow)
        if fault.down:
            raise _Dropped
        if fault.agent_lost:
            raise not_found(
                "cannot connect to agent or connection unexpectedly terminated for (project: "
                f"{call.project.number}, membership: {call.membership})"
            )
        if fault.status == 401:
            raise unauthenticated()
        if fault.status == 403:
            raise denied("The caller does not have permission")
        if fault.status == 404:
            raise _no_membership(call)
        if fault.status == 429:
            raise _exhausted("Requests per minute", call.project.number)

    def _cluster(self, call: _Call, host: str) -> Record:
        """The cluster behind the URL. A membership answers under its own location, host and collection only."""
        right_host = _HOST if call.location == "global" else f"{call.location}-{_HOST}"
        for member in memberships(self._store, self._bootstrap):
            if (member.host, member.location, member.id) == (call.project.id, call.location, call.membership):
                break
        else:
            raise _no_membership(call)
        if host != right_host or call.collection != member.collection:
            raise _no_membership(call)
        if not member.cluster:
            raise not_found(
                "cannot connect to agent or connection unexpectedly terminated for (project: "
                f"{call.project.number}, membership: {call.membership})"
            )
        return self._running(call, member)

    def _running(self, call: _Call, member: Membership) -> Record:
        record = self._store.get(CLUSTER, member.cluster)
        if record is None or record.state != "RUNNING":
            raise _no_membership(call)
        return record

    def _headers(self, call: _Call, cluster: Record) -> CIMultiDict[str]:
        headers = CIMultiDict(
            (name, value)
            for name, value in call.request.headers.items()
            if name.lower() not in _HOP_BY_HOP | _OURS
            and not name.lower().startswith(("x-remote-", "sec-websocket-"))
        )
        headers["Impersonate-User"] = call.account
        headers.add("Impersonate-Group", "system:authenticated")
        project = self._bootstrap.project(str(cluster.inputs["project"])).id
        for group in self._iam.groups(call.account, project):
            headers.add("Impersonate-Group", group)
        return headers

    async def _stream(
        self, call: _Call, session: aiohttp.ClientSession, url: URL, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        if call.upgrade != "websocket":
            raise invalid(f"The gateway carries WebSocket streams; {call.upgrade} is not supported.")
        if not self._budget.open_stream(call.project.id, self._faults.current.streams):
            raise _exhausted("Active streams", call.project.number)
        try:
            return await _bridge(call.request, session, url, headers)
        finally:
            self._budget.close_stream(call.project.id)


async def _forward(
    request: web.Request, session: aiohttp.ClientSession, url: URL, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Send a request on and pass its answer back piece by piece, as it comes."""
    body = await request.read() if request.can_read_body else None
    async with session.request(
        request.method, url, headers=headers, data=body, allow_redirects=False
    ) as upstream:
        plain = upstream.content_type == "application/json" and "Content-Encoding" not in upstream.headers
        if upstream.status == 403 and plain:
            text = _with_suffix(await upstream.read())
            return web.Response(status=403, body=text, content_type="application/json")
        response = web.StreamResponse(status=upstream.status, reason=upstream.reason)
        for name, value in upstream.headers.items():
            if name.lower() not in _HOP_BY_HOP:
                response.headers.add(name, value)
        if "Content-Length" not in upstream.headers:
            response.enable_chunked_encoding()
        await response.prepare(request)
        try:
            async for piece in upstream.content.iter_any():
                await response.write(piece)
            await response.write_eof()
        except (aiohttp.ClientError, ConnectionResetError):
            # The answer has begun, so its status cannot be changed: the client sees a broken connection.
            _abort(request)
        return response


async def _bridge(
    request: web.Request, session: aiohttp.ClientSession, url: URL, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Join two WebSockets until either side ends."""
    protocols = [
        name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if name.strip()
    ]
    try:
        upstream = await session.ws_connect(
            url, headers=headers, protocols=protocols, max_msg_size=0, autoping=False
        )
    except aiohttp.WSServerHandshakeError as error:
        raise Refusal(error.status, "UNKNOWN", error.message) from error
    async with upstream:
        client = web.WebSocketResponse(
            protocols=[upstream.protocol] if upstream.protocol else (), max_msg_size=0, autoping=False
        )
        await client.prepare(request)
        ways = [
            asyncio.create_task(_pass_on(client, upstream)),
            asyncio.create_task(_pass_on(upstream, client)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionResetError, aiohttp.ClientError):
                await way
        await client.close()
        return client


_Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _pass_on(source: _Socket, target: _Socket) -> None:
    async for message in source:
        if message.type is WSMsgType.BINARY:
            await target.send_bytes(message.data)
        elif message.type is WSMsgType.TEXT:
            await target.send_str(message.data)
        elif message.type is WSMsgType.PING:
            await target.ping(message.data)
        elif message.type is WSMsgType.PONG:
            await target.pong(message.data)


def _with_suffix(body: bytes) -> bytes:
    try:
        status = json.loads(body)
        suffix = kubepath.iam_suffix(status["message"])
    except (ValueError, KeyError, TypeError):
        return body
    status["message"] += suffix
    return json.dumps(status).encode()


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _no_membership(call: _Call) -> Refusal:
    name = f"projects/{call.project.number}/locations/{call.location}/{call.collection}/{call.membership}"
    return not_found(f"Resource '{name}' was not found")


def _unavailable() -> Refusal:
    return Refusal(503, "UNAVAILABLE", "The service is currently unavailable.")


def _exhausted(metric: str, number: str) -> Refusal:
    return Refusal(
        429,
        "RESOURCE_EXHAUSTED",
        f"Quota exceeded for quota metric '{metric}' of service '{_SERVICE}' "
        f"for consumer 'project_number:{number}'.",
        reason="RATE_LIMIT_EXCEEDED",
        metadata={"consumer": f"projects/{number}", "service": _SERVICE},
    )
