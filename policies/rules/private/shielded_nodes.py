"""Rule shielded-nodes: a node proves what it is before it joins, and that it booted what it should."""

from collections.abc import Iterator
from typing import Final

from ..gcp import has_nodes, node_configs
from ..place import inputs
from ..rule import Finding, Resource, Rule

_REMEDY: Final = "Leave it out, or set it to true"


def _look(resource: Resource) -> Iterator[Finding]:
    whole = inputs(resource)
    shielded = whole.at("enableShieldedNodes")
    if shielded.is_false:
        yield shielded.offends("whoever takes a node's bootstrap credential can join as any node", _REMEDY)
    defaults = whole.at("clusterAutoscaling", "autoProvisioningDefaults")
    for node in (*node_configs(resource), defaults):
        monitored = node.at("shieldedInstanceConfig", "enableIntegrityMonitoring")
        if monitored.is_false:
            yield monitored.offends("nobody learns that a node booted something else", _REMEDY)


RULE: Final = Rule(
    name="shielded-nodes",
    title="Nodes are shielded",
    mandatory=True,
    reason=(
        "Without it a credential that is taken from one node's metadata is enough to become another node and read "
        "the Secrets that it mounts."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/how-to/shielded-gke-nodes",
    looks_at=(
        "gcp:container Cluster: enableShieldedNodes (on unless it is switched off)",
        "nodes of Standard clusters, NodePools, clusterAutoscaling.autoProvisioningDefaults: "
        "shieldedInstanceConfig.enableIntegrityMonitoring (the same)",
    ),
    concerns=has_nodes,
    look=_look,
)
