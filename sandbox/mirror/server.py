"""Serving the mirror over HTTP.

Owns the routes: files of the Helm repositories, and Git's smart HTTP protocol by `git http-backend`. Does
not own TLS. Only reading is possible.
"""

import asyncio
import shutil
from pathlib import Path

from aiohttp import web

from sandbox.mirror import git
from sandbox.mirror.content import listing

_TYPES = {".yaml": "application/x-yaml", ".tgz": "application/gzip"}
_SERVICES = ("git-upload-pack",)


def application(folder: Path) -> web.Application:
    """The mirror's web application over the files in `folder`."""
    mirror = _Mirror(folder)
    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_route("*", "/{path:.*}", mirror.answer)
    return app


class _Mirror:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if path == "" and request.method == "GET":
            return web.Response(text="\n".join(["This mirror has:", *listing(self.folder), ""]))
        if path.startswith(f"{git.PLATFORM}/"):
            return await self._git(request, path)
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, text="this mirror is read only\n")
        file = self.folder / path
        if file.suffix in _TYPES and ".." not in file.parts and file.is_file():
            return web.Response(body=file.read_bytes(), content_type=_TYPES[file.suffix])
        return self._nothing(path)

    def _nothing(self, path: str) -> web.Response:
        has = "\n".join(f"  {line}" for line in listing(self.folder))
        return web.Response(status=404, text=f"this mirror has no {path}; it has:\n{has}\n")

    async def _git(self, request: web.Request, path: str) -> web.Response:
        action = path.removeprefix(f"{git.PLATFORM}/")
        asked = request.query.get("service", action) if action == "info/refs" else action
        if asked not in _SERVICES:
            return web.Response(status=403, text=f"{asked}: this mirror serves reading by smart HTTP only\n")
        body = await request.read()
        process = await asyncio.create_subprocess_exec(
            shutil.which("git") or "git",
            "http-backend",
            env={
                **git.environment(),
                "GIT_PROJECT_ROOT": str(self.folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": request.method,
                "PATH_INFO": f"/{path}",
                "QUERY_STRING": request.query_string,
                "CONTENT_TYPE": request.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
                "REMOTE_ADDR": "127.0.0.1",
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, talk = await process.communicate(body)
        if process.returncode != 0:
            return web.Response(status=500, text=talk.decode(errors="replace"))
        head, _, content = output.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        status = int(headers.pop("Status", "200").split()[0])
        return web.Response(status=status, body=content, headers=headers)
