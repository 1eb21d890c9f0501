"""Subjects of bindings in RBAC. Owns who of them is a machine and how one is named; owns no rule."""

import re
from collections.abc import Iterator
from typing import Final

from ..kubernetes import kind_of, objects
from ..place import Place
from ..rule import Resource

RBAC: Final = "rbac.authorization.k8s.io"
_ACCOUNT: Final = re.compile(
    r".*\.gserviceaccount\.com|system:serviceaccount:.*|principal://.*workloadIdentityPools/.*"
)


def concerns(resource_type: str, *kinds: str) -> bool:
    """Whether a resource can be of one of `kinds` of RBAC, or a list of such."""
    group, kind = kind_of(resource_type)
    return (group == RBAC and kind.removesuffix("List") in kinds) or (group, kind) == ("", "List")


def of_kind(resource: Resource, *kinds: str) -> Iterator[Place]:
    """The objects of one of `kinds` of RBAC that a resource is or lists."""
    for one in objects(resource):
        if one.group == RBAC and one.kind in kinds:
            yield Place(one.body, one.path)


def machine(subject: Place) -> str:
    """The name of a subject that is no person and no group, with its namespace where it has one; else empty."""
    kind, name = subject.at("kind").text, subject.at("name").text
    if kind == "ServiceAccount":
        return f"{subject.at('namespace').text}/{name}"
    return machine_user(name) if kind == "User" else ""


def machine_user(name: str) -> str:
    """The name of a user that is an account of a machine; else empty."""
    return name if _ACCOUNT.fullmatch(name) else ""
