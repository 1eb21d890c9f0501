"""Rule impersonation-by-account: who may act as a service account may act as one, not as all of a project."""

from collections.abc import Iterator
from typing import Final

from .. import iam
from ..rule import Finding, Resource, Rule
from ..schemas import names

_ROLES: Final = (
    "roles/iam.serviceAccountTokenCreator",
    "roles/iam.serviceAccountOpenIdTokenCreator",
    "roles/iam.serviceAccountUser",
    "roles/iam.workloadIdentityUser",
)
_REMEDY: Final = (
    "Give it on the service account itself (gcp.serviceaccount.IAMMember), or name who needs it in the parameter "
    '"allowed"'
)


def _look(resource: Resource) -> Iterator[Finding]:
    for grant in iam.grants(resource):
        if not grant.on or grant.role.text not in _ROLES or grant.is_to_google:
            continue
        if not grant.is_to(resource.parameters["allowed"]):
            why = f"{grant.role.text} on a whole {grant.on} is the right to be any account in it"
            yield grant.member.offends(why, _REMEDY)


RULE: Final = Rule(
    name="impersonation-by-account",
    title="Impersonation is given on one account at a time",
    mandatory=False,
    reason=(
        "On a project these roles hold for accounts that are made tomorrow too: their sum is the strongest account "
        "of the project."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/iam/docs/service-account-permissions",
    looks_at=(
        "IAM Member, Binding and Policy resources of projects, folders and organizations: role "
        f"{', '.join(role.removeprefix('roles/iam.') for role in _ROLES)}",
    ),
    parameters={"allowed": names("Patterns of members that may have the roles on a project")},
    concerns=iam.concerns,
    look=_look,
)
