"""AppProjects and what lies in them. Owns where they stand among a program's resources; owns no rule."""

from collections.abc import Iterator
from typing import Final

from ..kubernetes import KubernetesObject, kind_of, objects
from ..place import Place
from ..rule import Resource

_GROUP: Final = "argoproj.io"


def concerns(resource_type: str) -> bool:
    """Whether a resource can be an AppProject or a list of them."""
    group, kind = kind_of(resource_type)
    return (group, kind.removesuffix("List")) in ((_GROUP, "AppProject"), ("", "")) and kind != ""


def projects(resource: Resource) -> Iterator[Place]:
    """The AppProjects that a resource is or lists."""
    for one in objects(resource):
        if is_kind(one, "AppProject"):
            yield Place(one.body, one.path)


def is_kind(one: KubernetesObject, kind: str) -> bool:
    """Whether an object is of a kind of Argo CD's."""
    return (one.group, one.kind) == (_GROUP, kind)


def is_patch(resource: Resource) -> bool:
    """Whether a resource gives a part of an object alone, so that what is missing says nothing."""
    return resource.type.endswith("Patch")


def is_everything(place: Place) -> bool:
    """Whether a pattern matches everything: it is made of stars."""
    return "*" in place.text and not place.text.strip("*/")
