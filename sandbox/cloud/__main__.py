"""`python -m sandbox.cloud --state DIR`: the cloud in the foreground, until SIGTERM. Logs to stderr."""

from __future__ import annotations

import argparse
import asyncio
import logging
import resource
import signal
import sys
from pathlib import Path

from sandbox.cloud.server import AlreadyRunning, Cloud


def _allow_many_connections() -> None:
    """Take all the open files that this user may have.

    A watch through the gateway is five sockets here, and Argo CD keeps about 60 watches a cluster; the usual soft
    limit of 1,024 ends with the third cluster.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _serve(state: Path) -> None:
    until = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, until.set)
    await Cloud(state).serve(until)


def main() -> int:
    """Run the cloud; returns the exit code: 0 after a clean end, 1 if another cloud holds the folder."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.cloud", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the sandbox's folder")
    arguments = parser.parse_args()
    _allow_many_connections()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        asyncio.run(_serve(arguments.state))
    except AlreadyRunning as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
