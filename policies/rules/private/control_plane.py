"""Rule control-plane-closed: the control plane's address is private, or lets in named networks alone.

What networks may be named is the rule no-open-networks' business, the DNS endpoint dns-endpoint-closed's.
"""

from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER, is_one_of
from ..place import inputs
from ..rule import Finding, Resource, Rule

_REMEDY: Final = (
    "Set privateClusterConfig.enablePrivateEndpoint to true, or name the networks that may call in "
    "masterAuthorizedNetworksConfig.cidrBlocks"
)
_CLOUD_REMEDY: Final = "Set it to false, and name the networks that may call in cidrBlocks"


def _look(resource: Resource) -> Iterator[Finding]:
    cluster = inputs(resource)
    private = cluster.at("privateClusterConfig", "enablePrivateEndpoint")
    by_address = cluster.at("controlPlaneEndpointsConfig", "ipEndpointsConfig", "enabled")
    networks = cluster.at("masterAuthorizedNetworksConfig")
    if not all(place.is_known for place in (private, by_address, networks)):
        return
    if private.is_true or by_address.is_false:
        return
    if networks.value is None:
        yield private.offends("the API server answers the whole internet", _REMEDY)
    anybodys = networks.at("gcpPublicCidrsAccessEnabled")
    if anybodys.is_true:
        yield anybodys.offends(
            "the API server answers every customer's machine in Google Cloud", _CLOUD_REMEDY
        )


RULE: Final = Rule(
    name="control-plane-closed",
    title="Control planes are not open to the internet",
    mandatory=True,
    reason=(
        "With an open address a stolen token or the next flaw of an API server is enough; a private one asks for a "
        "place in the network too."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/how-to/authorized-networks",
    looks_at=(
        "gcp:container Cluster: privateClusterConfig.enablePrivateEndpoint, "
        "controlPlaneEndpointsConfig.ipEndpointsConfig.enabled, masterAuthorizedNetworksConfig and its "
        "gcpPublicCidrsAccessEnabled",
    ),
    concerns=is_one_of(CLUSTER),
    look=_look,
)
