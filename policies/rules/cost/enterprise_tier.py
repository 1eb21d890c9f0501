"""Rule no-enterprise-tier: no cluster asks for a tier."""

from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER, is_one_of
from ..place import inputs
from ..rule import Finding, Resource, Rule

_REMEDY: Final = "Take enterpriseConfig out: what it bought comes with every cluster now"


def _look(resource: Resource) -> Iterator[Finding]:
    tier = inputs(resource).at("enterpriseConfig", "desiredTier")
    if tier.is_set:
        yield tier.offends("the tier is deprecated, and was billed by the vCPU", _REMEDY)


RULE: Final = Rule(
    name="no-enterprise-tier",
    title="No cluster asks for a tier",
    mandatory=True,
    reason="A tier was a price for every vCPU of a cluster; today it buys nothing, and what it does is not said.",
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/pricing",
    looks_at=("gcp:container Cluster: enterpriseConfig.desiredTier",),
    concerns=is_one_of(CLUSTER),
    look=_look,
)
