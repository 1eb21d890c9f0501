"""What the generators of an ApplicationSet give to its templates, as far as it stands there.

Owns the parameters of each kind of generator, their combination in matrix and merge, and the rendering of a
text with them. What a cluster Secret, a Git file or an API supplies is not to be seen here: it becomes
`Elsewhere`. Sources: argo-cd applicationset/generators/*.go and docs/operator-manual/applicationset.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, Final

import yaml

from ..properties import UNKNOWN, Unknown, items, joined, mapping
from .template import Keys, Opaque, Reference, has_action, parts, references

MOST_SETS: Final = 10_000
"""Combinations of parameters that are looked at; a set that gives more cannot be checked by reading it."""

_CLUSTER_PARAMETERS: Final = frozenset(
    {"name", "nameNormalized", "server", "project", "metadata", "clusters"}
)
_COMMITS: Final = {"scmProvider": ("sha",), "pullRequest": ("head_sha",)}
_NEITHER_KIND: Final = frozenset({"selector", "template"})


@dataclass(frozen=True)
class Given:
    """A value that stands in the ApplicationSet, and the path to it."""

    value: object
    path: str


@dataclass(frozen=True)
class Elsewhere:
    """A value that is decided outside the ApplicationSet. `commit`: it is always a full commit SHA."""

    by: str
    commit: bool = False


class TooManySets(Exception):
    """The generators give more than `MOST_SETS` combinations of the parameters in question."""


Parameter = Given | Elsewhere
ParameterSet = Mapping[Keys, Parameter]


@dataclass(frozen=True)
class Rendered:
    """A text with parameters filled in: a string, `UNKNOWN`, or any other value that stands there
    untemplated.

    `path` leads to what decides the value: the generator's value where the text is one action, else the text.
    `undecided` says why the value cannot be read here; `commit` that it is always a full commit SHA.
    """

    value: object
    path: str
    undecided: str | None = None
    commit: bool = False


def kind_and_body(generator: object) -> tuple[str, Mapping[str, Any]]:
    """The kind of a generator, such as ``clusters``, and its body; ("", {}) where there is none."""
    for kind, body in mapping(generator).items():
        if kind not in _NEITHER_KIND and isinstance(body, Mapping):
            return str(kind), body
    return "", {}


def parameter_sets(generator: object, path: str, texts: Iterable[object], *, go: bool) -> list[ParameterSet]:
    """Every combination that a generator gives of the parameters that `texts` read, through values too.

    One empty set where they read none, whatever the generator gives. A parameter that it never gives is absent.
    Raises `TooManySets`.
    """
    wanted = frozenset[Keys]().union(*(references(text, go=go) for text in texts))
    while wanted:
        sets = list(islice(_sets(generator, path, wanted), MOST_SETS + 1))
        if len(sets) > MOST_SETS:
            raise TooManySets
        given = (parameter for one in sets for parameter in one.values() if isinstance(parameter, Given))
        through = frozenset[Keys]().union(*(references(parameter.value, go=go) for parameter in given))
        if through <= wanted:
            return sets
        wanted |= through
    return [{}]


def _sets(generator: object, path: str, wanted: frozenset[Keys]) -> Iterator[ParameterSet]:
    if isinstance(generator, Unknown):
        yield {keys: Given(UNKNOWN, path) for keys in wanted}
        return
    kind, body = kind_and_body(generator)
    inside = joined(path, kind)
    if kind == "list":
        yield from _list_sets(body, inside, wanted)
    elif kind == "matrix":
        children = _children(body, inside, wanted)
        for combination in product(*children):
            yield _overlaid(combination)
    elif kind == "merge":
        children = _children(body, inside, wanted)
        nothing: list[ParameterSet] = [{}]
        for combination in product(*children[:1], *(nothing + child for child in children[1:])):
            one: dict[Keys, Parameter] = {}
            for overriding in combination:
                one.update(overriding)
            if one:
                yield one
    elif kind:
        yield dict(_generator_values(kind, body, inside, wanted))


def _children(body: Mapping[str, Any], path: str, wanted: frozenset[Keys]) -> list[list[ParameterSet]]:
    found = []
    for child, child_path in items(body.get("generators"), f"{path}.generators"):
        sets = list(islice(_sets(child, child_path, wanted), MOST_SETS + 1))
        found.append(_distinct(sets) or [{}])
    return found


def _distinct(sets: list[ParameterSet]) -> list[ParameterSet]:
    """`sets` with one empty set for all the empty ones: children that give nothing asked for do not multiply."""
    given = [one for one in sets if one]
    return given if len(given) == len(sets) else [{}, *given]


def _overlaid(combination: tuple[ParameterSet, ...]) -> ParameterSet:
    """The children of a matrix side by side; what stands here wins over what may come from elsewhere."""
    one: dict[Keys, Parameter] = {}
    for child in combination:
        for keys, parameter in child.items():
            if keys not in one or isinstance(one[keys], Elsewhere):
                one[keys] = parameter
    return one


def _list_sets(body: Mapping[str, Any], path: str, wanted: frozenset[Keys]) -> Iterator[ParameterSet]:
    if isinstance(body.get("elements"), Unknown):
        yield {keys: Given(UNKNOWN, f"{path}.elements") for keys in wanted}
    for element, element_path in items(body.get("elements"), f"{path}.elements"):
        yield dict(_found(element, element_path, wanted))
    text = body.get("elementsYaml")
    if not text:
        return
    if isinstance(text, Unknown):
        yield {keys: Given(UNKNOWN, f"{path}.elementsYaml") for keys in wanted}
        return
    elements = None if has_action(text) else _yaml_list(text)
    if elements is None:
        yield {keys: Elsewhere(f"{path}.elementsYaml") for keys in wanted}
        return
    for element, element_path in items(elements, f"{path}.elementsYaml"):
        yield dict(_found(element, element_path, wanted))


def _yaml_list(text: object) -> list[Any] | None:
    try:
        read = yaml.safe_load(text) if isinstance(text, str) else None
    except (yaml.YAMLError, ValueError):
        return None
    return read if isinstance(read, list) else None


def _generator_values(
    kind: str, body: Mapping[str, Any], path: str, wanted: frozenset[Keys]
) -> Iterator[tuple[Keys, Parameter]]:
    values = {"values": body["values"]} if body.get("values") else {}
    here = dict(_found(values, path, wanted))
    for keys in wanted:
        if keys in here:
            yield keys, here[keys]
        elif keys in [(commit,) for commit in _COMMITS.get(kind, ())]:
            yield keys, Elsewhere(f"the {kind} generator", commit=True)
        elif kind != "clusters" or keys[0] in _CLUSTER_PARAMETERS:
            by = "the cluster Secrets" if kind == "clusters" else f"what the {kind} generator finds"
            yield keys, Elsewhere(by)


def _found(element: object, path: str, wanted: frozenset[Keys]) -> Iterator[tuple[Keys, Parameter]]:
    """Those of the wanted parameters that stand in an element, whether nested or as one key with dots."""
    for keys in wanted:
        dotted = ".".join(keys)
        if dotted in mapping(element):
            yield keys, Given(mapping(element)[dotted], joined(path, dotted))
            continue
        value, value_path = element, path
        for key in keys:
            if isinstance(value, Unknown):
                break
            if key not in mapping(value):
                break
            value, value_path = mapping(value)[key], joined(value_path, key)
        else:
            yield keys, Given(value, value_path)
            continue
        if isinstance(value, Unknown):
            yield keys, Given(UNKNOWN, value_path)


def rendered(text: object, path: str, given: ParameterSet, *, go: bool, depth: int = 3) -> Iterator[Rendered]:
    """What `text` at `path` becomes with one set of parameters: two values where a default may stand in."""
    if not isinstance(text, str) or not has_action(text):
        yield Rendered(text, path)
        return
    found = parts(text, go=go)
    if len(found) == 1 and isinstance(found[0], Reference):
        yield from _parameter(found[0], text, path, given, go=go, depth=depth)
        return
    alternatives: list[list[Rendered]] = []
    for part in found:
        if isinstance(part, Opaque):
            cannot = (
                f"{{{{{part.text}}}}} can be followed only by running it: write {{{{.values.NAME}}}} alone"
            )
            alternatives.append([Rendered(text, path, undecided=cannot)])
        elif isinstance(part, Reference):
            alternatives.append(list(_parameter(part, text, path, given, go=go, depth=depth)))
        else:
            alternatives.append([Rendered(part, path)])
    for combination in product(*alternatives):
        undecided = next((one.undecided for one in combination if one.undecided), None)
        if any(isinstance(one.value, Unknown) for one in combination):
            yield Rendered(UNKNOWN, path)
        elif undecided or any(one.commit for one in combination):
            yield Rendered(text, path, undecided=undecided or "it is a commit with something around it")
        else:
            yield Rendered("".join(_written(one.value) for one in combination), path)


def _parameter(
    reference: Reference, text: str, path: str, given: ParameterSet, *, go: bool, depth: int
) -> Iterator[Rendered]:
    parameter = given.get(reference.keys)
    name = ".".join(reference.keys)
    if parameter is None and reference.otherwise is None:
        yield Rendered(text, path, undecided=f"no generator gives {name}")
    elif isinstance(parameter, Elsewhere):
        decided = (
            None if parameter.commit else f"{name} is decided by {parameter.by}, outside this ApplicationSet"
        )
        yield Rendered(text, path, undecided=decided, commit=parameter.commit)
    elif parameter is not None and has_action(parameter.value):
        if depth:
            yield from rendered(parameter.value, parameter.path, given, go=go, depth=depth - 1)
        else:
            yield Rendered(text, path, undecided=f"{name} leads through more than three templates")
    elif parameter is not None:
        yield Rendered(parameter.value, parameter.path)
    if reference.otherwise is not None:
        yield Rendered(reference.otherwise, path)


def _written(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)
