"""Rule container-roles: which machines pass by RBAC, Argo CD apart, is meant.

Advisory: the account that runs the program needs such a role, to make the first bindings in a new cluster.
"""

from collections.abc import Iterator
from typing import Final

from .. import iam
from ..rule import Finding, Resource, Rule
from ..schemas import names
from .argocd_iam import IDENTITIES, ROLES

_REMEDY: Final = (
    "Bind a ClusterRole in the clusters instead, or name the account that runs the program in the parameter "
    '"allowed"'
)


def _look(resource: Resource) -> Iterator[Finding]:
    for grant in iam.grants(resource):
        elsewhere = (
            grant.is_to_google or grant.is_to(IDENTITIES) or grant.is_to(resource.parameters["allowed"])
        )
        if grant.role.text in ROLES and grant.is_to_machine and not elsewhere:
            why = f"{grant.role.text} passes by RBAC in every cluster of the project"
            yield grant.member.offends(why, _REMEDY)


RULE: Final = Rule(
    name="container-roles",
    title="Accounts that pass by RBAC are meant",
    mandatory=False,
    reason="GKE asks IAM where RBAC says no, so that such a role is a right that no ClusterRole shows.",
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/how-to/role-based-access-control#iam-interaction",
    looks_at=(
        f"IAM Member, Binding and Policy resources: service accounts and workloads with {' or '.join(ROLES)}, other "
        "than Argo CD (argocd-rbac-only) and Google's own",
    ),
    parameters={"allowed": names("Patterns of members that may have the roles")},
    concerns=iam.concerns,
    look=_look,
)
