"""Connect Gateway: the one way for identities to the API servers of the fleet's members.

Owns URL forms, authentication, IAM, budget, faults and who the caller is behind it. Sources: the gateway's
documentation and gcloud's client for URLs, permissions and limits; error texts of the data path are not
documented, so they follow the GKE Hub API's.

A GKE cluster (`gkeMemberships`) sees the caller itself: its roles on the cluster's project travel as
Kubernetes groups (see authorizer.py), beside its Google groups where the cluster takes those into account;
everything else is decided by the member's own RBAC. A cluster elsewhere (`memberships`) sees its Connect
agent impersonate the caller (see agent.py). The name of a direct principal inside a cluster is its whole
`principal://` URI: a hypothesis, documented for other pools only.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from yarl import URL

from sandbox.cloud import kubepath
from sandbox.cloud.agent import AgentLost, Agents
from sandbox.cloud.budget import Budget
from sandbox.cloud.faults import FaultSwitches, MembershipFault
from sandbox.cloud.forward import (
    NotAuthenticated,
    abort,
    authenticated,
    bridge,
    forward,
    impersonation,
    refuse_impersonation,
    target,
    unavailable,
)
from sandbox.cloud.iam import Iam
from sandbox.cloud.machines import Links
from sandbox.cloud.memberships import CLUSTER, Membership, memberships
from sandbox.cloud.organization import Organization, Project
from sandbox.cloud.refusal import Refusal, api_disabled, denied, invalid, not_found, unauthenticated
from sandbox.cloud.store import Record, Store
from sandbox.cloud.tokens import Tokens
from sandbox.clusters import ClusterFailure

_log = logging.getLogger(__name__)
_HOST = "connectgateway.googleapis.com"
_SERVICE = "connectgateway.googleapis.com"
_PATH = re.compile(
    r"/(?P<version>v1|v1beta1|v1alpha1)/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
    r"/(?P<collection>gkeMemberships|memberships)/(?P<membership>[^/:]+)(?P<path>/.*)?"
)
_MAX_HEADER_BYTES = 8 * 1024


@dataclass(frozen=True, kw_only=True)
class _Call:
    """A request that was read and whose caller is known."""

    request: web.Request
    account: str
    project: Project
    location: str
    collection: str
    membership: str
    path: str
    query: str
    upgrade: str

    @property
    def verb(self) -> str:
        return kubepath.verb(self.request.method, self.path, self.query)


class _Dropped(Exception):
    """The connection ends without an answer."""


class Gateway:
    """Handles every request to a `connectgateway.googleapis.com` host."""

    def __init__(
        self,
        *,
        store: Store,
        organization: Organization,
        iam: Iam,
        tokens: Tokens,
        faults: FaultSwitches,
        links: Links,
        agents: Agents,
        budget: Budget,
    ) -> None:
        self._store = store
        self._organization = organization
        self._iam = iam
        self._tokens = tokens
        self._faults = faults
        self._links = links
        self._agents = agents
        self._budget = budget

    @staticmethod
    def serves(host: str) -> bool:
        """Whether a host name is one of the gateway's."""
        return host == _HOST or host.endswith(f"-{_HOST}")

    async def handle(self, request: web.Request, host: str) -> web.StreamResponse:
        """Answer one request. Raises Refusal for Google's errors; those of Kubernetes pass through."""
        call = self._read(request)
        self._budget.begun(call.membership, call.verb, call.account)
        how = "client gone"
        try:
            response = await self._answer(call, host)
            how = str(response.status)
            return response
        except Refusal as refusal:
            how = str(refusal.code)
            raise
        except _Dropped:
            how = "dropped"
            abort(request)
            return web.Response(status=503)
        finally:
            self._budget.ended(call.membership, how)

    def _read(self, request: web.Request) -> _Call:
        if sum(len(name) + len(value) + 4 for name, value in request.raw_headers) > _MAX_HEADER_BYTES:
            raise Refusal(431, "INVALID_ARGUMENT", "Request header fields are larger than 8 KB.")
        account = authenticated(request, self._tokens)
        path, _, query = request.raw_path.partition("?")
        match = _PATH.fullmatch(path)
        if match is None:
            raise not_found(f"The requested URL {path} was not found on this server.")
        return _Call(
            request=request,
            account=account,
            project=self._organization.project(match["project"]),
            location=match["location"],
            collection=match["collection"],
            membership=match["membership"],
            path=match["path"] or "/",
            query=query,
            upgrade=request.headers.get("Upgrade", "").lower(),
        )

    async def _answer(self, call: _Call, host: str) -> web.StreamResponse:
        self._admit(call)
        await self._fault(call)
        permission = kubepath.gateway_permission(call.request.method, call.path, upgrade=bool(call.upgrade))
        if not self._iam.may(call.account, permission, call.project.id):
            name = f"projects/{call.project.number}/locations/{call.location}/memberships/{call.membership}"
            raise denied(
                f"Permission '{permission}' denied on resource '{name}' (or it may not exist).",
                permission,
                name,
            )
        member = self._member(call, host)
        try:
            if member.collection == "memberships":
                return await self._through_agent(call, member)
            return await self._to_cluster(call, self._running(call, member))
        except (ClusterFailure, aiohttp.ClientConnectionError, NotAuthenticated) as error:
            _log.warning("%s does not answer: %r", member.name, error)
            raise unavailable() from error

    async def _to_cluster(self, call: _Call, cluster: Record) -> web.StreamResponse:
        """To a GKE cluster: with the caller's identity, its roles there and its groups."""
        server, session = self._links.open(cluster.machine)
        groups = ["system:authenticated", *self._iam.kubernetes_groups(call.account, cluster)]
        headers = impersonation(call.request, call.account, groups)
        url = target(server, call.path, call.query)
        return await self._send(call, session, url, headers, authorizer=True)

    async def _through_agent(self, call: _Call, member: Membership) -> web.StreamResponse:
        """To a cluster elsewhere: as its agent, which impersonates the caller if it may. Such a cluster knows
        neither roles on a project nor Google's groups."""
        if not member.machine:
            raise _agent_lost(call)
        try:
            agent = await self._agents.open(member.machine)
            headers = impersonation(call.request, call.account, ())
            headers["Authorization"] = f"Bearer {agent.token}"
            url = target(agent.server, call.path, call.query)
            return await self._send(call, agent.session, url, headers, authorizer=False)
        except (AgentLost, NotAuthenticated) as error:
            self._agents.forget(member.machine)
            _log.warning("%s: %s", member.name, error)
            raise _agent_lost(call) from error

    def _admit(self, call: _Call) -> None:
        project = call.project
        if _SERVICE not in project.apis | self._store.enabled(project.id):
            raise api_disabled(_SERVICE, project.number)
        if not self._budget.spend(project.id, self._faults.current.requests_per_minute):
            raise _exhausted("Requests per minute", project.number)
        refuse_impersonation(call.request)

    async def _fault(self, call: _Call) -> None:
        fault = self._faults.current.memberships.get(call.membership, MembershipFault())
        if fault.slow:
            await asyncio.sleep(fault.slow)
        if fault.down:
            raise _Dropped
        if fault.agent_lost:
            raise _agent_lost(call)
        if fault.status == 401:
            raise unauthenticated()
        if fault.status == 403:
            raise denied("The caller does not have permission")
        if fault.status == 404:
            raise _no_membership(call)
        if fault.status == 429:
            raise _exhausted("Requests per minute", call.project.number)

    def _member(self, call: _Call, host: str) -> Membership:
        """The membership behind the URL. It answers under its own location, host and collection only."""
        right_host = _HOST if call.location == "global" else f"{call.location}-{_HOST}"
        for member in memberships(self._store, self._organization):
            if (member.host, member.location, member.id) == (call.project.id, call.location, call.membership):
                if host != right_host or call.collection != member.collection:
                    raise _no_membership(call)
                return member
        raise _no_membership(call)

    def _running(self, call: _Call, member: Membership) -> Record:
        record = self._store.get(CLUSTER, member.cluster)
        if record is None or record.state != "RUNNING":
            raise _no_membership(call)
        return record

    async def _send(
        self,
        call: _Call,
        session: aiohttp.ClientSession,
        url: URL,
        headers: Mapping[str, str],
        *,
        authorizer: bool,
    ) -> web.StreamResponse:
        if not call.upgrade:
            return await forward(call.request, session, url, headers, authorizer=authorizer)
        if call.upgrade != "websocket":
            raise invalid(f"The gateway carries WebSocket streams; {call.upgrade} is not supported.")
        if not self._budget.open_stream(call.project.id, self._faults.current.streams):
            raise _exhausted("Active streams", call.project.number)
        try:
            return await bridge(call.request, session, url, headers)
        finally:
            self._budget.close_stream(call.project.id)


def _agent_lost(call: _Call) -> Refusal:
    return not_found(
        "cannot connect to agent or connection unexpectedly terminated for (project: "
        f"{call.project.number}, membership: {call.membership})"
    )


def _no_membership(call: _Call) -> Refusal:
    name = f"projects/{call.project.number}/locations/{call.location}/{call.collection}/{call.membership}"
    return not_found(f"Resource '{name}' was not found")


def _exhausted(metric: str, number: str) -> Refusal:
    return Refusal(
        429,
        "RESOURCE_EXHAUSTED",
        f"Quota exceeded for quota metric '{metric}' of service '{_SERVICE}' "
        f"for consumer 'project_number:{number}'.",
        reason="RATE_LIMIT_EXCEEDED",
        metadata={"consumer": f"projects/{number}", "service": _SERVICE},
    )
