"""Container images of workloads: where they stand, and what their references say.

Owns the search for pod specs in an object of any kind, and the parts of an image reference. Owns no rule.
Source: https://github.com/distribution/reference (grammar of references).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..kubernetes import kind_of, objects
from ..properties import items, joined, mapping
from ..rule import Resource

_LISTS: Final = ("containers", "initContainers", "ephemeralContainers")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_PLACEHOLDER: Final = re.compile(r"\{\{|\$\(|\$\{")


_MOVING: Final = frozenset({
    "latest", "current", "next", "release", "stable", "mainline", "lts", "rolling", "canary", "preview",
    "main", "master", "trunk", "head", "dev", "devel", "develop", "development", "snapshot",
    "edge", "nightly", "daily", "weekly", "unstable", "testing", "alpha", "beta", "rc",
    "staging", "prod", "production",
})  # fmt: skip
"""Words that, as a tag or as part of one without a digit, name whatever is newest of its kind."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image as a container names it; `path` leads to it. Tag and digest are None where there is none."""

    path: str
    value: object
    tag: str | None
    digest: str | None


def concerns(resource_type: str) -> bool:
    """Whether a resource can hold a pod spec: any Kubernetes object, core ones and custom ones."""
    group, kind = kind_of(resource_type)
    return bool(kind) and group != "helm.sh"


def images(resource: Resource) -> Iterator[Image]:
    """The images of every container in every pod spec of a resource.

    A container without an image, or with one that something else fills in (``$(IMAGE)``), is not reported.
    """
    for one in objects(resource):
        if one.kind == "Pod":
            yield from _pod(mapping(one.body.get("spec")), joined(one.path, "spec"))
        yield from _templates(one.body, one.path)


def moving_fault(image: Image) -> str | None:
    """Why an image names no version; None where its digest is whole or its tag names one."""
    if image.digest is not None:
        return None if _DIGEST.fullmatch(image.digest) else "the digest is not whole"
    if image.tag is None:
        return "without a tag the image latest is taken"
    words = set(re.split(r"[-_.]", image.tag.lower()))
    if "latest" in words or (words & _MOVING and not re.search(r"[0-9]", image.tag)):
        return f"the tag {image.tag} names whatever is newest, not a version"
    return None


def _templates(value: object, path: str) -> Iterator[Image]:
    """The pod specs at ``template.spec`` anywhere in an object: workloads, CronJobs, JobSets, Rollouts."""
    if isinstance(value, dict):
        if template := mapping(value.get("template")):
            yield from _pod(mapping(template.get("spec")), joined(joined(path, "template"), "spec"))
        for key, inner in value.items():
            if isinstance(inner, (dict, list)):
                yield from _templates(inner, joined(path, key))
    else:
        for element, element_path in items(value, path):
            yield from _templates(element, element_path)


def _pod(spec: Mapping[str, Any], path: str) -> Iterator[Image]:
    for key in _LISTS:
        for container, container_path in items(spec.get(key), joined(path, key)):
            image = mapping(container).get("image")
            if isinstance(image, str) and image and not _PLACEHOLDER.search(image):
                yield parsed(image, joined(container_path, "image"))


def parsed(image: str, path: str) -> Image:
    """The parts of an image reference."""
    name, at, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return Image(path=path, value=image, tag=tag or None, digest=digest if at else None)
