"""What the program created in the cloud, kept in one file that survives a SIGKILL at any moment.

Owns the records and their persistence (`STATE/cloud/store.json`, replaced atomically after each change). Does
not know what the types mean.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

State = Literal["PROVISIONING", "RUNNING", "DELETING"]


@dataclass(kw_only=True)
class Record:
    """One resource. `inputs` and `outputs` are in Pulumi's camelCase; times are seconds since the epoch.

    `effective` is when an IAM grant begins to count. `machine` names the cluster below `STATE/clusters` that
    stands behind a GKE cluster, or behind a membership of a cluster elsewhere. `creator` is who made it.
    """

    type: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    created: float
    effective: float = 0.0
    state: State = "RUNNING"
    machine: str = ""
    creator: str = ""


@dataclass
class Store:
    """All records, by type and id, and the APIs that were enabled, by project id."""

    path: Path
    _records: dict[tuple[str, str], Record] = field(default_factory=dict)
    _apis: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> Store:
        """Read the file, or begin an empty store if there is none."""
        store = cls(path)
        if path.exists():
            document = json.loads(path.read_text())
            records = [Record(**entry) for entry in document["resources"]]
            store._records = {(record.type, record.id): record for record in records}
            store._apis = {project: set(apis) for project, apis in document["apis"].items()}
        return store

    def __len__(self) -> int:
        return len(self._records)

    def get(self, type_: str, id_: str) -> Record | None:
        """The record, or None."""
        return self._records.get((type_, id_))

    def of(self, type_: str) -> Iterator[Record]:
        """Every record of a type, oldest first; safe against changes while it is walked."""
        return (record for record in list(self._records.values()) if record.type == type_)

    def put(self, record: Record) -> None:
        """Add or replace a record, on disk too."""
        self._records[(record.type, record.id)] = record
        self._save()

    def remove(self, type_: str, id_: str) -> None:
        """Forget a record, on disk too."""
        self._records.pop((type_, id_), None)
        self._save()

    def enabled(self, project: str) -> frozenset[str]:
        """The APIs that the program enabled in a project (by id)."""
        return frozenset(self._apis.get(project, ()))

    def set_api(self, project: str, service: str, *, enabled: bool) -> None:
        """Enable or disable an API in a project (by id), on disk too."""
        apis = self._apis.setdefault(project, set())
        if enabled:
            apis.add(service)
        else:
            apis.discard(service)
        self._save()

    def _save(self) -> None:
        document = {
            "resources": [asdict(record) for record in self._records.values()],
            "apis": {project: sorted(apis) for project, apis in self._apis.items()},
        }
        write_atomically(self.path, json.dumps(document, indent=1))


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file's content so that a reader, or a crash, sees the old or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)
