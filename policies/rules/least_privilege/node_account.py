"""Rule node-account: nodes run as an account of their own, which may write logs and pull images."""

from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER, has_nodes, node_configs
from ..place import Place, inputs
from ..rule import Finding, Resource, Rule

_DEFAULT: Final = "-compute@developer.gserviceaccount.com"
_REMEDY: Final = (
    "Make an account with roles/container.defaultNodeServiceAccount, and name it as serviceAccount"
)


def _look(resource: Resource) -> Iterator[Finding]:
    for account in _accounts(resource):
        if account.is_missing or account.text == "default" or account.text.endswith(_DEFAULT):
            yield account.offends("the nodes then run as the default account of Compute Engine", _REMEDY)


def _accounts(resource: Resource) -> Iterator[Place]:
    whole = inputs(resource)
    for node in node_configs(resource):
        yield node.at("serviceAccount")
    provisioned = whole.at("clusterAutoscaling")
    by_google = whole.at("enableAutopilot").is_true or provisioned.at("enabled").is_true
    if resource.type == CLUSTER and by_google:
        yield provisioned.at("autoProvisioningDefaults", "serviceAccount")


RULE: Final = Rule(
    name="node-account",
    title="Nodes run as an account of their own",
    mandatory=False,
    reason=(
        "The default account is Editor of the project in many organizations, and every node of every cluster shares "
        "it: a pod that gets out of its node then has the project."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster#use_least_privilege_sa",
    looks_at=(
        "nodes of Standard clusters and NodePools: nodeConfig.serviceAccount",
        "Autopilot clusters and those with node auto-provisioning: "
        "clusterAutoscaling.autoProvisioningDefaults.serviceAccount",
    ),
    concerns=has_nodes,
    look=_look,
)
