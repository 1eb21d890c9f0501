"""The runner: what the hub's workloads say is what runs here.

Owns following the workloads of one namespace and turning each change into a start, a restart or an end of a
host process. Does not own how a process is prepared or kept. It writes STATE/argocd.json for those who want
to know.

No image is ever pulled. A pod template with another image, as an upgrade of Argo CD brings, ends the process and
starts it anew with all that the template says, but the program is the one that the sandbox built, at its one
version, before and after. So `image` in the record is what the hub wants, never what runs here.
"""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.argocd.api import Access, Api, ApiError, Object
from sandbox.argocd.component import ADMIN, SERVER, Component, components, why_not_run
from sandbox.argocd.hub import Found, Hub, Unknown
from sandbox.argocd.keeper import RETRY_SECONDS, Keeper, run_once
from sandbox.argocd.launch import Launcher, announce
from sandbox.argocd.ports import Ports
from sandbox.process import end

log = logging.getLogger("argocd")

NAMESPACE = "argocd"

_WORKLOADS = {
    "deployments": f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments",
    "statefulsets": f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets",
    "jobs": f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs",
}

_HUB_SECONDS = 2.0
"""How often is asked where the hub is."""


@dataclass
class Runner:
    """Follows the hub until `run` is cancelled.

    Attributes:
        state: the sandbox's state folder.
        tools: folder with Argo CD's programs and what they call.
    """

    state: Path
    hub: Hub
    tools: Path
    keepers: dict[str, Keeper] = field(default_factory=dict)
    _workloads: dict[str, dict[str, Object]] = field(default_factory=dict)
    _found: Found | None = None
    _jobs: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _not_run: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.state / "argocd"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    async def run(self) -> None:
        """Clear what a killed runner left, then follow the hub for ever; ends every process when
        cancelled."""
        self.logs.mkdir(parents=True, exist_ok=True)
        await self._end_orphans()
        ports = Ports(self.folder / "ports.json")
        self._write()
        following: asyncio.Task[None] | None = None
        try:
            while True:
                try:
                    found = await self.hub.find()
                except Unknown as error:
                    log.debug("%s", error)
                    found = self._found
                broken = following is not None and following.done()
                if found != self._found or broken:
                    if broken and following is not None:
                        log.error("following the hub ended; beginning anew", exc_info=following.exception())
                    await self._leave(following)
                    following, self._found = None, found
                    self._write()
                    if found is not None:
                        log.info("the hub is at %s", found.kubeconfig)
                        following = asyncio.create_task(self._follow(found, ports))
                await asyncio.sleep(_HUB_SECONDS)
        finally:
            await self._leave(following)
            (self.state / "argocd.json").unlink(missing_ok=True)

    async def _leave(self, following: asyncio.Task[None] | None) -> None:
        """End everything that belongs to the hub followed so far."""
        tasks = [*self._jobs.values(), *([following] if following is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(keeper.stop() for keeper in self.keepers.values()))
        self.keepers.clear()
        self._workloads.clear()
        self._jobs.clear()
        self._not_run.clear()

    async def _follow(self, found: Found, ports: Ports) -> None:
        async with Api(Access.read(found.kubeconfig)) as api:
            launcher = Launcher(
                api=api,
                hub=self.hub,
                root=self.folder / "components",
                ports=ports,
                tools=self.tools,
                surroundings=surroundings(self.state),
            )
            changes = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                for kind, path in _WORKLOADS.items():
                    group.create_task(self._watch(api, kind, path, changes))
                while True:
                    await changes.wait()
                    changes.clear()
                    if len(self._workloads) == len(_WORKLOADS):
                        await self._reconcile(launcher)

    async def _watch(self, api: Api, kind: str, path: str, changes: asyncio.Event) -> None:
        while True:
            try:
                async for known in api.follow(path):
                    self._workloads[kind] = known
                    changes.set()
            except ApiError as error:
                # The processes stay: in a cluster, too, pods run on while the API server is away.
                log.info("%s cannot be watched now: %s", kind, error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _reconcile(self, launcher: Launcher) -> None:
        """Bring the processes to what the workloads say."""
        for job in self._workloads["jobs"].values():
            uid = job["metadata"]["uid"]
            if uid not in self._jobs:
                for component in components(job):
                    if component.program == ADMIN:
                        self._jobs[uid] = asyncio.create_task(self._run_job(component, launcher))
        not_run = {
            name: why
            for kind in ("deployments", "statefulsets")
            for name, workload in self._workloads[kind].items()
            if (why := why_not_run(workload)) is not None
        }
        for name in not_run.keys() - self._not_run.keys():
            log.warning("%s: %s", name, not_run[name])
        self._not_run = not_run
        wanted = {
            component.name: component
            for kind in ("deployments", "statefulsets")
            for workload in self._workloads[kind].values()
            for component in components(workload)
            if component.program != ADMIN
        }
        gone = [
            keeper
            for name, keeper in self.keepers.items()
            if name not in wanted or wanted[name].digest != keeper.component.digest
        ]
        for keeper in gone:
            restart = keeper.component.name in wanted
            log.info(
                "%s: %s", keeper.component.name, "changed, restarting" if restart else "no longer wanted"
            )
        await asyncio.gather(*(keeper.stop() for keeper in gone))
        for keeper in gone:
            del self.keepers[keeper.component.name]
        for name, component in wanted.items():
            if name not in self.keepers:
                self.keepers[name] = Keeper(component, launcher, self.logs, self._write)
                self.keepers[name].start()
        self._write()

    async def _run_job(self, component: Component, launcher: Launcher) -> None:
        while not await run_once(component, launcher, self.logs):
            await asyncio.sleep(RETRY_SECONDS)

    async def _end_orphans(self) -> None:
        """End the processes that a runner which was killed has recorded and left."""
        record = self.folder / "processes.json"
        left: Mapping[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            left = json.loads(record.read_text())
        for name, one in left.items():
            log.info("%s: ending pid %s of an earlier runner, if it still runs", name, one["pid"])
        await asyncio.gather(*(end(int(one["pid"]), str(one["start"])) for one in left.values()))
        record.unlink(missing_ok=True)

    def _write(self) -> None:
        running = {name: keeper for name, keeper in self.keepers.items() if keeper.pid is not None}
        announce(
            self.folder / "processes.json",
            {name: {"pid": keeper.pid, "start": keeper.started} for name, keeper in running.items()},
        )
        server = next((k for k in running.values() if k.component.program == SERVER), None)
        launch = server.launch if server is not None else None
        announce(
            self.state / "argocd.json",
            {
                "pid": os.getpid(),
                "hub": str(self._found.kubeconfig) if self._found else None,
                "server": f"127.0.0.1:{launch.ports['api']}" if launch else None,
                "plaintext": launch is not None and is_plaintext(launch.command, launch.environment),
                "processes": {
                    name: {
                        "pid": keeper.pid,
                        "ports": keeper.launch.ports if keeper.launch else {},
                        "started": keeper.since,
                        "image": keeper.component.image,
                        "template": keeper.component.digest,
                        "restarts": keeper.restarts,
                    }
                    for name, keeper in running.items()
                },
                "waiting": {name: k.waiting for name, k in self.keepers.items() if k.waiting},
                "notRun": self._not_run,
            },
        )


def is_plaintext(command: list[str], environment: Mapping[str, str]) -> bool:
    """Whether an argocd-server started like this serves without TLS."""
    return "--insecure" in command or environment.get("ARGOCD_SERVER_INSECURE") == "true"


def surroundings(state: Path) -> dict[str, str]:
    """The environment for reaching the real names: the cloud's proxy and authority, where there is a cloud.

    The processes stand in the hub's network, which the proxy knows by its user: only from there are private
    endpoints (`https://10...`) reached. NO_PROXY names loopback alone, so that these go through it.
    """
    if not (state / "cloud.json").exists():
        return {}
    from sandbox.environment import environment

    return environment(state, {}, hub=True)
