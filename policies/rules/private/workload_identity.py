"""Rule workload-identity: pods are somebody of their own for Google, and never the node they run on."""

from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER, has_nodes, may_be_autopilot, node_configs
from ..place import inputs
from ..rule import Finding, Resource, Rule

_POOL_REMEDY: Final = 'Set workloadIdentityConfig.workloadPool to "PROJECT.svc.id.goog"'
_MODE_REMEDY: Final = 'Set workloadMetadataConfig.mode to "GKE_METADATA"'


def _look(resource: Resource) -> Iterator[Finding]:
    whole = inputs(resource)
    if resource.type == CLUSTER and not may_be_autopilot(whole):
        pool = whole.at("workloadIdentityConfig", "workloadPool")
        if pool.is_missing:
            yield pool.offends("every pod then has the rights of the node's service account", _POOL_REMEDY)
    for node in node_configs(resource):
        mode = node.at("workloadMetadataConfig", "mode")
        if mode.is_set and mode.text != "GKE_METADATA":
            yield mode.offends("pods then get the token of the node's service account", _MODE_REMEDY)


RULE: Final = Rule(
    name="workload-identity",
    title="Workload Identity is on, on every node",
    mandatory=True,
    reason=(
        "Without it every pod can take the node's token and with it the rights of all pods together; and whoever "
        "needs more rights than the node has is handed a key."
    ),
    remedy=f"{_POOL_REMEDY}; {_MODE_REMEDY[0].lower()}{_MODE_REMEDY[1:]} where it is set.",
    source="https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity",
    looks_at=(
        "gcp:container Cluster, unless it is an Autopilot one: workloadIdentityConfig.workloadPool",
        "nodes of Standard clusters and NodePools: nodeConfig.workloadMetadataConfig.mode",
    ),
    concerns=has_nodes,
    look=_look,
)
