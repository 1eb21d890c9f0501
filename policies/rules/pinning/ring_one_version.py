"""Rule ring-one-version: all clusters of a ring get one version of an add-on, whichever ApplicationSet says it.

Owns what a ring is in a program that is not known: the label or value that the rule's parameter names, read from
the selected cluster Secrets where the stack has them, else from selector or values. Does not own the order of rings.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..argocd import source as argocd
from ..argocd.cluster_secret import cluster_secrets, is_secret, labels, selection
from ..argocd.parameters import Given
from ..argocd.place import application_sets, generators, is_application_set
from ..argocd.source import Source
from ..properties import items, joined, mapping
from ..rule import Finding, Resource
from ..stack_rule import Stack, StackRule

_REMEDY: Final = (
    "Write one version for the ring; for a cluster that shall go first, make a ring of its own, or give its generator "
    "the value until with the day on which the exception ends"
)


def _look(stack: Stack) -> Iterator[Finding]:
    ring, exception = str(stack.parameters["ring"]), str(stack.parameters["exception"])
    secrets = [labels(body) for resource in stack.resources for body, _ in cluster_secrets(resource)]
    first: dict[tuple[str, str], tuple[str, str, str]] = {}
    for resource in stack.resources:
        if not is_application_set(resource.type):
            continue
        selected = dict(_rings_by_generator(resource, secrets, ring))
        for source in argocd.sources(resource, reading=(ring, f"values.{ring}", f"values.{exception}")):
            version = source.revision
            if source.given.get(("values", exception)) is not None:
                continue
            if source.delivers is None or source.undecided or not isinstance(version, str) or not version:
                continue
            for name in sorted(_given(source, ring) or selected.get(source.generator or "", frozenset())):
                other, set_name, path = first.setdefault(
                    (source.delivers, name), (version, resource.name, source.path)
                )
                if other != version:
                    why = f"ring {name} has {other} of {source.delivers} by {set_name}, {path}"
                    yield Finding(path=source.path, value=version, why=why, remedy=_REMEDY, urn=resource.urn)


def _given(source: Source, ring: str) -> frozenset[str]:
    found = [source.given.get((ring,)), source.given.get(("values", ring))]
    return frozenset(str(one.value) for one in found if isinstance(one, Given) and isinstance(one.value, str))


def _rings_by_generator(
    resource: Resource, secrets: list[Mapping[str, Any]], ring: str
) -> Iterator[tuple[str, frozenset[str]]]:
    """The path of each generator at the top, with the rings of the clusters that it selects."""
    for one in application_sets(resource):
        spec, path = mapping(one.body["spec"]), joined(one.path, "spec")
        for index, (_, where) in enumerate(items(spec.get("generators"), f"{path}.generators")):
            found: set[str] = set()
            for kind, body, _ in generators({"generators": [spec["generators"][index]]}, path):
                if kind == "clusters":
                    found |= _rings(body.get("selector"), secrets, ring)
            yield where, frozenset(found)


def _rings(selector: object, secrets: list[Mapping[str, Any]], ring: str) -> set[str]:
    takes = selection(selector)
    taken = [one for one in secrets if takes(one)]
    if taken:
        return {str(value) for one in taken for key, value in one.items() if _is_ring(key, ring)}
    found = {
        str(value)
        for key, value in mapping(mapping(selector).get("matchLabels")).items()
        if _is_ring(key, ring) and isinstance(value, str)
    }
    for one, _ in items(mapping(selector).get("matchExpressions"), ""):
        expression = mapping(one)
        if _is_ring(str(expression.get("key")), ring) and expression.get("operator") == "In":
            found |= {value for value, _ in items(expression.get("values"), "") if isinstance(value, str)}
    return {name for name in found if "{{" not in name}


def _is_ring(key: str, ring: str) -> bool:
    """Whether a label is the ring's: it is the name, or ends with it as a word of its own."""
    return re.fullmatch(rf"(.*[-_./])?{re.escape(ring)}", key) is not None


RULE: Final = StackRule(
    name="ring-one-version",
    title="A ring has one version of an add-on",
    mandatory=True,
    reason=(
        "A ring is where a version is tried before the next ring gets it. With two versions in it, what was "
        "tried is not what goes on."
    ),
    remedy=_REMEDY + ".",
    source="https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Generators-Cluster/",
    looks_at=(
        "ApplicationSets of the whole stack: what each generator delivers (repository and chart, or path), at "
        "which version, to which ring",
        "cluster Secrets: the ring's label, on those that a generator selects",
    ),
    parameters={
        "ring": {
            "type": "string",
            "description": "name of the ring: a label that is this or ends with it as a word, a value of a "
            "generator, or a key of a list's elements",
            "default": "ring",
        },
        "exception": {
            "type": "string",
            "description": "name of a generator's value by which it says that its version is an exception; its "
            "content, such as the day on which it ends, is for people",
            "default": "until",
        },
    },
    concerns=lambda resource_type: is_secret(resource_type) or is_application_set(resource_type),
    look=_look,
)
