"""Rule no-basic-roles: nobody is given Owner or Editor, or their successors Admin and Writer."""

from collections.abc import Iterator
from typing import Final

from .. import iam
from ..rule import Finding, Resource, Rule

_ROLES: Final = ("roles/owner", "roles/editor", "roles/admin", "roles/writer")
_REMEDY: Final = "Give the predefined roles that are needed, on the smallest resource that does"


def _look(resource: Resource) -> Iterator[Finding]:
    for grant in iam.grants(resource):
        if grant.role.text.lower() in _ROLES:
            yield grant.role.offends("a basic role holds thousands of permissions, of every service", _REMEDY)


RULE: Final = Rule(
    name="no-basic-roles",
    title="Nobody has a basic role that changes things",
    mandatory=True,
    reason=(
        "Basic roles grow with every product of Google's, and hold what passes by every other rule: Editor deletes "
        "clusters, Owner gives itself the rest."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/iam/docs/roles-overview#basic",
    looks_at=("IAM Member, Binding and Policy resources, of whatever they are on: role",),
    concerns=iam.concerns,
    look=_look,
)
