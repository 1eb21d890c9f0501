"""What the model predicts is what its ApplicationSets say, over random fleets.

The ApplicationSets are evaluated here by the rules of Kubernetes selectors over the labels of the cluster
Secrets. That the real controller does the same is shown in the sandbox, not here.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings

from model.application_set import application_set_spec, generators
from model.cluster_secret import fleet_metadata, secret_labels
from model.fleet import Fleet
from model.stamping import stamp
from model.template import laid_over, rendered
from tests.model.random_fleets import EMPTY, Configuration, changes, configurations, removing


def _filled(text: str, labels: dict[str, str], values: dict[str, str]) -> str:
    text = re.sub(r"\{\{ \.metadata\.labels\.(\w+) \}\}", lambda match: labels[match[1]], text)
    return re.sub(r"\{\{ \.values\.(\w+) \}\}", lambda match: values[match[1]], text)


def _matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return all(
        rule["operator"] == "In" and labels.get(rule["key"]) in rule["values"]
        for rule in selector["matchExpressions"]
    )


def _evaluated(spec: dict[str, Any], fleet: Fleet) -> list[tuple[object, ...]]:
    """(Application, cluster, version, namespace, values) as the `clusters` generators of a spec stamp
    them."""
    found: list[tuple[object, ...]] = []
    for generator in spec["generators"]:
        if "list" in generator:
            assert generator["list"] == {"elements": []}
            continue
        body = generator["clusters"]
        source = body["template"]["spec"]["source"]
        for cluster in fleet.clusters:
            labels = secret_labels(fleet, cluster)
            if not _matches(body["selector"], labels):
                continue
            template = spec["template"]
            found.append(
                (
                    _filled(template["metadata"]["name"], labels, body["values"]),
                    _filled(template["metadata"]["labels"]["fleet_cluster"], labels, {}),
                    _filled(source["targetRevision"], labels, body["values"]),
                    template["spec"]["destination"]["namespace"],
                    rendered(_values(source), fleet_metadata(fleet.name, cluster)),
                )
            )
    return found


def _values(source: dict[str, Any]) -> Any:
    return source.get("kustomize") or source.get("helm", {}).get("valuesObject", {})


@settings(max_examples=150, deadline=None)
@given(configurations())
def test_application_sets_stamp_exactly_what_is_predicted(made: Configuration) -> None:
    fleet, catalogue = made.fleet, made.catalogue
    predicted = [
        (app.application, app.cluster, app.version, app.namespace, app.values)
        for app in stamp(fleet, catalogue)
    ]
    stamped = [
        application
        for name in catalogue.addons
        for application in _evaluated(application_set_spec(fleet, catalogue, name), fleet)
    ]
    assert sorted(stamped, key=lambda app: str(app[0])) == sorted(predicted, key=lambda app: app[0])


@settings(max_examples=200, deadline=None)
@given(changes())
def test_nothing_is_lost_between_the_two_halves_of_a_change(
    change: tuple[Configuration, Configuration],
) -> None:
    """ApplicationSets are changed before the Secrets are: what is stamped in between has to be right as well."""
    before, after = change
    between = {
        str(name): version
        for addon in after.catalogue.addons
        for name, _, version, *_ in _evaluated(
            application_set_spec(after.fleet, after.catalogue, addon), before.fleet
        )
    }
    had, gets = ({one.application for one in stamp(made.fleet, made.catalogue)} for made in change)
    assert had & gets <= set(between), "deleted and made again"
    assert set(between) <= had | gets, "in between alone"
    emptied = {name for name, version in between.items() if version == EMPTY.revision}
    assert emptied <= removing(before) | removing(after), "pruned in between alone"


@settings(max_examples=100, deadline=None)
@given(configurations())
def test_no_two_generators_select_one_cluster(made: Configuration) -> None:
    """The controller freezes a set of which two generators stamp one Application."""
    for name in made.catalogue.addons:
        selected = [
            cluster for one in generators(made.fleet, made.catalogue, name) for cluster in one.clusters
        ]
        assert len(selected) == len(set(selected))


@pytest.mark.parametrize(
    ("base", "change", "expected"),
    [
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
    ],
)
def test_values_are_laid_over_as_helm_does(base: Any, change: Any, expected: Any) -> None:
    assert laid_over(base, change) == expected
