"""What holds inside one add-on of the catalogue and between add-ons: forms, rings, order, ownership, leaving.

Owns no single value (`model.vocabulary`) and nothing about clusters (`model.delivery_checks`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from model.catalogue import Addon, Ahead, Form
from model.document import Document, Step, Told
from model.problems import Problem, did_you_mean
from model.stamping import version_in_ring
from model.template import foreign_expressions, texts
from model.versions import distance, parsed_version
from model.vocabulary import is_commit, is_digest

_KUSTOMIZE_VALUES = (
    *("commonAnnotations", "commonLabels", "components", "images", "namePrefix", "nameSuffix", "patches"),
    *("replicas",),
)
"""What this program passes on of an Application's `kustomize`."""


def addon_problems(
    document: Document,
    addons: Mapping[str, Addon],
    raw: Mapping[str, Any],
    rings: tuple[str, ...] | None,
    ahead: Ahead,
) -> list[Problem]:
    """What is wrong with the add-ons that could be read. `raw`: every entry by name, readable or not; `rings`: None
    where they could not be read."""
    problems: list[Problem] = []
    for name, addon in addons.items():
        told = document.below(("addons", name))
        problems += [*_form(told, addon), *_values(told, document, name, addon), *_leaving(told, addon)]
        problems += _order(told, name, addon, addons, raw)
        if rings is not None:
            problems += _rings(told, addon, rings)
            if set(addon.rings) <= set(rings):
                problems += _running_ahead(told, name, addon, rings, ahead)
    return [*problems, *_owned_twice(document, addons), *_cycles(document, addons)]


def _form(told: Told, addon: Addon) -> Iterator[Problem]:
    forms = {"chart": addon.chart, "kustomize": addon.kustomize, "directory": addon.directory}
    given = [key for key, value in forms.items() if value is not None]
    if len(given) != 1:
        why = "it is made from nothing" if not given else f"it is made from {' and '.join(given)}"
        yield told((), None, why, "give exactly one of `chart`, `kustomize` and `directory`")
        return
    pinned: list[tuple[tuple[Step, ...], str]] = [(("version",), addon.version)]
    pinned += [(("rings", ring), entry.version) for ring, entry in addon.rings.items() if entry.version]
    for path, version in pinned:
        wrong = wrong_pin(addon, version)
        if wrong is not None:
            yield told(path, version, *wrong)
    if addon.form is not Form.CHART and addon.crds is not None and addon.crds.skip:
        why = "only a chart has a folder `crds` that can be left out"
        yield told(("crds", "skip"), "true", why, "drop the line")


def wrong_pin(addon: Addon, version: str) -> tuple[str, str] | None:
    """Why a version does not fit the form of its add-on, and what to write."""
    if addon.form is Form.CHART:
        if is_commit(version) or is_digest(version):
            return "a chart has a version", "write all three parts of one version, as in 1.3.1"
    elif addon.is_oci:
        if not is_digest(version):
            why = "a tag of an OCI repository can be moved"
            return why, "write the digest sha256:... that `crane digest` prints"
    elif not is_commit(version):
        why = "only a full commit id stays the same for ever"
        return why, "write the 40 digits that `git rev-parse` prints"
    return None


def _values(told: Told, document: Document, name: str, addon: Addon) -> Iterator[Problem]:
    layers: list[tuple[tuple[Step, ...], Mapping[str, Any]]] = [(("values",), addon.values)]
    layers += [(("rings", ring, "values"), entry.values) for ring, entry in addon.rings.items()]
    for path, values in layers:
        yield from value_problems(document, ("addons", name, *path), addon, values)
    for ring, entry in addon.rings.items():
        if entry.version is None and not entry.values:
            remedy = "give its version or values, or drop the entry"
            yield told(("rings", ring), None, "the entry changes nothing", remedy)


def value_problems(
    document: Document, path: tuple[Step, ...], addon: Addon, values: Mapping[str, Any]
) -> Iterator[Problem]:
    """What is wrong with values of an add-on that stand at `path` of a file, whatever cluster they are for."""
    if values and addon.form is Form.DIRECTORY:
        why = "plain manifests take no values"
        yield document.problem(path, None, why, "drop them, or make the folder a kustomize folder")
        return
    for key in values if addon.form is Form.KUSTOMIZE else ():
        if key not in _KUSTOMIZE_VALUES:
            why = "Argo CD's kustomize has no such field, or this program does not pass it on"
            yield document.problem((*path, key), None, why, did_you_mean(key, _KUSTOMIZE_VALUES))
    for inner, text in texts(values):
        for expression in foreign_expressions(text):
            why = f"the template expression {expression} is not one that is checked"
            remedy = (
                "write `{{ .metadata.labels.KEY }}` or `{{ .metadata.annotations.KEY }}`, or the value itself"
            )
            yield document.problem((*path, *inner), text, why, remedy)


def _leaving(told: Told, addon: Addon) -> Iterator[Problem]:
    if addon.is_leaving and addon.workloads is None:
        remedy = "add `workloads: keep` (they stay, nobody looks after them) or `workloads: remove`"
        yield told(
            ("workloads",), None, "the add-on leaves, and nobody said what becomes of what it made", remedy
        )
    if not addon.is_leaving and addon.workloads is not None:
        why = "it is read only while the add-on leaves"
        yield told(("workloads",), addon.workloads.value, why, "drop the line, or add `lifecycle: leaving`")


def _order(
    told: Told, name: str, addon: Addon, addons: Mapping[str, Addon], raw: Mapping[str, Any]
) -> Iterator[Problem]:
    for index, other in enumerate(addon.after):
        at: tuple[Step, ...] = ("after", index)
        if other == name:
            yield told(at, other, "an add-on cannot come after itself", "drop the line")
        elif other not in raw:
            yield told(at, other, "that add-on is not in the catalogue", did_you_mean(other, raw))
        elif other in addons and addons[other].is_leaving and not addon.is_leaving:
            why = f"{other} is leaving, and {name} needs it"
            yield told(at, other, why, f"let {name} leave first, or drop the line if it works without")


def _rings(told: Told, addon: Addon, rings: tuple[str, ...]) -> Iterator[Problem]:
    named: list[tuple[tuple[Step, ...], str]] = [(("rings", ring), ring) for ring in addon.rings]
    named += [(("select", "rings", index), ring) for index, ring in enumerate(addon.select.rings)]
    for number, one in enumerate(addon.excepted):
        named += [(("except", number, "rings", index), ring) for index, ring in enumerate(one.rings)]
        if one.is_empty:
            remedy = "name rings, labels or clusters; to have it nowhere, let the add-on leave"
            yield told(("except", number), None, "it leaves out nobody in particular", remedy)
    for path, ring in named:
        if ring not in rings:
            remedy = f"add it to `rings`, or: {did_you_mean(ring, rings)}"
            yield told(path, ring, "nobody declared that ring", remedy)


def _running_ahead(
    told: Told, name: str, addon: Addon, rings: tuple[str, ...], ahead: Ahead
) -> Iterator[Problem]:
    """Whether a version moves through the rings in their order, and not too far at once."""
    limit, filled = addon.ahead or ahead, addon.for_rings(rings)
    for ring, following in itertools.pairwise(rings):
        ours, theirs = version_in_ring(filled, ring), version_in_ring(filled, following)
        one, other = parsed_version(ours), parsed_version(theirs)
        if one is None or other is None or one == other:
            continue
        # Without an entry of its own a ring would have the version of the following one.
        path: tuple[Step, ...] = ("rings", ring)
        if one < other:
            why = f"{following} would get {theirs} before {ring}, which has {ours} and comes first"
            yield told(path, ours, why, f"give {ring} at least {theirs}: a version moves ring by ring")
            continue
        majors, minors = distance(one, other)
        if majors > limit.majors or (not majors and minors > limit.minors):
            far = f"{majors} major versions" if majors else f"{minors} minor versions"
            allowed = f"{limit.majors} major and {limit.minors} minor versions"
            why = f"{ring} would be {far} ahead of {following} ({ours}, {theirs}); at most {allowed} are allowed"
            remedy = f"move {following} first, or say under `ahead` of {name} how far is right"
            yield told(path, ours, why, remedy)


def _owned_twice(document: Document, addons: Mapping[str, Addon]) -> Iterator[Problem]:
    """Namespaces and CRDs that two add-ons claim: they would undo each other, and one that goes takes the other's."""
    namespaces: dict[str, str] = {}
    groups: dict[str, str] = {}
    for name, addon in addons.items():
        at: tuple[Step, ...] = ("addons", name)
        owner = namespaces.setdefault(addon.namespace, name)
        if owner != name:
            why = f"add-on {owner} has that namespace already"
            yield document.problem(
                (*at, "namespace"), addon.namespace, why, "give each a namespace of its own"
            )
        for index, group in enumerate(addon.crds.groups if addon.crds is not None else ()):
            owner = groups.setdefault(group, name)
            if owner != name:
                why = f"add-on {owner} brings the CRDs of that group already"
                remedy = (
                    "let one of them bring them: the other takes `crds: {skip: true}` or a value of its chart"
                )
                yield document.problem((*at, "crds", "groups", index), group, why, remedy)


def _cycles(document: Document, addons: Mapping[str, Addon]) -> Iterator[Problem]:
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> tuple[str, ...] | None:
        if name in way:
            return (*way[way.index(name) :], name)
        if name in done or name not in addons:
            return None
        for other in addons[name].after:
            found = visit(other, (*way, name)) if other != name else None
            if found:
                return found
        done.add(name)
        return None

    for name in addons:
        circle = visit(name, ())
        if circle:
            why = f"each waits for the other: {' after '.join(circle)}"
            yield document.problem(("addons", name, "after"), None, why, "drop one of these lines")
            return
