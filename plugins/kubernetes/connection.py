"""Requests to one API server, by the official client.

Owns the connection: the kubeconfig that it was given and no other, the exec plugin, proxy and authority
from the environment, discovery, and the server's errors in its own wording. A 404 counts as "not there"
only if the API server says so itself: a gateway in between answers 404 too when it cannot reach the
cluster, and taking that for an answer would forget everything in it.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from plugins.ground import Access, Document, GroundError

_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 60.0
_BUSY = frozenset({429})
_ATTEMPTS = 6


class NotFound(GroundError):
    """The API server itself says that there is no such thing."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 404)


class Connection:
    """A connection.

    Making it reads the kubeconfig, and runs its exec plugin; it sends nothing. Raises GroundError.
    """

    def __init__(self, access: Access) -> None:
        if access.kubeconfig is None:
            raise GroundError(
                "the Provider names no kubeconfig, and this plugin never takes the user's own. Remedy: set "
                "`kubeconfig` on a "
                "kubernetes.Provider and give it to the resource"
            )
        self._access = access
        self._lock = threading.Lock()
        self._resources: dict[tuple[str, str], tuple[str, bool]] = {}
        self._client = self._connect()

    def _connect(self) -> Any:
        # Half a second of imports, which a process on paper never pays.
        from kubernetes import client, config

        settings = client.Configuration()
        try:
            config.load_kube_config_from_dict(
                self._document(),
                context=self._access.context,
                client_configuration=settings,
                persist_config=False,
            )
        except (config.ConfigException, OSError, ValueError, KeyError, TypeError) as error:
            raise GroundError(
                f"unable to load Kubernetes client configuration from kubeconfig: {error}"
            ) from None
        if not settings.ssl_ca_cert:
            settings.ssl_ca_cert = os.environ.get("SSL_CERT_FILE")
        settings.retries = False
        settings.connection_pool_maxsize = 32
        return client.ApiClient(settings)

    def _document(self) -> Document:
        assert self._access.kubeconfig is not None
        document = json.loads(json.dumps(self._access.kubeconfig))
        if not document.get("current-context") and not self._access.context and document.get("contexts"):
            document["current-context"] = document["contexts"][0]["name"]
        if self._access.cluster:
            for each in document.get("contexts", []):
                each["context"]["cluster"] = self._access.cluster
        return dict(document)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        seconds: float = _ANSWER_SECONDS,
    ) -> Document:
        """The answer of the server. Raises NotFound and GroundError."""
        renewed = False
        for attempt in range(_ATTEMPTS):
            status, text = self._send(method, path, query, body, content_type, seconds)
            if status == 401 and not renewed:
                # Tokens of exec plugins last an hour.
                renewed = True
                with self._lock:
                    self._client = self._connect()
                continue
            if status in _BUSY and attempt + 1 < _ATTEMPTS:
                time.sleep(min(0.5 * 2**attempt, 8.0))
                continue
            break
        return _answer(status, text, f"{method} {path}")

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Any,
        content_type: str,
        seconds: float,
    ) -> tuple[int, str]:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        client = self._client
        headers = {"Accept": "application/json", "User-Agent": "gke-fleet-kubernetes-plugin"}
        token = client.configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        if token:
            headers["authorization"] = token
        payload = None
        if body is not None:
            headers["Content-Type"] = content_type
            payload = body if content_type == "application/json" else json.dumps(body).encode()
        elif method != "GET":
            headers["Content-Type"] = content_type
        address = f"{client.configuration.host}{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            response = client.rest_client.request(
                method, address, headers=headers, body=payload, _request_timeout=(_CONNECT_SECONDS, seconds)
            )
            data = response.read()
        except (HTTPError, ApiException, OSError) as error:
            raise GroundError(f"{method} {client.configuration.host}: {error}", 503) from None
        return int(response.status), data.decode(errors="replace") if data else ""

    # Discovery

    def resource(self, api_version: str, kind: str) -> tuple[str, bool] | None:
        """(plural, whether in namespaces) of a kind; None where the server has no such kind."""
        key = (api_version, kind)
        if key not in self._resources:
            root = "/api/v1" if api_version == "v1" else f"/apis/{api_version}"
            try:
                listed = self.request("GET", root)
            except NotFound:
                return None
            for each in listed.get("resources") or []:
                if "/" not in each["name"]:
                    self._resources[(api_version, each["kind"])] = (each["name"], bool(each["namespaced"]))
        return self._resources.get(key)

    def path(self, api_version: str, kind: str, namespace: str | None, name: str | None) -> str | None:
        """Path of an object, or of its collection without `name`; None where the server has no such kind."""
        found = self.resource(api_version, kind)
        if found is None:
            return None
        plural, in_namespaces = found
        root = "/api/v1" if api_version == "v1" else f"/apis/{api_version}"
        scope = f"/namespaces/{quote(namespace or self._access.namespace)}" if in_namespaces else ""
        return f"{root}{scope}/{plural}" + (f"/{quote(name)}" if name else "")


def _answer(status: int, text: str, what: str) -> Document:
    try:
        document = json.loads(text) if text else {}
    except ValueError:
        document = {}
    if 200 <= status < 300:
        return document if isinstance(document, dict) else {}
    says_kubernetes = isinstance(document, dict) and document.get("kind") == "Status"
    if says_kubernetes:
        message = str(document.get("message") or document.get("reason") or f"HTTP {status}")
    elif isinstance(document, dict) and isinstance(document.get("error"), dict):
        message = f"{what}: HTTP {status}: {document['error'].get('message')}"
    else:
        message = f"{what}: HTTP {status}: {text.strip()[:500] or 'no answer'}"
    # A path that the API server does not have at all gets a plain text.
    plain_404 = text.strip() == "404 page not found"
    if status == 404 and (says_kubernetes or plain_404):
        raise NotFound(message)
    raise GroundError(message, status)
