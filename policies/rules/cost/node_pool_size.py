"""Rule node-pool-size: no pool may grow without somebody having meant it."""

from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER, NODE_POOL, has_nodes, pools, zones
from ..place import Place, inputs
from ..properties import UNKNOWN
from ..rule import Finding, Resource, Rule
from ..schemas import limit

_MOST: Final = 30
_REMEDY: Final = 'Write a smaller number, or raise the parameter "nodes" of this rule'


def _look(resource: Resource) -> Iterator[Finding]:
    most = resource.parameters["nodes"]
    whole = inputs(resource)
    for pool in pools(resource):
        stands = zones(pool if resource.type == NODE_POOL else _within(pool, whole))
        for place, factor in _counts(pool, stands):
            number = place.number
            if number is not None and number * factor > most:
                each = f" ({factor} zones with {number:g} each)" if factor > 1 else ""
                why = f"the pool may have {number * factor:g} nodes{each}, and {most:g} are the most"
                yield place.offends(why, _REMEDY)
    if resource.type == CLUSTER:
        total = whole.at("initialNodeCount")
        removed = whole.at("removeDefaultNodePool")
        count = (total.number or 0) * zones(whole)
        if count > most and removed.is_known and not removed.is_true:
            why = f"the default pool has {count:g} nodes, and {most:g} are the most"
            yield total.offends(why, _REMEDY)


def _counts(pool: Place, stands: int) -> Iterator[tuple[Place, int]]:
    """The numbers that say how large a pool may be, each with what it is multiplied by."""
    scaling = pool.at("autoscaling")
    if not scaling.is_set:
        count = pool.at("nodeCount")
        yield (count if count.is_set else pool.at("initialNodeCount")), stands
        return
    total = scaling.at("totalMaxNodeCount")
    if total.is_set:
        yield total, 1
    elif total.is_known:
        yield scaling.at("maxNodeCount"), stands


def _within(pool: Place, cluster: Place) -> Place:
    """A pool inside a cluster with the places that it has from the cluster."""
    named = pool.at("nodeLocations")
    locations = named if named.is_set else cluster.at("nodeLocations")
    location = cluster.at("location")
    where = {"nodeLocations": locations.value, "location": location.value if location.is_known else UNKNOWN}
    return Place(where, pool.path)


RULE: Final = Rule(
    name="node-pool-size",
    title="No node pool grows beyond what was meant",
    mandatory=False,
    reason=(
        "A regional pool has its count in every zone, so the number that was written is a third of what is paid; and "
        "a loop that creates pods is as good a reason to grow as customers are."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/concepts/cluster-autoscaler",
    looks_at=(
        "gcp:container NodePool, and nodePools[] of a Cluster: autoscaling.totalMaxNodeCount; maxNodeCount, nodeCount "
        "or initialNodeCount times the zones",
        "gcp:container Cluster: initialNodeCount times the zones, unless removeDefaultNodePool",
    ),
    parameters={"nodes": limit("The most nodes that one pool may have", _MOST)},
    concerns=has_nodes,
    look=_look,
)
