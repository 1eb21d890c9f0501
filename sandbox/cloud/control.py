"""The control API: what the resource provider of the sandbox, the commands and the tests ask of the cloud.

Owns the HTTP form (JSON on loopback, `Authorization: Bearer TOKEN`). Every request acts as the deployer.
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

from sandbox.cloud.bootstrap import Bootstrap
from sandbox.cloud.budget import Budget
from sandbox.cloud.faults import FaultSwitches
from sandbox.cloud.machines import Machines
from sandbox.cloud.memberships import CLUSTER
from sandbox.cloud.refusal import Refusal, denied, invalid, unauthenticated
from sandbox.cloud.resources import Resources
from sandbox.cloud.store import Record
from sandbox.cloud.tokens import Tokens

_log = logging.getLogger(__name__)
Handler = Callable[[dict[str, Any]], Awaitable[Any]]
_BODY_BYTES = 64 << 20


class Control:
    """The control API. `metadata` opens a metadata server for (namespace, name) and returns its host:port;
    `mirror` takes the mirror's base URL; `token` is the bearer token that opens all of it."""

    def __init__(
        self,
        *,
        token: str,
        resources: Resources,
        machines: Machines,
        bootstrap: Bootstrap,
        tokens: Tokens,
        faults: FaultSwitches,
        budget: Budget,
        metadata: Callable[[str, str], Awaitable[str]],
        mirror: Callable[[str], None],
    ) -> None:
        self._token = token
        self._resources = resources
        self._machines = machines
        self._bootstrap = bootstrap
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
            ("POST", "/v1/create"): self._create,  # {type, inputs} -> {id, outputs}
            ("POST", "/v1/read"): self._read,  # {type, id} -> {id, inputs, outputs}
            ("POST", "/v1/update"): self._update,  # {type, id, inputs} -> {outputs}
            ("POST", "/v1/delete"): self._delete,  # {type, id} -> {}
            ("POST", "/v1/token"): self._issue,  # {account} -> {access_token, expires_in}
            ("POST", "/v1/metadata"): self._open_metadata,  # {namespace, serviceAccount} -> {host}
            ("POST", "/v1/mirror"): self._register_mirror,  # {url} -> {}
            ("GET", "/v1/clusters"): self._clusters,  # [{name, project, location, kubeconfig, state, hub}]
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
        record = await self._resources.create(_string(asked, "type"), _mapping(asked, "inputs"))
        return {"id": record.id, "outputs": record.outputs}

    async def _read(self, asked: dict[str, Any]) -> Any:
        record = await self._resources.read(_string(asked, "type"), _string(asked, "id"))
        return {"id": record.id, "inputs": record.inputs, "outputs": record.outputs}

    async def _update(self, asked: dict[str, Any]) -> Any:
        record = await self._resources.update(
            _string(asked, "type"), _string(asked, "id"), _mapping(asked, "inputs")
        )
        return {"outputs": record.outputs}

    async def _delete(self, asked: dict[str, Any]) -> Any:
        await self._resources.delete(_string(asked, "type"), _string(asked, "id"))
        return {}

    async def _issue(self, asked: dict[str, Any]) -> Any:
        account = _string(asked, "account")
        if account != self._bootstrap.deployer:
            raise denied(
                f"The control API gives tokens of {self._bootstrap.deployer} only; others come from the "
                f"metadata server. Not permitted: {account}."
            )
        return asdict(self._tokens.issue(account))

    async def _open_metadata(self, asked: dict[str, Any]) -> Any:
        return {"host": await self._metadata(_string(asked, "namespace"), _string(asked, "serviceAccount"))}

    async def _register_mirror(self, asked: dict[str, Any]) -> Any:
        url = _string(asked, "url")
        if not url.startswith("http://127.0.0.1:"):
            raise invalid(f"url: the mirror listens on http://127.0.0.1:PORT, not on {url}")
        self._mirror(url)
        return {}

    async def _clusters(self, _: dict[str, Any]) -> Any:
        running = set(await asyncio.to_thread(self._machines.running))
        return [
            {
                "name": record.inputs["name"],
                "project": record.inputs["project"],
                "location": record.inputs["location"],
                "kubeconfig": str(self._machines.kubeconfig(record.machine)),
                "state": self._state(record, record.machine in running),
                "hub": is_hub(record),
            }
            for record in self._resources.clusters()
        ]

    def _state(self, record: Record, running: bool) -> str:
        if record.state != "RUNNING" or running:
            return record.state
        return "PROVISIONING" if self._resources.busy(CLUSTER, record.id) else "STOPPED"

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
