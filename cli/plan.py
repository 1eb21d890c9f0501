"""What the files say of one stack, as the commands need it.

Owns finding a stack's file and fleet, and turning the model's answer into what is waited for and shown. Does not own
the model, nor the engine's own reading of the stack file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.applications import Wanted
from cli.checkout import PROJECT, Checkout
from cli.failure import ExitCode, Failure
from model import ConfigurationError, Problem, load
from model.document import read
from model.gateway import kubeconfig
from model.problems import did_you_mean


@dataclass(frozen=True)
class Plan:
    """A stack as its files say it is to be.

    Attributes:
        clusters: names in the order of the fleet file.
        rings: cluster -> ring.
        hub: the hub's name.
        applications: every Application that is predicted, the one of Argo CD itself first.
        kubeconfigs: cluster -> the kubeconfig of the caller, through Connect Gateway.
    """

    clusters: tuple[str, ...]
    rings: Mapping[str, str]
    hub: str
    applications: tuple[Wanted, ...]
    kubeconfigs: Mapping[str, Mapping[str, Any]]

    @property
    def hub_kubeconfig(self) -> Mapping[str, Any]:
        return self.kubeconfigs[self.hub]


def plan(checkout: Checkout, stack: str) -> Plan:
    """Read the files of `stack`. Raises Failure (exit code 2) with every error in them at once."""
    settings = _stack_settings(checkout, stack)
    mirror = settings.get(f"{PROJECT}:mirror")
    try:
        configuration = load(checkout.stacks, str(settings[f"{PROJECT}:fleet"]), mirror)
    except ConfigurationError as error:
        raise Failure(ExitCode.CONFIGURATION, str(error)) from error
    fleet = configuration.fleet
    return Plan(
        clusters=tuple(cluster.name for cluster in fleet.clusters),
        rings={cluster.name: cluster.ring for cluster in fleet.clusters},
        hub=fleet.hub.name,
        applications=tuple(Wanted(**stamped.summary()) for stamped in configuration.applications),
        kubeconfigs={cluster.name: json.loads(kubeconfig(fleet, cluster)) for cluster in fleet.clusters},
    )


def _stack_settings(checkout: Checkout, stack: str) -> Mapping[str, Any]:
    """`config` of the stack file. Raises Failure (exit code 2) where it cannot be used."""
    path = checkout.stacks / f"Pulumi.{stack}.yaml"
    shown = f"stacks/{path.name}"
    if not path.is_file():
        raise Failure(
            ExitCode.CONFIGURATION,
            f"there is no stack {stack!r}: no file {shown}",
            did_you_mean(stack, checkout.stack_names()),
        )
    document = read(path, shown)
    problems: list[Problem] = list(document.problems)
    content = document.content if isinstance(document.content, dict) else {}
    config = content.get("config")
    if not problems and not isinstance(config, dict):
        why = "a stack file is a mapping that holds `config`"
        problems.append(
            document.problem(
                ("config",), config, why, f"write `config:` and under it `{PROJECT}:fleet: NAME`"
            )
        )
    elif not problems and isinstance(config, dict):
        for key, needed in ((f"{PROJECT}:fleet", True), (f"{PROJECT}:mirror", False)):
            value = config.get(key)
            if (value is None and needed) or not isinstance(value, str | None):
                why = "that has to be a text" if value is not None else "the stack has to say this"
                problems.append(document.problem(("config", key), value, why, f"write `{key}: TEXT`"))
    if problems:
        raise Failure(ExitCode.CONFIGURATION, str(ConfigurationError(problems)))
    assert isinstance(config, dict)
    return config
