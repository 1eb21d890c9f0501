"""Where an Application is described: in itself, and in every layer of an ApplicationSet that becomes one.

Owns the search for these layers, for the helm and kustomize options of their sources, and for the texts with
template actions. The layers are shown as they stand, not laid over each other: what a rule refuses in one of
them is not mended by another.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..kubernetes import KubernetesObject, kind_of, objects
from ..properties import items, joined, mapping
from ..rule import Resource
from .parameters import kind_and_body
from .patch import patch_of
from .template import has_action

GROUP: Final = "argoproj.io"


@dataclass(frozen=True, kw_only=True)
class Place:
    """One layer: ``metadata`` and ``spec`` of an Application under `path`.

    `text` is a templatePatch that only its template engine can read; then the mappings are empty.
    """

    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]
    path: str
    stamped: bool
    text: str = ""

    def at(self, *keys: str) -> str:
        """The path of a field under this layer."""
        path = self.path
        for key in keys:
            path = joined(path, key)
        return path


def is_application(resource_type: str) -> bool:
    """Whether a type token is an Application's or an ApplicationSet's, or may be a list of them."""
    group, kind = kind_of(resource_type)
    known = group == GROUP and kind.removesuffix("List") in ("Application", "ApplicationSet")
    return known or resource_type.endswith("/v1:List")


def is_application_set(resource_type: str) -> bool:
    """Whether a type token is an ApplicationSet's, or may be a list of them."""
    group, kind = kind_of(resource_type)
    known = group == GROUP and kind.removesuffix("List") == "ApplicationSet"
    return known or resource_type.endswith("/v1:List")


def application_sets(resource: Resource) -> Iterator[KubernetesObject]:
    """The ApplicationSets in a resource, those without a spec left out: it is not known, or none of its own."""
    for one in objects(resource):
        if one.group == GROUP and one.kind == "ApplicationSet" and isinstance(one.body.get("spec"), dict):
            yield one


def places(resource: Resource) -> Iterator[Place]:
    """Every layer that describes an Application in a resource."""
    for one in objects(resource):
        if one.group == GROUP and one.kind == "Application":
            yield _place(one.body, one.path, stamped=False)
    for one in application_sets(resource):
        spec, path = mapping(one.body["spec"]), joined(one.path, "spec")
        yield _place(spec.get("template"), f"{path}.template", stamped=True)
        for kind, body, inside in generators(spec, path):
            if kind and "template" in body:
                yield _place(body["template"], f"{inside}.template", stamped=True)
        patch = patch_of(spec.get("templatePatch"), f"{path}.templatePatch")
        if patch.always:
            yield _place(patch.body, f"{patch.path}: ", stamped=True)
        elif isinstance(spec.get("templatePatch"), str):
            yield Place(metadata={}, spec={}, path=patch.path, stamped=True, text=spec["templatePatch"])


def _place(body: object, path: str, *, stamped: bool) -> Place:
    metadata, spec = mapping(mapping(body).get("metadata")), mapping(mapping(body).get("spec"))
    return Place(metadata=metadata, spec=spec, path=path, stamped=stamped)


def generators(spec: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Every generator of an ApplicationSet's spec, those inside matrix and merge too: kind, body, path."""
    for generator, generator_path in items(spec.get("generators"), f"{path}.generators"):
        kind, body = kind_and_body(generator)
        inside = joined(generator_path, kind) if kind else generator_path
        yield kind, body, inside
        if kind in ("matrix", "merge"):
            yield from generators(body, inside)


def options(place: Place, tool: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The options for `tool` (helm, kustomize) of each source of a layer, with their paths."""
    single = [
        (place.spec.get("source"), place.at("spec", "source")),
        (
            mapping(place.spec.get("sourceHydrator")).get("drySource"),
            place.at("spec", "sourceHydrator", "drySource"),
        ),
    ]
    for source, path in (*single, *items(place.spec.get("sources"), place.at("spec", "sources"))):
        if found := mapping(mapping(source).get(tool)):
            yield found, joined(path, tool)


def texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every text with a template action in `value`, with its path."""
    if isinstance(value, str):
        if has_action(value):
            yield value, path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, joined(path, str(key)))
    else:
        for element, element_path in items(value, path):
            yield from texts(element, element_path)
