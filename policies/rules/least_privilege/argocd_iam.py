"""Rule argocd-rbac-only: what Argo CD may do inside clusters is said by RBAC, never by IAM.

Argo CD's identity is known by its name: a service account that is called after it, or a workload in its
namespace. Patterns for other names are a parameter.
"""

from collections.abc import Iterator
from typing import Final

from .. import iam
from ..rule import Finding, Resource, Rule
from ..schemas import names

IDENTITIES: Final = ("*argocd*", "*argo-cd*")
ROLES: Final = ("roles/container.admin", "roles/container.developer")
"""The predefined roles with which IAM lets through what RBAC in the cluster would not."""

_REMEDY: Final = "Take it out, and bind a ClusterRole to the account in each cluster"


def _look(resource: Resource) -> Iterator[Finding]:
    for grant in iam.grants(resource):
        role = grant.role.text
        if role in ROLES and grant.is_to_machine and grant.is_to(resource.parameters["identities"]):
            why = f"{role} lets Argo CD do in every cluster of the project what no ClusterRole shows"
            yield grant.member.offends(why, _REMEDY)


RULE: Final = Rule(
    name="argocd-rbac-only",
    title="Argo CD has no role of GKE in IAM",
    mandatory=True,
    reason=(
        "GKE asks RBAC first, and IAM where RBAC says no. With such a role Argo CD's ClusterRoles say nothing any "
        "more, and whoever may write an Application may do everything."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/how-to/role-based-access-control#iam-interaction",
    looks_at=(f"IAM Member, Binding and Policy resources: members with {' or '.join(ROLES)}",),
    parameters={"identities": names("Patterns of members that are Argo CD", IDENTITIES)},
    concerns=iam.concerns,
    look=_look,
)
