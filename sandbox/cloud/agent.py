"""The Connect agent of a cluster: the way of the gateway into clusters that are not Google's.

The real agent is a Deployment in the cluster that holds a tunnel to the gateway open and puts each request to
the API server as its own ServiceAccount, `gke-connect/connect-agent-sa`, impersonating the caller. What it
may impersonate is that cluster's RBAC, so a missing ClusterRole shows as the API server's own 403. Owns that
identity: a token which the cluster gives for the ServiceAccount, and a client that carries nothing else.
Where the ServiceAccount is gone, so is the agent.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from sandbox.cloud.external import AGENT, NAMESPACE
from sandbox.cloud.machines import Links, Machines

_TOKEN_SECONDS = 3600
# A new one well before the end; often enough that an agent which was uninstalled is noticed.
_KEEP_SECONDS = 300.0


class AgentLost(Exception):
    """No agent answers for the cluster."""


@dataclass(frozen=True, kw_only=True)
class Agent:
    """An agent that answers: the API server's URL, a client for it without any right of its own, and the
    token (of the agent's ServiceAccount) that belongs in `Authorization`."""

    server: str
    session: aiohttp.ClientSession
    token: str


class Agents:
    """The agents, by machine."""

    def __init__(self, machines: Machines, links: Links, now: Callable[[], float] = time.monotonic) -> None:
        self._machines = machines
        self._links = links
        self._now = now
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._tokens: dict[str, tuple[str, float]] = {}

    async def open(self, machine: str) -> Agent:
        """The agent of a machine. Raises AgentLost, ClusterFailure and aiohttp.ClientConnectionError."""
        server, admin = self._links.open(machine)
        token, until = self._tokens.get(machine, ("", 0.0))
        if self._now() >= until:
            token = await _token(server, admin)
            self._tokens[machine] = token, self._now() + _KEEP_SECONDS
        if machine not in self._sessions:
            self._sessions[machine] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=_trust(self._machines.tls(machine))),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        return Agent(server=server, session=self._sessions[machine], token=token)

    def forget(self, machine: str) -> None:
        """Ask for a new token at the next request: the cluster no longer takes this one."""
        self._tokens.pop(machine, None)

    async def close(self, machine: str) -> None:
        """End the connections to one machine."""
        self.forget(machine)
        if machine in self._sessions:
            await self._sessions.pop(machine).close()

    async def close_all(self) -> None:
        """End every connection."""
        await asyncio.gather(*(self.close(machine) for machine in list(self._sessions)))


async def _token(server: str, admin: aiohttp.ClientSession) -> str:
    """A token of the agent's ServiceAccount, asked for with the administrator's rights."""
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{AGENT}/token"
    asked = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": _TOKEN_SECONDS},
    }
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    async with admin.post(server + path, json=asked, headers=headers) as answer:
        if answer.status != 201:
            raise AgentLost(f"{NAMESPACE}/{AGENT}: {answer.status} {await answer.text()}")
        return str((await answer.json())["status"]["token"])


def _trust(admin: ssl.SSLContext | None) -> ssl.SSLContext | bool:
    """What the administrator's client trusts, without its certificate: that would be the stronger
    identity."""
    if admin is None:
        return True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for certificate in admin.get_ca_certs(binary_form=True):
        context.load_verify_locations(cadata=certificate)
    return context
