"""Serving the mirror over HTTP.

Owns the routes: files of the Helm repositories, Git's smart HTTP protocol by `git http-backend`, and the OCI
registry's API below /v2/. Does not own TLS, nor the registry. Only reading is possible.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web
from yarl import URL

from sandbox.mirror import git
from sandbox.mirror.content import listing
from sandbox.mirror.oci import MANIFEST, Artifact

_TYPES = {".yaml": "application/x-yaml", ".tgz": "application/gzip"}
_SERVICES = ("git-upload-pack",)

_ASKED = ("Accept", "Range", "If-None-Match")
_TOLD = (
    "Accept-Ranges",
    "Cache-Control",
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "Docker-Content-Digest",
    "Docker-Distribution-Api-Version",
    "Etag",
    "Link",
    "Location",
)
"""Headers that go to the registry and come back from it. Its addresses are relative."""


def application(folder: Path, artifacts: list[Artifact], registry: str) -> web.Application:
    """The mirror's web application over the files in `folder` and the registry at the URL `registry`, which
    holds `artifacts`."""
    mirror = _Mirror(folder, artifacts, registry)
    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_route("*", "/{path:.*}", mirror.answer)
    app.cleanup_ctx.append(mirror.session_while)
    return app


class _Mirror:
    def __init__(self, folder: Path, artifacts: list[Artifact], registry: str) -> None:
        self.folder = folder
        self.artifacts = artifacts
        self.registry = registry
        self.session: aiohttp.ClientSession | None = None

    async def session_while(self, app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(auto_decompress=False) as self.session:
            yield

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if path == "" and request.method == "GET":
            return web.Response(text="\n".join(["This mirror has:", *self._has(), ""]))
        if path.startswith(f"{git.PLATFORM}/"):
            return await self._git(request, path)
        if path == "v2" or path.startswith("v2/"):
            return await self._oci(request)
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, text="this mirror is read only\n")
        file = self.folder / path
        if file.suffix in _TYPES and ".." not in file.parts and file.is_file():
            return web.Response(body=file.read_bytes(), content_type=_TYPES[file.suffix])
        has = "\n".join(f"  {line}" for line in self._has())
        return web.Response(status=404, text=f"this mirror has no {path}; it has:\n{has}\n")

    def _has(self) -> list[str]:
        return listing(self.folder, self.artifacts)

    async def _oci(self, request: web.Request) -> web.StreamResponse:
        """Pass reading on to the registry. Errors have the form of the OCI distribution specification."""
        if request.method not in ("GET", "HEAD"):
            return _refusal(405, "UNSUPPORTED", "this mirror is read only")
        assert self.session is not None
        asked = {name: request.headers[name] for name in _ASKED if name in request.headers}
        if asked.get("Accept", "*/*") == "*/*":
            # To a client that names nothing the registry denies everything that is newer than Docker's form.
            asked["Accept"] = MANIFEST
        target = URL(f"{self.registry}{request.raw_path}", encoded=True)
        try:
            async with self.session.request(
                request.method, target, headers=asked, allow_redirects=False
            ) as found:
                if found.status == 404:
                    return self._no_artifact(request)
                told = {name: found.headers[name] for name in _TOLD if name in found.headers}
                response = web.StreamResponse(status=found.status, headers=told)
                await response.prepare(request)
                async for piece in found.content.iter_any():
                    await response.write(piece)
                await response.write_eof()
                return response
        except aiohttp.ClientConnectionError as error:
            return _refusal(502, "UNKNOWN", f"the registry behind this mirror does not answer: {error}")

    def _no_artifact(self, request: web.Request) -> web.Response:
        """The specification has a code for each kind of thing that is not there."""
        name, kind, reference = request.path.removeprefix("/v2/"), "", ""
        for part in ("/manifests/", "/blobs/", "/tags/"):
            if part in name:
                kind = part
                name, _, reference = name.partition(part)
                break
        there = any(one.repository == name for one in self.artifacts)
        codes = {"/manifests/": "MANIFEST_UNKNOWN", "/blobs/": "BLOB_UNKNOWN"}
        code = codes.get(kind, "NAME_UNKNOWN") if there else "NAME_UNKNOWN"
        what = f"{name}{'@' if ':' in reference else ':'}{reference}" if there else name
        has = "; ".join(str(one) for one in self.artifacts)
        return _refusal(404, code, f"this mirror has no {what}; it has: {has}")

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


def _refusal(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"errors": [{"code": code, "message": message}]}, status=status)
