"""The CONNECT proxy that gives the real names and addresses to the cloud's servers, and nothing else to
anybody.

Owns the list of names and where a caller is. Every other host is refused, so that nothing in the sandbox can
reach the network by accident. A caller is outside every network of Google Cloud unless it says with the
proxy's user name that it runs on the hub, as Argo CD's processes do; from there, private addresses of control
planes lead to the cluster that has them, under that cluster's own certificate.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hmac
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.cloud.authority import MIRROR_HOST
from sandbox.cloud.direct import Joined
from sandbox.cloud.reach import Unreachable, private

_log = logging.getLogger(__name__)
_CHUNK = 64 * 1024
_HEAD_SECONDS = 30
HUB_USER = "hub"


def allowed(host: str, port: int) -> bool:
    """Whether this name leads to the cloud from everywhere."""
    host = host.lower()
    return port == 443 and (host == MIRROR_HOST or host.endswith((".googleapis.com", ".gke.goog")))


@dataclass(frozen=True, kw_only=True)
class PrivateAddresses:
    """The way to private addresses. `password` is the hub's; `find` gives the id of the cluster at an address
    for a caller on the hub (True) or outside (False), or raises Unreachable; `tls` the context of a cluster
    (id) at an address; `port` on loopback serves them in plain HTTP, and is told in `joined` which connection
    is for which."""

    password: str
    find: Callable[[str, bool], str]
    tls: Callable[[str, str], ssl.SSLContext]
    port: int
    joined: Joined


class Proxy:
    """Accepts CONNECT and joins it to `front`, a port on loopback, or to a private address."""

    def __init__(self, front: int, addresses: PrivateAddresses) -> None:
        self._front = front
        self._addresses = addresses
        self._open: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection (the callback of asyncio.start_server)."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def close(self) -> None:
        """End every connection."""
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            try:
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_SECONDS)
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ConnectionError):
                return
            first, *lines = head.decode("latin-1").split("\r\n")
            words = first.split()
            method, target = (words[0], words[1]) if len(words) == 3 else ("", "")
            host, _, port = target.rpartition(":")
            inside = self._inside(lines)
            if inside is None:
                await _answer(writer, 407, "Proxy Authentication Required", "not this sandbox's hub\n")
            elif method == "CONNECT" and port == "443" and private(host):
                await self._private(reader, writer, host, inside)
            elif method == "CONNECT" and port.isdigit() and allowed(host, int(port)):
                await self._join(reader, writer)
            else:
                _log.warning("refused %s %s", method or "?", target)
                await _answer(writer, 403, "Forbidden", _refusal(target))

    def _inside(self, lines: list[str]) -> bool | None:
        """Whether a request comes from the hub; None if it claims to and cannot know."""
        given = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("proxy-auth")]
        if not given:
            return False
        try:
            sent = base64.b64decode(given[0].removeprefix("Basic "))
        except binascii.Error:
            return None
        expected = f"{HUB_USER}:{self._addresses.password}".encode()
        return True if hmac.compare_digest(sent, expected) else None

    async def _private(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, inside: bool
    ) -> None:
        try:
            cluster = self._addresses.find(address, inside)
        except Unreachable as error:
            _log.info("%s", error)
            # Clients put the status line's words into their error.
            await _answer(writer, 504, str(error), f"{error}\n")
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._addresses.port)
        own_port = far_writer.get_extra_info("sockname")[1]
        self._addresses.joined.clusters[own_port] = cluster
        try:
            with contextlib.closing(far_writer):
                writer.write(_ESTABLISHED)
                await writer.drain()
                await writer.start_tls(self._addresses.tls(cluster, address))
                await _exchange(reader, writer, far_reader, far_writer)
        except (ssl.SSLError, ConnectionError) as error:
            # The client does not trust the cluster's authority, or is gone.
            _log.info("%s: %s", address, error)
        finally:
            del self._addresses.joined.clusters[own_port]

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._front)
        except OSError:
            await _answer(writer, 502, "Bad Gateway", "")
            return
        with contextlib.closing(far_writer):
            writer.write(_ESTABLISHED)
            await _exchange(reader, writer, far_reader, far_writer)


_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


async def _exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    far_reader: asyncio.StreamReader,
    far_writer: asyncio.StreamWriter,
) -> None:
    """Pass everything both ways. One side that is done ends both: TLS has its own way to say goodbye."""
    ways = [
        asyncio.create_task(_pump(reader, far_writer)),
        asyncio.create_task(_pump(far_reader, writer)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()


async def _answer(writer: asyncio.StreamWriter, code: int, words: str, text: str) -> None:
    body = text.encode()
    head = (
        f"HTTP/1.1 {code} {words}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    with contextlib.suppress(ConnectionError):
        await writer.drain()


def _refusal(target: str) -> str:
    return (
        f"the sandbox's proxy leads to *.googleapis.com, *.gke.goog and {MIRROR_HOST} on port 443, and to "
        f"private addresses of control planes, not to {target or 'this'}\n"
    )
