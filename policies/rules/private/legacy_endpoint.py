"""Rule no-legacy-endpoints: no way in that GKE keeps for old clients alone.

Those are the old addresses of the metadata server, which ask for no header; the kubelet's port without
authentication; and the authorizer from before RBAC.
"""

from collections.abc import Iterator
from typing import Final

from ..gcp import has_nodes, node_configs
from ..place import Place, inputs
from ..rule import Finding, Resource, Rule

_METADATA: Final = "disable-legacy-endpoints"
_METADATA_REMEDY: Final = f'Set "{_METADATA}" to "true" in the metadata of the nodes'
_PORT: Final = "insecureKubeletReadonlyPortEnabled"
_PORT_REMEDY: Final = 'Set it to "FALSE"'
_ABAC_REMEDY: Final = "Set it to false; RBAC and IAM decide"


def _look(resource: Resource) -> Iterator[Finding]:
    whole = inputs(resource)
    abac = whole.at("enableLegacyAbac")
    if abac.is_true:
        yield abac.offends(
            "every ServiceAccount may then do nearly everything, whatever RBAC says", _ABAC_REMEDY
        )
    for node in node_configs(resource):
        metadata = node.at("metadata")
        said = metadata.at(_METADATA)
        if said.is_false or (metadata.is_set and said.is_missing):
            yield said.offends(
                "the old metadata addresses hand out the node's tokens without a header", _METADATA_REMEDY
            )
    for port in _ports(resource, whole):
        if port.is_true:
            yield port.offends(
                "whoever reaches a node reads its pods and their logs without a name", _PORT_REMEDY
            )


def _ports(resource: Resource, whole: Place) -> Iterator[Place]:
    yield whole.at("nodePoolDefaults", "nodeConfigDefaults", _PORT)
    yield whole.at("nodePoolAutoConfig", "nodeKubeletConfig", _PORT)
    for node in node_configs(resource):
        yield node.at("kubeletConfig", _PORT)


RULE: Final = Rule(
    name="no-legacy-endpoints",
    title="No way in for old clients",
    mandatory=True,
    reason=(
        "A pod that can be made to fetch a URL gets the node's token from the old metadata addresses; the other two "
        "let through what RBAC would not."
    ),
    remedy=f"{_METADATA_REMEDY}; {_PORT} and enableLegacyAbac are off.",
    source="https://cloud.google.com/kubernetes-engine/docs/how-to/protecting-cluster-metadata",
    looks_at=(
        "gcp:container Cluster: enableLegacyAbac",
        f"nodes of Standard clusters and NodePools: nodeConfig.metadata.{_METADATA} (where metadata is set at all: "
        "GKE turns them off by itself otherwise)",
        f"Cluster, NodePool: {_PORT}, wherever it stands",
    ),
    concerns=has_nodes,
    look=_look,
)
