"""Secret Manager's data path: the value of a secret, to those who may read it.

Owns `GET /v1/projects/P/secrets/S/versions/V:access`
(https://cloud.google.com/secret-manager/docs/reference/rest). Secrets are other teams' (`organization.yaml`);
each has one version, whose value is made from its name. Grants count on the secret and on its project. The
wordings of the refusals are from memory of the real API, not from its documents.
"""

from __future__ import annotations

import base64
import re

from aiohttp import web

from sandbox.cloud.forward import authenticated
from sandbox.cloud.iam import Iam
from sandbox.cloud.organization import Organization
from sandbox.cloud.refusal import api_disabled, denied, not_found
from sandbox.cloud.store import Store
from sandbox.cloud.tokens import Tokens

HOST = "secretmanager.googleapis.com"
_ACCESS = "secretmanager.versions.access"
_PATH = re.compile(
    r"/v1/projects/(?P<project>[^/]+)/secrets/(?P<secret>[^/]+)/versions/(?P<version>[^/:]+):access"
)


class Secrets:
    """Handles every request to Secret Manager."""

    def __init__(self, *, store: Store, organization: Organization, iam: Iam, tokens: Tokens) -> None:
        self._store = store
        self._organization = organization
        self._iam = iam
        self._tokens = tokens

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request. Raises Refusal."""
        caller = authenticated(request, self._tokens)
        match = _PATH.fullmatch(request.path)
        if match is None or request.method != "GET":
            raise not_found(f"The requested URL {request.path} was not found on this server.")
        project, secret, version = (
            self._organization.project(match["project"]),
            match["secret"],
            match["version"],
        )
        if HOST not in project.apis | self._store.enabled(project.id):
            raise api_disabled(HOST, project.number)
        name = f"projects/{project.id}/secrets/{secret}"
        if not self._iam.may(caller, _ACCESS, project.id, name):
            asked = f"projects/{match['project']}/secrets/{secret}/versions/{version}"
            raise denied(
                f"Permission '{_ACCESS}' denied for resource '{asked}' (or it may not exist).", _ACCESS, asked
            )
        full = f"projects/{project.number}/secrets/{secret}"
        if not self._organization.has_secret(project.id, secret):
            raise not_found(f"Secret [{full}] not found or has no versions.")
        if version not in ("latest", "1"):
            raise not_found(f"Secret Version [{full}/versions/{version}] not found.")
        value = base64.b64encode(f"value of {secret} in {project.id}".encode()).decode()
        return web.json_response({"name": f"{full}/versions/1", "payload": {"data": value}})
