"""Rule secure-boot: nodes boot signed code alone.

Advisory: drivers that are not signed, such as those of some accelerators, do not load with it.
"""

from collections.abc import Iterator
from typing import Final

from ..gcp import has_nodes, node_configs
from ..rule import Finding, Resource, Rule

_REMEDY: Final = (
    "Set nodeConfig.shieldedInstanceConfig.enableSecureBoot to true, unless a driver is not signed"
)


def _look(resource: Resource) -> Iterator[Finding]:
    for node in node_configs(resource):
        boot = node.at("shieldedInstanceConfig", "enableSecureBoot")
        if boot.is_known and not boot.is_true:
            yield boot.offends("the nodes also boot what nobody signed", _REMEDY)


RULE: Final = Rule(
    name="secure-boot",
    title="Nodes boot signed code alone",
    mandatory=False,
    reason="Secure Boot is off unless it is asked for; without it a changed kernel survives the restart of a node.",
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/how-to/shielded-gke-nodes#secure_boot",
    looks_at=(
        "nodes of Standard clusters and NodePools: nodeConfig.shieldedInstanceConfig.enableSecureBoot (Autopilot "
        "turns it on by itself)",
    ),
    concerns=has_nodes,
    look=_look,
)
