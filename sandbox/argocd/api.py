"""A small Kubernetes API client for the runner: read, create, and follow a list.

Owns the connection that an admin kubeconfig describes. Does not own what is done with the objects. The
generated client blocks a thread for each watch; the runner is one event loop.
"""

import base64
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

Object = dict[str, Any]

_WATCH_SECONDS = 300


@dataclass(frozen=True)
class Access:
    """What a kubeconfig's current context says: where the API server is, whom it trusts, who calls."""

    server: str
    authority: bytes
    certificate: bytes
    key: bytes

    @classmethod
    def read(cls, kubeconfig: Path) -> "Access":
        """Raises OSError, KeyError or ValueError where the file is not a kubeconfig with certificates."""
        config = yaml.safe_load(kubeconfig.read_text())
        context = _named(config["contexts"], config["current-context"])["context"]
        cluster = _named(config["clusters"], context["cluster"])["cluster"]
        user = _named(config["users"], context["user"])["user"]
        return cls(
            server=cluster["server"].rstrip("/"),
            authority=_content(cluster, "certificate-authority", kubeconfig),
            certificate=_content(user, "client-certificate", kubeconfig),
            key=_content(user, "client-key", kubeconfig),
        )

    def context(self) -> ssl.SSLContext:
        """The TLS settings for a connection."""
        made = ssl.create_default_context(cadata=self.authority.decode())
        # load_cert_chain reads files only.
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(self.certificate + b"\n" + self.key)
            pair.flush()
            made.load_cert_chain(pair.name)
        return made


def _named(entries: list[Object], name: str) -> Object:
    return next(entry for entry in entries if entry["name"] == name)


def _content(entry: Mapping[str, str], name: str, kubeconfig: Path) -> bytes:
    if f"{name}-data" in entry:
        return base64.b64decode(entry[f"{name}-data"])
    return (kubeconfig.parent / entry[name]).read_bytes()


class ApiError(Exception):
    """The API server said no. `status`: the HTTP status; 0 where it could not be reached."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """The API server of one cluster. Use as an async context manager."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Api":
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self.access.context()), timeout=aiohttp.ClientTimeout(total=30)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str) -> Object:
        """The object or list at `path`. Raises ApiError."""
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: Object) -> Object:
        """What the API server made of `body`. Raises ApiError."""
        return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: Object | None) -> Object:
        assert self._session is not None
        try:
            async with self._session.request(method, self.access.server + path, json=body) as answer:
                said = await answer.json(content_type=None)
                if answer.status >= 400:
                    raise ApiError(answer.status, str((said or {}).get("message", answer.reason)))
                assert isinstance(said, dict)
                return said
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ApiError(0, f"{self.access.server}: {error}") from error

    async def follow(self, path: str) -> AsyncIterator[dict[str, Object]]:
        """The objects of the list at `path`, by name, first as they are and again after each change.

        Ends where the watch has to begin anew, with ApiError where the server cannot be asked.
        """
        listed = await self.get(path)
        known = {one["metadata"]["name"]: one for one in listed["items"]}
        yield known
        version = listed["metadata"]["resourceVersion"]
        query = f"{path}?watch=1&resourceVersion={version}&timeoutSeconds={_WATCH_SECONDS}"
        assert self._session is not None
        try:
            async with self._session.get(
                self.access.server + query, timeout=aiohttp.ClientTimeout(total=None, sock_connect=10)
            ) as stream:
                async for event in _events(stream):
                    if event["type"] == "ERROR":
                        return
                    one = event["object"]
                    if event["type"] == "DELETED":
                        known.pop(one["metadata"]["name"], None)
                    else:
                        known[one["metadata"]["name"]] = one
                    yield known
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise ApiError(0, f"{self.access.server}: {error}") from error


async def _events(stream: aiohttp.ClientResponse) -> AsyncIterator[Object]:
    """The JSON documents of a watch, one a line; a line may be longer than a reader's buffer."""
    rest = b""
    async for part in stream.content.iter_any():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            if line.strip():
                yield json.loads(line)
