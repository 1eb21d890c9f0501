"""The endpoints that a cluster has of its own: the DNS endpoint and the private address of its control plane.

Owns what is asked before a request goes to the API server. At both, the caller's access token makes it the
user that it would be through the gateway, and RBAC decides, with IAM as second authorizer; neither costs the
gateway's budget. The DNS endpoint (`gke-ID-NUMBER.REGION.gke.goog`) asks for `container.clusters.connect` on
the cluster's project, and for external traffic to be allowed
(https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation). The private address asks for
nothing but to be reached, which is `reach`'s, and is served under the cluster's own authority.

The texts of the DNS endpoint's refusals are not documented; they follow those of other Google APIs.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from sandbox.cloud import kubepath
from sandbox.cloud.authority import DNS_DOMAIN
from sandbox.cloud.budget import Budget
from sandbox.cloud.faults import ClusterFault, FaultSwitches
from sandbox.cloud.forward import (
    NotAuthenticated,
    abort,
    authenticated,
    bearer,
    bridge,
    forward,
    impersonation,
    refuse_impersonation,
    target,
    unavailable,
)
from sandbox.cloud.iam import Iam
from sandbox.cloud.machines import Links
from sandbox.cloud.memberships import CLUSTER
from sandbox.cloud.organization import Organization
from sandbox.cloud.refusal import Refusal, denied, invalid, not_found
from sandbox.cloud.store import Record, Store
from sandbox.cloud.tokens import Tokens
from sandbox.clusters import ClusterFailure

_log = logging.getLogger(__name__)
_CONNECT = "container.clusters.connect"


@dataclass
class Joined:
    """Which connections of the port for private addresses the proxy made: local port -> id of the cluster
    that the client was let through to. Nothing but the proxy's own connections is served there."""

    clusters: dict[int, str] = field(default_factory=dict)


class Direct:
    """Handles every request to an endpoint of a cluster."""

    def __init__(
        self,
        *,
        store: Store,
        organization: Organization,
        iam: Iam,
        tokens: Tokens,
        faults: FaultSwitches,
        links: Links,
        budget: Budget,
        joined: Joined,
    ) -> None:
        self._store = store
        self._organization = organization
        self._iam = iam
        self._tokens = tokens
        self._faults = faults
        self._links = links
        self._budget = budget
        self._joined = joined

    @staticmethod
    def serves(host: str) -> bool:
        """Whether a host name is that of a DNS endpoint."""
        return host.endswith(f".{DNS_DOMAIN}")

    async def handle(self, request: web.Request, host: str) -> web.StreamResponse:
        """Answer one request to a DNS endpoint. Raises Refusal for Google's errors; Kubernetes' pass
        through."""
        caller = authenticated(request, self._tokens)
        cluster = self._of_host(host)
        settings = (cluster.inputs.get("controlPlaneEndpointsConfig") or {}).get("dnsEndpointConfig") or {}
        if not settings.get("allowExternalTraffic"):
            raise denied(f"The DNS-based endpoint of {cluster.id} does not allow external traffic.")
        project = self._organization.project(str(cluster.inputs["project"])).id
        if not self._iam.may(caller, _CONNECT, project):
            raise denied(
                f"Permission '{_CONNECT}' denied on resource '{cluster.id}' (or it may not exist).",
                _CONNECT,
                cluster.id,
            )
        return await self._counted(request, cluster, caller, "dns")

    def application(self) -> web.Application:
        """The web application of the port for private addresses."""
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._private)
        return app

    async def _private(self, request: web.Request) -> web.StreamResponse:
        peer = request.transport.get_extra_info("peername") if request.transport is not None else None
        cluster = self._store.get(CLUSTER, self._joined.clusters.get(peer[1], "") if peer else "")
        if cluster is None or cluster.state != "RUNNING":
            abort(request)
            return web.Response(status=503)
        caller = bearer(request, self._tokens)
        if caller is None:
            return _status(401, "Unauthorized", "Unauthorized")
        try:
            return await self._counted(request, cluster, caller, "private")
        except Refusal as refusal:
            _log.info("%s %s: %d %s", cluster.id, request.path, refusal.code, refusal.message)
            return _status(refusal.code, refusal.status, refusal.message)

    async def _counted(
        self, request: web.Request, cluster: Record, caller: str, kind: str
    ) -> web.StreamResponse:
        place = f"{kind} {cluster.id}"
        path, _, query = request.raw_path.partition("?")
        self._budget.begun_direct(place, kubepath.verb(request.method, path, query), caller)
        how = "client gone"
        try:
            response = await self._answer(request, cluster, caller)
            how = str(response.status)
            return response
        except Refusal as refusal:
            how = str(refusal.code)
            raise
        finally:
            self._budget.ended_direct(place, how)

    async def _answer(self, request: web.Request, cluster: Record, caller: str) -> web.StreamResponse:
        fault = self._faults.current.clusters.get(str(cluster.inputs["name"]), ClusterFault())
        if fault.slow:
            await asyncio.sleep(fault.slow)
        if fault.down:
            abort(request)
            return web.Response(status=503)
        if fault.status:
            raise Refusal(fault.status, "UNKNOWN", "a fault switch of the sandbox is on")
        refuse_impersonation(request)
        try:
            server, session = self._links.open(cluster.machine)
        except ClusterFailure as error:
            raise unavailable() from error
        path, _, query = request.raw_path.partition("?")
        groups = ["system:authenticated", *self._iam.kubernetes_groups(caller, cluster)]
        headers = impersonation(request, caller, groups)
        upgrade = request.headers.get("Upgrade", "").lower()
        if upgrade not in ("", "websocket"):
            raise invalid(f"The sandbox carries WebSocket streams; {upgrade} is not supported.")
        try:
            if upgrade:
                return await bridge(request, session, target(server, path, query), headers)
            return await forward(request, session, target(server, path, query), headers)
        except (aiohttp.ClientConnectionError, NotAuthenticated) as error:
            _log.warning("%s does not answer: %r", cluster.id, error)
            raise unavailable() from error

    def _of_host(self, host: str) -> Record:
        for record in self._store.of(CLUSTER):
            endpoints = record.outputs.get("controlPlaneEndpointsConfig") or {}
            endpoint = (endpoints.get("dnsEndpointConfig") or {}).get("endpoint")
            if record.state == "RUNNING" and endpoint == host:
                return record
        raise not_found(f"No cluster has the DNS endpoint {host}.")


def _status(code: int, reason: str, message: str) -> web.Response:
    """An error as an API server itself answers it."""
    document = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    return web.json_response(document, status=code)
