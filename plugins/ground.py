"""What stands behind the stand-in plugins: one small interface, and two grounds that implement it.

Owns the interface, the choice of the ground and the id that a create under way will have. The paper ground
(whatif/) has nothing behind it; the sandbox's (sandbox/) has a cloud and API servers on this machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Document = dict[str, Any]
GroundName = Literal["paper", "sandbox"]


class GroundError(Exception):
    """What the cloud says no with, in its own wording; `code` is its HTTP status."""

    def __init__(self, message: str, code: int = 400) -> None:
        super().__init__(message)
        self.code = code


class Gcp(Protocol):
    """Resources of Google Cloud, in plain camelCase dictionaries. Every method may raise GroundError."""

    def create(self, token: str, id_: str, inputs: Document) -> tuple[str, Document]:
        """(id, outputs). Code 409 where it exists already."""

    def read(
        self, token: str, id_: str, inputs: Document, outputs: Document
    ) -> tuple[Document, Document] | None:
        """(inputs, outputs) as they are now, None where it is gone.

        `inputs` and `outputs` are the last known.
        """

    def update(self, token: str, id_: str, inputs: Document) -> Document:
        """Outputs after the change."""

    def delete(self, token: str, id_: str) -> None:
        """One that is gone already is no error."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """How a kubernetes.Provider reaches its cluster.

    `kubeconfig` is a document, or None where there is none.
    """

    kubeconfig: Document | None
    context: str | None
    cluster: str | None
    namespace: str


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait: `seconds` (0: the kind's own), until `cancelled`, telling `say` what is waited for."""

    seconds: float
    cancelled: Callable[[], bool]
    say: Callable[[str], None]


class Unready(Exception):
    """The object is there and did not become ready; `live` is how it is now."""

    def __init__(self, live: Document, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.live, self.reasons = live, reasons


class Cluster(Protocol):
    """Objects of one cluster, as manifests. Every method may raise GroundError."""

    unreachable: str | None
    """Why the cluster cannot be reached, decided when the connection is made; None where it can."""

    def namespaced(self, api_version: str, kind: str) -> bool | None:
        """Whether objects of this kind live in namespaces; None where nobody knows."""

    def create(
        self, manifest: Document, *, manager: str, force: bool, adopt: bool, preview: bool, patience: Patience
    ) -> Document:
        """The live object once it is ready. Code 409 where it exists and `adopt` is off."""

    def update(
        self, manifest: Document, *, manager: str, force: bool, preview: bool, patience: Patience
    ) -> Document:
        """The live object once it is ready."""

    def read(
        self, api_version: str, kind: str, namespace: str | None, name: str, known: Document
    ) -> Document | None:
        """The live object, None where it is gone. `known` is how it was last seen, empty for an import."""

    def delete(self, live: Document, *, propagation: str, patience: Patience) -> None:
        """Delete and wait until it is gone; one that is gone already is no error."""

    def install(self, release: Document, *, patience: Patience) -> Document:
        """Install a Helm release (inputs of kubernetes:helm.sh/v3:Release); its status.

        Code 409 where it exists.
        """

    def upgrade(self, release: Document, *, patience: Patience) -> Document:
        """Upgrade a Helm release; its status."""

    def release(self, namespace: str, name: str, known: Document) -> Document | None:
        """Status of a Helm release as it is now, None where it is gone. `known` as in `read`."""

    def uninstall(self, namespace: str, name: str, *, patience: Patience) -> None:
        """Uninstall a Helm release; one that is gone already is no error."""


class Ground(Protocol):
    """Everything that the plugins need from what stands behind them."""

    def gcp(self) -> Gcp:
        """The cloud."""

    def cluster(self, access: Access) -> Cluster:
        """A connection to a cluster; never raises for one that cannot be reached."""


def ground() -> Ground:
    """The ground that this process stands on, from its environment."""
    name = os.environ.get("GKE_FLEET_GROUND")
    if name == "paper":
        from whatif.paper import Paper

        return Paper()
    if name == "sandbox":
        from sandbox.ground import Sandbox

        return Sandbox.from_environment()
    raise GroundError(f"GKE_FLEET_GROUND is {name!r}, and must be paper or sandbox; ./fleet shell sets it")


def pending_id(token: str, inputs: Mapping[str, Any]) -> str | None:
    """The id that a create of this type with these inputs will have; None where inputs do not say.

    `inputs` are as in an exported state. A pending create is one that was under way when the CLI was killed.
    """
    from plugins.gcp.types import TYPES

    if token in TYPES:
        try:
            return TYPES[token].identify({**TYPES[token].defaults, **inputs})
        except KeyError:
            return None
    if token.startswith("kubernetes:"):
        metadata = inputs.get("metadata")
        holder = inputs if token.endswith(":Release") and "helm.sh" in token else metadata
        if not isinstance(holder, Mapping) or not isinstance(holder.get("name"), str):
            return None
        namespace = holder.get("namespace")
        return f"{namespace}/{holder['name']}" if namespace else str(holder["name"])
    return None
