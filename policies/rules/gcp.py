"""Google Cloud's resources among a program's: which token stands for what, and the parts of GKE clusters.

Owns type tokens and where a cluster keeps its nodes. Does not own what any setting should be.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from .place import Place, inputs
from .rule import Resource

CLUSTER: Final = "gcp:container/cluster:Cluster"
NODE_POOL: Final = "gcp:container/nodePool:NodePool"
FLEET: Final = "gcp:gkehub/fleet:Fleet"

_REGION: Final = re.compile(r"[a-z]+-[a-z]+[0-9]+")


def is_one_of(*tokens: str) -> Callable[[str], bool]:
    """Whether a type token is one of `tokens`, as `Rule.concerns`."""
    return frozenset(tokens).__contains__


has_nodes: Final = is_one_of(CLUSTER, NODE_POOL)
"""Whether a resource is a cluster or a node pool, as `Rule.concerns`."""


def may_be_autopilot(cluster: Place) -> bool:
    """Whether Google may run the nodes: it is said so, or not known."""
    autopilot = cluster.at("enableAutopilot")
    return autopilot.is_true or not autopilot.is_known


def pools(resource: Resource) -> Iterator[Place]:
    """The node pools that a resource describes: itself, or those inside a Standard cluster."""
    whole = inputs(resource)
    if resource.type == NODE_POOL:
        yield whole
    elif resource.type == CLUSTER and not may_be_autopilot(whole):
        yield from whole.at("nodePools").each()


def node_configs(resource: Resource) -> Iterator[Place]:
    """The configuration of nodes in a resource, unset ones too: every pool's, and the default pool's unless it
    is removed. None for Autopilot, whose nodes are Google's.
    """
    for pool in pools(resource):
        yield pool.at("nodeConfig")
    whole = inputs(resource)
    if resource.type != CLUSTER or may_be_autopilot(whole):
        return
    removed = whole.at("removeDefaultNodePool")
    own = whole.at("nodeConfig")
    if own.is_set or (removed.is_known and not removed.is_true and whole.at("nodePools").value in (None, [])):
        yield own


def zones(pool: Place) -> int:
    """In how many zones the nodes of a pool stand, each with the pool's count: three where a region is named."""
    named = len(list(pool.at("nodeLocations").each()))
    return named or (3 if _REGION.fullmatch(pool.at("location").text) else 1)
