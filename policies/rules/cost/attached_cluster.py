"""Rule no-attached-clusters: no cluster outside Google Cloud is managed by Google for a fee."""

import re
from collections.abc import Iterator
from typing import Final

from ..place import inputs
from ..rule import Finding, Resource, Rule

_TOKEN: Final = re.compile(
    r"gcp:container/(?:attachedCluster|awsCluster|awsNodePool|azureCluster|azureNodePool|azureClient):\w+"
    r"|gcp:gkeonprem/(?:(?!Iam)\w)+:\w+"
)
_REMEDY: Final = (
    "Register the cluster as a membership with a Connect agent instead: Argo CD reaches it through the gateway all "
    "the same"
)


def _concerns(resource_type: str) -> bool:
    return _TOKEN.fullmatch(resource_type) is not None


def _look(resource: Resource) -> Iterator[Finding]:
    yield inputs(resource).at("name").offends("every vCPU of such a cluster carries a fee", _REMEDY)


RULE: Final = Rule(
    name="no-attached-clusters",
    title="No cluster elsewhere is managed for a fee",
    mandatory=True,
    reason="Clusters on AWS, Azure and on premises still carry a fee by the vCPU, whatever runs on them.",
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/pricing",
    looks_at=(
        "gcp:container AttachedCluster, AwsCluster, AwsNodePool, AzureCluster, AzureNodePool, AzureClient, and all of "
        "gcp:gkeonprem: that there is one",
    ),
    concerns=_concerns,
    look=_look,
)
