"""What the mirror's OCI registry holds, the same bytes and digests on every machine.

Owns the form of OCI artifacts: a Helm chart as `helm push` makes it, and a folder of manifests as Argo CD reads
it from an oci:// source. Does not own the registry that they are put into.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.mirror.archive import Chart, tar_gz

MANIFEST = "application/vnd.oci.image.manifest.v1+json"

_CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
_CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_EMPTY_CONFIG = "application/vnd.oci.empty.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

PRIORITY_CLASSES = "ghcr.io/acme/priority-classes"


def digest(content: bytes) -> str:
    """`sha256:...` of `content`."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Artifact:
    """One version in the registry. `repository` is its upstream name: host and path; `blobs`: what `manifest` (JSON)
    names by digest."""

    repository: str
    tag: str
    manifest: bytes
    blobs: Sequence[bytes]

    @property
    def digest(self) -> str:
        return digest(self.manifest)

    def __str__(self) -> str:
        return f"oci://{self.repository}:{self.tag} ({self.digest})"


def chart_artifact(folder: str, chart: Chart) -> Artifact:
    """`chart` in the repository `folder`/NAME, tagged with its version."""
    meta = chart.meta
    annotations = {
        "org.opencontainers.image.title": meta["name"],
        "org.opencontainers.image.version": meta["version"],
        "org.opencontainers.image.description": meta["description"],
    }
    config = (_CHART_CONFIG, _json(meta))
    return _artifact(
        f"{folder}/{meta['name']}", meta["version"], config, _CHART_LAYER, chart.archive(), annotations
    )


def manifests_artifact(repository: str, tag: str, files: Mapping[str, str]) -> Artifact:
    """A folder of manifests: path -> YAML."""
    layer = tar_gz({path: text.encode() for path, text in files.items()})
    return _artifact(repository, tag, (_EMPTY_CONFIG, b"{}"), _LAYER, layer, {})


def priority_classes() -> list[Artifact]:
    """Two versions of a folder of PriorityClasses; the second one has one more of them."""
    classes = {
        "urgent": _priority_class("team-urgent", 100000),
        "normal": _priority_class("team-normal", 1000),
    }
    more = {**classes, "deferrable": _priority_class("team-deferrable", -10)}
    return [
        manifests_artifact(PRIORITY_CLASSES, tag, {f"{name}.yaml": text for name, text in files.items()})
        for tag, files in (("1.0.0", classes), ("1.1.0", more))
    ]


def _priority_class(name: str, value: int) -> str:
    return (
        f"apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata:\n  name: {name}\nvalue: {value}\n"
    )


def _artifact(
    repository: str,
    tag: str,
    config: tuple[str, bytes],
    layer_type: str,
    layer: bytes,
    annotations: dict[str, str],
) -> Artifact:
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(*config),
        "layers": [_descriptor(layer_type, layer)],
        **({"annotations": annotations} if annotations else {}),
    }
    return Artifact(repository, tag, _json(manifest), (config[1], layer))


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}


def _json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
