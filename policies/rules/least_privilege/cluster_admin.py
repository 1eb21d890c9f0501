"""Rule no-cluster-admin: no machine is cluster-admin, add-ons and Argo CD among them."""

from collections.abc import Iterator
from typing import Final

from ..iam import matches
from ..place import Place, inputs
from ..rule import Finding, Resource, Rule
from ..schemas import names
from .subject import concerns, machine, machine_user, of_kind

_ROLE: Final = "cluster-admin"
_HUB: Final = "gcp:gkehub/membershipRbacRoleBinding:MembershipRbacRoleBinding"
_REMEDY: Final = (
    'Bind a ClusterRole with the kinds and verbs that it needs, or name it in the parameter "allowed" with its '
    "namespace"
)


def _concerns(resource_type: str) -> bool:
    return resource_type == _HUB or concerns(resource_type, "ClusterRoleBinding")


def _look(resource: Resource) -> Iterator[Finding]:
    allowed = resource.parameters["allowed"]
    for name, place in _admins(resource):
        if name and not matches(name, allowed):
            yield place.offends(f"{name} may do everything in the cluster", _REMEDY)


def _admins(resource: Resource) -> Iterator[tuple[str, Place]]:
    """The machines that are given everything, and where each is named."""
    for binding in of_kind(resource, "ClusterRoleBinding"):
        if binding.at("roleRef", "name").text == _ROLE:
            for subject in binding.at("subjects").each():
                yield machine(subject), subject.at("name")
    if resource.type == _HUB:
        binding = inputs(resource)
        if binding.at("role", "predefinedRole").text == "ADMIN":
            yield machine_user(binding.at("user").text), binding.at("user")


RULE: Final = Rule(
    name="no-cluster-admin",
    title="No machine is cluster-admin",
    mandatory=True,
    reason=(
        "A pod whose ServiceAccount is cluster-admin is the whole cluster for whoever gets into it, and most charts "
        "ask for it because that is shorter than a list."
    ),
    remedy=_REMEDY + ".",
    source="https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
    looks_at=(
        "ClusterRoleBinding with roleRef cluster-admin: subjects[] that are a ServiceAccount, or a User that is an "
        "account of Google (people and groups may be)",
        "gcp:gkehub MembershipRbacRoleBinding with the role ADMIN: user",
    ),
    parameters={
        "allowed": names("Patterns of NAMESPACE/SERVICEACCOUNT or of users that may be cluster-admin")
    },
    concerns=_concerns,
    look=_look,
)
