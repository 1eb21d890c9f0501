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

from policies.rules import Rule, StackRule, catalogue
from policies.rules.argocd.patch import patch_of
from policies.rules.argocd.template import parts
from policies.rules.properties import UNKNOWN, plain
from policies.rules.rule import Finding, Resource, RuleError
from policies.rules.stack_rule import Stack

from .test_chart_version import SETS

KEYS = st.sampled_from([
    "spec", "source", "sources", "template", "templatePatch", "generators", "clusters", "list",
    "matrix", "merge", "git", "values", "elements", "elementsYaml", "chart", "repoURL", "targetRevision",
    "revision", "version",
    "repositoryOpts", "repo", "containers", "image", "items", "kind", "apiVersion", "drySource",
    "sourceHydrator", "goTemplate", "a.b", "a\nb",
    "metadata", "labels", "annotations", "finalizers", "syncPolicy", "automated", "allowEmpty", "prune",
    "preserveResourcesOnDeletion", "selector", "matchLabels", "matchExpressions", "key", "operator", "ring",
    "argocd.argoproj.io/secret-type", "argocd-image-updater.argoproj.io/image-list", "helm", "valuesObject",
    "parameters", "kustomize", "components", "images", "tag", "applicationRefs", "imageName", "data",
    "stringData", "name", "server", "config", "directory", "file", "files", "pluginDownloadURL",
    "resourceLabels", "deletionProtection", "goTemplateOptions", "dependencyUpdate",
])  # fmt: skip
TEXTS = st.sampled_from([
    "", "1.2.3", "1.2", "{{.values.version}}", "{{", "}}", "{{}}", "{{- -}}", "{{ . }}", "{{index .}}",
    "oci://",
    "@:", "spec: [", "spec: {source: 1}", "{{if}}", "\ue0000\ue001", "Application",
    "cluster", "In", "a=b:*,c", "{{.metadata.labels.ring}}", "{{index .metadata.labels \"x\"}}", "====", "YQ==",
    "https://h/o/r//b?ref=%zz", "git@h:o/r", "image: {tag: latest}", "resources-finalizer.argocd.argoproj.io",
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
    "kubernetes:apps/v1:Deployment", "", ":", "a:b:c", "kubernetes:core/v1:Secret",
    "kubernetes:argocd-image-updater.argoproj.io/v1alpha1:ImageUpdater", "kubernetes:kustomize/v2:Directory",
    "kubernetes:yaml/v2:ConfigGroup", "pulumi:providers:gcp", "gcp:container/cluster:Cluster",
    "kubernetes:argoproj.io/v1alpha1:AppProject", "gcp:projects/iAMMember:IAMMember",
])  # fmt: skip


RULES = [rule for rule in catalogue() if isinstance(rule, Rule)]
STACK_RULES = [rule for rule in catalogue() if isinstance(rule, StackRule)]
PARAMETERS: dict[str, dict[str, Any]] = {
    "cluster-labels-declared": {"labels": ["ring", "a.b"]},
    "cluster-deletion-protected": {"leaving": {"ring": "x"}},
    "resource-protected": {"types": ["*"]},
}
"""With these the rules look further than by default."""


def shaped(rule: Rule | StackRule, found: tuple[Finding, ...]) -> None:
    for finding in found:
        assert finding.path
        assert "\n" not in str(finding)
        assert isinstance(rule, Rule) or finding.urn
    assert len({(finding.urn, finding.path) for finding in found}) == len(found)


@given(TYPES, st.dictionaries(KEYS, SHAPES, max_size=5))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_shape_makes_a_rule_fail(resource_type: str, properties: dict[str, Any]) -> None:
    for rule in RULES:
        proxied = unknown_checking_proxy(copy.deepcopy(properties))
        shaped(rule, rule.findings(resource_type, proxied, PARAMETERS.get(rule.name)))


@given(st.lists(st.tuples(TYPES, st.dictionaries(KEYS, SHAPES, max_size=4)), max_size=4))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_shapes_of_a_stack_make_a_rule_over_it_fail(resources: list[tuple[str, dict[str, Any]]]) -> None:
    stack = [
        Resource(
            type=kind, name=str(index), urn=f"urn:{index}", properties=plain(unknown_checking_proxy(shape))
        )
        for index, (kind, shape) in enumerate(resources)
    ]
    for rule in STACK_RULES:
        shaped(rule, rule.findings(stack))


def with_one_part_out_of_shape(properties: dict[str, Any], shape: Any, data: st.DataObject) -> dict[str, Any]:
    """A copy in which one value, anywhere, is `shape`."""
    changed = copy.deepcopy(properties)
    holder: Any = changed
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        inner = holder[key]
        if not isinstance(inner, (dict, list)) or not inner or data.draw(st.booleans()):
            holder[key] = shape
            return changed
        holder = inner


@given(SHAPES, st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_shape_in_the_place_of_a_part_makes_a_rule_fail(shape: Any, data: st.DataObject) -> None:
    """Real ApplicationSets with one part put out of shape reach deeper than shapes from nothing."""
    original = data.draw(st.sampled_from(SETS)).values[0]
    assert isinstance(original, dict)
    properties = with_one_part_out_of_shape(original, shape, data)
    for rule in RULES:
        rule.findings("kubernetes:argoproj.io/v1alpha1:ApplicationSet", properties)


UPDATER = {
    "spec": {
        "applicationRefs": [{"images": [{"imageName": "a:1", "commonUpdateSettings": {"allowTags": "x"}}]}]
    }
}
SECRET = {
    "metadata": {"name": "a", "labels": {"argocd.argoproj.io/secret-type": "cluster", "ring": "x"}},
    "stringData": {"name": "a", "server": "https://a.example.com", "config": "{}"},
}
STAMPING = {
    "metadata": {"name": "s"},
    "spec": {
        "goTemplate": True,
        "generators": [{"clusters": {"selector": {"matchLabels": {"ring": "x"}}, "values": {"v": "1.2.3"}}}],
        "template": {
            "metadata": {"name": "{{.metadata.labels.team}}", "finalizers": ["f"]},
            "spec": {"source": {"chart": "x", "repoURL": "https://c", "targetRevision": "{{.values.v}}"}},
        },
        "templatePatch": "spec: {syncPolicy: {automated: {allowEmpty: true}}}",
    },
}


@given(SHAPES, st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_shape_in_the_place_of_a_part_makes_a_rule_over_a_stack_fail(
    shape: Any, data: st.DataObject
) -> None:
    originals: list[tuple[str, dict[str, Any]]] = [
        ("kubernetes:core/v1:Secret", SECRET),
        ("kubernetes:argoproj.io/v1alpha1:ApplicationSet", STAMPING),
        ("kubernetes:argocd-image-updater.argoproj.io/v1alpha1:ImageUpdater", UPDATER),
    ]
    stack = [
        Resource(type=kind, name=kind, urn=kind, properties=with_one_part_out_of_shape(whole, shape, data))
        for kind, whole in (*originals, *originals)
    ]
    for over in STACK_RULES:
        shaped(over, over.findings(stack))
    for rule in RULES:
        for resource in stack:
            shaped(rule, rule.findings(resource.type, resource.properties))


@given(st.text(alphabet="{}.- \"'|aindex\n:", max_size=40), st.booleans())
def test_any_text_can_be_read_as_a_template_and_as_a_patch(text: str, go: bool) -> None:
    parts(text, go=go)
    patch_of(text, "spec.templatePatch")


def test_the_engines_proxies_become_plain_values_with_unknowns_in_place() -> None:
    proxy = unknown_checking_proxy({"a": [1.0, UNKNOWN_STRING_VALUE, {"b": UNKNOWN_STRING_VALUE, "c": "x"}]})
    assert plain(proxy) == {"a": [1.0, UNKNOWN, {"b": UNKNOWN, "c": "x"}]}


def test_a_rule_that_fails_names_itself_and_the_resource() -> None:
    words: dict[str, Any] = {
        "title": "t",
        "mandatory": True,
        "reason": "r",
        "remedy": "m",
        "source": "https://example.com",
        "looks_at": ("x",),
        "concerns": lambda resource_type: True,
    }

    def broken(resource: Resource) -> list[Finding]:
        raise KeyError("spec")

    rule = Rule(
        name="broken",
        **words,
        look=broken,
    )

    class Args:
        resource_type, urn, name = "t", "urn:pulumi:s::p::t::n", "n"
        props = unknown_checking_proxy({})
        resources: tuple[object, ...] = ()

        class opts:  # as the SDK names it
            protect = False

        def get_config(self) -> dict[str, Any]:
            return {}

    with pytest.raises(RuleError, match=r"rule broken failed on urn:pulumi:s::p::t::n: KeyError: 'spec'"):
        rule.validate(Args(), lambda message: None)

    def broken_over_a_stack(stack: Stack) -> list[Finding]:
        raise KeyError("spec")

    over = StackRule(
        name="broken-too",
        **words,
        look=broken_over_a_stack,
    )
    with pytest.raises(RuleError, match=r"rule broken-too failed on the stack: KeyError: 'spec'"):
        over.validate(Args(), lambda message, urn: None)
