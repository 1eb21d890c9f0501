"""What the model predicts is what its ApplicationSets say, over random fleets.

The ApplicationSets are evaluated here by the rules of Kubernetes selectors over the labels of the cluster
Secrets. That the real controller does the same is shown in the sandbox, not here.
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.application_set import application_set_spec, generators
from model.argocd_settings import ArgocdSettings
from model.catalogue import Addon, AddonKinds, ArgocdChart, Catalogue, EmptySource
from model.cluster import Cluster, Override
from model.cluster_secret import secret_labels
from model.fleet import Fleet
from model.selection import Selector, disjoint
from model.stamping import stamp
from model.template import laid_over, rendered
from model.vocabulary import Lifecycle, Role, Workloads

RINGS = ("dev", "canary", "stable")
EMPTY = EmptySource(repository="https://git.example.org/x.git", revision="a" * 40, path="empty")
CHART = ArgocdChart.model_validate(
    {
        "chart": "argo-cd",
        "repository": "https://charts.example.org",
        "version": "10.3.3",
        "appVersion": "v3.5.1",
    }
)
versions = st.sampled_from(["1.0.0", "1.0.1", "1.1.0"])
texts = st.sampled_from(["plain", "{{ .metadata.labels.team }}", "x-{{ .metadata.labels.fleet_ring }}-y"])
values = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    texts | st.integers(0, 3) | st.dictionaries(st.just("d"), texts),
    max_size=3,
)
ADDONS = ("secrets", "policies")


@st.composite
def addons(draw: st.DrawFn, name: str) -> Addon:
    return Addon(
        chart=name,
        repository="https://charts.example.org",
        version=draw(versions),
        rings=draw(st.dictionaries(st.sampled_from(RINGS), versions, max_size=2)),
        namespace=name,
        values=draw(values),
        kinds=AddonKinds(namespaced=("Secret",)),
        kubernetes=("1.36",),
    )


@st.composite
def clusters(draw: st.DrawFn, name: str, role: Role) -> Cluster:
    leaving = role is Role.MEMBER and draw(st.booleans())
    touched = draw(st.dictionaries(st.sampled_from(ADDONS), st.booleans(), max_size=2))
    return Cluster(
        name=name,
        role=role,
        project=f"acme-{name}-project",
        location="asia-northeast1",
        kubernetes="1.36",
        ring=draw(st.sampled_from(RINGS)),
        labels={"team": draw(st.sampled_from(["shop", "data", "1-10"]))},
        addons={
            addon: Override(reason="a good reason", version=draw(versions | st.none()), values=draw(values))
            for addon, overridden in touched.items()
            if overridden
        },
        exclude={addon: "a good reason" for addon, overridden in touched.items() if not overridden},
        lifecycle=Lifecycle.LEAVING if leaving else Lifecycle.ACTIVE,
        workloads=draw(st.sampled_from(list(Workloads))) if leaving else None,
    )


@st.composite
def configurations(draw: st.DrawFn) -> tuple[Fleet, Catalogue]:
    names = [f"member-{index}" for index in range(draw(st.integers(0, 5)))]
    made = [draw(clusters("hub", Role.HUB)), *(draw(clusters(name, Role.MEMBER)) for name in names)]
    fleet = Fleet(
        name="acme",
        host_project="acme-hub-project",
        projects={cluster.project: str(100000 + index) for index, cluster in enumerate(made)},
        protect=True,
        argocd=ArgocdSettings(),
        clusters=tuple(made),
    )
    catalogue = Catalogue(
        rings=RINGS, argocd=CHART, addons={name: draw(addons(name)) for name in ADDONS}, empty_source=EMPTY
    )
    return fleet, catalogue


def _filled(text: str, labels: dict[str, str], values: dict[str, str]) -> str:
    text = re.sub(r"\{\{ \.metadata\.labels\.(\w+) \}\}", lambda match: labels[match[1]], text)
    return re.sub(r"\{\{ \.values\.(\w+) \}\}", lambda match: values[match[1]], text)


def _matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    wanted = all(labels.get(key) == value for key, value in selector["matchLabels"].items())
    return wanted and all(
        (labels.get(rule["key"]) in rule["values"]) == (rule["operator"] == "In")
        for rule in selector.get("matchExpressions", [])
    )


def _evaluated(spec: dict[str, Any], fleet: Fleet) -> list[tuple[object, ...]]:
    """(Application, cluster, version, namespace, values) as the `clusters` generators of a spec stamp
    them."""
    found: list[tuple[object, ...]] = []
    for generator in spec["generators"]:
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
                    rendered(source.get("helm", {}).get("valuesObject", {}), labels),
                )
            )
    return found


@settings(max_examples=150, deadline=None)
@given(configurations())
def test_application_sets_stamp_exactly_what_is_predicted(made: tuple[Fleet, Catalogue]) -> None:
    fleet, catalogue = made
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


@settings(max_examples=100, deadline=None)
@given(configurations())
def test_no_two_generators_can_select_one_cluster(made: tuple[Fleet, Catalogue]) -> None:
    fleet, catalogue = made
    for name in catalogue.addons:
        selectors = [generator.selector for generator in generators(fleet, catalogue, name)]
        assert all(disjoint(one, other) for one, other in combinations(selectors, 2))


_keys = st.sampled_from(["fleet_ring", "fleet_lifecycle", "fleet_cluster"])
_words = st.sampled_from(["a", "b"])
selectors = st.builds(
    Selector,
    st.dictionaries(_keys, _words).map(lambda pairs: tuple(pairs.items())),
    st.none() | st.lists(_words, unique=True, max_size=2).map(tuple),
    st.lists(_words, unique=True, max_size=2).map(tuple),
)


@given(selectors, selectors, st.dictionaries(_keys, st.sampled_from(["a", "b", "c"])))
def test_disjoint_is_never_claimed_wrongly(one: Selector, other: Selector, labels: dict[str, str]) -> None:
    assert _matches(one.manifest(), labels) == one.matches(labels)
    if disjoint(one, other):
        assert not (one.matches(labels) and other.matches(labels))


def test_selectors_that_overlap_are_found() -> None:
    ring = Selector((("fleet_ring", "stable"),))
    assert not disjoint(ring, Selector((("fleet_cluster", "tokyo"),)))
    assert disjoint(
        Selector((("fleet_ring", "stable"),), without=("tokyo",)), Selector((("fleet_cluster", "tokyo"),))
    )
    assert disjoint(ring, Selector((("fleet_ring", "canary"),)))


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
