"""Rules about networks: nothing of a cluster is reached from the internet, and no node hands out its identity."""

from . import (
    anonymous_access,
    control_plane,
    dns_endpoint,
    legacy_endpoint,
    open_network,
    private_nodes,
    secure_boot,
    shielded_nodes,
    workload_identity,
)

RULES = (
    private_nodes.RULE,
    control_plane.RULE,
    dns_endpoint.RULE,
    open_network.RULE,
    anonymous_access.RULE,
    legacy_endpoint.RULE,
    workload_identity.RULE,
    shielded_nodes.RULE,
    secure_boot.RULE,
)
