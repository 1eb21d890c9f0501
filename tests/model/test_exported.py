"""What the program exports: every Application with a digest of what it delivers, what is kept, the gateway's budget.

That the CLI carries these outputs as they are is shown in tests/program and tests/whatif, not here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from model import Configuration, load_stack
from model.application_set import application_set_spec
from model.argocd import chart_values
from model.exported import exported
from model.gateway_budget import LIMIT, requests_per_minute
from model.notices import notices
from model.part import Part, part_names
from model.stamping import StampedApplication, stamp
from tests.model import random_fleets
from tests.model.conftest import CATALOGUE, FLEET, STACK
from tests.model.random_fleets import configurations

Change = Callable[[dict[str, Any]], object]


def nothing(_: dict[str, Any]) -> None:
    """Leaves a file as it is."""


@pytest.fixture
def made(folder: Callable[..., Path]) -> Callable[..., Configuration]:
    """The good configuration with changes in fleet and catalogue."""

    def make(fleet: Change = nothing, catalogue: Change = nothing, stack: str = STACK) -> Configuration:
        texts = []
        for text, change in ((FLEET, fleet), (CATALOGUE, catalogue)):
            document = yaml.safe_load(text)
            change(document)
            texts.append(yaml.safe_dump(document, sort_keys=False))
        return load_stack(folder(fleet=texts[0], catalogue=texts[1], stack=stack), "acme")

    return make


def _whole(drawn: random_fleets.Configuration) -> Configuration:
    return Configuration(fleet=drawn.fleet, catalogue=drawn.catalogue, part=Part())


@settings(max_examples=40, deadline=None)
@given(configurations())
def test_every_application_has_the_text_of_what_it_delivers(drawn: random_fleets.Configuration) -> None:
    outputs = exported(_whole(drawn))
    predicted = _whole(drawn).applications
    assert [one["application"] for one in outputs["applications"]] == [one.application for one in predicted]
    for one, stamped in zip(outputs["applications"], predicted, strict=True):
        added = {"values": one["values"], "removing": stamped.removing, "kubernetes": "1.36"}
        assert one == {**stamped.summary(), **added}
        text = outputs["values"][one["values"]]
        assert hashlib.sha256(text.encode()).hexdigest()[:16] == one["values"]
        said = json.loads(text)
        assert text == json.dumps(said, sort_keys=True, separators=(",", ":"))
        _says(said, stamped, drawn)
    assert set(outputs["values"]) == {one["values"] for one in outputs["applications"]}, "none is left over"
    json.dumps(outputs)


def _says(said: dict[str, Any], stamped: StampedApplication, drawn: random_fleets.Configuration) -> None:
    """That a text says what the Application delivers, as its ApplicationSet has it."""
    if stamped.addon == "argocd":
        assert said["values"] == chart_values(drawn.fleet, drawn.catalogue)
        assert (said["chart"], said["repository"]) == ("argo-cd", "https://charts.example.org")
        return
    addon = drawn.catalogue.addons[stamped.addon]
    template = application_set_spec(drawn.fleet, drawn.catalogue, stamped.addon)["template"]["spec"]
    assert said["namespace"] == stamped.namespace
    assert said["settings"]["syncPolicy"]["syncOptions" if not stamped.removing else "automated"]
    if stamped.removing:
        assert (said["kind"], said["path"], said["values"]) == ("directory", "empty", {})
        assert said["repository"] == drawn.catalogue.empty_source.repository
        assert said["settings"]["syncPolicy"]["automated"]["allowEmpty"] is True
        return
    assert said["values"] == stamped.values
    assert (said["kind"], said["repository"]) == (addon.form.value, addon.repository)
    assert (said.get("chart"), said.get("path")) == (addon.chart, addon.kustomize or addon.directory)
    assert said["settings"]["syncPolicy"] == template["syncPolicy"]
    assert said["settings"].get("ignoreDifferences") == template.get("ignoreDifferences")
    skips = addon.crds is not None and addon.crds.skip
    assert said["settings"].get("helm", {}).get("skipCrds", False) is skips


@settings(max_examples=40, deadline=None)
@given(configurations())
def test_what_is_kept_is_what_a_selected_cluster_has_no_application_for(
    drawn: random_fleets.Configuration,
) -> None:
    there = {one.application for one in stamp(drawn.fleet, drawn.catalogue)}
    selected = {
        f"{name}-{cluster.name}"
        for name, addon in drawn.catalogue.addons.items()
        for cluster in drawn.fleet.clusters
        if addon.select.takes(cluster)
    }
    kept = exported(_whole(drawn))["kept"]
    assert len(kept) == len(set(kept))
    assert set(kept) == selected - there
    assert there <= selected


@settings(max_examples=25, deadline=None)
@given(configurations())
def test_parts_export_the_whole_fleet_once(drawn: random_fleets.Configuration) -> None:
    whole = exported(_whole(drawn))
    parts = [exported(replace(_whole(drawn), part=Part(name))) for name in part_names(drawn.fleet)]
    for name in ("applications", "kept", "clusters"):
        found = [one for part in parts for one in part[name]]
        assert sorted(map(str, found)) == sorted(map(str, whole[name]))
    assert {digest: text for part in parts for digest, text in part["values"].items()} == whole["values"]
    assert all(part["gateway"] == whole["gateway"] for part in parts), "the budget is the fleet's"


def _addon(**changes: Any) -> Change:
    return lambda catalogue: catalogue["addons"]["external-secrets"].update(changes)


def _digest(configuration: Configuration, application: str) -> str:
    found = [one for one in exported(configuration)["applications"] if one["application"] == application]
    return str(found[0]["values"])


@pytest.mark.parametrize(
    "change",
    [
        _addon(values={"replicas": 2, "owner": "all"}),
        _addon(values={"replicas": True, "owner": "all"}),
        _addon(namespace="secrets"),
        _addon(repository="https://other.example.org"),
        _addon(repository="oci://registry.example.org/charts"),
        _addon(chart="secrets"),
        _addon(syncOptions=["RespectIgnoreDifferences=true"]),
        _addon(ignoreDifferences=[{"kind": "Secret", "jsonPointers": ["/data"]}]),
        _addon(crds={"groups": ["external-secrets.io"], "skip": True}),
    ],
    ids=["values", "type", "namespace", "repository", "oci", "chart", "sync options", "noise", "crds"],
)
def test_digest_changes_with_what_is_delivered(change: Change, made: Callable[..., Configuration]) -> None:
    assert _digest(made(), "external-secrets-tokyo") != _digest(
        made(catalogue=change), "external-secrets-tokyo"
    )


def test_digest_is_the_same_for_another_version_another_way_in_and_another_cluster(
    made: Callable[..., Configuration],
) -> None:
    before = made()
    newer = made(catalogue=_addon(version="1.3.3", rings={"canary": "1.3.4"}))
    reached = made(
        fleet=lambda fleet: fleet["clusters"][1].update(
            endpoint="dns", join="registered", dnsHost="gke-0a1b.asia-northeast1.gke.goog"
        )
    )
    digests = {
        _digest(configuration, f"external-secrets-{cluster}")
        for configuration in (before, newer, reached)
        for cluster in ("tokyo", "osaka", "hub")
    }
    assert len(digests) == 1


def test_budget_is_what_was_measured(made: Callable[..., Configuration]) -> None:
    """53 kinds: 10.6 requests a minute at Argo CD's own 10 minutes, 1.2 without a resync, by cluster."""

    def predicted(members: int, **argocd: Any) -> float:
        def change(fleet: dict[str, Any]) -> None:
            fleet["argocd"] = argocd
            del fleet["clusters"][1 + members :]

        found = made(fleet=change)
        return requests_per_minute(found.fleet, found.catalogue)

    assert predicted(1, watchResyncSeconds=600) == 10.6
    assert predicted(2, watchResyncSeconds=600) == 21.2
    assert predicted(1) == 1.2
    assert predicted(0, watchResyncSeconds=600) == 0
    assert predicted(1, watchResyncSeconds=3600) == round(53 / 60 + 53 / 45, 1), "watches end by themselves"
    fewer = [{"apiGroups": ["storage.k8s.io", "resource.k8s.io"], "kinds": ["*"]}]
    assert predicted(1, watchResyncSeconds=600, resourceExclusions=fewer) == round(43 / 5, 1)
    groups = ["", "*apps", "apiextensions.k8s.io", "autoscaling", "batch", "networking.k8s.io", "policy"]
    only = [{"apiGroups": [*groups, "rbac.*"], "kinds": ["*"]}]
    assert predicted(1, watchResyncSeconds=600, resourceInclusions=only) == round(32 / 5, 1)


def test_budget_counts_custom_kinds_and_only_who_is_reached_through_the_gateway(
    made: Callable[..., Configuration],
) -> None:
    def slow(fleet: dict[str, Any]) -> None:
        fleet["argocd"] = {"watchResyncSeconds": 600}

    def direct(fleet: dict[str, Any]) -> None:
        slow(fleet)
        for cluster in fleet["clusters"][1:]:
            cluster.update(endpoint="dns", join="registered", dnsHost="gke-0a1b.asia-northeast1.gke.goog")
            cluster["location"] = "asia-northeast1"
        fleet["clusters"][2]["dnsHost"] = "gke-0c1d.asia-northeast1.gke.goog"

    def gateway(fleet: Change, groups: list[str]) -> Any:
        return exported(made(fleet, _addon(crds={"groups": groups})))["gateway"]

    assert gateway(slow, ["a.example.org", "b.example.org"]) == {
        "requestsPerMinute": round(2 * (53 + 16) / 5, 1),
        "limit": 2400,
    }
    assert gateway(direct, ["a.example.org"])["requestsPerMinute"] == 0


def test_a_budget_that_is_nearly_used_up_is_spoken_of(made: Callable[..., Configuration]) -> None:
    def resync(seconds: int) -> Configuration:
        return made(fleet=lambda fleet: fleet.update(argocd={"watchResyncSeconds": seconds}))

    assert 53 * 2 * 120 / 6 > 0.8 * LIMIT > 53 * 2 * 120 / 7
    told = [one for one in notices(resync(6)) if "Connect Gateway" in one]
    assert len(told) == 1
    assert "2,400 requests a minute" in told[0]
    assert "2,120" in told[0]
    assert "argocd.watchResyncSeconds" in told[0]
    assert not [one for one in notices(resync(7)) if "Connect Gateway" in one]
