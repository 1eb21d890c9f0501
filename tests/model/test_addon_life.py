"""Add-ons over their life, as the model sees them: rings, layers of values, selection, leaving, and what is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from model import Configuration, load_stack
from model.application_set import application_set_spec
from model.catalogue import in_order
from model.notices import notices
from model.versions import distance, parsed_version
from tests.model.conftest import CATALOGUE, FLEET, STACK
from tests.model.test_bad_addon import MORE

TODAY = "2026-11-24"
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def made(folder: Callable[..., Path]) -> Callable[..., Configuration]:
    """The good configuration with changes in fleet and catalogue."""

    def make(
        fleet: Change = lambda _: None, catalogue: Change = lambda _: None, mirror: str = ""
    ) -> Configuration:
        texts = []
        for text, change in ((FLEET, fleet), (CATALOGUE + MORE, catalogue)):
            document = yaml.safe_load(text)
            change(document)
            texts.append(yaml.safe_dump(document, sort_keys=False))
        stack = STACK + (f"  gke-fleet:mirror: {mirror}\n" if mirror else "")
        return load_stack(folder(fleet=texts[0], catalogue=texts[1], stack=stack), "acme", TODAY)

    return make


def addon(name: str, **changes: Any) -> Change:
    return lambda catalogue: catalogue["addons"][name].update(changes)


def cluster(number: int, **changes: Any) -> Change:
    return lambda fleet: fleet["clusters"][number].update(changes)


def on(configuration: Configuration, name: str) -> dict[str, str]:
    """Cluster -> version of an add-on; `empty` where it is being removed."""
    return {
        one.cluster: "empty" if one.removing else one.version
        for one in configuration.applications
        if one.addon == name
    }


def spec(configuration: Configuration, name: str) -> Any:
    return application_set_spec(configuration.fleet, configuration.catalogue, name)


# -- rings


def test_a_version_moves_on_by_one_line(made: Callable[..., Configuration]) -> None:
    def in_ring(**rings: Any) -> dict[str, str]:
        return on(made(cluster(0, ring="dev"), addon("external-secrets", rings=rings)), "external-secrets")

    assert in_ring() == {"hub": "1.3.1", "tokyo": "1.3.1", "osaka": "1.4.0"}
    assert in_ring(dev="1.3.2") == {"hub": "1.3.2", "tokyo": "1.3.1", "osaka": "1.4.0"}
    # A ring's version is for the rings before it too, so promotion is this one line.
    assert in_ring(canary="1.3.2") == {"hub": "1.3.2", "tokyo": "1.3.2", "osaka": "1.4.0"}
    assert in_ring(canary="1.3.2", dev="1.4.0")["hub"] == "1.4.0"


def test_how_far_a_ring_may_be_ahead_is_said_once_or_for_one_addon(
    made: Callable[..., Configuration],
) -> None:
    far = {"rings": {"canary": "1.5.0"}}
    made(catalogue=lambda c: (c.update(ahead={"minors": 2}), addon("external-secrets", **far)(c)))
    made(catalogue=addon("external-secrets", **far, ahead={"minors": 2}))
    made(catalogue=addon("external-secrets", rings={"canary": "2.0.0"}, ahead={"majors": 1}))


def test_versions_are_ordered_as_semver_has_it() -> None:
    ordered = ["1.9.0-alpha.2", "1.9.0-alpha.10", "1.9.0-beta", "v1.9.0", "1.10.0", "2.0.0"]
    parsed = [parsed_version(text) for text in ordered]
    assert None not in parsed and parsed == sorted(parsed, key=lambda version: version or parsed[0])  # type: ignore[arg-type,return-value]
    assert parsed_version("1.0.0+build") == parsed_version("1.0.0")
    assert parsed_version("a" * 40) is None
    one, other = parsed_version("2.1.0"), parsed_version("1.9.0")
    assert one is not None and other is not None and distance(one, other) == (1, 0)


# -- values


def test_values_are_layered_and_read_metadata(made: Callable[..., Configuration]) -> None:
    def fleet(document: dict[str, Any]) -> None:
        document["addons"] = {"external-secrets": {"values": {"b": "fleet", "c": "fleet", "d": "fleet"}}}
        for one in document["clusters"]:
            one["annotations"] = {"domain": f"{one['name']}.acme.example"}
        document["clusters"][1]["addons"] = {
            "external-secrets": {"values": {"d": "cluster"}, "reason": "a good reason", "until": "2027-01-31"}
        }

    values = dict.fromkeys("abcd", "catalogue") | {"host": "{{ .metadata.annotations.domain }}"}
    ring = {"canary": {"values": {"c": "ring", "d": "ring"}}}
    configuration = made(fleet, addon("external-secrets", values=values, rings=ring))
    found = {a.cluster: dict(a.values) for a in configuration.applications if a.addon == "external-secrets"}
    layers = {"a": "catalogue", "b": "fleet", "c": "ring", "d": "cluster"}
    assert found["tokyo"] == {**layers, "host": "tokyo.acme.example"}
    assert found["hub"] == {**layers, "c": "fleet", "d": "fleet", "host": "hub.acme.example"}


# -- selection


def test_clusters_are_selected_by_ring_label_and_name(made: Callable[..., Configuration]) -> None:
    def selected(**select: Any) -> set[str]:
        return set(on(made(catalogue=addon("baseline", select=select)), "baseline"))

    assert selected(rings=["canary"]) == {"tokyo"}
    assert selected(labels={"team": ["shop", "data"]}) == {"tokyo", "osaka"}
    assert selected(clusters=["hub"]) == {"hub"}
    assert selected(rings=["stable"], labels={"team": ["data"]}) == {"osaka"}


def test_exceptions_say_whom_and_what_becomes_of_workloads(made: Callable[..., Configuration]) -> None:
    kept = {"labels": {"team": ["shop"]}, "reason": "has its own"}
    assert set(on(made(catalogue=addon("baseline", **{"except": [kept]})), "baseline")) == {"hub", "osaka"}
    removed = made(catalogue=addon("baseline", **{"except": [{**kept, "workloads": "remove"}]}))
    assert on(removed, "baseline")["tokyo"] == "empty"
    by_cluster = made(cluster(1, exclude={"baseline": {"reason": "has its own", "workloads": "remove"}}))
    assert on(by_cluster, "baseline") == on(removed, "baseline")
    assert set(on(made(cluster(1, exclude={"baseline": "has its own"})), "baseline")) == {"hub", "osaka"}


# -- forms


def test_sources_are_written_as_argo_cd_reads_them(made: Callable[..., Configuration]) -> None:
    def source(configuration: Configuration, name: str) -> Any:
        (first, *_) = spec(configuration, name)["generators"]
        return first["clusters"]["template"]["spec"]["source"]

    plain = made()
    assert source(plain, "certificates") == {
        "repoURL": "registry.example.org/charts",
        "chart": "certificates",
        "targetRevision": "{{ .values.version }}",
        "helm": {"releaseName": "certificates"},
    }
    assert source(plain, "defaults")["repoURL"] == "oci://registry.example.org/defaults"
    assert source(plain, "defaults")["directory"] == {"recurse": True}
    named = made(catalogue=addon("baseline", values={"namePrefix": "x-"}))
    assert (source(named, "baseline")["path"], source(named, "baseline")["kustomize"]) == (
        "addons/baseline",
        {"namePrefix": "x-"},
    )
    skipped = made(catalogue=addon("certificates", crds={"groups": ["x.example.org"], "skip": True}))
    assert source(skipped, "certificates")["helm"]["skipCrds"] is True


def test_registries_are_behind_the_mirror_too(made: Callable[..., Configuration]) -> None:
    addons = made(mirror="https://mirror.acme.example/all").catalogue.addons
    assert addons["certificates"].repo_url == "mirror.acme.example/all/registry.example.org/charts"
    assert addons["defaults"].repo_url == "oci://mirror.acme.example/all/registry.example.org/defaults"


def test_what_needs_another_comes_after_it_and_tries_again(made: Callable[..., Configuration]) -> None:
    configuration = made(catalogue=addon("external-secrets", after=["defaults"]))
    assert in_order(configuration.catalogue) == ("defaults", "external-secrets", "certificates", "baseline")
    sync = spec(configuration, "external-secrets")["template"]["spec"]["syncPolicy"]
    assert "SkipDryRunOnMissingResource=true" in sync["syncOptions"] and sync["retry"]["limit"] > 0
    assert "SkipDryRunOnMissingResource=true" not in str(spec(configuration, "baseline"))


def test_a_roll_out_goes_through_every_ring(made: Callable[..., Configuration]) -> None:
    configuration = made(catalogue=addon("baseline", rollOut={"atOnce": "25%"}))
    strategy = spec(configuration, "baseline")["strategy"]
    steps = strategy["rollingSync"]["steps"]
    assert strategy["type"] == "RollingSync"
    assert [step["matchExpressions"][0]["values"] for step in steps] == [["dev"], ["canary"], ["stable"]]
    assert {step["maxUpdate"] for step in steps} == {"25%"}
    assert "strategy" not in spec(configuration, "defaults")
    assert "is not healed" in told(configuration)


# -- leaving


def told(configuration: Configuration, today: str = TODAY) -> str:
    return "\n".join(notices(replace(configuration, today=today)))


def test_an_addon_leaves_in_two_steps(made: Callable[..., Configuration]) -> None:
    kept = made(catalogue=addon("certificates", lifecycle="leaving", workloads="keep"))
    assert on(kept, "certificates") == {}
    assert spec(kept, "certificates")["generators"] == [{"list": {"elements": []}}]
    assert "what they delivered stays" in told(kept)
    removed = made(catalogue=addon("certificates", lifecycle="leaving", workloads="remove"))
    assert set(on(removed, "certificates").values()) == {"empty"}
    assert "CRDs (certificates.example.org) and every object of their kinds stay" in told(removed)
    assert not removed.fleet.protects_addon(removed.catalogue.addons["certificates"])
    assert removed.fleet.protects_addon(removed.catalogue.addons["baseline"])


def test_a_cluster_that_keeps_wins_over_an_addon_that_is_removed(made: Callable[..., Configuration]) -> None:
    leaving = addon("certificates", lifecycle="leaving", workloads="remove")
    configuration = made(cluster(1, lifecycle="leaving", workloads="keep"), leaving)
    assert set(on(configuration, "certificates")) == {"hub", "osaka"}


@pytest.mark.parametrize(
    ("today", "words"),
    [("2027-01-16", ""), ("2027-01-17", "14 days are left"), ("2027-01-31", "today is the last day")],
)
def test_an_override_is_spoken_of_before_it_expires(
    made: Callable[..., Configuration], today: str, words: str
) -> None:
    said = told(made(), today)
    assert (words in said) if words else said == ""
    assert not words or "cluster osaka has its own external-secrets until 2027-01-31" in said
