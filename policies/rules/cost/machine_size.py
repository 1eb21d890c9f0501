"""Rule machine-size: no node is larger than what was meant."""

import re
from collections.abc import Iterator
from typing import Final

from ..gcp import has_nodes, node_configs
from ..rule import Finding, Resource, Rule
from ..schemas import limit

_MOST: Final = 32
_CUSTOM: Final = re.compile(r"(?:^|-)custom-(?P<vcpu>[0-9]{1,4})-")
_PREDEFINED: Final = re.compile(r"-(?P<vcpu>[0-9]{1,4})(?:-|$)")
_REMEDY: Final = 'Take more and smaller nodes, or raise the parameter "vcpu" of this rule'


def _look(resource: Resource) -> Iterator[Finding]:
    most = resource.parameters["vcpu"]
    for node in node_configs(resource):
        machine = node.at("machineType")
        match = _CUSTOM.search(machine.text) or _PREDEFINED.search(machine.text)
        if match and int(match["vcpu"]) > most:
            why = f"every node has {match['vcpu']} vCPUs, and {most:g} are the most"
            yield machine.offends(why, _REMEDY)


RULE: Final = Rule(
    name="machine-size",
    title="No node is larger than what was meant",
    mandatory=False,
    reason="The smallest pool has one node: with a large machine that is the price, whatever runs on it.",
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/compute/docs/machine-resource",
    looks_at=("nodes of Standard clusters and NodePools: nodeConfig.machineType",),
    parameters={"vcpu": limit("The most vCPUs that one node may have", _MOST)},
    concerns=has_nodes,
    look=_look,
)
