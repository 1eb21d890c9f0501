"""Where the hub is, and which Google identity a process on it would find.

Owns asking the sandbox's cloud for both. Does not own the answers. The hub may come later, go, and come
back; while the cloud does not answer, what was last known holds.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import aiohttp


@dataclass(frozen=True)
class Found:
    """The hub: its admin `kubeconfig`, and `surroundings`, a text that changes when its processes must
    restart."""

    kubeconfig: Path
    surroundings: str


class Unknown(Exception):
    """It cannot be said now where the hub is; it may still be there."""


class Hub(Protocol):
    """Where the runner looks for the hub."""

    async def find(self) -> Found | None:
        """The hub, or None where there is none. Raises Unknown."""
        ...

    async def metadata_host(self, namespace: str, account: str) -> str | None:
        """`host:port` of the metadata server that a pod of this ServiceAccount sees; None: there is none."""
        ...


class GivenHub:
    """A hub that a kubeconfig names, without a cloud around it."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig

    async def find(self) -> Found | None:
        if not self._kubeconfig.exists():
            return None
        return Found(self._kubeconfig, self._kubeconfig.read_text())

    async def metadata_host(self, namespace: str, account: str) -> str | None:
        return None


class CloudHub:
    """The hub of the sandbox's cloud, which writes STATE/cloud.json."""

    def __init__(self, state: Path) -> None:
        self._record = state / "cloud.json"

    async def find(self) -> Found | None:
        clusters = await self._ask("GET", "/v1/clusters", None)
        for one in clusters:
            kubeconfig = Path(one["kubeconfig"])
            if one["hub"] and one["state"] == "RUNNING" and kubeconfig.exists():
                return Found(kubeconfig, self._record.read_text() + kubeconfig.read_text())
        if any(one["hub"] for one in clusters):
            raise Unknown("the hub is not running")
        return None

    async def metadata_host(self, namespace: str, account: str) -> str | None:
        body = {"namespace": namespace, "serviceAccount": account}
        return str((await self._ask("POST", "/v1/metadata", body))["host"])

    async def _ask(self, method: str, path: str, body: dict[str, str] | None) -> Any:
        try:
            cloud = json.loads(self._record.read_text())
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
                session.request(
                    method,
                    cloud["control"] + path,
                    json=body,
                    headers={"Authorization": f"Bearer {cloud['token']}"},
                ) as answer,
            ):
                said = await answer.json(content_type=None)
                if answer.status != 200:
                    raise Unknown(f"the cloud says {answer.status}: {said}")
                return said
        except (OSError, ValueError, KeyError, aiohttp.ClientError, TimeoutError) as error:
            raise Unknown(f"the cloud does not answer: {error!r}") from error
