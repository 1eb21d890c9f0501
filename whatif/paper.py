"""The paper ground: nothing is behind the plugins.

Owns deterministic ids and outputs, and the memory of one process: what the engine told it and what it made
itself, so that creating a thing twice is refused as it would be. No process, no network, no credential.
What is read is what was last known: on paper nothing drifts.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from typing import Any

from plugins.gcp.types import TYPES, paper_number
from plugins.ground import Access, Document, GroundError, Patience
from plugins.kubernetes.kinds import is_namespaced
from plugins.kubernetes.naming import paper_object


class Paper:
    """The ground."""

    def __init__(self) -> None:
        self._gcp = PaperGcp()
        self._clusters: dict[str, PaperCluster] = {}
        self._lock = threading.Lock()

    def gcp(self) -> PaperGcp:
        """One cloud for all instances of the provider."""
        return self._gcp

    def cluster(self, access: Access) -> PaperCluster:
        """One cluster for each kubeconfig."""
        with self._lock:
            return self._clusters.setdefault(repr(access), PaperCluster())


class _Known:
    """Which things exist, as far as this process knows."""

    def __init__(self) -> None:
        self._things: dict[Any, Document] = {}
        self._lock = threading.Lock()

    def add(self, key: Any, thing: Document, refusal: str | None) -> None:
        with self._lock:
            if refusal is not None and key in self._things:
                raise GroundError(refusal, 409)
            self._things[key] = copy.deepcopy(thing)

    def get(self, key: Any) -> Document | None:
        with self._lock:
            return copy.deepcopy(self._things.get(key))

    def remove(self, key: Any) -> None:
        with self._lock:
            self._things.pop(key, None)


class PaperGcp:
    """Google Cloud on paper."""

    def __init__(self) -> None:
        self._known = _Known()

    def create(self, token: str, id_: str, inputs: Document) -> tuple[str, Document]:
        """(id, outputs)."""
        kind = TYPES[token]
        refusal = f"Already exists: {id_}., alreadyExists" if kind.exclusive else None
        self._known.add((token, id_), inputs, refusal)
        return id_, kind.outputs(inputs, paper_number)

    def read(
        self, token: str, id_: str, inputs: Document, outputs: Document
    ) -> tuple[Document, Document] | None:
        """What was last known; what the id says, where nothing was."""
        if inputs:
            self._known.add((token, id_), inputs, None)
            return inputs, outputs
        try:
            said = TYPES[token].from_id(id_)
        except ValueError as error:
            raise GroundError(str(error), 400) from None
        return said, TYPES[token].outputs(said, paper_number)

    def update(self, token: str, id_: str, inputs: Document) -> Document:
        """Outputs after the change."""
        self._known.add((token, id_), inputs, None)
        return TYPES[token].outputs(inputs, paper_number)

    def delete(self, token: str, id_: str) -> None:
        """Forget it."""
        self._known.remove((token, id_))


class PaperCluster:
    """A cluster on paper: always there, always ready at once."""

    unreachable: str | None = None

    def __init__(self) -> None:
        self._known = _Known()

    def namespaced(self, api_version: str, kind: str) -> bool | None:
        """By the list of Kubernetes' own kinds; None for others."""
        return is_namespaced(api_version, kind)

    def create(
        self, manifest: Document, *, manager: str, force: bool, adopt: bool, preview: bool, patience: Patience
    ) -> Document:
        """The object with what a server adds."""
        metadata = manifest["metadata"]
        if preview:
            return manifest
        refusal = f'{manifest["kind"].lower()}s "{metadata.get("name")}" already exists'
        self._known.add(_key(manifest), manifest, None if adopt else refusal)
        return paper_object(manifest)

    def update(
        self, manifest: Document, *, manager: str, force: bool, preview: bool, patience: Patience
    ) -> Document:
        """The same."""
        if preview:
            return manifest
        self._known.add(_key(manifest), manifest, None)
        return paper_object(manifest)

    def read(
        self, api_version: str, kind: str, namespace: str | None, name: str, known: Document
    ) -> Document | None:
        """What was last known; what the id says, where nothing was."""
        if known:
            self._known.add((api_version, kind, namespace, name), known, None)
            return known
        found = self._known.get((api_version, kind, namespace, name))
        if found is not None:
            return paper_object(found)
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        return paper_object({"apiVersion": api_version, "kind": kind, "metadata": metadata})

    def delete(self, live: Document, *, propagation: str, patience: Patience) -> None:
        """Forget it."""
        self._known.remove(_key(live))

    def install(self, release: Document, *, patience: Patience) -> Document:
        """Status of a release at its first revision."""
        refusal = "cannot re-use a name that is still in use"
        self._known.add(("release", release.get("namespace"), release["name"]), release, refusal)
        return _release_status(release, 1)

    def upgrade(self, release: Document, *, patience: Patience) -> Document:
        """Status of a release at its second revision: paper does not count."""
        self._known.add(("release", release.get("namespace"), release["name"]), release, None)
        return _release_status(release, 2)

    def release(self, namespace: str, name: str, known: Document) -> Document | None:
        """What was last known, or what this process installed."""
        if known:
            return known
        found = self._known.get(("release", namespace, name))
        return None if found is None else _release_status(found, 1)

    def uninstall(self, namespace: str, name: str, *, patience: Patience) -> None:
        """Forget it."""
        self._known.remove(("release", namespace, name))


def _key(manifest: Mapping[str, Any]) -> tuple[Any, ...]:
    metadata = manifest["metadata"]
    return manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata.get("name")


def _release_status(release: Document, revision: int) -> Document:
    return {
        "status": {
            "name": release["name"],
            "namespace": release.get("namespace"),
            "chart": release.get("chart", "").rpartition("/")[2],
            "version": release.get("version", ""),
            "appVersion": "",
            "revision": revision,
            "status": "deployed",
        },
        "resourceNames": {},
    }
