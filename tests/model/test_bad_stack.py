"""Limits, acknowledgements and policy settings of a stack file: each mistake is told with path and remedy.

What the limits do is in tests/whatif/test_radius.py; which rules there are, in tests/policies.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from model import load_stack
from model.stack_limits import EVERY_RING, Limits, acknowledgements_of, limits_of, stricter
from tests.model.bad_input import Case, stack, told
from tests.model.conftest import STACK

CHANGE = "0f3a9c52d1e07b44"


def _with(name: str, setting: str, content: str, at: str, remedy: str, why: str = "") -> Case:
    text = f"{STACK}  gke-fleet:{setting}: {content}\n"
    return stack(name, STACK, text, f"config.gke-fleet:{setting}{at}", remedy, why)


def _limits(name: str, content: str, at: str, remedy: str, why: str = "") -> Case:
    return _with(name, "limits", content, at, remedy, why)


def _acknowledged(name: str, content: str, at: str, remedy: str, why: str = "") -> Case:
    return _with(name, "acknowledged", content, at, remedy, why)


def _policies(name: str, content: str, at: str, remedy: str, why: str = "") -> Case:
    return _with(name, "policies", content, at, remedy, why)


CASES = [
    _limits("limits are a number", "5", "", "write keys and values", "a number stands where a map belongs"),
    _limits("limits are a list", "[removed]", "", "write keys and values"),
    _limits("no such limit", "{remove: 5}", ".remove", "did you mean `removed`?"),
    _limits("limit is text", '{removed: "5"}', ".removed", "without quotes", "text stands where"),
    _limits("limit is yes", "{clusters: true}", ".clusters", "without quotes", "yes or no stands where"),
    _limits("limit is a share", "{clusters: 25%}", ".clusters", "a whole number"),
    _limits("limit is half", "{clusters: 1.5}", ".clusters", "a whole number"),
    _limits("less than nothing", "{removed: -1}", ".removed", "write 0 or more"),
    _limits("less than nothing in all rings", "{clustersPerRing: -1}", ".clustersPerRing", "write 0 or more"),
    _limits(
        "less than nothing in a ring",
        "{clustersPerRing: {stable: -3}}",
        ".clustersPerRing.stable",
        "0 or more",
    ),
    _limits(
        "text in a ring", '{clustersPerRing: {stable: "3"}}', ".clustersPerRing.stable", "a whole number"
    ),
    _limits("rings are a list", "{clustersPerRing: [stable]}", ".clustersPerRing", "a number by ring"),
    _limits("rings are text", "{clustersPerRing: few}", ".clustersPerRing", "a number by ring"),
    _limits(
        "no such ring",
        "{clustersPerRing: {stabel: 3}}",
        ".clustersPerRing.stabel",
        "did you mean `stable`?",
        "there is no such ring",
    ),
    _limits(
        "no such ring, a star",
        '{clustersPerRing: {"*": 3}}',
        ".clustersPerRing.*",
        "known: dev, canary, stable",
    ),
    _acknowledged("acknowledged is a map", f"{{{CHANGE}: fine}}", "", "write a list"),
    _acknowledged("acknowledged is text", CHANGE, "", "write a list"),
    _acknowledged("entry is text", f"[{CHANGE}]", "[0]", "write keys and values"),
    _acknowledged(
        "no reason", f'[{{change: "{CHANGE}"}}]', "[0].reason", "why it is right all the same", "missing"
    ),
    _acknowledged("no change", "[{reason: it is right}]", "[0].change", "16 digits", "missing"),
    _acknowledged("one word", f'[{{change: "{CHANGE}", reason: ok}}]', "[0].reason", "in a few words"),
    _acknowledged(
        "change too short", '[{change: "0f3a", reason: it is right}]', "[0].change", "copy the 16 digits"
    ),
    _acknowledged(
        "change as a number",
        "[{change: 1234567890123456, reason: it is right}]",
        "[0].change",
        "put it in quotes",
    ),
    _acknowledged(
        "change in capitals",
        f'[{{change: "{CHANGE.upper()}", reason: it is right}}]',
        "[0].change",
        "copy the 16",
    ),
    _acknowledged(
        "no such key",
        f'[{{change: "{CHANGE}", reason: it is right, by: me}}]',
        "[0].by",
        "known: change, reason",
    ),
    _acknowledged(
        "twice",
        f'[{{change: "{CHANGE}", reason: it is right}}, {{change: "{CHANGE}", reason: still is}}]',
        "[1].change",
        "keep one of the two",
        "already, in entry 0",
    ),
    _policies("policies are a list", "[]", "", "write keys and values"),
    _policies("no such key", "{exemption: []}", ".exemption", "did you mean `exemptions`?"),
    _policies(
        "no such level", "{rules: {image-pinned: {level: high}}}", ".rules.image-pinned.level", "mandatory"
    ),
    _policies("level alone", "{rules: {image-pinned: advisory}}", ".rules.image-pinned", "keys and values"),
    _policies("rules are a list", "{rules: [image-pinned]}", ".rules", "write keys and values"),
    _policies(
        "exemption without an end",
        "{exemptions: [{rule: image-pinned, resource: x, reason: it is old}]}",
        ".exemptions[0].until",
        "the last day",
        "missing",
    ),
    _policies(
        "end that is no day",
        '{exemptions: [{rule: image-pinned, resource: x, reason: it is old, until: "2026-13-31"}]}',
        ".exemptions[0].until",
        "",
    ),
    _policies(
        "exemption of nothing",
        '{exemptions: [{rule: image-pinned, resource: "", reason: it is old, until: "2026-12-31"}]}',
        ".exemptions[0].resource",
        "TYPE::NAME",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_mistake_is_told(case: Case, folder: Callable[..., Path]) -> None:
    told(case, folder)


def test_all_mistakes_at_once(folder: Callable[..., Path]) -> None:
    case = _limits(
        "many", "{removed: no, clusters: -1, clustersPerRing: {stabel: x}, other: 1}", ".other", "known:"
    )
    paths = {problem.path for problem in told(case, folder)}
    assert paths == {
        f"config.gke-fleet:limits{at}"
        for at in (".removed", ".clusters", ".clustersPerRing.stabel", ".other")
    }


@pytest.mark.parametrize(
    "limits",
    ["{}", "{removed: 0}", "{clusters: 5, clustersPerRing: 2}", "{clustersPerRing: {stable: 3, dev: 0}}", ""],
)
def test_good_settings_load(limits: str, folder: Callable[..., Path]) -> None:
    text = (
        f"{STACK}  gke-fleet:limits: {limits}\n"
        f'  gke-fleet:acknowledged: [{{change: "{CHANGE}", reason: it is right}}]\n'
        "  gke-fleet:policies:\n"
        "    rules: {image-digest: {level: mandatory, registries: [a, b]}}\n"
        '    exemptions: [{rule: image-pinned, resource: "*-old", reason: it is old, until: "2026-12-31"}]\n'
    )
    load_stack(folder(stack=text), "acme")
    read = yaml.safe_load(text)
    raw: dict[str, Any] = yaml.safe_load(limits) or {}
    found = limits_of(read)
    assert (found.removed, found.clusters) == (raw.get("removed"), raw.get("clusters"))
    by_ring = raw.get("clustersPerRing", {})
    expected = by_ring.get("stable") if isinstance(by_ring, dict) else by_ring
    assert found.of_ring("stable") == expected
    assert [(one.change, one.reason) for one in acknowledgements_of(read)] == [(CHANGE, "it is right")]


def test_a_revision_without_limits_limits_nothing() -> None:
    contents: tuple[dict[str, Any], ...] = ({}, {"config": None}, {"config": {"gke-fleet:fleet": "acme"}})
    for content in contents:
        assert limits_of(content).is_empty
        assert acknowledgements_of(content) == ()


_anything = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["removed", "clusters", "clustersPerRing", "stable", "change", "reason"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(limits=_anything, acknowledged=_anything)
def test_whatever_stands_in_a_stack_file_of_another_revision_is_read(limits: Any, acknowledged: Any) -> None:
    content = {"config": {"gke-fleet:limits": limits, "gke-fleet:acknowledged": acknowledged}}
    found = limits_of(content)
    acknowledgements_of(content)
    if isinstance(limits, dict):
        for name, count in (("removed", found.removed), ("clusters", found.clusters)):
            stands = limits.get(name)
            good = isinstance(stands, int) and not isinstance(stands, bool) and stands >= 0
            assert count == (stands if good else None if stands is None else 0), "a mistake opens nothing"
    elif limits is not None:
        assert (found.removed, found.clusters) == (0, 0)


_counts = st.none() | st.integers(0, 5)
_limits_drawn = st.builds(
    lambda removed, clusters, rings: Limits.model_validate(
        {
            "removed": removed,
            "clusters": clusters,
            "clustersPerRing": {ring: count for ring, count in rings.items() if count is not None},
        }
    ),
    _counts,
    _counts,
    st.dictionaries(st.sampled_from(["dev", "canary", "stable", EVERY_RING]), _counts),
)


@settings(deadline=None)
@given(_limits_drawn, _limits_drawn)
def test_the_stricter_of_two_limits_is_in_force_whichever_comes_first(one: Limits, other: Limits) -> None:
    both = stricter(one, other)
    assert both == stricter(other, one)
    assert stricter(both, one) == both

    def least(*counts: int | None) -> int | None:
        return min((count for count in counts if count is not None), default=None)

    assert both.removed == least(one.removed, other.removed)
    assert both.clusters == least(one.clusters, other.clusters)
    for ring in ("dev", "canary", "stable", "another"):
        assert both.of_ring(ring) == least(one.of_ring(ring), other.of_ring(ring))


def test_the_stacks_of_this_repository_have_limits_that_count() -> None:
    stacks = Path(__file__).resolve().parents[2] / "stacks"
    read = {
        name: limits_of(yaml.safe_load((stacks / f"Pulumi.{name}.yaml").read_text()))
        for name in ("dev", "prod")
    }
    assert read["dev"].is_empty
    assert read["prod"] == Limits(removed=3, clusters=7)
