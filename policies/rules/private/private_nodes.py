"""Rule private-nodes: nodes have no public address, in Autopilot clusters too."""

from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER, has_nodes, pools
from ..place import inputs
from ..rule import Finding, Resource, Rule

_REMEDY: Final = (
    "Set privateClusterConfig.enablePrivateNodes to true, and enablePrivateNodes of no pool to false"
)
_FIELDS: Final = (
    ("privateClusterConfig", "enablePrivateNodes"),
    ("networkConfig", "defaultEnablePrivateNodes"),
)


def _look(resource: Resource) -> Iterator[Finding]:
    whole = inputs(resource)
    if resource.type == CLUSTER:
        said = [whole.at(*keys) for keys in _FIELDS]
        if all(place.is_known and not place.is_true for place in said):
            yield said[0].offends("every node gets a public address", _REMEDY)
    for pool in pools(resource):
        private = pool.at("networkConfig", "enablePrivateNodes")
        if private.is_false:
            yield private.offends("every node of the pool gets a public address", _REMEDY)


RULE: Final = Rule(
    name="private-nodes",
    title="Nodes have no public address",
    mandatory=True,
    reason=(
        "A node with a public address is one mistake in a firewall away from the internet, and its traffic leaves "
        "by ways that nobody watches."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/concepts/private-cluster-concept",
    looks_at=(
        "gcp:container Cluster: privateClusterConfig.enablePrivateNodes or networkConfig.defaultEnablePrivateNodes, "
        "nodePools[].networkConfig.enablePrivateNodes",
        "gcp:container NodePool: networkConfig.enablePrivateNodes (where it is not set, the cluster decides)",
    ),
    concerns=has_nodes,
    look=_look,
)
