"""Kubernetes objects among a program's resources: which type stands for which kind, and lists.

Owns the reading of type tokens. Does not own what stands inside an object.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .properties import items, mapping
from .rule import Resource

_TOKEN = re.compile(r"[^:]+:(?P<group>[^:/]+)/v[0-9]+(?:(?:alpha|beta)[0-9]+)?:(?P<kind>[^:]+)")


@dataclass(frozen=True, kw_only=True)
class KubernetesObject:
    """One object: API group ("" for core), kind, body, and the path to it ("" for the resource itself)."""

    group: str
    kind: str
    body: Mapping[str, Any]
    path: str


def kind_of(resource_type: str) -> tuple[str, str]:
    """API group and kind that a type token names, without the suffix of Patch resources; ("", "") for any
    other.

    ``kubernetes:argoproj.io/v1alpha1:Application`` gives ``("argoproj.io", "Application")``.
    """
    match = _TOKEN.fullmatch(resource_type)
    if match is None:
        return "", ""
    group, kind = match["group"], match["kind"]
    if kind.endswith("Patch") and kind != "Patch":
        kind = kind.removesuffix("Patch")
    return ("" if group == "core" else group), kind


def objects(resource: Resource) -> Iterator[KubernetesObject]:
    """The object that a resource stands for, or each of its items where the kind is a list."""
    group, kind = kind_of(resource.type)
    if not kind.endswith("List") or "items" not in resource.properties:
        yield KubernetesObject(group=group, kind=kind, body=resource.properties, path="")
        return
    for item, path in items(resource.properties["items"], "items"):
        body = mapping(item)
        item_group, _, _ = str(body.get("apiVersion", "")).rpartition("/")
        item_kind = body.get("kind") or kind.removesuffix("List")
        yield KubernetesObject(group=item_group or group, kind=str(item_kind), body=body, path=path)
