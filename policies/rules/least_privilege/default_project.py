"""Rule default-project-unused: no Application lies in the project `default`, and that project lets nothing through.

In an ApplicationSet the project is looked up as far as its generators give it; one that comes from elsewhere
cannot be held against a rule.
"""

from collections.abc import Iterator
from typing import Final

from ..argocd.parameters import Rendered, TooManySets, kind_and_body, parameter_sets, rendered
from ..argocd.patch import patch_of
from ..kubernetes import KubernetesObject, kind_of, objects
from ..place import Place
from ..properties import UNKNOWN, Unknown, items, mapping
from ..rule import Finding, Resource, Rule
from .project import is_kind, is_patch

_DEFAULT: Final = "default"
_REMEDY: Final = "Name a project that lists its repositories, places and kinds"
_LOCK: Final = "Write empty lists of sourceRepos and destinations into it"
_KINDS: Final = ("Application", "ApplicationSet", "AppProject")


def _concerns(resource_type: str) -> bool:
    group, kind = kind_of(resource_type)
    return (group == "argoproj.io" and kind.removesuffix("List") in _KINDS) or (group, kind) == ("", "List")


def _look(resource: Resource) -> Iterator[Finding]:
    for one in objects(resource):
        if is_kind(one, "Application"):
            project = Place(one.body, one.path).at("spec", "project")
            yield from _fault(project, part=is_patch(resource) or not mapping(one.body.get("spec")))
        elif is_kind(one, "ApplicationSet"):
            for text in _of_set(one):
                yield from _fault(text, part=is_patch(resource))
        elif is_kind(one, "AppProject"):
            yield from _open(Place(one.body, one.path))


def _fault(project: Place, *, part: bool) -> Iterator[Finding]:
    if project.text == _DEFAULT:
        yield project.offends("the project default lets everything through unless it was locked", _REMEDY)
    elif project.is_missing and not part:
        yield project.offends("without a project an Application is in the project default", _REMEDY)


def _open(project: Place) -> Iterator[Finding]:
    if project.at("metadata", "name").text != _DEFAULT:
        return
    for field in ("sourceRepos", "destinations"):
        listed = project.at("spec", field)
        if listed.is_set:
            yield listed.offends("the project default is there for nobody to use", _LOCK)


def _of_set(one: KubernetesObject) -> Iterator[Place]:
    """The projects that the Applications of an ApplicationSet come to lie in, as far as they can be read."""
    spec = Place(one.body, one.path).at("spec")
    go = spec.at("goTemplate").value is True
    patch = patch_of(spec.at("templatePatch").value, spec.at("templatePatch").path)
    in_patch = Place(patch.body).at("spec", "project")
    patched = Place(in_patch.value, f"{patch.path}: {in_patch.path}")
    template = spec.at("template", "spec")
    generators = list(items(spec.at("generators").value, spec.at("generators").path))
    for generator, path in generators:
        kind, body = kind_and_body(generator)
        own = Place(body, f"{path}.{kind}").at("template", "spec", "project")
        text = next((place for place in (patched, own) if not place.is_missing), template.at("project"))
        if not template.is_set and not text.is_set:
            continue
        try:
            sets = parameter_sets(generator, path, [text.value], go=go)
        except TooManySets:
            continue
        for given in sets:
            yield from map(_read, rendered(text.value, text.path, given, go=go))
    if not generators and template.is_set and "{{" not in template.at("project").text:
        yield template.at("project")


def _read(one: Rendered) -> Place:
    unreadable = one.undecided is not None or one.commit or isinstance(one.value, Unknown)
    return Place(UNKNOWN if unreadable else one.value, one.path)


RULE: Final = Rule(
    name="default-project-unused",
    title="The project default is not used, and locked",
    mandatory=True,
    reason=(
        "Argo CD makes the project default by itself, open to every repository, cluster and kind: what lies in it "
        "is bound by no project at all."
    ),
    remedy=_REMEDY + ".",
    source="https://argo-cd.readthedocs.io/en/stable/user-guide/projects/#the-default-project",
    looks_at=(
        "Application: spec.project",
        "ApplicationSet: spec.template.spec.project, templatePatch and the generators' own templates, with every "
        "value that the generators give",
        "AppProject default: spec.sourceRepos, spec.destinations",
    ),
    concerns=_concerns,
    look=_look,
)
