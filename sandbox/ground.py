"""The sandbox's ground: the plugins' way to the cloud and the clusters on this machine.

Owns the calls to the cloud's control API, and as whom: GKE_FLEET_IDENTITY names an account or a person, without
it it is the deployer. Kubernetes it reaches like anyone else: by the kubeconfig that
the program names, through Connect Gateway, as the deployer.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from plugins.ground import Access, Document, GroundError
from plugins.kubernetes.live import LiveCluster

_SECONDS = 1800.0
"""A cluster takes seconds here and minutes at Google; the engine's own timeouts end what takes too long."""


class Sandbox:
    """The ground. `state` is the sandbox's folder."""

    def __init__(self, state: Path) -> None:
        self._gcp = Cloud(state)

    @classmethod
    def from_environment(cls) -> Sandbox:
        """The ground that GKE_FLEET_SANDBOX names. Raises GroundError."""
        state = os.environ.get("GKE_FLEET_SANDBOX")
        if not state:
            raise GroundError("GKE_FLEET_SANDBOX is not set; ./fleet shell sets it")
        return cls(Path(state))

    def gcp(self) -> Cloud:
        """The cloud."""
        return self._gcp

    def cluster(self, access: Access) -> LiveCluster:
        """A connection to a cluster."""
        return LiveCluster(access)


class Cloud:
    """Google Cloud as the sandbox's cloud has it."""

    def __init__(self, state: Path) -> None:
        self._state = state
        identity = os.environ.get("GKE_FLEET_IDENTITY")
        self._as = {"as": identity} if identity else {}
        # The control API is on loopback; a proxy in the environment is for the real names.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def create(self, token: str, id_: str, inputs: Document) -> tuple[str, Document]:
        """(id, outputs)."""
        made = self._call("create", {"type": token, "inputs": inputs})
        return str(made["id"]), dict(made["outputs"])

    def read(
        self, token: str, id_: str, inputs: Document, outputs: Document
    ) -> tuple[Document, Document] | None:
        """(inputs, outputs) as they are now."""
        try:
            found = self._call("read", {"type": token, "id": id_})
        except GroundError as error:
            if error.code == 404:
                return None
            raise
        return dict(found["inputs"]), dict(found["outputs"])

    def update(self, token: str, id_: str, inputs: Document) -> Document:
        """Outputs after the change."""
        return dict(self._call("update", {"type": token, "id": id_, "inputs": inputs})["outputs"])

    def delete(self, token: str, id_: str) -> None:
        """Delete."""
        try:
            self._call("delete", {"type": token, "id": id_})
        except GroundError as error:
            if error.code != 404:
                raise

    def _call(self, verb: str, body: Document) -> Document:
        try:
            described = json.loads((self._state / "cloud.json").read_text())
        except (OSError, ValueError):
            raise GroundError(
                f"the sandbox's cloud is not running ({self._state}). Remedy: ./fleet up", 503
            ) from None
        request = urllib.request.Request(  # noqa: S310 - the control API on loopback
            f"{described['control']}/v1/{verb}",
            data=json.dumps(body | self._as).encode(),
            headers={"Authorization": f"Bearer {described['token']}", "Content-Type": "application/json"},
            method="POST",
        )
        try:
            with self._opener.open(request, timeout=_SECONDS) as response:
                answer: Document = json.loads(response.read() or b"{}")
                return answer
        except urllib.error.HTTPError as error:
            raise _refusal(error) from None
        except (OSError, ValueError) as error:
            raise GroundError(
                f"the sandbox's cloud does not answer at {described['control']} ({error}). Remedy: ./fleet up",
                503,
            ) from None


def _refusal(error: urllib.error.HTTPError) -> GroundError:
    try:
        said: Any = json.loads(error.read())["error"]
        return GroundError(str(said["message"]), int(said.get("code", error.code)))
    except (ValueError, KeyError, TypeError):
        return GroundError(f"HTTP {error.code}", error.code)
