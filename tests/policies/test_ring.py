"""Rule ring-one-version over small stacks: whose ring, what is delivered, at which version."""

from typing import Any

import pytest

from policies.rules.pinning.ring_one_version import RULE
from policies.rules.properties import UNKNOWN
from policies.rules.rule import Resource

from .test_chart_version import COMMIT, SET, chart

SECRET = "kubernetes:core/v1:Secret"
CLUSTER = {"argocd.argoproj.io/secret-type": "cluster"}


def secret(name: str, **labels: object) -> Resource:
    metadata = {"name": name, "namespace": "argocd", "labels": CLUSTER | labels}
    return Resource(
        type=SECRET, name=name, urn=f"urn:pulumi:s::p::{SECRET}::{name}", properties={"metadata": metadata}
    )


def stamping(
    name: str, *generators: object, source: dict[str, Any] | None = None, go: bool = True
) -> Resource:
    text = "{{.values.version}}" if go else "{{values.version}}"
    spec = {
        "goTemplate": go,
        "generators": list(generators),
        "template": {"spec": {"source": source or chart(text)}},
    }
    return Resource(type=SET, name=name, urn=f"urn:pulumi:s::p::{SET}::{name}", properties={"spec": spec})


def clusters(version: object, selector: object = None, **values: object) -> dict[str, Any]:
    return {"clusters": {"selector": selector, "values": {"version": version} | values}}


def ring(name: str) -> dict[str, Any]:
    return {"matchLabels": {"ring": name}}


def found(*resources: Resource, **configuration: object) -> list[tuple[str, str]]:
    return [
        (finding.urn.rpartition("::")[2], finding.path) for finding in RULE.findings(resources, configuration)
    ]


G = "spec.generators[{}].clusters.values.version"


def test_one_version_in_each_ring_passes() -> None:
    assert found(stamping("a", clusters("1.2.3", ring("canary")), clusters("1.2.2", ring("stable")))) == []


def test_two_versions_in_one_ring_are_refused_within_a_set_and_across_sets() -> None:
    inside = stamping("a", clusters("1.2.3", ring("stable")), clusters("1.2.2", ring("stable")))
    assert found(inside) == [("a", G.format(1))]
    one, other = stamping("a", clusters("1.2.3", ring("x"))), stamping("b", clusters("1.2.2", ring("x")))
    assert found(one, other) == [("b", G.format(0))]
    (finding,) = RULE.findings([one, other])
    assert "ring x has 1.2.3 of https://charts.example.com x by a" in finding.why


def test_a_generator_that_says_it_is_an_exception_is_none_of_the_ring_s() -> None:
    stable = clusters("1.2.3", ring("stable"))
    assert found(stamping("a", stable, clusters("1.2.2", ring("stable"), until="2090-01-31"))) == []
    assert found(stamping("a", stable, clusters("1.2.2", ring("stable"), because="x"))) == [
        ("a", G.format(1))
    ]
    named = clusters("1.2.2", ring("stable"), because="x")
    assert found(stamping("a", stable, named), exception="because") == []


def test_another_chart_or_repository_is_another_addon() -> None:
    one = stamping("a", clusters("1.2.3", ring("x")))
    other = stamping("b", clusters("1.2.2", ring("x")), source=chart("{{.values.version}}", chart="y"))
    assert found(one, other) == []


@pytest.mark.parametrize(
    "selector",
    [
        {"matchExpressions": [{"key": "fleet_ring", "operator": "In", "values": ["stable"]}]},
        {"matchLabels": {"example.com/ring": "stable"}},
    ],
)
def test_a_label_that_ends_with_the_word_is_the_rings(selector: dict[str, Any]) -> None:
    assert found(stamping("a", clusters("1.2.3", selector), clusters("1.2.2", selector))) == [
        ("a", G.format(1))
    ]


def test_labels_that_only_sound_like_it_are_not() -> None:
    selector = {"matchLabels": {"monitoring": "on"}}
    assert found(stamping("a", clusters("1.2.3", selector), clusters("1.2.2", selector))) == []


def test_the_parameter_names_the_ring() -> None:
    selector = {"matchLabels": {"stage": "live"}}
    two = stamping("a", clusters("1.2.3", selector), clusters("1.2.2", selector))
    assert found(two) == []
    assert found(two, ring="stage") == [("a", G.format(1))]


def test_selection_by_name_is_followed_to_the_secrets() -> None:
    def named(*names: str) -> dict[str, Any]:
        return {"matchExpressions": [{"key": "cluster", "operator": "In", "values": list(names)}]}

    stack = [
        secret("one", cluster="one", ring="canary"),
        secret("two", cluster="two", ring="stable"),
        secret("three", cluster="three", ring="stable"),
    ]
    apart = stamping("a", clusters("1.2.3", named("one")), clusters("1.2.2", named("two", "three")))
    assert found(*stack, apart) == []
    mixed = stamping("a", clusters("1.2.3", named("one", "two")), clusters("1.2.2", named("three")))
    assert found(*stack, mixed) == [("a", G.format(1))]


def test_a_value_of_the_generator_names_the_ring() -> None:
    one = stamping("a", clusters("1.2.3", None, ring="x"), clusters("1.2.2", None, ring="x"))
    assert found(one) == [("a", G.format(1))]
    plain = stamping("a", clusters("1.2.3", None, ring="x"), clusters("1.2.2", None, ring="x"), go=False)
    assert found(plain) == [("a", G.format(1))]


def test_elements_of_a_list_name_the_ring() -> None:
    elements = [{"ring": "x", "v": "1.2.3"}, {"ring": "y", "v": "1.2.2"}, {"ring": "x", "v": "1.2.2"}]
    listed = stamping("a", {"list": {"elements": elements}}, source=chart("{{.v}}"))
    assert found(listed) == [("a", "spec.generators[0].list.elements[2].v")]


def test_a_matrix_takes_the_selector_of_its_clusters() -> None:
    def matrix(version: str) -> dict[str, Any]:
        listed = {"list": {"elements": [{"v": version}]}}
        return {"matrix": {"generators": [{"clusters": {"selector": ring("x")}}, listed]}}

    two = stamping("a", matrix("1.2.3"), matrix("1.2.2"), source=chart("{{.v}}"))
    assert found(two) == [("a", "spec.generators[1].matrix.generators[1].list.elements[0].v")]


def test_git_folders_are_addons_by_their_path() -> None:
    def git(path: str) -> dict[str, Any]:
        return {"repoURL": "https://g/x.git", "path": path, "targetRevision": "{{.values.version}}"}

    generator = clusters(COMMIT, ring("x")), clusters(COMMIT[::-1], ring("x"))
    assert (
        found(stamping("a", generator[0], source=git("p")), stamping("b", generator[1], source=git("q")))
        == []
    )
    assert len(found(stamping("a", *generator, source=git("p")))) == 1


@pytest.mark.parametrize(
    "generator",
    [
        clusters(UNKNOWN, ring("x")),
        clusters("{{.metadata.labels.version}}", ring("x")),
        clusters("1.2.2", {"matchLabels": {"ring": "{{.ring}}"}}),
        clusters("1.2.2", UNKNOWN),
        UNKNOWN,
        {"git": {"files": [{"path": "x"}]}},
    ],
)
def test_what_cannot_be_told_is_no_offence(generator: object) -> None:
    assert found(stamping("a", clusters("1.2.3", ring("x")), generator)) == []
