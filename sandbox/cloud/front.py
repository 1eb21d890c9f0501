"""The one TLS port behind every real name: tells the names apart and gives each to its server.

Owns the dispatch by Host and the JSON form of refusals. TLS itself and the certificate are `authority`'s.
"""

from __future__ import annotations

import logging

from aiohttp import web

from sandbox.cloud.authority import MIRROR_HOST
from sandbox.cloud.direct import Direct
from sandbox.cloud.gateway import Gateway
from sandbox.cloud.hub_api import HubApi
from sandbox.cloud.mirror import MirrorRoute
from sandbox.cloud.refusal import Refusal, not_found
from sandbox.cloud.secrets import HOST as SECRETS_HOST
from sandbox.cloud.secrets import Secrets

_log = logging.getLogger(__name__)
# Larger than the gateway's own limit of 8 KB, so that it is the gateway that refuses.
HEADER_BYTES = 64 * 1024
_BODY_BYTES = 1 << 30


def application(
    *, gateway: Gateway, hub_api: HubApi, direct: Direct, secrets: Secrets, mirror: MirrorRoute
) -> web.Application:
    """The web application of the TLS port."""

    async def serve(request: web.Request, host: str) -> web.StreamResponse:
        if HubApi.serves(host, request.path):
            return await hub_api.handle(request, host)
        if Gateway.serves(host):
            return await gateway.handle(request, host)
        if Direct.serves(host):
            return await direct.handle(request, host)
        if host == SECRETS_HOST:
            return await secrets.handle(request)
        raise not_found(f"The sandbox's cloud does not serve https://{host}.")

    async def handle(request: web.Request) -> web.StreamResponse:
        host = request.host.partition(":")[0].lower()
        if host == MIRROR_HOST:
            return await mirror.handle(request)
        try:
            return await serve(request, host)
        except Refusal as refusal:
            _log.info("%s %s%s: %d %s", request.method, host, request.path, refusal.code, refusal.message)
            return web.json_response(refusal.body(), status=refusal.code)

    app = web.Application(client_max_size=_BODY_BYTES)
    app.router.add_route("*", "/{path:.*}", handle)
    return app
