"""No shape of a resource makes a rule fail.

Proves it for shapes that hypothesis makes: plain ones, the engine's proxies around them, and unknowns in
any place.
"""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policies.rules import Rule, catalogue
from policies.rules.argocd.patch import patch_of
from policies.rules.argocd.template import parts
from policies.rules.properties import UNKNOWN, plain
from policies.rules.rule import Finding, Resource, RuleError

from .test_chart_version import SETS

KEYS = st.sampled_from([
    "spec", "source", "sources", "template", "templatePatch", "generators", "clusters", "list",
    "matrix", "merge", "git", "values", "elements", "elementsYaml", "chart", "repoURL", "targetRevision",
    "revision", "version",
    "repositoryOpts", "repo", "containers", "image", "items", "kind", "apiVersion", "drySource",
    "sourceHydrator", "goTemplate", "a.b", "a\nb",
])  # fmt: skip
TEXTS = st.sampled_from([
    "", "1.2.3", "1.2", "{{.values.version}}", "{{", "}}", "{{}}", "{{- -}}", "{{ . }}", "{{index .}}",
    "oci://",
    "@:", "spec: [", "spec: {source: 1}", "{{if}}", "\ue0000\ue001", "Application",
    "a\x00b", "x:a\nlatest", "{{ a\n }}", UNKNOWN_STRING_VALUE,
])  # fmt: skip
LEAVES = st.none() | st.booleans() | st.floats() | TEXTS | st.text(max_size=8)
SHAPES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)
TYPES = st.sampled_from([
    "kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Chart", "kubernetes:core/v1:Pod",
    "kubernetes:core/v1:List", "kubernetes:argoproj.io/v1alpha1:Application",
    "kubernetes:argoproj.io/v1alpha1:ApplicationSet", "kubernetes:argoproj.io/v1alpha1:ApplicationSetList",
    "kubernetes:apps/v1:Deployment", "", ":", "a:b:c",
])  # fmt: skip


@given(TYPES, st.dictionaries(KEYS, SHAPES, max_size=5))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_shape_makes_a_rule_fail(resource_type: str, properties: dict[str, Any]) -> None:
    for rule in catalogue():
        through_the_engine = rule.findings(resource_type, unknown_checking_proxy(copy.deepcopy(properties)))
        for finding in through_the_engine:
            assert finding.path
            assert "\n" not in str(finding)
        assert len({finding.path for finding in through_the_engine}) == len(through_the_engine)


@given(SHAPES, st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_shape_in_the_place_of_a_part_makes_a_rule_fail(shape: Any, data: st.DataObject) -> None:
    """Real ApplicationSets with one part put out of shape reach deeper than shapes from nothing."""
    properties = copy.deepcopy(data.draw(st.sampled_from(SETS)).values[0])
    assert isinstance(properties, dict)
    holder: Any = properties
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        inner = holder[key]
        if not isinstance(inner, (dict, list)) or not inner or data.draw(st.booleans()):
            holder[key] = shape
            break
        holder = inner
    for rule in catalogue():
        rule.findings("kubernetes:argoproj.io/v1alpha1:ApplicationSet", properties)


@given(st.text(alphabet="{}.- \"'|aindex\n:", max_size=40), st.booleans())
def test_any_text_can_be_read_as_a_template_and_as_a_patch(text: str, go: bool) -> None:
    parts(text, go=go)
    patch_of(text, "spec.templatePatch")


def test_the_engines_proxies_become_plain_values_with_unknowns_in_place() -> None:
    proxy = unknown_checking_proxy({"a": [1.0, UNKNOWN_STRING_VALUE, {"b": UNKNOWN_STRING_VALUE, "c": "x"}]})
    assert plain(proxy) == {"a": [1.0, UNKNOWN, {"b": UNKNOWN, "c": "x"}]}


def test_a_rule_that_fails_names_itself_and_the_resource() -> None:
    def broken(resource: Resource) -> list[Finding]:
        raise KeyError("spec")

    rule = Rule(
        name="broken",
        title="t",
        mandatory=True,
        reason="r",
        remedy="m",
        source="https://example.com",
        looks_at=("x",),
        concerns=lambda resource_type: True,
        look=broken,
    )

    class Args:
        resource_type, urn, props = "t", "urn:pulumi:s::p::t::n", unknown_checking_proxy({})

    with pytest.raises(RuleError, match=r"rule broken failed on urn:pulumi:s::p::t::n: KeyError: 'spec'"):
        rule.validate(Args(), lambda message: None)
