"""Names and ids of objects, and what a server adds to one.

Owns pure functions only.
"""

from __future__ import annotations

import copy
import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

AUTONAMED = "pulumi.com/autonamed"
_CREATED = "2026-01-01T00:00:00Z"


def generated(base: str, seed: bytes) -> str:
    """`base` and seven random hexadecimal digits, as the engine's own rule for names has it."""
    digest = hashlib.sha256(seed).hexdigest() if seed else uuid.uuid4().hex
    return f"{base}-{digest[:7]}"


def identity(manifest: Mapping[str, Any]) -> str:
    """`namespace/name`, or `name` for what is in no namespace."""
    metadata = manifest.get("metadata") or {}
    namespace = metadata.get("namespace")
    name = str(metadata.get("name", ""))
    return f"{namespace}/{name}" if namespace else name


def parsed(identifier: str) -> tuple[str | None, str]:
    """(namespace or None, name) of an id."""
    namespace, slash, name = identifier.rpartition("/")
    return (namespace if slash else None), name


def paper_object(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """`manifest` with the metadata that a server adds, the same for the same object every time."""
    live = copy.deepcopy(dict(manifest))
    metadata = live.setdefault("metadata", {})
    key = "\0".join([str(live.get("apiVersion")), str(live.get("kind")), identity(live)])
    metadata["uid"] = str(uuid.uuid5(uuid.NAMESPACE_URL, key))
    metadata["creationTimestamp"] = _CREATED
    digest = hashlib.sha256(repr(sorted(live.items(), key=str)).encode()).hexdigest()
    metadata["resourceVersion"] = str(int(digest[:7], 16))
    metadata.setdefault("generation", 1)
    return live
