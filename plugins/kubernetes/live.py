"""Objects on a real API server: server-side apply, waits, deletion.

Owns what the official provider does with a server. Does not own what a change means
(plugins/kubernetes/provider.py) or Helm (plugins/kubernetes/helm.py).
"""

from __future__ import annotations

import time
from typing import Any

from plugins.ground import Access, Document, GroundError, Patience, Unready
from plugins.kubernetes import kinds
from plugins.kubernetes.connection import Connection, NotFound
from plugins.kubernetes.helm import Helm
from plugins.kubernetes.readiness import DEFAULT_SECONDS, hopeless, lacking, needs_endpoints

_KIND_SECONDS = 20.0
"""How long a kind may take to be served after its definition is established."""
_REACH_SECONDS = 15.0


class LiveCluster:
    """A cluster behind a kubeconfig. Whether it can be reached is decided when this is made, once."""

    def __init__(self, access: Access) -> None:
        self.unreachable: str | None = None
        self._access = access
        try:
            self._connection = Connection(access)
            self._connection.request("GET", "/version", seconds=_REACH_SECONDS)
        except GroundError as error:
            self.unreachable = str(error)
        self._helm = Helm(access)

    def namespaced(self, api_version: str, kind: str) -> bool | None:
        """Whether objects of this kind live in namespaces; None where neither table nor server knows."""
        known = kinds.is_namespaced(api_version, kind)
        if known is not None or self.unreachable:
            return known
        found = self._connection.resource(api_version, kind)
        return None if found is None else found[1]

    # Objects

    def create(
        self, manifest: Document, *, manager: str, force: bool, adopt: bool, preview: bool, patience: Patience
    ) -> Document:
        """The live object once it is ready. In a preview what the server would make of it; the manifest
        itself where the server
        cannot say, because its namespace or its kind is not there yet."""
        path = self._path(manifest, patience, preview)
        if path is None:
            return manifest
        metadata = manifest["metadata"]
        if "name" not in metadata:
            collection = path
            live = self._connection.request(
                "POST", collection, query=_query(manager, None, preview), body=manifest
            )
            return live if preview else self._ready(live, manifest, patience)
        if not adopt and self._exists(path):
            raise GroundError(
                f'{manifest["kind"]} "{metadata["name"]}" already exists. Remedy: import it, or set the annotation '
                '`pulumi.com/patchForce: "true"` to take it over',
                409,
            )
        live = self._apply(path, manifest, manager, force, preview)
        return live if preview or live is manifest else self._ready(live, manifest, patience)

    def update(
        self, manifest: Document, *, manager: str, force: bool, preview: bool, patience: Patience
    ) -> Document:
        """The live object once it is ready; in a preview as for `create`."""
        path = self._path(manifest, patience, preview)
        if path is None:
            return manifest
        live = self._apply(path, manifest, manager, force, preview)
        return live if preview else self._ready(live, manifest, patience)

    def read(
        self, api_version: str, kind: str, namespace: str | None, name: str, known: Document
    ) -> Document | None:
        """The live object, None where it is gone."""
        path = self._connection.path(api_version, kind, namespace, name)
        if path is None:
            return None
        try:
            return self._connection.request("GET", path)
        except NotFound:
            return None

    def delete(self, live: Document, *, propagation: str, patience: Patience) -> None:
        """Delete and wait until it is gone. Raises Unready where it does not go in time."""
        metadata = live["metadata"]
        path = self._connection.path(
            live["apiVersion"], live["kind"], metadata.get("namespace"), metadata["name"]
        )
        if path is None:
            return
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        try:
            found = self._connection.request("GET", path)
            uid = found["metadata"]["uid"]
            self._connection.request("DELETE", path, body=options)
        except NotFound:
            return
        pause = _Pause(patience)
        while True:
            try:
                found = self._connection.request("GET", path)
            except NotFound:
                return
            if found["metadata"]["uid"] != uid:
                return
            held = found["metadata"].get("finalizers") or []
            reasons = ["it still exists" + (f", held by finalizers {', '.join(held)}" if held else "")]
            if found.get("kind") == "Namespace":
                conditions = (found.get("status") or {}).get("conditions") or []
                reasons += [str(each["message"]) for each in conditions if each.get("status") == "True"]
            pause.wait(found, reasons, "timed out waiting for deletion")

    def _path(self, manifest: Document, patience: Patience, preview: bool) -> str | None:
        metadata = manifest["metadata"]
        deadline = time.monotonic() + _KIND_SECONDS
        while True:
            path = self._connection.path(
                manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata.get("name")
            )
            if path is not None or preview:
                return path
            if time.monotonic() > deadline or patience.cancelled():
                raise GroundError(
                    f'no matches for kind "{manifest["kind"]}" in version "{manifest["apiVersion"]}". Remedy: make the '
                    "resource depend on what installs its CustomResourceDefinition",
                    404,
                )
            time.sleep(1.0)

    def _exists(self, path: str) -> bool:
        try:
            self._connection.request("GET", path)
        except NotFound:
            return False
        return True

    def _apply(self, path: str, manifest: Document, manager: str, force: bool, preview: bool) -> Document:
        try:
            return self._connection.request(
                "PATCH",
                path,
                query=_query(manager, force, preview),
                body=manifest,
                content_type="application/apply-patch+yaml",
            )
        except NotFound:
            if preview:
                return manifest
            raise
        except GroundError as error:
            if error.code == 409 and "conflict" in str(error):
                raise GroundError(
                    f"Server-Side Apply field conflict detected: {error}. Remedy: leave these fields to their owner "
                    '(`ignore_changes`), or set the annotation `pulumi.com/patchForce: "true"` to take them over',
                    412,
                ) from None
            raise

    def _ready(self, live: Document, manifest: Document, patience: Patience) -> Document:
        annotations = (manifest.get("metadata") or {}).get("annotations") or {}
        if annotations.get("pulumi.com/skipAwait") == "true":
            return live
        pause = _Pause(patience)
        while True:
            reasons = lacking(live)
            if not reasons and needs_endpoints(live) and not self._has_endpoints(live):
                reasons = ["no endpoint behind it is ready"]
            if not reasons:
                return live
            if hopeless(live):
                raise Unready(live, reasons)
            pause.wait(live, reasons, "timed out waiting to be Ready")
            metadata = live["metadata"]
            again = self.read(
                live["apiVersion"], live["kind"], metadata.get("namespace"), metadata["name"], {}
            )
            if again is None:
                raise GroundError(
                    f'{live["kind"]} "{metadata["name"]}" was deleted while it was waited for', 404
                )
            live = again

    def _has_endpoints(self, live: Document) -> bool:
        metadata = live["metadata"]
        path = f"/apis/discovery.k8s.io/v1/namespaces/{metadata['namespace']}/endpointslices"
        found = self._connection.request(
            "GET", path, query={"labelSelector": f"kubernetes.io/service-name={metadata['name']}"}
        )
        endpoints = [each for piece in found.get("items") or [] for each in piece.get("endpoints") or []]
        return any((each.get("conditions") or {}).get("ready", True) for each in endpoints)

    # Releases

    def install(self, release: Document, *, patience: Patience) -> Document:
        """Install a Helm release."""
        return self._helm.install(release, patience)

    def upgrade(self, release: Document, *, patience: Patience) -> Document:
        """Upgrade a Helm release."""
        return self._helm.upgrade(release, patience)

    def release(self, namespace: str, name: str, known: Document) -> Document | None:
        """Status of a Helm release."""
        return self._helm.status(namespace, name, known)

    def uninstall(self, namespace: str, name: str, *, patience: Patience) -> None:
        """Uninstall a Helm release."""
        self._helm.uninstall(namespace, name, patience)


class _Pause:
    """Waiting with a deadline, shorter at first."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._began = time.monotonic()
        self._seconds = patience.seconds or DEFAULT_SECONDS
        self._pause = 0.2
        self._said: list[str] = []

    def wait(self, live: Document, reasons: list[str], late: str) -> None:
        """Pause once. Raises Unready at the deadline and when the engine wants to end."""
        if self._patience.cancelled():
            raise Unready(live, ["the operation was cancelled", *reasons])
        if time.monotonic() - self._began > self._seconds:
            raise Unready(live, [f"{late} after {self._seconds:g} s", *reasons])
        if reasons != self._said:
            self._said = reasons
            self._patience.say("; ".join(reasons))
        time.sleep(self._pause)
        self._pause = min(self._pause * 1.5, 2.0)


def _query(manager: str, force: bool | None, preview: bool) -> dict[str, str]:
    query: dict[str, Any] = {"fieldManager": manager, "fieldValidation": "Strict"}
    if force is not None:
        query["force"] = "true" if force else "false"
    if preview:
        query["dryRun"] = "All"
    return query
