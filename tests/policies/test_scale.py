"""The rules over a stack with 1,000 clusters: ceilings that only a walk of the wrong order breaks."""

import time
from typing import Any

import pytest

from policies.rules import Rule, StackRule, catalogue
from policies.rules.rule import Resource

from .test_chart_version import SET
from .test_ring import secret, stamping

CLUSTERS = 1_000
SETS = 7
SECONDS = 5.0
"""For all rules together over all of it; they take a tenth of that on a slow machine."""


def by_name(names: list[str], version: str) -> dict[str, Any]:
    selector = {"matchExpressions": [{"key": "cluster", "operator": "In", "values": names}]}
    return {"clusters": {"selector": selector, "values": {"version": version}}}


@pytest.fixture(scope="module")
def fleet() -> list[Resource]:
    """Cluster Secrets in two rings, and ApplicationSets that select them by name in four generators each."""
    names = [f"cluster-{index:04}" for index in range(CLUSTERS)]
    secrets = [
        secret(name, cluster=name, ring="canary" if name < "cluster-0100" else "stable") for name in names
    ]
    generators = [
        by_name(names[:100], "1.2.4"),
        *(by_name(names[start : start + 300], "1.2.3") for start in (100, 400, 700)),
    ]
    sets = [
        stamping(
            f"addon-{index}",
            *generators,
            source={
                "repoURL": "https://charts.example.com",
                "chart": f"addon-{index}",
                "targetRevision": "{{.values.version}}",
                "helm": {"valuesObject": {"cluster": "{{.metadata.labels.cluster}}"}},
            },
        )
        for index in range(SETS)
    ]
    return [*secrets, *sets]


def test_rules_over_the_stack(fleet: list[Resource]) -> None:
    began = time.perf_counter()
    for rule in catalogue():
        if isinstance(rule, StackRule):
            assert rule.findings(fleet) == (), rule.name
    assert time.perf_counter() - began < SECONDS


def test_rules_over_each_resource(fleet: list[Resource]) -> None:
    began = time.perf_counter()
    for rule in catalogue():
        if isinstance(rule, Rule):
            for resource in fleet:
                found = rule.findings(resource.type, resource.properties)
                assert resource.type == SET or found == ()
    assert time.perf_counter() - began < SECONDS


def test_one_wrong_version_among_them_is_found(fleet: list[Resource]) -> None:
    (rule,) = (
        rule for rule in catalogue() if rule.name == "ring-one-version" and isinstance(rule, StackRule)
    )
    wrong = stamping("late", by_name(["cluster-0999"], "1.2.2"), source={
        "repoURL": "https://charts.example.com", "chart": "addon-3", "targetRevision": "{{.values.version}}",
    })  # fmt: skip
    (finding,) = rule.findings([*fleet, wrong])
    assert "ring stable has 1.2.3" in finding.why
