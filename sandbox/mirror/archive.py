"""Helm chart archives and repository indexes, the same bytes for the same files.

Owns the archive and index formats. Does not own what is in a chart. Nothing in them depends on the clock, so
a digest seen by Argo CD yesterday holds today.
"""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_CREATED = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class Chart:
    """A chart: files by path relative to the chart's folder, `Chart.yaml` among them."""

    files: Mapping[str, bytes]

    @property
    def meta(self) -> dict[str, Any]:
        """Chart.yaml, parsed."""
        meta = yaml.safe_load(self.files["Chart.yaml"])
        assert isinstance(meta, dict)
        return meta

    @property
    def file_name(self) -> str:
        return f"{self.meta['name']}-{self.meta['version']}.tgz"

    def archive(self) -> bytes:
        """The chart as `helm package` would pack it, but with fixed times and owners."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for path in ["Chart.yaml", *sorted(set(self.files) - {"Chart.yaml"})]:
                entry = tarfile.TarInfo(f"{self.meta['name']}/{path}")
                entry.size = len(self.files[path])
                entry.mode = 0o644
                tar.addfile(entry, io.BytesIO(self.files[path]))
        return gzip.compress(packed.getvalue(), mtime=0)


def write_repository(folder: Path, charts: list[Chart]) -> None:
    """Write `charts` and their index.yaml into `folder` (made here): a whole Helm repository."""
    folder.mkdir(parents=True)
    entries: dict[str, list[dict[str, Any]]] = {}
    for chart in charts:
        packed = chart.archive()
        (folder / chart.file_name).write_bytes(packed)
        entries.setdefault(chart.meta["name"], []).append(
            {
                **chart.meta,
                "created": _CREATED,
                "digest": hashlib.sha256(packed).hexdigest(),
                "urls": [chart.file_name],
            }
        )
    index = {"apiVersion": "v1", "entries": entries, "generated": _CREATED}
    (folder / "index.yaml").write_text(yaml.safe_dump(index, sort_keys=True))
