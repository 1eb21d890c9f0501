"""The one TLS port behind every real name: tells the names apart and gives each to its server.

Owns the dispatch by Host and the JSON form of refusals. TLS itself and the certificate are `authority`'s.
"""

from __future__ import annotations

import logging

from aiohttp import web

from sandbox.cloud.authority import MIRROR_HOST
from sandbox.cloud.gateway import Gateway
from sandbox.cloud.mirror import MirrorRoute
from sandbox.cloud.refusal import Refusal, not_found

_log = logging.getLogger(__name__)
# Larger than the gateway's own limit of 8 KB, so that it is the gateway that refuses.
HEADER_BYTES = 64 * 1024
_BODY_BYTES = 1 << 30


def application(gateway: Gateway, mirror: MirrorRoute) -> web.Application:
    """The web application of the TLS port."""

    async def handle(request: web.Request) -> web.StreamResponse:
        host = request.host.partition(":")[0].lower()
        if host == MIRROR_HOST:
            return await mirror.handle(request)
        try:
            if not Gateway.serves(host):
                raise not_found(f"The sandbox's cloud does not serve https://{host}.")
            return await gateway.handle(request, host)
        except Refusal as refusal:
            _log.info("%s %s%s: %d %s", request.method, host, request.path, refusal.code, refusal.message)
            return web.json_response(refusal.body(), status=refusal.code)

    app = web.Application(client_max_size=_BODY_BYTES)
    app.router.add_route("*", "/{path:.*}", handle)
    return app
