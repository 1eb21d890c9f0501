"""The control API: what the resource provider of the sandbox, the commands and the tests ask of the cloud.

Owns the HTTP form (JSON on loopback, `Authorization: Bearer TOKEN`). A request acts as who it names in `as` (an
e-mail), by default as the organization file's `identity`; whoever holds the token may be anybody.
Paths and documents are listed in `_routes`; errors have the form `{"error": {"code", "status", "message"}}`
and Google's words.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from sandbox.cloud.budget import Budget
from sandbox.cloud.faults import FaultSwitches
from sandbox.cloud.federation import Federation
from sandbox.cloud.iam import Iam
from sandbox.cloud.machines import Machines
from sandbox.cloud.memberships import CLUSTER
from sandbox.cloud.organization import Organization
from sandbox.cloud.refusal import Refusal, denied, invalid, unauthenticated
from sandbox.cloud.resources import Resources
from sandbox.cloud.store import Record
from sandbox.cloud.tokens import Tokens

_log = logging.getLogger(__name__)
Handler = Callable[[dict[str, Any]], Awaitable[Any]]
_BODY_BYTES = 64 << 20


class Control:
    """The control API. `metadata` opens a metadata server for (namespace, name, cluster), "" for the hub, and
    returns its host:port; `mirror` takes the mirror's base URL; `token` is the bearer token that opens all of it."""

    def __init__(
        self,
        *,
        token: str,
        resources: Resources,
        machines: Machines,
        organization: Organization,
        iam: Iam,
        federation: Federation,
        tokens: Tokens,
        faults: FaultSwitches,
        budget: Budget,
        metadata: Callable[[str, str, str], Awaitable[str]],
        mirror: Callable[[str], None],
    ) -> None:
        self._token = token
        self._resources = resources
        self._machines = machines
        self._organization = organization
        self._iam = iam
        self._federation = federation
        self._tokens = tokens
        self._faults = faults
        self._budget = budget
        self._metadata = metadata
        self._mirror = mirror

    def application(self) -> web.Application:
        """The web application of the control port."""
        app = web.Application(client_max_size=_BODY_BYTES)
        for (method, path), handler in self._routes().items():
            app.router.add_route(method, path, self._wrap(handler))
        return app

    def _routes(self) -> dict[tuple[str, str], Handler]:
        return {
            # `as` may be in each of the first five.
            ("POST", "/v1/create"): self._create,  # {type, inputs} -> {id, outputs}
            ("POST", "/v1/read"): self._read,  # {type, id} -> {id, inputs, outputs}
            ("POST", "/v1/update"): self._update,  # {type, id, inputs} -> {outputs}
            ("POST", "/v1/delete"): self._delete,  # {type, id} -> {}
            ("POST", "/v1/permitted"): self._permitted,  # {permission, project, resource?} -> {permitted}
            ("POST", "/v1/external"): self._external,  # {name, location} -> {id, kubeconfig}
            ("POST", "/v1/token"): self._issue,  # {account} -> {access_token, expires_in}
            (
                "POST",
                "/v1/federate",
            ): self._federate,  # {provider, claims, account?} -> {subject, access_token, ...}
            ("POST", "/v1/metadata"): self._open_metadata,  # {namespace, serviceAccount, cluster?} -> {host}
            ("POST", "/v1/mirror"): self._register_mirror,  # {url} -> {}
            (
                "GET",
                "/v1/clusters",
            ): self._clusters,  # [{name, project, location, kubeconfig, state, hub, conditions}]
            ("POST", "/v1/faults"): self._set_faults,  # switches -> all switches
            ("GET", "/v1/faults"): self._get_faults,
            ("GET", "/v1/requests"): self._requests,  # the gateway's counters
            ("GET", "/v1/health"): self._health,  # {status, clusters, operations}
        }

    def _wrap(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            try:
                given = request.headers.get("Authorization", "").removeprefix("Bearer ")
                if not hmac.compare_digest(given.encode(), self._token.encode()):
                    raise unauthenticated()
                return web.json_response(await handler(await _document(request)))
            except Refusal as refusal:
                _log.info("%s: %d %s", request.path, refusal.code, refusal.message)
                return web.json_response(refusal.body(), status=refusal.code)
            except Exception as error:  # noqa: BLE001 - one bad request must not end the cloud
                _log.exception("%s failed", request.path)
                return web.json_response(
                    Refusal(500, "INTERNAL", str(error) or repr(error)).body(), status=500
                )

        return handle

    async def _create(self, asked: dict[str, Any]) -> Any:
        record = await self._resources.create(
            self._caller(asked), _string(asked, "type"), _mapping(asked, "inputs")
        )
        return {"id": record.id, "outputs": record.outputs}

    async def _read(self, asked: dict[str, Any]) -> Any:
        record = await self._resources.read(self._caller(asked), _string(asked, "type"), _string(asked, "id"))
        return {"id": record.id, "inputs": record.inputs, "outputs": record.outputs}

    async def _update(self, asked: dict[str, Any]) -> Any:
        record = await self._resources.update(
            self._caller(asked), _string(asked, "type"), _string(asked, "id"), _mapping(asked, "inputs")
        )
        return {"outputs": record.outputs}

    async def _delete(self, asked: dict[str, Any]) -> Any:
        await self._resources.delete(self._caller(asked), _string(asked, "type"), _string(asked, "id"))
        return {}

    async def _permitted(self, asked: dict[str, Any]) -> Any:
        """What `testIamPermissions` answers: for services that the sandbox does not have, such as Cloud Storage."""
        project = self._organization.project(_string(asked, "project")).id
        resource = str(asked.get("resource", ""))
        caller = self._caller(asked)
        return {"permitted": self._iam.may(caller, _string(asked, "permission"), project, resource)}

    async def _external(self, asked: dict[str, Any]) -> Any:
        record = await self._resources.add_external(_string(asked, "name"), _string(asked, "location"))
        return {"id": record.id, "kubeconfig": str(self._machines.kubeconfig(record.machine))}

    async def _issue(self, asked: dict[str, Any]) -> Any:
        account = _string(asked, "account")
        made = self._iam.account(account)
        # What bootstrap made, people log in as; every other account is a workload's.
        by_owner = made is not None and made.creator == self._organization.owner
        people = {self._organization.owner, *self._organization.people()}
        if account not in people and not by_owner:
            raise denied(
                "The control API gives tokens of the organization's people and of accounts that its owner made "
                f"for them; others come from the metadata server. Not permitted: {account}."
            )
        return asdict(self._tokens.issue(account))

    async def _federate(self, asked: dict[str, Any]) -> Any:
        account = _string(asked, "account") if "account" in asked else None
        provider, claims = _string(asked, "provider"), _mapping(asked, "claims")
        subject = self._federation.subject(provider, claims, account)
        return {"subject": subject, **asdict(self._tokens.issue(subject))}

    async def _open_metadata(self, asked: dict[str, Any]) -> Any:
        namespace, name = _string(asked, "namespace"), _string(asked, "serviceAccount")
        return {"host": await self._metadata(namespace, name, str(asked.get("cluster") or ""))}

    async def _register_mirror(self, asked: dict[str, Any]) -> Any:
        url = _string(asked, "url")
        if not url.startswith("http://127.0.0.1:"):
            raise invalid(f"url: the mirror listens on http://127.0.0.1:PORT, not on {url}")
        self._mirror(url)
        return {}

    async def _clusters(self, _: dict[str, Any]) -> Any:
        running = set(await asyncio.to_thread(self._machines.running))
        return [self._describe(record, running) for record in self._resources.machines()]

    def _describe(self, record: Record, running: set[str]) -> dict[str, Any]:
        ours = record.type == CLUSTER
        return {
            "name": record.inputs["name" if ours else "membershipId"],
            "project": record.inputs["project"],
            "location": record.inputs["location"],
            "kubeconfig": str(self._machines.kubeconfig(record.machine)),
            "state": self._state(record, record.machine in running),
            "hub": ours and is_hub(record),
            "conditions": self._resources.conditions(record) if ours and record.state == "RUNNING" else [],
        }

    def _state(self, record: Record, running: bool) -> str:
        if record.state != "RUNNING" or running:
            return record.state
        return "PROVISIONING" if self._resources.busy(record.type, record.id) else "STOPPED"

    def _caller(self, asked: dict[str, Any]) -> str:
        """Who a request acts as. Raises Refusal (401) for an account that is not there."""
        caller = str(asked.get("as") or self._organization.deployer)
        people = {self._organization.owner, *self._organization.people()}
        if caller not in people and not (self._iam.account(caller) and self._iam.usable(caller)):
            raise Refusal(
                401, "UNAUTHENTICATED", f"Invalid grant: account not found ({caller}). Remedy: ./fleet up"
            )
        return caller

    async def _set_faults(self, asked: dict[str, Any]) -> Any:
        self._faults.set(asked)
        _log.info("faults: %s", self._faults.describe())
        return self._faults.describe()

    async def _get_faults(self, _: dict[str, Any]) -> Any:
        return self._faults.describe()

    async def _requests(self, _: dict[str, Any]) -> Any:
        return self._budget.describe()

    async def _health(self, _: dict[str, Any]) -> Any:
        return {
            "status": "ok",
            "clusters": len(self._resources.clusters()),
            "operations": self._resources.operations(),
        }


def is_hub(record: Record) -> bool:
    """Whether a GKE cluster is the fleet's hub: by its label `fleet_role: hub`, without such a label by its name."""
    role = (record.inputs.get("resourceLabels") or {}).get("fleet_role")
    return bool(role == "hub" if role else record.inputs["name"] == "hub")


async def _document(request: web.Request) -> dict[str, Any]:
    if request.method == "GET":
        return {}
    try:
        document = json.loads(await request.read())
    except ValueError as error:
        raise invalid(f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise invalid("the body is not a JSON object")
    return document


def _string(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(f"{name}: a string is required")
    return value


def _mapping(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    if not isinstance(value, dict):
        raise invalid(f"{name}: an object is required")
    return value
