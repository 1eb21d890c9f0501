"""Where things are: the checkout and its sandbox.

Owns every path that more than one command uses. Does not own the layout inside `.sandbox/cloud`, `.sandbox/mirror`
and so on: the part of the sandbox of that name does.
"""

from dataclasses import dataclass
from pathlib import Path

SANDBOX_STACK = "sandbox"
SANDBOX_FLEET = "sandbox"
"""The fleet that lives on this machine; every stack that holds it or a part of it does."""
PROJECT = "gke-fleet"


@dataclass(frozen=True)
class Checkout:
    """A checkout of this project.

    Attributes:
        root: the folder that holds Pulumi.yaml.
    """

    root: Path

    @property
    def stacks(self) -> Path:
        return self.root / "stacks"

    @property
    def policies(self) -> Path:
        return self.root / "policies"

    @property
    def state(self) -> Path:
        """Everything a running sandbox keeps; `./fleet down` removes it whole."""
        return self.root / ".sandbox"

    @property
    def pulumi_home(self) -> Path:
        return self.state / "pulumi-home"

    @property
    def backend(self) -> Path:
        return self.state / "pulumi-state"

    @property
    def backend_url(self) -> str:
        return f"file://{self.backend}"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def kubeconfig(self) -> Path:
        """The deployer's kubeconfig of `./fleet shell`, one context a cluster."""
        return self.state / "kubeconfig"


def here() -> Checkout:
    """The checkout that this very code belongs to."""
    return Checkout(Path(__file__).resolve().parent.parent)
