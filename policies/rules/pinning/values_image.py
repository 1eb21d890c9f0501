"""Rule values-image-pinned: images that inline values of a chart name, Argo CD's own too, name a version.

A chart's own defaults are not in a program; pinning its version pins them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..argocd.patch import patch_of
from ..argocd.place import is_application, options, places
from ..properties import items, joined, mapping
from ..rule import Finding, Resource, Rule
from .chart_dependencies import CHARTS
from .image import moving_fault, parsed

_TAGS: Final = ("tag", "imageTag")
_REMEDY: Final = (
    "Leave the tag out, so that the chart's own is taken, or write one that names a version, "
    'with its digest behind it ("v3.5.1@sha256:…")'
)


def _concerns(resource_type: str) -> bool:
    return CHARTS.fullmatch(resource_type) is not None or is_application(resource_type)


def _look(resource: Resource) -> Iterator[Finding]:
    if CHARTS.fullmatch(resource.type):
        yield from _values(resource.properties.get("values"), "values")
        return
    for place in places(resource):
        for helm, path in options(place, "helm"):
            yield from _values(helm.get("valuesObject"), f"{path}.valuesObject")
            yield from _values(patch_of(helm.get("values"), "").body, f"{path}.values: ")
            for parameter, where in items(helm.get("parameters"), f"{path}.parameters"):
                name = str(mapping(parameter).get("name", "")).rpartition(".")
                if name[2] in _TAGS and (name[2] == "imageTag" or _is_image(name[0].rpartition(".")[2])):
                    yield from _tag(mapping(parameter).get("value"), f"{where}.value")
        for kustomize, path in options(place, "kustomize"):
            for image, where in items(kustomize.get("images"), f"{path}.images"):
                if isinstance(image, str):
                    yield from _image(image.rpartition("=")[2], where)


def _values(value: Any, path: str, key: str = "") -> Iterator[Finding]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            where = joined(path, name)
            if name == "imageTag" or (name == "tag" and (_is_image(key) or "repository" in value)):
                if not value.get("digest"):
                    yield from _tag(inner, where)
            elif isinstance(inner, str) and _is_image(name):
                yield from _image(inner, where)
            elif isinstance(inner, (dict, list)):
                yield from _values(inner, where, name)
    else:
        for element, element_path in items(value, path):
            yield from _values(element, element_path, key)


def _is_image(key: str) -> bool:
    return key.lower().endswith("image")


def _tag(value: object, path: str) -> Iterator[Finding]:
    """A tag alone; one that is empty, a number, or filled in by a template is none to judge."""
    if isinstance(value, str) and value and "{{" not in value and "$" not in value:
        fault = moving_fault(parsed(f"image:{value}", path))
        if fault:
            yield Finding(path=path, value=value, why=fault, remedy=_REMEDY)


def _image(value: str, path: str) -> Iterator[Finding]:
    """A whole reference. Without a tag it may get one elsewhere in the values, so that is no offence."""
    if "{{" in value or "$" in value:
        return
    image = parsed(value, path)
    if (image.tag is not None or image.digest is not None) and (fault := moving_fault(image)):
        yield Finding(path=path, value=value, why=fault, remedy=_REMEDY)


RULE: Final = Rule(
    name="values-image-pinned",
    title="Images in the values of a chart name a version",
    mandatory=True,
    reason=(
        "A chart of an exact version with image.tag latest is delivered once and then changes by itself; if it "
        "is Argo CD's own, what delivers everything else does."
    ),
    remedy=_REMEDY + ".",
    source="https://kubernetes.io/docs/concepts/containers/images/#image-names",
    looks_at=(
        "kubernetes:helm.sh/v3:Release, v3:Chart and v4:Chart: values",
        "Application, and every layer of an ApplicationSet: helm.valuesObject, helm.values, helm.parameters and "
        "kustomize.images of each source (global.image.tag of Argo CD's chart among them)",
        "in values: every text under image or …Image, every tag beside repository or under image or …Image, "
        "every imageTag",
    ),
    concerns=_concerns,
    look=_look,
)
