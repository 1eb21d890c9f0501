"""`python -m sandbox.mirror --state DIR`: make and serve the mirror until SIGTERM.

Owns the process: it writes DIR/mirror.json once it answers, and removes it at the end. Logs go to stderr.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from sandbox.mirror import registry
from sandbox.mirror.content import make
from sandbox.mirror.server import application
from sandbox.tools import ToolError, ensure

log = logging.getLogger("mirror")


async def serve(state: Path) -> None:
    """Serve on a free port of 127.0.0.1 until SIGTERM or SIGINT."""
    folder = state / "mirror"
    program = ensure("registry", log.info) / "registry"
    artifacts = make(folder, log.info)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with registry.running(program, state / "registry", artifacts) as behind:
        runner = web.AppRunner(application(folder, artifacts, behind), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        ready = state / "mirror.json"
        scratch = ready.with_suffix(".new")
        scratch.write_text(json.dumps({"url": f"http://{host}:{port}", "pid": os.getpid()}))
        scratch.replace(ready)
        log.info("serving on http://%s:%s", host, port)
        await ended.wait()
        ready.unlink(missing_ok=True)
        await runner.cleanup()


def main() -> int:
    """Exit code 0, or 3 where what it serves cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.mirror")
    parser.add_argument("--state", type=Path, required=True, help="the sandbox's state folder")
    state: Path = parser.parse_args().state.resolve()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    state.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(serve(state))
    except ToolError as error:
        log.error("%s", error)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
