"""The clusters behind the cloud's GKE clusters, and the way to their API servers.

Owns which Kubernetes a GKE cluster is, in the cloud's terms; starting and ending the processes is
`sandbox.clusters`'. A protocol stands between, so that refusals can be tested without an API server.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from sandbox import clusters
from sandbox.cloud import authorizer


class Machines(Protocol):
    """Clusters by machine name. The first five block for seconds; they are called in a thread."""

    def create(self, machine: str) -> None: ...
    def start(self, machine: str) -> None: ...
    def delete(self, machine: str) -> None: ...
    def set_nodes(self, machine: str, pool: str, nodes: Sequence[Mapping[str, Any]]) -> None: ...
    def apply(self, machine: str, objects: Sequence[Mapping[str, Any]]) -> None: ...
    def running(self) -> list[str]: ...
    def kubeconfig(self, machine: str) -> Path: ...
    def server(self, machine: str) -> str: ...
    def tls(self, machine: str) -> ssl.SSLContext | None: ...


class KwokMachines:
    """Real API servers below one state folder."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def create(self, machine: str) -> None:
        """Start a cluster without nodes and bind IAM's groups in it. Raises ClusterFailure."""
        clusters.create(self._state, machine, nodes=0)
        clusters.apply(self._state, machine, authorizer.objects())

    def start(self, machine: str) -> None:
        """Start a stopped cluster again. Raises ClusterFailure."""
        clusters.start(self._state, machine)

    def delete(self, machine: str) -> None:
        """End a cluster and remove its data."""
        clusters.delete(self._state, machine)

    def set_nodes(self, machine: str, pool: str, nodes: Sequence[Mapping[str, Any]]) -> None:
        """Give a node pool just these nodes (Node objects). Raises ClusterFailure."""
        clusters.set_nodes(self._state, machine, pool, nodes)

    def apply(self, machine: str, objects: Sequence[Mapping[str, Any]]) -> None:
        """Put objects into a cluster as its administrator. Raises ClusterFailure."""
        clusters.apply(self._state, machine, objects)

    def running(self) -> list[str]:
        """The machines whose API server lives."""
        return clusters.running(self._state)

    def kubeconfig(self, machine: str) -> Path:
        """The administrator's kubeconfig."""
        return clusters.kubeconfig(self._state, machine)

    def server(self, machine: str) -> str:
        """The API server's URL. Raises ClusterFailure."""
        return clusters.server(self._state, machine)

    def tls(self, machine: str) -> ssl.SSLContext | None:
        """The administrator's TLS context."""
        return clusters.admin_tls(self._state, machine)


class Links:
    """One HTTP client per machine, with the administrator's rights; made when first needed."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines
        self._sessions: dict[str, tuple[str, aiohttp.ClientSession]] = {}

    def open(self, machine: str) -> tuple[str, aiohttp.ClientSession]:
        """The API server's URL and a client for it. Raises ClusterFailure if there is no such machine."""
        if machine not in self._sessions:
            server, tls = self._machines.server(machine), self._machines.tls(machine)
            connector = aiohttp.TCPConnector(limit=0, ssl=tls if tls is not None else True)
            session = aiohttp.ClientSession(
                connector=connector,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                # No time limit on the whole: a watch lasts as long as its client wants.
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
            self._sessions[machine] = (server, session)
        return self._sessions[machine]

    async def close(self, machine: str) -> None:
        """End the connections to one machine."""
        if machine in self._sessions:
            _, session = self._sessions.pop(machine)
            await session.close()

    async def close_all(self) -> None:
        """End every connection."""
        await asyncio.gather(*(self.close(machine) for machine in list(self._sessions)))
