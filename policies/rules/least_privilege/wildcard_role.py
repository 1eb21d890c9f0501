"""Rule no-wildcard-roles: no ClusterRole is cluster-admin under another name."""

from collections.abc import Iterator
from typing import Final

from ..iam import matches
from ..place import Place
from ..rule import Finding, Resource, Rule
from ..schemas import names
from .subject import concerns, of_kind

_REMEDY: Final = 'Name the kinds and verbs that are needed, or name the role in the parameter "allowed"'
_FIELDS: Final = ("apiGroups", "resources", "verbs")


def _concerns(resource_type: str) -> bool:
    return concerns(resource_type, "ClusterRole")


def _look(resource: Resource) -> Iterator[Finding]:
    for role in of_kind(resource, "ClusterRole"):
        if matches(role.at("metadata", "name").text, resource.parameters["allowed"]):
            continue
        for rule in role.at("rules").each():
            if all(_has_star(rule.at(field)) for field in _FIELDS):
                verbs = rule.at("verbs")
                why = "every verb on every kind of every group is cluster-admin under another name"
                yield Place("*", verbs.path).offends(why, _REMEDY)


def _has_star(listed: Place) -> bool:
    return any(each.text == "*" for each in listed.each())


RULE: Final = Rule(
    name="no-wildcard-roles",
    title="No ClusterRole holds everything",
    mandatory=True,
    reason="Who reads bindings looks for cluster-admin, and passes by a role of another name that is the same.",
    remedy=_REMEDY + ".",
    source="https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
    looks_at=("ClusterRole: rules[] whose apiGroups, resources and verbs each hold a star",),
    parameters={"allowed": names("Patterns of names of ClusterRoles that may hold everything")},
    concerns=_concerns,
    look=_look,
)
