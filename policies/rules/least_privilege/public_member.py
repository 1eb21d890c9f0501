"""Rule no-public-members: nothing is given to everybody, with or without a Google account."""

from collections.abc import Iterator
from typing import Final

from .. import iam
from ..gcp import is_one_of
from ..place import Place, inputs
from ..rule import Finding, Resource, Rule

_PUBLIC: Final = {
    "allusers": "that is everybody on the internet",
    "allauthenticatedusers": "that is everybody who has any Google account",
}
_REMEDY: Final = "Name the accounts or groups that need it"
_entity: Final = is_one_of(
    "gcp:storage/bucketAccessControl:BucketAccessControl",
    "gcp:storage/defaultObjectAccessControl:DefaultObjectAccessControl",
    "gcp:storage/objectAccessControl:ObjectAccessControl",
)
_listed: Final = is_one_of(
    "gcp:storage/bucketACL:BucketACL",
    "gcp:storage/defaultObjectACL:DefaultObjectACL",
    "gcp:storage/objectACL:ObjectACL",
)


def _concerns(resource_type: str) -> bool:
    return iam.concerns(resource_type) or _entity(resource_type) or _listed(resource_type)


def _look(resource: Resource) -> Iterator[Finding]:
    for place in _members(resource):
        name = place.text.rpartition(":")[2].lower()
        if why := _PUBLIC.get(name):
            yield place.offends(why, _REMEDY)
    predefined = inputs(resource).at("predefinedAcl")
    if _listed(resource.type) and "public" in predefined.text.lower():
        yield predefined.offends(_PUBLIC["allusers"], _REMEDY)


def _members(resource: Resource) -> Iterator[Place]:
    whole = inputs(resource)
    for grant in iam.grants(resource):
        yield grant.member
    if _entity(resource.type):
        yield whole.at("entity")
    if _listed(resource.type):
        yield from whole.at("roleEntities").each()


RULE: Final = Rule(
    name="no-public-members",
    title="Nothing is given to everybody",
    mandatory=True,
    reason=(
        "Who is not named cannot be taken off the list. allAuthenticatedUsers is no list of colleagues: a Google "
        "account is had for nothing."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/iam/docs/principals-overview",
    looks_at=(
        "IAM Member, Binding and Policy resources, of whatever they are on: member, members[]",
        "gcp:storage access controls and ACLs: entity, roleEntities[], predefinedAcl",
    ),
    concerns=_concerns,
    look=_look,
)
