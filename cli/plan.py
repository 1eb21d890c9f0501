"""What the files say of one stack, as the commands need it.

Owns turning the model's answer into what is waited for and shown. Does not own the model.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cli.applications import Wanted
from cli.checkout import SANDBOX_FLEET, Checkout
from cli.failure import ExitCode, Failure
from model import ConfigurationError
from model.gateway import kubeconfig
from model.load import CATALOGUE_FILE, load_stack
from model.notices import notices


@dataclass(frozen=True)
class Plan:
    """A stack as its files say it is to be.

    Attributes:
        on_sandbox: whether it lives on this machine.
        clusters: names of the clusters that the stack holds, in the order of the fleet file.
        rings: cluster -> ring.
        hub: the hub's name.
        elsewhere: every Application that is predicted for the clusters that other stacks hold.
        applications: every Application that is predicted for these clusters, the one of Argo CD itself first.
        kubeconfigs: cluster of the whole fleet -> the kubeconfig of the caller, through Connect Gateway.
        fleet_file, catalogue_file: their paths in the checkout, as a person types them.
        empty_source: (commit, folder) that an Application stands on while it removes what it delivered.
        notices: what a person should know of it, one or two sentences each.
    """

    on_sandbox: bool
    clusters: tuple[str, ...]
    elsewhere: tuple[Wanted, ...]
    rings: Mapping[str, str]
    hub: str
    applications: tuple[Wanted, ...]
    kubeconfigs: Mapping[str, Mapping[str, Any]]
    fleet_file: str
    catalogue_file: str
    empty_source: tuple[str, str]
    notices: tuple[str, ...]

    @property
    def hub_kubeconfig(self) -> Mapping[str, Any]:
        return self.kubeconfigs[self.hub]


def plan(checkout: Checkout, stack: str) -> Plan:
    """Read the files of `stack`. Raises Failure (exit code 2) with every error in them at once."""
    try:
        configuration = load_stack(checkout.stacks, stack, date.today().isoformat())
    except ConfigurationError as error:
        raise Failure(ExitCode.CONFIGURATION, str(error)) from error
    fleet = configuration.fleet
    every = [Wanted(**stamped.summary()) for stamped in configuration.applications]
    held = tuple(cluster.name for cluster in configuration.part.clusters(fleet))
    return Plan(
        on_sandbox=fleet.name == SANDBOX_FLEET,
        clusters=held,
        elsewhere=tuple(wanted for wanted in every if wanted.cluster not in held),
        rings={cluster.name: cluster.ring for cluster in fleet.clusters},
        hub=fleet.hub.name,
        applications=tuple(wanted for wanted in every if wanted.cluster in held),
        kubeconfigs={cluster.name: json.loads(kubeconfig(fleet, cluster)) for cluster in fleet.clusters},
        fleet_file=f"{checkout.stacks.name}/{fleet.name}.fleet.yaml",
        catalogue_file=f"{checkout.stacks.name}/{CATALOGUE_FILE}",
        empty_source=(
            configuration.catalogue.empty_source.revision,
            configuration.catalogue.empty_source.path,
        ),
        notices=notices(configuration),
    )
