"""The CONNECT proxy that gives the real names to the cloud's TLS port, and nothing else to anybody.

Owns the list of names. Every other host is refused, so that nothing in the sandbox can reach the network by
accident.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sandbox.cloud.authority import MIRROR_HOST

_log = logging.getLogger(__name__)
_CHUNK = 64 * 1024
_HEAD_SECONDS = 30


def allowed(host: str, port: int) -> bool:
    """Whether the proxy leads to this host and port."""
    host = host.lower()
    return port == 443 and (host == MIRROR_HOST or host.endswith((".googleapis.com", ".gke.goog")))


class Proxy:
    """Accepts CONNECT and joins it to `front`, a port on loopback."""

    def __init__(self, front: int) -> None:
        self._front = front
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
            words = head.split(b"\r\n", 1)[0].decode("latin-1").split()
            method, target = (words[0], words[1]) if len(words) == 3 else ("", "")
            host, _, port = target.rpartition(":")
            if method != "CONNECT" or not port.isdigit() or not allowed(host, int(port)):
                _log.warning("refused %s %s", method or "?", target)
                writer.write(_refusal(target))
                with contextlib.suppress(ConnectionError):
                    await writer.drain()
                return
            await self._join(reader, writer)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._front)
        except OSError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        with contextlib.closing(far_writer):
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ways = [
                asyncio.create_task(_pump(reader, far_writer)),
                asyncio.create_task(_pump(far_reader, writer)),
            ]
            try:
                # One side that is done ends both: TLS has its own way to say goodbye.
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()


def _refusal(target: str) -> bytes:
    body = (
        f"the sandbox's proxy leads to *.googleapis.com, *.gke.goog and {MIRROR_HOST} on port 443 only, "
        f"not to {target or 'this'}\n"
    ).encode()
    head = (
        f"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
