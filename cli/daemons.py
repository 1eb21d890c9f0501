"""The sandbox's long-running processes: cloud, mirror, and the runner of Argo CD's processes.

Owns starting each once, knowing whether it still runs, and ending it by its pid. A pid alone can be reused by
another process, so the start time of the process is kept with it and compared. Does not own what the processes do.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from cli.failure import ExitCode, Failure
from sandbox.process import start_time


class Daemon:
    """One process of the sandbox, kept by a small record file `STATE/NAME.process.json`."""

    def __init__(self, name: str, state: Path, announces: str) -> None:
        """`announces`: the file below `state` that the process writes once it is ready."""
        self.name = name
        self.state = state
        self.ready = state / announces
        self._record = state / f"{name}.process.json"

    @property
    def log(self) -> Path:
        return self.state / "logs" / f"{self.name}.log"

    def pid(self) -> int | None:
        """The pid of the running process, or None."""
        try:
            record = json.loads(self._record.read_text())
        except (OSError, ValueError):
            return None
        pid = int(record["pid"])
        return pid if start_time(pid) == record["start"] else None

    def start(self, environment: Mapping[str, str], seconds: float = 60) -> bool:
        """Start the process unless it runs, and wait until it is ready.

        Returns whether it had to be started. Raises Failure with the end of its log where it does not come up.
        """
        if self.pid() is not None:
            return False
        self.ready.unlink(missing_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"sandbox.{self.name}", "--state", str(self.state)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=dict(environment),
            )
        started = start_time(process.pid)
        self._record.write_text(json.dumps({"pid": process.pid, "start": started}))
        deadline = time.monotonic() + seconds
        while not self.ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                ended = (
                    f"ended with exit code {process.returncode}"
                    if process.returncode is not None
                    else "is not ready"
                )
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
                self.stop()
                raise Failure(
                    ExitCode.MISSING,
                    f"the sandbox's {self.name} {ended} (log: {self.log}):\n{tail}",
                    "read the log; ./fleet down --force clears what is there",
                )
            time.sleep(0.05)
        return True

    def stop(self, seconds: float = 30) -> None:
        """End the process by its pid (SIGTERM, then SIGKILL at the deadline)."""
        pid = self.pid()
        if pid is not None:
            started = start_time(pid)
            for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5.0)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
                deadline = time.monotonic() + patience
                while start_time(pid) == started and time.monotonic() < deadline:
                    with contextlib.suppress(ChildProcessError):
                        os.waitpid(pid, os.WNOHANG)
                    time.sleep(0.05)
                if start_time(pid) != started:
                    break
        self._record.unlink(missing_ok=True)
        self.ready.unlink(missing_ok=True)


def daemons(state: Path) -> tuple[Daemon, Daemon, Daemon]:
    """Cloud, mirror and runner of the sandbox in `state`, in the order in which they start."""
    return (
        Daemon("cloud", state, "cloud.json"),
        Daemon("mirror", state, "mirror.json"),
        Daemon("argocd", state, "argocd.json"),
    )
