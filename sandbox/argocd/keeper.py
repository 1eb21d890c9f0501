"""Keeping one component running.

Owns starting its process, restarting it after it ended (later each time), renewing its token, and ending it.
Does not own which components there are.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sandbox.argocd.api import ApiError
from sandbox.argocd.component import ADMIN, Component
from sandbox.argocd.launch import TOKEN_SECONDS, Launch, Launcher, NotReady
from sandbox.process import dies_with_parent, end, start_time

log = logging.getLogger("argocd")

RETRY_SECONDS = 1.0
"""How soon a component that cannot start yet is tried again."""

BACKOFF_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""How long a component that ended waits before its 1st, 2nd, ... restart."""

_WELL_SECONDS = 60.0
"""A process that ran this long counts as having been well."""


@dataclass
class Keeper:
    """One component and its process. `changed` is called whenever what `state` tells has changed."""

    component: Component
    launcher: Launcher
    logs: Path
    changed: Callable[[], None]
    pid: int | None = None
    started: str = ""
    since: str = ""
    waiting: str = ""
    restarts: int = 0
    launch: Launch | None = None
    _task: asyncio.Task[None] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Begin to keep the component."""
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the process and keep it no longer."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _keep(self) -> None:
        failures = 0
        while True:
            try:
                ran = await self._once()
            except OSError as error:
                log.error("%s cannot be started: %s", self.component.name, error)
                ran = 0.0
            failures = 0 if ran >= _WELL_SECONDS else failures + 1
            self.restarts += 1
            pause = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS)) - 1] if failures else 0.0
            log.warning("%s ended; starting it again in %.0f s", self.component.name, pause)
            await asyncio.sleep(pause)

    async def _once(self) -> float:
        """Start the process when it can be and wait until it ends; gives how many seconds it ran."""
        for init in self.component.secret_inits:
            while not await run_once(init, self.launcher, self.logs):
                await asyncio.sleep(RETRY_SECONDS)
        launch = await self._prepared()
        process = await spawn(launch, self.logs / f"{self.component.name}.log")
        began = asyncio.get_running_loop().time()
        self.pid, self.started = process.pid, start_time(process.pid) or ""
        self.since, self.launch = datetime.now(UTC).isoformat(timespec="seconds"), launch
        log.info("%s: started, pid %d", self.component.name, process.pid)
        self.changed()
        renewing = asyncio.create_task(self._renew())
        try:
            await process.wait()
        finally:
            renewing.cancel()
            if process.returncode is None:
                await end(process.pid, self.started)
                await process.wait()
                log.info("%s: ended", self.component.name)
            self.pid = None
            self.changed()
        return asyncio.get_running_loop().time() - began

    async def _prepared(self) -> Launch:
        while True:
            try:
                launch = await self.launcher.prepare(self.component)
            except NotReady as error:
                if self.waiting != str(error):
                    self.waiting = str(error)
                    log.info("%s: waiting: %s", self.component.name, error)
                    self.changed()
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self.waiting = ""
                return launch

    async def _renew(self) -> None:
        """Client-go reads the token file again by itself."""
        while self.component.has_token:
            await asyncio.sleep(TOKEN_SECONDS / 2)
            while True:
                try:
                    await self.launcher.renew(self.component)
                    break
                except ApiError as error:
                    log.warning("%s: its token cannot be renewed: %s", self.component.name, error)
                    await asyncio.sleep(30)


async def spawn(launch: Launch, log_file: Path) -> asyncio.subprocess.Process:
    """Start a process with its output appended to `log_file`. It does not outlive this one."""
    with log_file.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *launch.command,
            env=launch.environment,
            cwd=launch.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=dies_with_parent(),
        )


async def run_once(component: Component, launcher: Launcher, logs: Path) -> bool:
    """Run a component of the `argocd` tool to its end; whether it ended well."""
    assert component.program == ADMIN
    try:
        launch = await launcher.prepare(component)
    except NotReady as error:
        log.info("%s: waiting: %s", component.name, error)
        return False
    process = await spawn(launch, logs / f"{component.name}.log")
    started = start_time(process.pid) or ""
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:
            await end(process.pid, started)
            await process.wait()
    log.info("%s: ended with exit code %d", component.name, code)
    return code == 0
