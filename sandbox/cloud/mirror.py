"""The way to the mirror of charts and Git repositories under its one HTTPS name.

Owns passing requests on to the plain HTTP server that was registered; what it serves is the mirror's. The
fault switch `mirror` answers a status for every path below a prefix instead: a repository that is gone.
"""

from __future__ import annotations

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from sandbox.cloud.authority import MIRROR_HOST
from sandbox.cloud.faults import FaultSwitches

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "content-length",
    }
)


class MirrorRoute:
    """Handles every request to the mirror's host. `url` is the mirror's base URL, "" until one is
    registered.
    """

    def __init__(self, faults: FaultSwitches, url: str = "") -> None:
        self.url = url
        self._faults = faults
        self._session: aiohttp.ClientSession | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Pass one request on and its answer back, piece by piece."""
        path = request.raw_path.lstrip("/")
        for prefix, status in self._faults.current.mirror.items():
            if path.startswith(prefix.strip("/")):
                return web.Response(status=status, text=f"{prefix}: gone, by a fault switch of the sandbox\n")
        if not self.url:
            return web.Response(status=503, text="no mirror is registered with the sandbox's cloud yet\n")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            )
        headers = CIMultiDict(
            (name, value) for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP
        )
        headers["X-Forwarded-Host"] = MIRROR_HOST
        headers["X-Forwarded-Proto"] = "https"
        body = await request.read() if request.can_read_body else None
        try:
            async with self._session.request(
                request.method,
                URL(f"{self.url.rstrip('/')}/{path}", encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
            ) as upstream:
                response = web.StreamResponse(status=upstream.status, reason=upstream.reason)
                for name, value in upstream.headers.items():
                    if name.lower() not in _HOP_BY_HOP:
                        response.headers.add(name, value)
                response.content_length = upstream.content_length
                if upstream.content_length is None:
                    response.enable_chunked_encoding()
                await response.prepare(request)
                async for piece in upstream.content.iter_any():
                    await response.write(piece)
                await response.write_eof()
                return response
        except aiohttp.ClientConnectionError as error:
            return web.Response(status=502, text=f"the mirror at {self.url} does not answer: {error}\n")

    async def close(self) -> None:
        """End the connections to the mirror."""
        if self._session is not None:
            await self._session.close()
