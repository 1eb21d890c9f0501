"""Rule dns-endpoint-closed: the DNS endpoint of a control plane answers inside Google's network alone.

Advisory: IAM stands before that endpoint, and it is the way out where Connect Gateway's quota is not enough.
"""

from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER, is_one_of
from ..place import inputs
from ..rule import Finding, Resource, Rule

_REMEDY: Final = "Set it to false where Connect Gateway or the private address will do"


def _look(resource: Resource) -> Iterator[Finding]:
    outside = inputs(resource).at("controlPlaneEndpointsConfig", "dnsEndpointConfig", "allowExternalTraffic")
    if outside.is_true:
        yield outside.offends(
            "the API server is reached from the internet; only IAM stands before it", _REMEDY
        )


RULE: Final = Rule(
    name="dns-endpoint-closed",
    title="DNS endpoints of control planes are closed to the internet",
    mandatory=False,
    reason=(
        "Authorized networks do not apply to the DNS endpoint: who holds a token with container.clusters.connect is "
        "let through from anywhere, unless VPC Service Controls say no."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation",
    looks_at=("gcp:container Cluster: controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic",),
    concerns=is_one_of(CLUSTER),
    look=_look,
)
