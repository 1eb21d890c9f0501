"""Rules about safe deletion, by tables."""

from typing import Any

import pytest

from policies.rules.deletion import (
    background,
    cluster_protection,
    empty_prune,
    finalizer,
    preserve,
    protect_option,
    sync_choice,
)
from policies.rules.properties import UNKNOWN
from policies.rules.rule import Rule

from .test_chart_version import APPLICATION, SET

CLUSTER = "gcp:container/cluster:Cluster"
FINALIZER = "resources-finalizer.argocd.argoproj.io"


def paths(rule: Rule, resource_type: str, properties: dict[str, Any], **configuration: object) -> list[str]:
    return [finding.path for finding in rule.findings(resource_type, properties, configuration)]


@pytest.mark.parametrize(
    ("policy", "preserved", "chosen"),
    [
        ({"preserveResourcesOnDeletion": True, "applicationsSync": "sync"}, True, True),
        ({"preserveResourcesOnDeletion": True, "applicationsSync": "create-update"}, True, True),
        ({"preserveResourcesOnDeletion": False, "applicationsSync": "create-only"}, False, True),
        ({"preserveResourcesOnDeletion": "true", "applicationsSync": "Sync"}, False, False),
        ({"applicationsSync": ""}, False, False),
        ({}, False, False),
        (None, False, False),
        (UNKNOWN, True, True),
        ({"preserveResourcesOnDeletion": UNKNOWN, "applicationsSync": UNKNOWN}, True, True),
    ],
    ids=repr,
)
def test_the_sync_policy_of_a_set(policy: object, preserved: bool, chosen: bool) -> None:
    properties = {"spec": {"syncPolicy": policy}}
    assert paths(preserve.RULE, SET, properties) == (
        [] if preserved else ["spec.syncPolicy.preserveResourcesOnDeletion"]
    )
    assert paths(sync_choice.RULE, SET, properties) == (
        [] if chosen else ["spec.syncPolicy.applicationsSync"]
    )


@pytest.mark.parametrize(
    "rule", [preserve.RULE, sync_choice.RULE, background.RULE], ids=lambda rule: rule.name
)
def test_only_sets_with_a_spec_are_asked(rule: Rule) -> None:
    assert paths(rule, SET, {"spec": UNKNOWN}) == []
    assert paths(rule, APPLICATION, {"spec": {}}) == []
    inside = {"items": [{"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "spec": {}}]}
    (path,) = paths(rule, "kubernetes:core/v1:List", inside)
    assert path.startswith("items[0].")


@pytest.mark.parametrize(
    ("metadata", "refused"),
    [
        ({"annotations": {"pulumi.com/deletionPropagationPolicy": "background"}}, False),
        ({"annotations": {"pulumi.com/deletionPropagationPolicy": "orphan"}}, False),
        ({"annotations": {"pulumi.com/deletionPropagationPolicy": "foreground"}}, True),
        ({"annotations": {}}, True),
        ({}, True),
        ({"annotations": UNKNOWN}, False),
    ],
    ids=repr,
)
def test_deletion_in_the_background(metadata: dict[str, Any], refused: bool) -> None:
    found = paths(background.RULE, SET, {"metadata": metadata, "spec": {}})
    assert found == (['metadata.annotations["pulumi.com/deletionPropagationPolicy"]'] if refused else [])


@pytest.mark.parametrize("name", [FINALIZER, f"{FINALIZER}/background", f"{FINALIZER}/foreground"])
def test_the_finalizer_that_removes_workloads(name: str) -> None:
    metadata = {"finalizers": ["other", name]}
    assert paths(finalizer.RULE, APPLICATION, {"metadata": metadata}) == ["metadata.finalizers[1]"]
    spec = {
        "template": {"metadata": metadata},
        "generators": [{"clusters": {"template": {"metadata": metadata}}}],
        "templatePatch": f"metadata: {{finalizers: [{name}]}}",
    }
    assert paths(finalizer.RULE, SET, {"metadata": metadata, "spec": spec}) == [
        "spec.template.metadata.finalizers[1]",
        "spec.generators[0].clusters.template.metadata.finalizers[1]",
        "spec.templatePatch: .metadata.finalizers[0]",
    ]
    conditional = f"{{{{if .x}}}}metadata: {{finalizers: [{name}]}}{{{{end}}}}"
    assert paths(finalizer.RULE, SET, {"spec": {"templatePatch": conditional}}) == ["spec.templatePatch"]


def test_other_finalizers_and_unknown_ones_pass() -> None:
    for finalizers in ([], ["post-delete-finalizer.example.com"], [UNKNOWN], UNKNOWN, None):
        assert paths(finalizer.RULE, APPLICATION, {"metadata": {"finalizers": finalizers}}) == []


@pytest.mark.parametrize(
    ("automated", "alone", "stamped"),
    [
        ({"prune": True, "allowEmpty": True}, True, True),
        ({"allowEmpty": True}, False, True),
        ({"prune": False, "allowEmpty": True}, False, False),
        ({"prune": True}, False, False),
        ({"prune": True, "allowEmpty": UNKNOWN}, False, False),
        (UNKNOWN, False, False),
    ],
    ids=repr,
)
def test_an_empty_source(automated: object, alone: bool, stamped: bool) -> None:
    spec = {"syncPolicy": {"automated": automated}}
    path = "spec.syncPolicy.automated.allowEmpty"
    assert paths(empty_prune.RULE, APPLICATION, {"spec": spec}) == ([path] if alone else [])
    properties = {"spec": {"template": {"spec": spec}}}
    assert paths(empty_prune.RULE, SET, properties) == ([f"spec.template.{path}"] if stamped else [])


def test_a_removal_that_is_meant_says_so_by_an_empty_folder() -> None:
    automated = {"prune": True, "allowEmpty": True}

    def spec(path: object) -> dict[str, Any]:
        return {"spec": {"source": {"path": path}, "syncPolicy": {"automated": automated}}}

    for fine in ("empty", "removed/empty/"):
        assert paths(empty_prune.RULE, APPLICATION, spec(fine)) == []
    for other in ("charts/x", "emptyish", UNKNOWN, None):
        assert len(paths(empty_prune.RULE, APPLICATION, spec(other))) == 1
    assert paths(empty_prune.RULE, APPLICATION, spec("gone/x"), emptyPaths=["gone/*"]) == []
    assert len(paths(empty_prune.RULE, APPLICATION, spec("empty"), emptyPaths=[])) == 1


def test_an_empty_source_by_a_patch_with_conditions() -> None:
    patch = "{{if .x}}\nspec: {syncPolicy: {automated: {allowEmpty: true}}}\n{{end}}"
    assert paths(empty_prune.RULE, SET, {"spec": {"templatePatch": patch}}) == ["spec.templatePatch"]


@pytest.mark.parametrize(
    ("properties", "refused"),
    [
        ({"name": "x", "deletionProtection": True}, False),
        ({"name": "x"}, False),
        ({"name": "x", "deletionProtection": UNKNOWN}, False),
        ({"name": "x", "deletionProtection": False}, True),
        ({"name": "x", "deletionProtection": None}, True),
        ({"deletionProtection": False, "resourceLabels": {"lifecycle": "leaving"}}, True),
        ({}, False),
    ],
    ids=repr,
)
def test_protection_by_google(properties: dict[str, Any], refused: bool) -> None:
    assert paths(cluster_protection.RULE, CLUSTER, properties) == (["deletionProtection"] if refused else [])


def test_a_cluster_on_its_way_out_is_told_by_its_labels() -> None:
    properties = {"deletionProtection": False, "resourceLabels": {"lifecycle": "leaving"}}
    assert paths(cluster_protection.RULE, CLUSTER, properties, leaving={"lifecycle": "leaving"}) == []
    assert len(paths(cluster_protection.RULE, CLUSTER, properties, leaving={"lifecycle": "gone"})) == 1


@pytest.mark.parametrize(
    ("resource_type", "asked"),
    [(CLUSTER, True), (SET, True), (APPLICATION, False), ("kubernetes:core/v1:Namespace", False)],
)
def test_protection_by_pulumi(resource_type: str, asked: bool) -> None:
    rule = protect_option.RULE
    assert len(rule.findings(resource_type, {}, protect=False)) == asked
    assert rule.findings(resource_type, {}, protect=True) == ()
    assert len(rule.findings(resource_type, {}, {"types": ["kubernetes:core/*:Namespace"]})) == (
        resource_type.endswith("Namespace")
    )
