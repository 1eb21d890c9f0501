"""Processes of this machine by pid: whether one still is the one that was started, and ending it.

Owns the check that a pid was not given to another process meanwhile. Does not own when to end one.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Callable
from pathlib import Path

_START_FIELD = 19
"""Of /proc/PID/stat, counted after the command's closing bracket (man 5 proc: field 22)."""

_PR_SET_PDEATHSIG = 1


def start_time(pid: int) -> str | None:
    """When process `pid` started, in clock ticks since boot; None where there is none (or only its
    remains)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[_START_FIELD]


async def end(pid: int, started: str, seconds: float = 10) -> None:
    """End process `pid` if it is the one that started at `started`: SIGTERM, then SIGKILL after `seconds`."""
    for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5.0)):
        if start_time(pid) != started:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = asyncio.get_running_loop().time() + patience
        while start_time(pid) == started and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)


def dies_with_parent(number: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """For a child, before it becomes its program: it gets signal `number` when this process ends, however that
    happens."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
