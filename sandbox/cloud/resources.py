"""Create, read, update and delete of the cloud's resources, with what Google would refuse.

Owns the order of the checks and the long operations (a cluster takes seconds). What each type asks is in `rules` and
`references`, ids and outputs in `plugins.gcp.types`, so that they are the same on paper. Every call is somebody's: the
`caller`, an e-mail.

An operation that has begun is finished and stored even if its caller goes away; one that a SIGKILL cut off is
taken up again by `resume`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from plugins.gcp.types import TYPES
from sandbox.cloud import external, nodes, rules
from sandbox.cloud.clusterfleet import Registration
from sandbox.cloud.iam import PROJECT_MEMBER, SERVICE_IDENTITY, Iam, compute_account
from sandbox.cloud.machines import Machines
from sandbox.cloud.memberships import CLUSTER, MEMBERSHIP
from sandbox.cloud.organization import PROJECT, Organization
from sandbox.cloud.references import References
from sandbox.cloud.refusal import Refusal, exists, invalid, not_found, precondition
from sandbox.cloud.store import Record, Store

_log = logging.getLogger(__name__)
_Key = tuple[str, str]

# Enabling an API, making sure of a service agent and adding a member to a policy say nothing about what was
# there.
_IDEMPOTENT = frozenset({rules.SERVICE, SERVICE_IDENTITY, rules.AUDIT}) | rules.GRANTS
_INSIDE = {
    CLUSTER: (rules.NODE_POOL, "cluster"),
    rules.ROUTER: (rules.NAT, "router"),
    rules.POOL: (rules.PROVIDER, "workloadIdentityPoolId"),
}
"""What goes with a resource when it is deleted, and the input that names it."""


class Resources:
    """Everything that can be done to the cloud. Every method raises Refusal."""

    def __init__(
        self,
        *,
        store: Store,
        organization: Organization,
        iam: Iam,
        machines: Machines,
        grant_delay: Callable[[], float],
        released: Callable[[str], Awaitable[None]],
        cluster_certificate: Callable[[str], str],
        now: Callable[[], float] = time.time,
    ) -> None:
        """`grant_delay` in seconds, asked at each grant; `released` is told the name of a machine about to end;
        `cluster_certificate` is the certificate (PEM) of the authority of a cluster, by its id.
        """
        self._store = store
        self._organization = organization
        self._iam = iam
        self._machines = machines
        self._grant_delay = grant_delay
        self._released = released
        self._cluster_certificate = cluster_certificate
        self._now = now
        self._rules = rules.Rules(store, organization, iam)
        self._references = References(store, organization, iam, self._rules)
        self._registration = Registration(store, organization, iam, now)
        self._operations: dict[_Key, asyncio.Task[None]] = {}

    async def create(self, caller: str, type_: str, inputs: dict[str, Any]) -> Record:
        """Make a resource and return its record. 409 if it is there already, for the types where Google says so."""
        # The provider looks at names before it calls anybody.
        self._rules.names(self._known(type_), inputs)
        self._rules.admit(caller, type_, "create", inputs)
        key = (type_, TYPES[type_].identify(inputs))
        there = self._store.get(*key)
        if there is not None and type_ not in _IDEMPOTENT:
            raise exists(rules.already_exists(type_, there.id, inputs))
        self._references.check(caller, type_, inputs)
        now = self._now()
        record = Record(type=type_, id=key[1], inputs=inputs, outputs={}, created=now, creator=caller)
        self._registration.check(record)
        if type_ == CLUSTER:
            record.state = "PROVISIONING"
            record.machine = self._machine_name(str(inputs["name"]), record.id)
            self._store.put(record)
            await self._operate(key, self._make_cluster(record))
            return self._found(key)
        record.outputs = self._outputs(record)
        if type_ in rules.GRANTS:
            record.effective = there.effective if there else now + self._grant_delay()
        if type_ == rules.SERVICE:
            project, service = self._rules.project(type_, inputs), str(inputs["service"])
            self._store.set_api(project, service, enabled=True)
        self._registration.ensure_fleet(record)
        self._store.put(record)
        await self._set_nodes(record)
        _log.info("created %s", record.id)
        return record

    async def read(self, caller: str, type_: str, id_: str) -> Record:
        """The record, after whatever is being done to it is done. 404 if it is gone."""
        key = (self._known(type_), id_)
        await self._settled(key)
        record = self._found(key)
        self._rules.admit(caller, type_, "get", record.inputs)
        return record

    async def update(self, caller: str, type_: str, id_: str, inputs: dict[str, Any]) -> Record:
        """Change a resource in place and return its record. 400 for a change that needs a replacement."""
        key = (self._known(type_), id_)
        await self._settled(key)
        record = self._found(key)
        self._rules.admit(caller, type_, "update", record.inputs)
        self._rules.names(type_, inputs)
        self._references.check(caller, type_, inputs, record)
        for path in TYPES[type_].replaced_by(record.inputs, inputs):
            raise invalid(f"{id_}: {path} cannot be changed in place")
        changed = Record(**{**vars(record), "inputs": inputs})
        changed.outputs = self._outputs(changed)
        if type_ == CLUSTER:
            self._registration.register(changed, keep=record)
        self._store.put(changed)
        await self._set_nodes(changed)
        _log.info("updated %s", id_)
        return changed

    async def delete(self, caller: str, type_: str, id_: str) -> None:
        """Remove a resource. 404 if it is gone, 400 for a protected one and for one that is in use."""
        key = (self._known(type_), id_)
        await self._settled(key)
        record = self._found(key)
        self._rules.admit(caller, type_, "delete", record.inputs)
        refused = TYPES[type_].refuses_delete(record.outputs)
        if refused:
            raise precondition(refused)
        self._references.networks.refuse_delete(record)
        if type_ == CLUSTER:
            record.state = "DELETING"
            self._store.put(record)
            await self._operate(key, self._end_cluster(record))
            return
        if type_ == PROJECT:
            await self._empty(str(record.inputs["projectId"]))
        if type_ == rules.SERVICE and record.inputs.get("disableOnDestroy", False):
            project = self._rules.project(type_, record.inputs)
            self._store.set_api(project, str(record.inputs["service"]), enabled=False)
        self._remove(record)
        if record.machine:
            await self._end_machine(record.machine)
        await self._set_nodes(record, gone=True)
        _log.info("deleted %s", id_)

    async def add_external(self, name: str, location: str) -> Record:
        """A cluster outside Google with its membership, as its owner would install and register it.

        It lies in the fleet of the deployer's project. Raises Refusal where that is not ready.
        """
        owner, deployer = self._organization.owner, self._organization.deployer
        host = self._organization.project(deployer.partition("@")[2].partition(".")[0]).id
        inputs = {"project": host, "membershipId": name, "location": location}
        self._rules.admit(owner, MEMBERSHIP, "create", inputs)
        self._rules.names(MEMBERSHIP, inputs)
        self._rules.need_api("gkeconnect.googleapis.com", host)
        id_ = TYPES[MEMBERSHIP].identify(inputs)
        if self._store.get(MEMBERSHIP, id_) is not None:
            raise exists(rules.already_exists(MEMBERSHIP, id_, inputs))
        record = Record(
            type=MEMBERSHIP, id=id_, inputs=inputs, outputs={}, created=self._now(), creator=owner
        )
        record.machine = self._machine_name(name, id_)
        record.outputs = self._outputs(record)
        await self._operate((MEMBERSHIP, id_), self._make_external(record, deployer))
        return self._found((MEMBERSHIP, id_))

    def conditions(self, cluster: Record) -> list[dict[str, str]]:
        """What is wrong with a cluster that runs, as Google's `conditions` say it: [{code, message}]."""
        return [
            {
                "code": "NODE_SA_MISSING_PERMISSIONS",
                "message": f"Node service account {account} lacks permissions of "
                "roles/container.defaultNodeServiceAccount.",
            }
            for account in sorted(self._accounts(cluster))
            if not self._works(account, cluster)
        ]

    def machines(self) -> list[Record]:
        """Every GKE cluster and every cluster outside Google, oldest first."""
        outside = [record for record in self._store.of(MEMBERSHIP) if record.machine]
        return [*self._store.of(CLUSTER), *outside]

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
        for record in self.machines():
            key = (record.type, record.id)
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
            await self._wait_for_nodes(record)
            await self._show_nodes(record)
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

    async def _make_external(self, record: Record, deployer: str) -> None:
        try:
            await asyncio.to_thread(self._machines.create, record.machine)
            objects = external.objects(deployer)
            await asyncio.to_thread(self._machines.apply, record.machine, objects)
            await asyncio.to_thread(
                self._machines.set_nodes, record.machine, external.POOL, external.nodes(record.inputs)
            )
        except Exception as error:  # as for a GKE cluster
            _log.exception("creating %s failed", record.id)
            await asyncio.to_thread(self._machines.delete, record.machine)
            raise Refusal(500, "INTERNAL", f"{record.id}: {error}") from error
        self._registration.ensure_fleet(record)
        self._store.put(record)
        _log.info("created %s", record.id)

    async def _end_cluster(self, record: Record) -> None:
        await self._end_machine(record.machine)
        self._remove(record)
        _log.info("deleted %s", record.id)

    async def _end_machine(self, machine: str) -> None:
        await self._released(machine)
        await asyncio.to_thread(self._machines.delete, machine)

    def _remove(self, record: Record) -> None:
        """Forget a record and what is inside it."""
        inside, name = _INSIDE.get(record.type, ("", ""))
        for other in self._store.of(inside):
            if str(other.inputs[name]).rpartition("/")[2] == record.id.rpartition("/")[2] and (
                _beside(other, record)
            ):
                self._store.remove(inside, other.id)
        self._store.remove(record.type, record.id)

    async def _empty(self, project: str) -> None:
        """Everything in a project goes with it."""
        for type_ in rules.APIS:
            for record in self._store.of(type_):
                if type_ != PROJECT and self._rules.project(type_, record.inputs) == project:
                    if record.machine:
                        await self._end_machine(record.machine)
                    self._store.remove(type_, record.id)
        for service in self._store.enabled(project):
            self._store.set_api(project, service, enabled=False)

    async def _set_nodes(self, changed: Record, *, gone: bool = False) -> None:
        """After a change of a resource that decides about nodes, give the clusters concerned the nodes that they have.

        A grant counts later than it is made; the nodes come then, behind the caller's back as at Google.
        """
        if changed.type == rules.NODE_POOL:
            cluster = self._store.get(CLUSTER, self._cluster_of(changed.inputs))
            if cluster is not None and gone:
                await asyncio.to_thread(
                    self._machines.set_nodes, cluster.machine, str(changed.inputs["name"]), []
                )
            elif cluster is not None:
                await self._wait_for_nodes(cluster)
                await self._show_nodes(cluster)
        elif changed.type == CLUSTER:
            await self._show_nodes(changed)
        elif changed.type == PROJECT_MEMBER:
            member = str(changed.inputs["member"]).removeprefix("serviceAccount:")
            for cluster in self.clusters():
                if cluster.state == "RUNNING" and member in self._accounts(cluster):
                    self._begin((PROJECT_MEMBER, f"{changed.id} {cluster.id}"), self._nodes_later(cluster))

    async def _nodes_later(self, cluster: Record) -> None:
        await self._wait_for_nodes(cluster)
        await self._show_nodes(cluster)

    async def _wait_for_nodes(self, cluster: Record) -> None:
        """Wait for grants of the nodes' accounts that do not count yet."""
        project = self._rules.project(CLUSTER, cluster.inputs)
        for account in self._accounts(cluster):
            at = self._iam.permitted_at(account, nodes.PERMISSION, project)
            if at != float("inf"):
                await asyncio.sleep(max(0.0, at - self._now()))

    async def _show_nodes(self, cluster: Record) -> None:
        works = self._works(self._references.node_account(cluster.inputs), cluster)
        shown = [(name, found if works else []) for name, found in nodes.own_pools(cluster.inputs)]
        for pool in self._pools(cluster):
            name, found = nodes.pool(cluster, pool.inputs)
            works = self._works(self._references.node_account(pool.inputs), cluster)
            shown.append((name, found if works else []))
        for name, found in shown:
            await asyncio.to_thread(self._machines.set_nodes, cluster.machine, name, found)

    def _works(self, account: str, cluster: Record) -> bool:
        """Whether nodes with this account come up."""
        project = self._organization.project(str(cluster.inputs["project"]))
        # Compute Engine's own account is an editor of its project, where no policy forbids that.
        if account == compute_account(project.number):
            return True
        return self._iam.may(account, nodes.PERMISSION, project.id)

    def _accounts(self, cluster: Record) -> set[str]:
        pools = [pool.inputs for pool in self._pools(cluster)]
        return {self._references.node_account(inputs) for inputs in (cluster.inputs, *pools)}

    def _pools(self, cluster: Record) -> Iterator[Record]:
        return (
            pool for pool in self._store.of(rules.NODE_POOL) if self._cluster_of(pool.inputs) == cluster.id
        )

    @staticmethod
    def _cluster_of(inputs: Mapping[str, Any]) -> str:
        name = str(inputs["cluster"])
        if name.startswith("projects/"):
            return name
        return f"projects/{inputs['project']}/locations/{inputs['location']}/clusters/{name}"

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
        type_ = TYPES[record.type]
        if record.type == PROJECT:
            return type_.outputs(record.inputs, self._organization.assigned)
        outputs = type_.outputs(record.inputs, self._organization.number)
        if record.type == CLUSTER:
            certificate = base64.b64encode(self._cluster_certificate(record.id).encode()).decode()
            outputs["masterAuth"] = {**outputs["masterAuth"], "clusterCaCertificate": certificate}
        return outputs

    def _machine_name(self, name: str, id_: str) -> str:
        if any(other.machine == name for other in self.machines()):
            return f"{name}-{hashlib.sha256(id_.encode()).hexdigest()[:6]}"
        return name


def _beside(inside: Record, outside: Record) -> bool:
    """Whether both lie in one project and place."""
    return all(
        name not in inside.inputs or inside.inputs[name] == outside.inputs.get(name)
        for name in ("project", "region", "location")
    )
