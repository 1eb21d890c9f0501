"""Rule no-bindings-to-everybody: no role is bound to all callers, with or without a name."""

from collections.abc import Iterator
from typing import Final

from ..rule import Finding, Resource, Rule
from .subject import concerns, of_kind

_EVERYBODY: Final = {
    "system:anonymous": "these are callers without a name",
    "system:unauthenticated": "these are callers without a name",
    "system:authenticated": "on GKE that is everybody who has any Google account",
    "system:serviceaccounts": "that is every pod of the cluster",
}
_HARMLESS: Final = ("system:basic-user", "system:discovery", "system:public-info-viewer")
"""Roles that Kubernetes itself binds to everybody: what the server is, and who the caller is."""
_BINDINGS: Final = ("ClusterRoleBinding", "RoleBinding")
_REMEDY: Final = "Name the users, groups or ServiceAccounts that need it"


def _concerns(resource_type: str) -> bool:
    return concerns(resource_type, *_BINDINGS)


def _look(resource: Resource) -> Iterator[Finding]:
    for binding in of_kind(resource, *_BINDINGS):
        if binding.at("roleRef", "name").text in _HARMLESS:
            continue
        for subject in binding.at("subjects").each():
            name = subject.at("name")
            if subject.at("kind").text in ("User", "Group") and name.text in _EVERYBODY:
                yield name.offends(_EVERYBODY[name.text], _REMEDY)


RULE: Final = Rule(
    name="no-bindings-to-everybody",
    title="No role is bound to everybody",
    mandatory=True,
    reason="Such a binding holds for whoever reaches the API server, and for every pod that is still to come.",
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/best-practices/rbac",
    looks_at=(
        "ClusterRoleBinding and RoleBinding: subjects[] system:anonymous, system:unauthenticated, "
        "system:authenticated and system:serviceaccounts, unless the role is one that Kubernetes binds to them itself",
    ),
    concerns=_concerns,
    look=_look,
)
