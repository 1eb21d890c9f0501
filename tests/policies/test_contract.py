"""Rules about the contract between clusters and templates, by tables over small stacks."""

import base64
from typing import Any

import pytest

from policies.rules.argocd.cluster_secret import selection
from policies.rules.contract import cluster_identity, declared_labels, missing_key, template_labels
from policies.rules.properties import UNKNOWN
from policies.rules.rule import Resource

from .test_chart_version import APPLICATION, SET
from .test_ring import SECRET, secret


def reading(
    text: str, selector: object = None, *, name: str = "set", go: bool = True, **more: Any
) -> Resource:
    spec = {
        "goTemplate": go,
        "generators": [{"clusters": {"selector": selector}}],
        "template": {"metadata": {"name": text}},
    } | more
    return Resource(type=SET, name=name, urn=f"urn:pulumi:s::p::{SET}::{name}", properties={"spec": spec})


def lacking(*resources: Resource) -> list[str]:
    return [finding.path for finding in template_labels.RULE.findings(resources)]


NAME = "spec.template.metadata.name"
BOTH = secret("a", team="x", ring="r"), secret("b", ring="r")


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("x-{{ .metadata.labels.ring }}", False),
        ("x-{{ .metadata.labels.team }}", True),
        ("{{ .metadata.labels.team | lower }}", True),
        ('{{ default "x" .metadata.labels.team }}', True),
        ("{{ if .metadata.labels.team }}y{{ end }}", True),
        ('{{ index .metadata.labels "team" }}', True),
        ('{{ index .metadata.labels "ring" }}', False),
        ('{{ if hasKey .metadata.labels "team" }}{{ .metadata.labels.team }}{{ end }}', False),
        ("{{ .metadata.annotations.domain }}", True),
        ("{{ .name }}-{{ .server }}", False),
        (".metadata.labels.team", False),
    ],
)
def test_what_a_template_reads_of_a_cluster(text: str, refused: bool) -> None:
    assert lacking(*BOTH, reading(text)) == ([NAME] if refused else [])


def test_clusters_that_are_not_selected_need_not_have_it() -> None:
    text = "{{ .metadata.labels.team }}"
    assert lacking(*BOTH, reading(text, {"matchExpressions": [{"key": "team", "operator": "Exists"}]})) == []
    assert lacking(*BOTH, reading(text, {"matchLabels": {"team": "x"}})) == []
    assert lacking(*BOTH, reading(text, {"matchLabels": {"ring": "r"}})) == [NAME]
    assert lacking(*BOTH, reading(text, UNKNOWN)) == []
    assert lacking(reading(text)) == []  # a stack without cluster Secrets


def test_it_is_looked_for_in_every_text_that_is_rendered_for_a_cluster() -> None:
    text = "{{ .metadata.labels.team }}"
    clusters = {
        "values": {"v": text},
        "template": {"spec": {"source": {"helm": {"valuesObject": {"t": [text]}}}}},
    }
    matrix = {"matrix": {"generators": [{"clusters": clusters}, {"list": {"elements": []}}]}}
    found = lacking(*BOTH, reading("x", generators=[matrix], templatePatch=f"spec: {{project: '{text}'}}"))
    inside = "spec.generators[0].matrix.generators[0].clusters"
    assert found == [
        "spec.templatePatch",
        f"{inside}.template.spec.source.helm.valuesObject.t[0]",
        f"{inside}.values.v",
    ]
    listed = {"list": {"elements": [{"x": text}]}}
    assert lacking(*BOTH, reading(text, generators=[listed])) == []


def test_plain_templates_are_read_too() -> None:
    assert lacking(*BOTH, reading("{{metadata.labels.team}}", go=False)) == [NAME]
    assert lacking(*BOTH, reading("{{metadata.labels.ring}}", go=False)) == []


def test_the_message_names_the_label_and_the_clusters() -> None:
    many = [secret(f"c{index}") for index in range(7)]
    (finding,) = template_labels.RULE.findings([*many, reading("{{ .metadata.labels.team }}")])
    assert (
        "the label team, which these selected cluster Secrets do not have: c0, c1, c2, c3, c4 and 2 more"
        in str(finding)
    )
    assert finding.urn.endswith("::set")


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (None, True),
        ({}, True),
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "2"}}, False),
        ({"matchLabels": {"a": "{{.x}}"}}, None),
        ({"matchLabels": {"a": "{{.x}}", "b": "1"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, True),
        ({"matchExpressions": [{"key": "b", "operator": "In", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, False),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Near"}]}, None),
        ({"matchExpressions": UNKNOWN}, None),
        (UNKNOWN, None),
    ],
    ids=repr,
)
def test_a_selector_on_a_secret(selector: object, expected: bool | None) -> None:
    assert selection(selector)({"a": "1"}) is expected


def test_declared_labels() -> None:
    rule = declared_labels.RULE
    body = secret("a", team="x", empty="").properties
    assert rule.findings(SECRET, body) == ()
    found = rule.findings(SECRET, body, {"labels": ["team", "ring", "empty", "example.com/x"]})
    assert [finding.path for finding in found] == [
        "metadata.labels.ring",
        "metadata.labels.empty",
        'metadata.labels["example.com/x"]',
    ]
    assert rule.findings(SECRET, {"metadata": {"labels": {}}}, {"labels": ["team"]}) == ()
    assert rule.findings(SECRET, {"metadata": {"labels": UNKNOWN}}, {"labels": ["team"]}) == ()


@pytest.mark.parametrize(
    ("spec", "refused"),
    [
        ({"goTemplate": True}, True),
        ({"goTemplate": True, "goTemplateOptions": []}, True),
        ({"goTemplate": True, "goTemplateOptions": ["missingkey=zero"]}, True),
        ({"goTemplate": True, "goTemplateOptions": ["missingkey=error"]}, False),
        ({"goTemplate": True, "goTemplateOptions": [UNKNOWN]}, False),
        ({"goTemplate": True, "goTemplateOptions": UNKNOWN}, False),
        ({"goTemplate": False}, False),
        ({}, False),
    ],
    ids=repr,
)
def test_missing_keys_fail(spec: dict[str, Any], refused: bool) -> None:
    found = [finding.path for finding in missing_key.RULE.findings(SET, {"spec": spec})]
    assert found == (["spec.goTemplateOptions"] if refused else [])
    assert missing_key.RULE.findings(APPLICATION, {"spec": spec}) == ()


def test_two_secrets_for_one_cluster() -> None:
    def cluster(resource: str, name: str, server: str, *, encoded: bool = False) -> Resource:
        one = secret(resource)
        data = {"name": name, "server": server}
        if encoded:
            data = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        held = {"data" if encoded else "stringData": data}
        return Resource(type=SECRET, name=resource, urn=one.urn, properties=dict(one.properties) | held)

    stack = [
        cluster("a", "tokyo", "https://one.example.com"),
        cluster("b", "osaka", "https://one.example.com/", encoded=True),
        cluster("c", "tokyo", "https://two.example.com"),
        cluster("d", "kyoto", "https://three.example.com"),
        secret("e"),
    ]
    found = cluster_identity.RULE.findings(stack)
    assert [(finding.urn.rpartition("::")[2], finding.path) for finding in found] == [
        ("b", "data.server"),
        ("c", "data.name"),
    ]
    broken = Resource(
        type=SECRET, name="f", urn="f", properties=dict(secret("f").properties) | {"data": {"name": "%"}}
    )
    assert cluster_identity.RULE.findings([broken, *stack[3:]]) == ()
