"""Attaching the engine to plugins on a cloud that was there before the program (tests/program/standing.py)."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from plugins import workspace

PLUGIN = Path(__file__).with_name("standing.py")


@contextlib.contextmanager
def attached(environment: Mapping[str, str], cloud: Path, log: Path) -> Iterator[dict[str, str]]:
    """Both plugins on the cloud of the file `cloud`; the value is what makes the engine attach to them."""
    running = {
        package: subprocess.Popen(
            [sys.executable, "-s", str(PLUGIN), package, version, str(cloud), str(log)],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        for package, version in workspace.sdk_versions().items()
    }
    try:
        ports = []
        for package, process in running.items():
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            assert port, f"the {package} plugin did not start"
            ports.append(f"{package}:{port}")
        yield {"PULUMI_DEBUG_PROVIDERS": ",".join(ports)}
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.communicate()
