"""Helm chart archives and repository indexes, the same bytes for the same files.

Owns the archive and index formats. Does not own what is in a chart. Nothing in them depends on the clock or on
the machine's compression library, so a digest is a constant that a catalogue can pin.
"""

import functools
import hashlib
import io
import struct
import tarfile
import zlib
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

    @functools.cached_property
    def meta(self) -> dict[str, Any]:
        """Chart.yaml, parsed."""
        meta = yaml.load(self.files["Chart.yaml"], Loader=yaml.CSafeLoader)
        assert isinstance(meta, dict)
        return meta

    @property
    def file_name(self) -> str:
        return f"{self.meta['name']}-{self.meta['version']}.tgz"

    def archive(self) -> bytes:
        """The chart as `helm package` would pack it, but with fixed times and owners."""
        root = self.meta["name"]
        first = ["Chart.yaml", *sorted(set(self.files) - {"Chart.yaml"})]
        return tar_gz({f"{root}/{path}": self.files[path] for path in first})


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """A tar.gz of `files`, in their order, with fixed times, owners and modes; it is not made smaller."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(content))
    return _stored(packed.getvalue())


_BLOCK = 0xFFFF
"""The largest block that deflate can store as it is (RFC 1951, 3.2.4)."""


def _stored(content: bytes) -> bytes:
    """`content` as gzip (RFC 1952) in stored blocks.

    What a compressor makes of the same bytes differs from zlib to zlib-ng and from one version to the next.
    """
    head = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    starts = range(0, max(len(content), 1), _BLOCK)
    blocks = []
    for start in starts:
        block = content[start : start + _BLOCK]
        last = start + _BLOCK >= len(content)
        blocks += [struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF), block]
    return b"".join([head, *blocks, struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)])


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
    (folder / "index.yaml").write_text(yaml.dump(index, Dumper=yaml.CSafeDumper, sort_keys=True))
