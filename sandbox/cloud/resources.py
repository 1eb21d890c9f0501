"""Create, read, update and delete of the cloud's resources, with what Google would refuse.

Owns the order of the checks and the long operations (a cluster takes seconds). The rules of each type are in
`rules`, ids and outputs in `plugins.gcp.types`, so that they are the same on paper.

An operation that has begun is finished and stored even if its caller goes away; one that a SIGKILL cut off is
taken up again by `resume`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from plugins.gcp.types import TYPES
from sandbox.cloud import rules
from sandbox.cloud.bootstrap import Bootstrap
from sandbox.cloud.clusterfleet import Registration
from sandbox.cloud.iam import ACCOUNT_MEMBER, PROJECT_MEMBER, SERVICE_IDENTITY, Iam
from sandbox.cloud.machines import Machines
from sandbox.cloud.memberships import CLUSTER
from sandbox.cloud.refusal import Refusal, exists, invalid, not_found, precondition
from sandbox.cloud.store import Record, Store

_log = logging.getLogger(__name__)
_Key = tuple[str, str]

# Enabling an API, making sure of a service agent and adding a member to a policy say nothing about what was
# there.
_IDEMPOTENT = frozenset({rules.SERVICE, SERVICE_IDENTITY, PROJECT_MEMBER, ACCOUNT_MEMBER})


class Resources:
    """Everything that the deployer can do to the cloud. Every method raises Refusal."""

    def __init__(
        self,
        *,
        store: Store,
        bootstrap: Bootstrap,
        iam: Iam,
        machines: Machines,
        grant_delay: Callable[[], float],
        released: Callable[[str], Awaitable[None]],
        now: Callable[[], float] = time.time,
    ) -> None:
        """`grant_delay` in seconds, asked at each grant; `released` is told the name of a machine about to end."""
        self._store = store
        self._bootstrap = bootstrap
        self._iam = iam
        self._machines = machines
        self._grant_delay = grant_delay
        self._released = released
        self._now = now
        self._rules = rules.Rules(store, bootstrap, iam)
        self._registration = Registration(store, bootstrap, iam, now)
        self._operations: dict[_Key, asyncio.Task[None]] = {}

    async def create(self, type_: str, inputs: dict[str, Any]) -> Record:
        """Make a resource and return its record. 409 if it is there already, for the types where Google says so."""
        self._rules.admit(type_, "create", inputs)
        self._rules.check(type_, inputs)
        key = (type_, TYPES[type_].identify(inputs))
        there = self._store.get(*key)
        if there is not None and type_ not in _IDEMPOTENT:
            raise exists(rules.already_exists(type_, there.id, inputs))
        now = self._now()
        record = Record(type=type_, id=key[1], inputs=inputs, outputs={}, created=now)
        self._registration.check(record)
        if type_ == CLUSTER:
            record.state = "PROVISIONING"
            record.machine = self._machine_name(record)
            self._store.put(record)
            await self._operate(key, self._make_cluster(record))
            return self._found(key)
        record.outputs = self._outputs(record)
        if type_ in (PROJECT_MEMBER, ACCOUNT_MEMBER):
            record.effective = there.effective if there else now + self._grant_delay()
        if type_ == rules.SERVICE:
            project, service = self._rules.project(type_, inputs), str(inputs["service"])
            self._store.set_api(project, service, enabled=True)
        self._registration.ensure_fleet(record)
        self._store.put(record)
        _log.info("created %s", record.id)
        return record

    async def read(self, type_: str, id_: str) -> Record:
        """The record, after whatever is being done to it is done. 404 if it is gone."""
        key = (self._known(type_), id_)
        await self._settled(key)
        record = self._found(key)
        self._rules.admit(type_, "get", record.inputs)
        return record

    async def update(self, type_: str, id_: str, inputs: dict[str, Any]) -> Record:
        """Change a resource in place and return its record. 400 for a change that needs a replacement."""
        key = (self._known(type_), id_)
        await self._settled(key)
        record = self._found(key)
        self._rules.admit(type_, "update", record.inputs)
        self._rules.check(type_, inputs)
        for path in sorted(TYPES[type_].replace_on):
            if _at(inputs, path) != _at(record.inputs, path):
                raise invalid(f"{id_}: {path} cannot be changed in place")
        changed = Record(**{**vars(record), "inputs": inputs})
        changed.outputs = self._outputs(changed)
        if type_ == CLUSTER:
            self._registration.register(changed, keep=record)
        self._store.put(changed)
        _log.info("updated %s", id_)
        return changed

    async def delete(self, type_: str, id_: str) -> None:
        """Remove a resource. 404 if it is gone, 400 for a protected cluster."""
        key = (self._known(type_), id_)
        await self._settled(key)
        record = self._found(key)
        self._rules.admit(type_, "delete", record.inputs)
        refused = TYPES[type_].refuses_delete(record.outputs)
        if refused:
            raise precondition(refused)
        if type_ == CLUSTER:
            record.state = "DELETING"
            self._store.put(record)
            await self._operate(key, self._end_cluster(record))
            return
        if type_ == rules.SERVICE and record.inputs.get("disableOnDestroy", False):
            project = self._rules.project(type_, record.inputs)
            self._store.set_api(project, str(record.inputs["service"]), enabled=False)
        self._store.remove(*key)
        _log.info("deleted %s", id_)

    def clusters(self) -> list[Record]:
        """Every GKE cluster, oldest first."""
        return list(self._store.of(CLUSTER))

    def operations(self) -> int:
        """How many long operations are under way."""
        return len(self._operations)

    def busy(self, type_: str, id_: str) -> bool:
        """Whether a long operation on this resource is under way."""
        return (type_, id_) in self._operations

    def resume(self) -> None:
        """Begin what an earlier process left: finish operations, start recorded clusters that do not run."""
        running = set(self._machines.running())
        for record in self._store.of(CLUSTER):
            key = (CLUSTER, record.id)
            if record.state == "PROVISIONING":
                self._begin(key, self._make_cluster(record))
            elif record.state == "DELETING":
                self._begin(key, self._end_cluster(record))
            elif record.machine not in running:
                self._begin(key, self._start_cluster(record))

    async def close(self, seconds: float) -> None:
        """Wait for operations that are under way, at most so long; what is left is taken up by the next process."""
        if self._operations:
            _log.info("finishing %d operations", len(self._operations))
            await asyncio.wait(self._operations.values(), timeout=seconds)

    async def _make_cluster(self, record: Record) -> None:
        started = time.monotonic()
        _log.info("creating %s", record.id)
        try:
            await asyncio.to_thread(self._machines.create, record.machine)
            await self._registration.effective(record)
        except Exception as error:  # whatever it was, nothing half made may stay
            _log.exception("creating %s failed", record.id)
            await asyncio.to_thread(self._machines.delete, record.machine)
            self._store.remove(CLUSTER, record.id)
            raise Refusal(500, "INTERNAL", f"{record.id}: {error}") from error
        record.outputs = self._outputs(record)
        self._registration.register(record)
        record.state = "RUNNING"
        self._store.put(record)
        _log.info("created %s in %.1f s", record.id, time.monotonic() - started)

    async def _start_cluster(self, record: Record) -> None:
        started = time.monotonic()
        _log.info("starting %s again", record.id)
        try:
            await asyncio.to_thread(self._machines.start, record.machine)
        except Exception:  # noqa: BLE001 - logged; the cluster counts as stopped
            _log.exception("starting %s failed", record.id)
            return
        _log.info("started %s again in %.1f s", record.id, time.monotonic() - started)

    async def _end_cluster(self, record: Record) -> None:
        await self._released(record.machine)
        await asyncio.to_thread(self._machines.delete, record.machine)
        self._store.remove(CLUSTER, record.id)
        _log.info("deleted %s", record.id)

    def _begin(self, key: _Key, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._operations[key] = task

        def done(ended: asyncio.Task[None]) -> None:
            self._operations.pop(key, None)
            if not ended.cancelled():
                ended.exception()  # it was logged where it arose; a caller that is still there gets it too

        task.add_done_callback(done)
        return task

    async def _operate(self, key: _Key, work: Any) -> None:
        # Shielded: the caller may go away, the operation goes on.
        await asyncio.shield(self._begin(key, work))

    async def _settled(self, key: _Key) -> None:
        task = self._operations.get(key)
        if task is not None:
            await asyncio.wait([task])

    def _found(self, key: _Key) -> Record:
        record = self._store.get(*key)
        if record is None:
            raise not_found(rules.missing(*key))
        return record

    @staticmethod
    def _known(type_: str) -> str:
        if type_ not in TYPES:
            raise rules.unknown_type(type_)
        return type_

    def _outputs(self, record: Record) -> dict[str, Any]:
        return dict(TYPES[record.type].outputs(record.inputs, self._bootstrap.number))

    def _machine_name(self, record: Record) -> str:
        name = str(record.inputs["name"])
        if any(other.machine == name for other in self._store.of(CLUSTER)):
            return f"{name}-{hashlib.sha256(record.id.encode()).hexdigest()[:6]}"
        return name


def _at(inputs: Mapping[str, Any], path: str) -> Any:
    value: Any = inputs
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
