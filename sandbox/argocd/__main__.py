"""`python -m sandbox.argocd --state DIR`: run until SIGTERM, then end every process that was started.

Owns the process and its log (stderr). `--kubeconfig FILE` names a hub that no cloud knows.
"""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

from sandbox.argocd.hub import CloudHub, GivenHub
from sandbox.argocd.runner import Runner
from sandbox.tools import ToolError, ensure

log = logging.getLogger("argocd")


async def serve(runner: Runner) -> None:
    """Run until SIGTERM or SIGINT."""
    task = asyncio.create_task(runner.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def main() -> int:
    """Exit code 0, or 3 where a tool cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.argocd")
    parser.add_argument("--state", type=Path, required=True, help="the sandbox's state folder")
    parser.add_argument("--kubeconfig", type=Path, help="the hub, where no cloud knows it")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    state: Path = asked.state.resolve()
    hub = GivenHub(asked.kubeconfig.resolve()) if asked.kubeconfig else CloudHub(state)
    try:
        tools = ensure("delivery", log.info)
    except ToolError as error:
        log.error("%s", error)
        return 3
    asyncio.run(serve(Runner(state, hub, tools)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
