"""The sources of Applications: what is delivered, from where, and which field decides at which revision.

Owns where sources stand: in an Application, in the template of an ApplicationSet, in what a generator's own
template or the templatePatch puts over it, and in the Git generators themselves. Does not own what a good
revision is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from ..kubernetes import KubernetesObject, kind_of, objects
from ..properties import Unknown, items, joined, mapping
from ..rule import Resource
from .parameters import ParameterSet, Rendered, TooManySets, kind_and_body, parameter_sets, rendered
from .patch import Patch, patch_of
from .template import has_action

_GROUP: Final = "argoproj.io"
_FIELDS: Final = ("chart", "repoURL", "path", "targetRevision")
_GIT_URL: Final = re.compile(r"(https?|ssh|git|file)://|git@")


class SourceKind(Enum):
    """What a source is read from. UNSURE: what would tell is not known, or decided elsewhere."""

    CHART = "chart"
    GIT = "Git"
    OCI = "OCI"
    UNSURE = "chart, Git or OCI"


@dataclass(frozen=True, kw_only=True)
class Source:
    """One source with everything filled in.

    `path` leads to what decides the revision, `used_by` to the template's field where that is another one.
    `undecided` says why the revision cannot be read, where it cannot; `commit` that it is always a commit.
    `delivers` names what is delivered, by repository and chart or path, where that can be read; `generator` and
    `given` are the generator of an ApplicationSet that it comes from, and what that gives.
    """

    kinds: frozenset[SourceKind]
    revision: object
    path: str
    used_by: str | None = None
    undecided: str | None = None
    commit: bool = False
    delivers: str | None = None
    generator: str | None = None
    given: ParameterSet = field(default_factory=dict, compare=False)


def concerns(resource_type: str) -> bool:
    """Whether a resource can hold sources: an Application, an ApplicationSet, a Patch or a list of them."""
    group, kind = kind_of(resource_type)
    in_group = group == _GROUP and kind.removesuffix("List") in ("Application", "ApplicationSet")
    return in_group or resource_type.endswith("/v1:List")


def sources(resource: Resource, reading: tuple[str, ...] = ()) -> Iterator[Source]:
    """Every source in the resource, once for every set of parameters that it can be rendered with.

    `reading`: names of parameters that `given` is to hold as well, such as ``values.ring``.
    """
    for one in objects(resource):
        if one.group != _GROUP:
            continue
        if one.kind == "Application":
            spec = mapping(one.body).get("spec")
            for place in _places([_Layer(mapping(spec), joined(one.path, "spec"))]):
                yield from _filled(place, None, [{}], go=False)
        elif one.kind == "ApplicationSet":
            yield from _set_sources(one, reading)


@dataclass(frozen=True)
class _Layer:
    """A mapping that lies over others; `removes`: a null in it takes away what lies below (templatePatch)."""

    body: Mapping[str, Any] | Unknown
    path: str
    removes: bool = False


_Place = Mapping[str, tuple[object, str]]
"""Where one source stands: for each of `_FIELDS` the value and its path, before templates are filled in."""


def _set_sources(one: KubernetesObject, reading: tuple[str, ...]) -> Iterator[Source]:
    spec = mapping(one.body.get("spec"))
    path = joined(one.path, "spec")
    go = spec.get("goTemplate") is True
    template = _Layer(_body(mapping(spec.get("template")).get("spec")), f"{path}.template.spec")
    patch = patch_of(spec.get("templatePatch"), f"{path}.templatePatch")
    generators = list(items(spec.get("generators"), f"{path}.generators"))
    if not generators:
        for place in _places([*_patch_layers(patch), template]):
            if not any(has_action(value) for value, _ in place.values()):
                yield from _filled(place, None, [{}], go=go)
    for generator, generator_path in generators:
        kind, body = kind_and_body(generator)
        own = _Layer(
            _body(mapping(body.get("template")).get("spec")), f"{generator_path}.{kind}.template.spec"
        )
        below = [layer for layer in (own, template) if layer.body]
        places = list(_places([*_patch_layers(patch), *below]))
        for place in (*places, *_patch_places(patch, places), *_git_places(generator, generator_path)):
            texts = [value for value, _ in place.values()]
            texts += [f"{{{{.{name}}}}}" if go else f"{{{{{name}}}}}" for name in reading]
            try:
                sets = parameter_sets(generator, generator_path, texts, go=go)
            except TooManySets:
                sets = None
            yield from _filled(place, generator_path, sets, go=go)


def _body(value: object) -> Mapping[str, Any] | Unknown:
    return value if isinstance(value, (Mapping, Unknown)) else {}


def _patch_layers(patch: Patch) -> list[_Layer]:
    return (
        [_Layer(mapping(patch.body.get("spec")), f"{patch.path}: spec", removes=True)] if patch.always else []
    )


def _patch_places(patch: Patch, places: list[_Place]) -> Iterator[_Place]:
    """The revisions in a patch that cannot be laid over the template, each with its likely repository."""
    kinds = {_kinds(place["chart"][0], place["repoURL"][0]) for place in places}
    base = places[0] if len(kinds) == 1 and not patch.moves else {}
    for value, path in patch.revisions:
        unsure = {"chart": (Unknown(), path), "repoURL": (Unknown(), path)}
        yield {**unsure, **base, "targetRevision": (value, path)}


def _git_places(generator: object, path: str) -> Iterator[_Place]:
    """The Git generators in a generator: a moving revision there changes what Applications exist."""
    kind, body = kind_and_body(generator)
    inside = joined(path, kind)
    if kind == "git":
        revision = body.get("revision"), f"{inside}.revision"
        yield {"chart": (None, inside), "repoURL": ("git", inside), "targetRevision": revision}
    elif kind in ("matrix", "merge"):
        for child, child_path in items(body.get("generators"), f"{inside}.generators"):
            yield from _git_places(child, child_path)


def _places(specs: list[_Layer]) -> Iterator[_Place]:
    """The sources of an Application's spec that is made of layers, the uppermost first."""
    for keys in (("source",), ("sourceHydrator", "drySource")):
        layers = specs
        for key in keys:
            layers = _descended(layers, key)
        if layers:
            yield _place(layers)
    for layer in specs:
        listed = mapping(layer.body).get("sources")
        if listed or (layer.removes and "sources" in mapping(layer.body)):
            for source, path in items(listed, joined(layer.path, "sources")):
                if isinstance(source, Mapping):
                    yield _place([_Layer(source, path)])
            return


def _descended(layers: list[_Layer], key: str) -> list[_Layer]:
    found = []
    for layer in layers:
        if isinstance(layer.body, Unknown):
            found.append(layer)
        elif key in layer.body:
            value = layer.body[key]
            if isinstance(value, (Mapping, Unknown)) and value:
                found.append(_Layer(value, joined(layer.path, key), removes=layer.removes))
            elif value is None and layer.removes:
                break
    return found if any(isinstance(layer.body, Mapping) for layer in found) else []


def _place(layers: list[_Layer]) -> _Place:
    return {key: _field(layers, key) for key in _FIELDS}


def _field(layers: list[_Layer], key: str) -> tuple[object, str]:
    for layer in layers:
        if isinstance(layer.body, Unknown):
            return layer.body, joined(layer.path, key)
        if layer.body.get(key) not in (None, ""):
            return layer.body[key], joined(layer.path, key)
        if layer.removes and key in layer.body:
            return None, joined(layer.path, key)
    return None, joined(layers[-1].path, key)


def _filled(place: _Place, by: str | None, sets: list[ParameterSet] | None, *, go: bool) -> Iterator[Source]:
    """The sources that a place becomes.

    `by` is the generator, None for an Application; `sets` None: too many.
    """
    revision, path = place["targetRevision"]
    if sets is None:
        unsure = frozenset({SourceKind.UNSURE})
        many = f"{by} gives more combinations than can be checked by reading it: split the ApplicationSet"
        yield Source(kinds=unsure, revision=revision, path=path, undecided=many)
        return
    for given in sets:
        filled = {
            key: [Rendered(value, where)] if by is None else list(rendered(value, where, given, go=go))
            for key, (value, where) in place.items()
        }
        kinds = frozenset(_kind(chart, url) for chart in filled["chart"] for url in filled["repoURL"])
        delivers = _delivers(filled)
        for one in filled["targetRevision"]:
            yield Source(
                kinds=kinds,
                revision=one.value,
                path=one.path,
                used_by=path if one.path != path else None,
                undecided=one.undecided,
                commit=one.commit,
                delivers=delivers,
                generator=by,
                given=given,
            )


def _delivers(filled: Mapping[str, list[Rendered]]) -> str | None:
    """Repository and chart, or repository and path; None where one of them cannot be read or is two things."""
    named: list[str] = []
    for key in ("repoURL", "chart", "path"):
        found = filled.get(key, [])
        if len(found) > 1 or any(one.undecided or isinstance(one.value, Unknown) for one in found):
            return None
        named += [str(one.value) for one in found if one.value]
    return " ".join(named) or None


def _kind(chart: Rendered, url: Rendered) -> SourceKind:
    if chart.undecided or chart.commit or isinstance(chart.value, Unknown):
        return SourceKind.UNSURE
    if chart.value:
        return SourceKind.CHART
    if url.undecided and str(url.value).startswith("oci://"):
        return SourceKind.OCI
    if isinstance(url.value, Unknown) or (url.undecided and not _GIT_URL.match(str(url.value))):
        return SourceKind.UNSURE
    return SourceKind.OCI if str(url.value).startswith("oci://") else SourceKind.GIT


def _kinds(chart: object, url: object) -> SourceKind:
    return _kind(Rendered(chart, ""), Rendered(url, ""))
