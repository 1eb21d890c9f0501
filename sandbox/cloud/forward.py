"""Passing a request on to an API server as somebody else, and its answer back as it comes.

Owns the headers of the way (hop-by-hop, impersonation), the streaming of bodies and watches, and the joining
of two WebSockets. Who the caller is inside the cluster, and whether the request may go there at all, is
decided by the doors: the gateway and the endpoints of a cluster.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable, Mapping

import aiohttp
from aiohttp import WSMsgType, web
from multidict import CIMultiDict
from yarl import URL

from sandbox.cloud import kubepath
from sandbox.cloud.refusal import Refusal, denied, unauthenticated
from sandbox.cloud.tokens import Tokens

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


class NotAuthenticated(Exception):
    """The API server does not know the token that the request was sent on with."""


def bearer(request: web.Request, tokens: Tokens) -> str | None:
    """The subject that a request's bearer token stands for, None if it has no good one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return tokens.account(token.strip()) if scheme.lower() == "bearer" else None


def authenticated(request: web.Request, tokens: Tokens) -> str:
    """The same. Raises Refusal (401) where there is none."""
    subject = bearer(request, tokens)
    if subject is None:
        raise unauthenticated()
    return subject


def refuse_impersonation(request: web.Request) -> None:
    """Raise Refusal (403) for a request that names an identity itself: here it would be the administrator who
    impersonates, so nobody may."""
    forged = [name for name in request.headers if name.lower().startswith("impersonate-")]
    if forged:
        raise denied(f"The caller's identity is set from its token; {forged[0]} is not accepted.")


def unavailable() -> Refusal:
    """503: the API server does not answer."""
    return Refusal(503, "UNAVAILABLE", "The service is currently unavailable.")


def target(server: str, path: str, query: str) -> URL:
    """The URL of a path of Kubernetes (as it was sent, undecoded) at an API server."""
    return URL(server + path + (f"?{query}" if query else ""), encoded=True)


def impersonation(request: web.Request, user: str, groups: Iterable[str]) -> CIMultiDict[str]:
    """The headers of a request that goes on as `user` with `groups`; whatever it said about identity is
    gone."""
    headers = CIMultiDict(
        (name, value)
        for name, value in request.headers.items()
        if name.lower() not in _HOP_BY_HOP | _OURS
        and not name.lower().startswith(("x-remote-", "sec-websocket-", "impersonate-"))
    )
    headers["Impersonate-User"] = user
    for group in groups:
        headers.add("Impersonate-Group", group)
    return headers


async def forward(
    request: web.Request,
    session: aiohttp.ClientSession,
    url: URL,
    headers: Mapping[str, str],
    *,
    authorizer: bool = True,
) -> web.StreamResponse:
    """Send a request on and pass its answer back piece by piece, as it comes.

    `authorizer`: the cluster has IAM as second authorizer, and names its permission in a 403 too (here in
    JSON only, not in protobuf). Raises NotAuthenticated, and aiohttp.ClientConnectionError if the API server
    does not answer.
    """
    body = await request.read() if request.can_read_body else None
    async with session.request(
        request.method, url, headers=headers, data=body, allow_redirects=False
    ) as upstream:
        if upstream.status == 401:
            raise NotAuthenticated
        plain = upstream.content_type == "application/json" and "Content-Encoding" not in upstream.headers
        if authorizer and upstream.status == 403 and plain:
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
            abort(request)
        return response


async def bridge(
    request: web.Request, session: aiohttp.ClientSession, url: URL, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Join two WebSockets until either side ends. Raises Refusal with the API server's status if it says
    no."""
    protocols = [
        name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if name.strip()
    ]
    try:
        upstream = await session.ws_connect(
            url, headers=headers, protocols=protocols, max_msg_size=0, autoping=False
        )
    except aiohttp.WSServerHandshakeError as error:
        if error.status == 401:
            raise NotAuthenticated from error
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


def abort(request: web.Request) -> None:
    """End the client's connection without another word."""
    if request.transport is not None:
        request.transport.abort()


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
