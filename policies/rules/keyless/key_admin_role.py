"""Rule no-key-admin-roles: nobody may make keys, by a predefined role or by a custom one."""

from collections.abc import Iterator
from typing import Final

from .. import iam
from ..gcp import is_one_of
from ..place import inputs
from ..rule import Finding, Resource, Rule

_ROLES: Final = {
    "roles/iam.serviceAccountKeyAdmin": "keys of service accounts",
    "roles/iam.serviceAccountApiKeyBindingAdmin": "API keys that act as service accounts",
    "roles/storage.hmacKeyAdmin": "HMAC keys of service accounts",
}
_PERMISSIONS: Final = {
    "iam.serviceAccountKeys.create": "keys of service accounts",
    "iam.serviceAccountApiKeyBindings.create": "API keys that act as service accounts",
    "storage.hmacKeys.create": "HMAC keys of service accounts",
}
_REMEDY: Final = "Take it out; a key that has to be made after all is made under a grant that ends by itself"
_is_custom_role: Final = is_one_of(
    "gcp:projects/iAMCustomRole:IAMCustomRole", "gcp:organizations/iAMCustomRole:IAMCustomRole"
)


def _concerns(resource_type: str) -> bool:
    return iam.concerns(resource_type) or _is_custom_role(resource_type)


def _look(resource: Resource) -> Iterator[Finding]:
    for grant in iam.grants(resource):
        if made := _ROLES.get(grant.role.text):
            yield grant.role.offends(f"who has this role can make {made}", _REMEDY)
    if _is_custom_role(resource.type):
        for permission in inputs(resource).at("permissions").each():
            if made := _PERMISSIONS.get(permission.text):
                yield permission.offends(f"who has this permission can make {made}", _REMEDY)


RULE: Final = Rule(
    name="no-key-admin-roles",
    title="Nobody may make keys of service accounts",
    mandatory=True,
    reason=(
        "Who can make a key of an account is that account, for ever and from anywhere: the role is worth all "
        "the rights of all the accounts below it."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/iam/docs/best-practices-for-managing-service-account-keys",
    looks_at=(
        "IAM Member, Binding and Policy resources of any kind: role",
        "gcp:projects and gcp:organizations IAMCustomRole: permissions[]",
    ),
    concerns=_concerns,
    look=_look,
)
