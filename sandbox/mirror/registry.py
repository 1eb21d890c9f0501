"""The mirror's OCI registry: a real one (distribution), as a child process on loopback.

Owns its process, its storage and filling it. Does not own what it holds, nor who may write: only this module knows
its port, and the mirror's server passes nothing but reading on to it. It ends with this process, however that
happens.
"""

import asyncio
import contextlib
import logging
import os
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import yaml
from yarl import URL

from sandbox.mirror.oci import MANIFEST, Artifact, digest
from sandbox.process import dies_with_parent, end, start_time
from sandbox.tools import ToolError

log = logging.getLogger("registry")

START_SECONDS = 20.0


@contextlib.asynccontextmanager
async def running(program: Path, folder: Path, artifacts: Sequence[Artifact]) -> AsyncIterator[str]:
    """The registry with `artifacts`, by its base URL. What is in `folder` is thrown away.

    Raises ToolError where it does not start, or does not keep what is put into it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config = folder / "config.yml"
    config.write_text(yaml.safe_dump(_config(folder / "storage")))
    process = await asyncio.create_subprocess_exec(
        str(program),
        "serve",
        str(config),
        # REGISTRY_* in the environment would change the settings.
        env={"PATH": os.environ.get("PATH", ""), "OTEL_TRACES_EXPORTER": "none"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=dies_with_parent(),
    )
    started = start_time(process.pid)
    assert process.stdout is not None
    try:
        url = await _address(process.stdout)
        said = asyncio.create_task(_pass_on(process.stdout))
        try:
            async with aiohttp.ClientSession() as session:
                await asyncio.gather(*(_put(session, url, artifact) for artifact in artifacts))
            yield url
        finally:
            said.cancel()
    finally:
        if started is not None:
            await end(process.pid, started)
        await process.wait()


def _config(storage: Path) -> dict[str, object]:
    return {
        "version": 0.1,
        "log": {"accesslog": {"disabled": True}, "level": "info"},
        "storage": {
            "filesystem": {"rootdirectory": str(storage)},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": "127.0.0.1:0", "relativeurls": True},
    }


async def _address(output: asyncio.StreamReader) -> str:
    """The base URL, which the registry says itself, because it chooses its port."""
    lines: list[str] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            async for line in output:
                lines.append(line.decode(errors="replace").strip())
                found = re.search(r"listening on (127\.0\.0\.1:\d+)", lines[-1])
                if found:
                    return f"http://{found.group(1)}"
    last = "\n".join(lines[-10:])
    raise ToolError(f"the mirror's OCI registry does not start:\n{last}", "read what it says")


async def _pass_on(output: asyncio.StreamReader) -> None:
    """Read all that the registry says, so that it never waits, and log what is a warning or worse."""
    async for line in output:
        text = line.decode(errors="replace").strip()
        if re.search(r"level=(warning|error|fatal|panic)", text):
            log.warning("%s", text)


async def _put(session: aiohttp.ClientSession, url: str, artifact: Artifact) -> None:
    base = f"{url}/v2/{artifact.repository}"
    for blob in artifact.blobs:
        async with session.post(f"{base}/blobs/uploads/") as begun:
            await _expect(begun, 202, artifact)
            upload = begun.url.join(URL(begun.headers["Location"], encoded=True))
        headers = {"Content-Type": "application/octet-stream"}
        whole = upload.update_query(digest=digest(blob))
        async with session.put(whole, data=blob, headers=headers) as kept:
            await _expect(kept, 201, artifact)
    headers = {"Content-Type": MANIFEST}
    target = f"{base}/manifests/{artifact.tag}"
    async with session.put(target, data=artifact.manifest, headers=headers) as tagged:
        await _expect(tagged, 201, artifact)


async def _expect(answer: aiohttp.ClientResponse, status: int, artifact: Artifact) -> None:
    if answer.status != status:
        said = (await answer.text())[:500]
        raise ToolError(
            f"the mirror's OCI registry refuses {artifact}: {answer.status} {said}", "read its log"
        )
