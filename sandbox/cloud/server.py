"""The cloud as one running process: puts the parts together, listens, and ends cleanly.

Owns the lock (one cloud per state folder), the ports and `cloud.json`, which tells everybody else where the
cloud is and exists as long as it runs. Ending leaves the clusters running; `sandbox.clusters` ends those.
"""

from __future__ import annotations

import asyncio
import datetime
import fcntl
import json
import logging
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import IO

from aiohttp import web

from sandbox.cloud import front, plugin
from sandbox.cloud.agent import Agents
from sandbox.cloud.authority import Authority
from sandbox.cloud.budget import Budget
from sandbox.cloud.control import Control, is_hub
from sandbox.cloud.direct import Direct, Joined
from sandbox.cloud.endpoints import Endpoints
from sandbox.cloud.faults import FaultSwitches
from sandbox.cloud.federation import Federation
from sandbox.cloud.gateway import Gateway
from sandbox.cloud.hub_api import HubApi
from sandbox.cloud.iam import Iam
from sandbox.cloud.machines import KwokMachines, Links, Machines
from sandbox.cloud.memberships import CLUSTER
from sandbox.cloud.metadata import Metadata
from sandbox.cloud.mirror import MirrorRoute
from sandbox.cloud.networks import Networks
from sandbox.cloud.organization import Organization
from sandbox.cloud.proxy import HUB_USER, PrivateAddresses, Proxy
from sandbox.cloud.reach import Reach
from sandbox.cloud.resources import Resources
from sandbox.cloud.secrets import Secrets
from sandbox.cloud.store import Record, Store, write_atomically
from sandbox.cloud.tokens import Tokens

_log = logging.getLogger(__name__)
_METADATA = "metadata "
_FINISH_SECONDS = 20.0


class AlreadyRunning(Exception):
    """Another cloud holds this state folder."""


class Cloud:
    """One cloud over one state folder."""

    def __init__(self, state: Path, machines: Machines | None = None) -> None:
        """Take the folder's lock and read what is stored. Raises AlreadyRunning."""
        self._state = state.resolve()
        self._folder = self._state / "cloud"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(self._folder / "lock")
        self._store = Store.open(self._folder / "store.json")
        self._organization = Organization(self._store)
        self._endpoints = Endpoints.open(self._folder / "endpoints.json")
        self._authority = Authority(self._folder / "tls")
        self._faults = FaultSwitches()
        self._budget = Budget()
        self._machines = KwokMachines(self._state) if machines is None else machines
        self._iam = Iam(self._store, self._organization)
        self._tokens = Tokens(bytes.fromhex(self._endpoints.key), self._iam.usable)
        self._runners: list[web.AppRunner] = []
        self._metadata_hosts: dict[str, str] = {}
        self._metadata_lock = asyncio.Lock()

    async def serve(self, until: asyncio.Event) -> None:
        """Serve until the event is set; then finish what has begun and end."""
        links = Links(self._machines)
        agents = Agents(self._machines, links)

        async def released(machine: str) -> None:
            await agents.close(machine)
            await links.close(machine)

        async def open_metadata(namespace: str, name: str, cluster: str = "") -> str:
            return await self._open_metadata(links, namespace, name, cluster)

        mirror = MirrorRoute(self._faults, self._endpoints.mirror)
        resources = Resources(
            store=self._store,
            organization=self._organization,
            iam=self._iam,
            machines=self._machines,
            grant_delay=lambda: self._faults.current.grant_delay,
            released=released,
            cluster_certificate=self._authority.cluster_certificate,
        )
        gateway = Gateway(
            store=self._store,
            organization=self._organization,
            iam=self._iam,
            tokens=self._tokens,
            faults=self._faults,
            links=links,
            agents=agents,
            budget=self._budget,
        )
        joined = Joined()
        direct = Direct(
            store=self._store,
            organization=self._organization,
            iam=self._iam,
            tokens=self._tokens,
            faults=self._faults,
            links=links,
            budget=self._budget,
            joined=joined,
        )
        hub_api = HubApi(
            store=self._store,
            organization=self._organization,
            iam=self._iam,
            tokens=self._tokens,
            faults=self._faults,
        )
        secrets = Secrets(
            store=self._store, organization=self._organization, iam=self._iam, tokens=self._tokens
        )
        control = Control(
            token=self._endpoints.token,
            resources=resources,
            machines=self._machines,
            organization=self._organization,
            iam=self._iam,
            federation=Federation(self._store, self._organization, self._iam),
            tokens=self._tokens,
            faults=self._faults,
            budget=self._budget,
            metadata=open_metadata,
            mirror=self._set_mirror(mirror),
        )
        front_port = await self._listen(
            "front",
            front.application(
                gateway=gateway, hub_api=hub_api, direct=direct, secrets=secrets, mirror=mirror
            ),
            self._authority.server(),
            cancel=True,
        )
        direct_port = await self._listen("direct", direct.application(), cancel=True)
        reach = Reach(self._store, Networks(self._store, self._organization))
        proxy = Proxy(
            front_port,
            PrivateAddresses(
                password=self._endpoints.inside,
                find=lambda address, inside: reach.cluster(address, self._hub() if inside else None).id,
                tls=self._authority.cluster_server,
                port=direct_port,
                joined=joined,
            ),
        )
        proxy_socket = self._endpoints.listen("proxy")
        proxy_server = await asyncio.start_server(proxy.accept, sock=proxy_socket)
        proxy_port = proxy_socket.getsockname()[1]
        for use in [use for use in self._endpoints.ports if use.startswith(_METADATA)]:
            account, _, cluster = use.removeprefix(_METADATA).partition(" ")
            namespace, _, name = account.partition("/")
            await self._open_metadata(links, namespace, name, cluster)
        resources.resume()
        plugin.write(self._state / "bin")
        control_port = await self._listen("control", control.application())
        self._announce(control_port, proxy_port)
        try:
            await until.wait()
        finally:
            _log.info("ending")
            (self._state / "cloud.json").unlink(missing_ok=True)
            await resources.close(_FINISH_SECONDS)
            proxy_server.close()
            await proxy.close()
            await asyncio.gather(*(runner.cleanup() for runner in self._runners))
            await mirror.close()
            await agents.close_all()
            await links.close_all()
            self._lock.close()

    async def _listen(
        self, use: str, app: web.Application, tls: ssl.SSLContext | None = None, *, cancel: bool = False
    ) -> int:
        # `cancel`: a handler ends when its client goes away, so that a watch on a member ends with its
        # watcher.
        runner = web.AppRunner(
            app,
            access_log=None,
            handler_cancellation=cancel,
            shutdown_timeout=0.5,
            max_line_size=front.HEADER_BYTES,
            max_field_size=front.HEADER_BYTES,
        )
        await runner.setup()
        listening = self._endpoints.listen(use)
        await web.SockSite(runner, listening, ssl_context=tls).start()
        self._runners.append(runner)
        return int(listening.getsockname()[1])

    async def _open_metadata(self, links: Links, namespace: str, name: str, cluster: str) -> str:
        """The address of a ServiceAccount's metadata server. `cluster` is a name or an id, "" for the hub."""
        use = f"{_METADATA}{namespace}/{name} {cluster}".rstrip()
        async with self._metadata_lock:
            if use not in self._metadata_hosts:
                server = Metadata(
                    namespace=namespace,
                    name=name,
                    cluster=lambda: self._running_cluster(cluster),
                    links=links,
                    iam=self._iam,
                    tokens=self._tokens,
                    organization=self._organization,
                )
                self._metadata_hosts[use] = f"127.0.0.1:{await self._listen(use, server.application())}"
            return self._metadata_hosts[use]

    def _hub(self) -> Record | None:
        return self._running_cluster("")

    def _running_cluster(self, name: str) -> Record | None:
        """The running cluster with this name or id, the hub for ""."""
        running = (record for record in self._store.of(CLUSTER) if record.state == "RUNNING")
        for record in running:
            if name in (record.id, record.inputs["name"]) if name else is_hub(record):
                return record
        return None

    def _set_mirror(self, mirror: MirrorRoute) -> Callable[[str], None]:
        def set_(url: str) -> None:
            mirror.url = self._endpoints.mirror = url
            self._endpoints.save()

        return set_

    def _announce(self, control: int, proxy: int) -> None:
        document = {
            "control": f"http://127.0.0.1:{control}",
            "token": self._endpoints.token,
            "proxy": f"http://127.0.0.1:{proxy}",
            "hubProxy": f"http://{HUB_USER}:{self._endpoints.inside}@127.0.0.1:{proxy}",
            "ca": str(self._authority.certificate),
            "deployer": self._organization.deployer,
            "pid": os.getpid(),
            "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }
        write_atomically(self._state / "cloud.json", json.dumps(document, indent=1))
        _log.info(
            "control %s, proxy %s, %d resources", document["control"], document["proxy"], len(self._store)
        )


def _lock(path: Path) -> IO[str]:
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise AlreadyRunning(f"another cloud (process {holder}) holds {path.parent.parent}") from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
