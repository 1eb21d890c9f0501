"""A cloud without ports and processes, into which lists of resources are played.

Owns the list of what bootstrap makes (`bootstrapped.json`, as its program has it), the order in which lists are played,
and the cloud to play them into. What it proves is what the cloud's rules refuse; API servers and the data side are not
here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sandbox.cloud.iam import Iam
from sandbox.cloud.organization import Organization
from sandbox.cloud.refusal import Refusal
from sandbox.cloud.resources import Resources
from sandbox.cloud.store import Record, Store
from tests.cloud.machines import FakeMachines

Made = TypeVar("Made")
BOOTSTRAPPED = Path(__file__).with_name("bootstrapped.json")


@dataclass(frozen=True)
class Step:
    """One resource, as the engine would ask for it."""

    type: str
    inputs: dict[str, Any]
    name: str = ""

    def __str__(self) -> str:
        what = self.inputs.get("role") or self.inputs.get("service") or self.name
        where = self.inputs.get("project") or self.inputs.get("serviceAccountId") or ""
        return f"{self.type.rpartition(':')[2]} {what} {where} {self.inputs.get('member', '')}".strip()


def bootstrapped() -> list[Step]:
    """What bootstrap makes, in its order."""
    entries = json.loads(BOOTSTRAPPED.read_text(encoding="utf-8"))
    return [Step(entry["type"], entry["inputs"]) for entry in entries]


class MemoryStore(Store):
    """A store that is never written."""

    def _save(self) -> None:
        pass


@dataclass
class Paper:
    """An empty cloud. Grants count at once."""

    store: Store = field(default_factory=lambda: MemoryStore(Path("/nowhere")))
    machines: FakeMachines = field(default_factory=FakeMachines)

    def __post_init__(self) -> None:
        self.organization = Organization(self.store)
        self.iam = Iam(self.store, self.organization)
        self.resources = Resources(
            store=self.store,
            organization=self.organization,
            iam=self.iam,
            machines=self.machines,
            grant_delay=lambda: 0.0,
            released=_nothing,
            cluster_certificate=lambda cluster: f"certificate of {cluster}",
        )

    def play(self, steps: Iterable[Step], caller: str) -> list[tuple[Step, Refusal]]:
        """Create everything, one after the other; what was refused, with the refusal.

        One that was refused does not end it: the engine goes on with what does not depend on it, and so do we.
        """

        async def all_() -> list[tuple[Step, Refusal]]:
            refused = []
            for step in steps:
                try:
                    await self.resources.create(caller, step.type, step.inputs)
                except Refusal as refusal:
                    refused.append((step, refusal))
            await self.resources.close(10)
            return refused

        return asyncio.run(all_())

    def create(self, caller: str, type_: str, **inputs: Any) -> Record:
        """Create one resource. Raises Refusal."""
        return self._run(self.resources.create(caller, type_, inputs))

    def update(self, caller: str, record: Record, **inputs: Any) -> Record:
        """Change inputs of a resource. Raises Refusal."""
        changed = {**record.inputs, **inputs}
        return self._run(self.resources.update(caller, record.type, record.id, changed))

    def delete(self, caller: str, record: Record) -> None:
        """Delete a resource. Raises Refusal."""
        self._run(self.resources.delete(caller, record.type, record.id))

    def _run(self, work: Coroutine[Any, Any, Made]) -> Made:
        async def all_() -> Made:
            made = await work
            await self.resources.close(10)
            return made

        return asyncio.run(all_())

    def bootstrap(self, steps: Sequence[Step] | None = None) -> None:
        """Play bootstrap's list as the owner; nothing of it may be refused."""
        refused = self.play(bootstrapped() if steps is None else steps, self.organization.owner)
        assert not refused, "\n".join(f"{step}: {refusal}" for step, refusal in refused)

    def save(self, path: Path) -> None:
        """Write what is stored, so that a cloud process can begin with it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        Store(path, self.store._records, self.store._apis)._save()


async def _nothing(machine: str) -> None:
    pass


def without(steps: Sequence[Step], leave: Callable[[Step], bool]) -> list[Step]:
    """The steps but those that `leave` picks, of which there must be some."""
    kept = [step for step in steps if not leave(step)]
    assert len(kept) < len(steps)
    return kept
