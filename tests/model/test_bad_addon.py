"""What a tired person gets wrong in add-ons over their life: forms, rings, values, selection, order, leaving, expiry.

Each is one change in a good configuration, and has to be told with file, path and remedy.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from model import ConfigurationError, load_stack
from model.problems import Problem
from tests.model.bad_input import CATALOGUE_FILE, FLEET_FILE, STACK_FILE
from tests.model.conftest import CATALOGUE, FLEET, STACK

COMMIT, DIGEST = "ab" * 20, "sha256:" + "cd" * 32

MORE = f"""\
  certificates:
    chart: certificates
    repository: oci://registry.example.org/charts
    version: v1.19.1
    namespace: certificates
    kinds: {{namespaced: [Secret]}}
    crds: {{groups: [certificates.example.org]}}
    kubernetes: ["1.35", "1.36"]
  baseline:
    kustomize: addons/baseline
    repository: https://git.example.org/platform.git
    version: {COMMIT}
    namespace: baseline
    kinds: {{namespaced: [ConfigMap]}}
    kubernetes: ["1.35", "1.36"]
  defaults:
    directory: .
    repository: oci://registry.example.org/defaults
    version: {DIGEST}
    namespace: defaults
    kinds: {{namespaced: [ConfigMap]}}
    kubernetes: ["1.35", "1.36"]
"""
"""Besides the chart of an HTTP repository: a chart and a folder in OCI registries, a folder in Git."""

GOOD = {
    FLEET_FILE: FLEET,
    CATALOGUE_FILE: CATALOGUE + MORE,
    STACK_FILE: STACK + "  gke-fleet:today: '2026-11-24'\n",
}

C, F, S = CATALOGUE_FILE, FLEET_FILE, STACK_FILE
ES, CERT, BASE, DEFS = (f"addons.{n}" for n in ("external-secrets", "certificates", "baseline", "defaults"))
KUSTOMIZE, DIRECTORY = "    kustomize: addons/baseline\n", "    directory: .\n"
SHOP = "    labels:\n      team: shop\n"
NEEDS_BASELINE = MORE.replace(DIRECTORY, DIRECTORY + "    after: [baseline]\n")
OSAKA = "clusters[2].addons.external-secrets"


def _after(line: str, more: str) -> tuple[str, str]:
    """An edit that adds `more` after `line`."""
    return line, line + more


# name: file, what stands there, what a tired person writes, path, words of why, words of the remedy
CASES: dict[str, tuple[str, str, str, str, str, str]] = {
    # forms and pins
    "no form": (C, "    kustomize: addons/baseline\n", "", BASE, "made from nothing", "exactly one of"),
    "two forms": (C, *_after(DIRECTORY, "    chart: x\n"), DEFS, "chart and directory", "exactly one"),
    "folder at a version": (
        C,
        f"version: {COMMIT}",
        "version: 1.2.3",
        f"{BASE}.version",
        "full commit id",
        "git rev-parse",
    ),
    "folder at a branch": (
        C,
        f"version: {COMMIT}",
        "version: main",
        f"{BASE}.version",
        "moving name",
        "three parts",
    ),
    "short commit": (
        C,
        f"version: {COMMIT}",
        "version: abababab",
        f"{BASE}.version",
        "not a version",
        "three parts",
    ),
    "folder at a tag of a registry": (
        C,
        f"version: {DIGEST}",
        "version: 1.2.3",
        f"{DEFS}.version",
        "can be moved",
        "crane digest",
    ),
    "half a digest": (
        C,
        f"version: {DIGEST}",
        "version: sha256:abcd",
        f"{DEFS}.version",
        "not a whole digest",
        "64 digits",
    ),
    "chart at a digest": (
        C,
        "version: v1.19.1",
        f"version: {DIGEST}",
        f"{CERT}.version",
        "a chart has a version",
        "three parts",
    ),
    "chart at a commit in a ring": (
        C,
        "canary: 1.3.2",
        f"canary: {COMMIT}",
        f"{ES}.rings.canary",
        "a chart has a version",
        "three parts",
    ),
    "registry with a tag": (
        C,
        "oci://registry.example.org/charts",
        "oci://registry.example.org/charts:1",
        f"{CERT}.repository",
        "not the address of an OCI",
        "without tag",
    ),
    "registry without a name": (
        C,
        "oci://registry.example.org/charts",
        "oci://10.0.0.7:5000/charts",
        f"{CERT}.repository",
        "not the address of an OCI",
        "oci://HOST/PATH",
    ),
    "registry over http": (
        C,
        "oci://registry.example.org/charts",
        "http://registry.example.org/charts",
        f"{CERT}.repository",
        "not an https address",
        "https://",
    ),
    "folder outside": (
        C,
        "kustomize: addons/baseline",
        "kustomize: ../baseline",
        f"{BASE}.kustomize",
        "not a folder",
        "from its top",
    ),
    "folder with crds to skip": (
        C,
        *_after(KUSTOMIZE, "    crds: {groups: [x.example.org], skip: true}\n"),
        f"{BASE}.crds.skip",
        "only a chart",
        "drop the line",
    ),
    # values
    "values are text": (
        C,
        "    values:\n      replicas: 1\n      owner: all\n",
        "    values: 'replicas: 1'\n",
        f"{ES}.values",
        "text stands where a map belongs",
        "keys and values",
    ),
    "values are a list": (
        C,
        "    values:\n      replicas: 1\n      owner: all\n",
        "    values: [replicas]\n",
        f"{ES}.values",
        "a list stands where a map belongs",
        "keys and values",
    ),
    "values of plain manifests": (
        C,
        *_after(DIRECTORY, "    values: {a: 1}\n"),
        f"{DEFS}.values",
        "take no values",
        "kustomize folder",
    ),
    "kustomize has no such field": (
        C,
        *_after(KUSTOMIZE, "    values: {commonLabel: {a: b}}\n"),
        f"{BASE}.values.commonLabel",
        "no such field",
        "mean `commonLabels`?",
    ),
    "index in values of a ring": (
        C,
        "canary: 1.3.2",
        "canary: {values: {a: '{{ index .metadata.labels \"team\" }}'}}",
        f"{ES}.rings.canary.values.a",
        "not one that is checked",
        "metadata.annotations.KEY",
    ),
    "values of a fleet read nothing that is checked": (
        F,
        "clusters:\n",
        "addons:\n  external-secrets: {values: {a: '{{ .name }}'}}\nclusters:\n",
        f"{ES}.values.a",
        "not one that is checked",
        "metadata.labels.KEY",
    ),
    "values of a fleet for plain manifests": (
        F,
        "clusters:\n",
        "addons:\n  defaults: {values: {a: 1}}\nclusters:\n",
        f"{DEFS}.values",
        "take no values",
        "drop them",
    ),
    "a fleet changes nothing": (
        F,
        "clusters:\n",
        "addons:\n  defaults: {}\nclusters:\n",
        f"{DEFS}.values",
        "missing",
        "values",
    ),
    "a fleet changes an add-on of nobody": (
        F,
        "clusters:\n",
        "addons:\n  certificate: {values: {a: 1}}\nclusters:\n",
        "addons.certificate",
        "not in the catalogue",
        "mean `certificates`?",
    ),
    "a label that no cluster has": (
        C,
        "owner: all",
        'owner: "{{ .metadata.labels.zone }}"',
        "clusters[0].labels.zone",
        "cluster hub has none",
        "add `zone:`",
    ),
    "a label that a ring reads": (
        C,
        "canary: 1.3.2",
        "canary: {values: {a: '{{ .metadata.labels.zone }}'}}",
        "clusters[1].labels.zone",
        "cluster tokyo has none",
        "add `zone:`",
    ),
    "an annotation that no cluster has": (
        C,
        "owner: all",
        'owner: "{{ .metadata.annotations.domain }}"',
        "clusters[1].annotations.domain",
        "reads that annotation",
        "add `domain:` to its annotations",
    ),
    "an annotation that breaks templates": (
        F,
        *_after(SHOP, "    annotations:\n      domain: 'a\"b'\n"),
        "clusters[1].annotations.domain",
        "would break",
        "without quotation marks",
    ),
    "an annotation that is a template": (
        F,
        *_after(SHOP, "    annotations:\n      domain: '{{ .name }}'\n"),
        "clusters[1].annotations.domain",
        "would break",
        "braces",
    ),
    # rings
    "a ring too far ahead": (
        C,
        "canary: 1.3.2",
        "canary: 1.5.0",
        f"{ES}.rings.canary",
        "2 minor versions ahead of stable",
        "move stable first",
    ),
    "a ring a major ahead": (
        C,
        "canary: 1.3.2",
        "canary: 2.0.0",
        f"{ES}.rings.canary",
        "1 major versions ahead",
        "under `ahead`",
    ),
    "a later ring goes first": (
        C,
        "canary: 1.3.2",
        "canary: 1.3.2\n      dev: 1.3.1",
        f"{ES}.rings.dev",
        "canary would get 1.3.2 before dev",
        "at least 1.3.2",
    ),
    "a pre-release is older": (
        C,
        "canary: 1.3.2",
        "canary: 1.3.1-rc.1",
        f"{ES}.rings.canary",
        "stable would get 1.3.1 before canary",
        "at least 1.3.1",
    ),
    "a ring changes nothing": (
        C,
        "canary: 1.3.2",
        "canary: {}",
        f"{ES}.rings.canary",
        "changes nothing",
        "version or values",
    ),
    "an unknown key of a ring": (
        C,
        "canary: 1.3.2",
        "canary: {versoin: 1.3.2}",
        f"{ES}.rings.canary.versoin",
        "no such key",
        "mean `version`?",
    ),
    "ahead by less than nothing": (
        C,
        "rings: [dev, canary, stable]",
        "rings: [dev, canary, stable]\nahead: {minors: -1}",
        "ahead.minors",
        "greater than or equal",
        "minor versions",
    ),
    # selection
    "a ring that nobody declared": (
        C,
        *_after(KUSTOMIZE, "    select: {rings: [canari]}\n"),
        f"{BASE}.select.rings[0]",
        "nobody declared",
        "mean `canary`?",
    ),
    "a cluster that no fleet has": (
        C,
        *_after(KUSTOMIZE, "    select: {clusters: [tokio]}\n"),
        f"{BASE}.select.clusters[0]",
        "no fleet has a cluster",
        "mean `tokyo`?",
    ),
    "a label that no fleet has": (
        C,
        *_after(KUSTOMIZE, "    select: {labels: {taem: [shop]}}\n"),
        f"{BASE}.select.labels.taem",
        "no cluster has a label",
        "mean `team`?",
    ),
    "a label value that no fleet has": (
        C,
        *_after(KUSTOMIZE, "    select: {labels: {team: [shap]}}\n"),
        f"{BASE}.select.labels.team[0]",
        "no cluster has team with that value",
        "mean `shop`?",
    ),
    "a label without a value": (
        C,
        *_after(KUSTOMIZE, "    select: {labels: {team: []}}\n"),
        f"{BASE}.select.labels.team",
        "no cluster is selected",
        "data, shop",
    ),
    "an exception for nobody": (
        C,
        *_after(KUSTOMIZE, "    except: [{reason: a good reason}]\n"),
        f"{BASE}.except[0]",
        "nobody in particular",
        "let the add-on leave",
    ),
    "an exception without a reason": (
        C,
        *_after(KUSTOMIZE, "    except: [{rings: [dev]}]\n"),
        f"{BASE}.except[0].reason",
        "missing",
        "why they do not get it",
    ),
    "an exclusion without a reason": (
        F,
        *_after(SHOP, "    exclude: {baseline: }\n"),
        "clusters[1].exclude.baseline",
        "nothing stands where text belongs",
        "why",
    ),
    "an exclusion with a map without a reason": (
        F,
        *_after(SHOP, "    exclude: {baseline: {workloads: remove}}\n"),
        "clusters[1].exclude.baseline.reason",
        "missing",
        "why",
    ),
    "an exclusion with another choice": (
        F,
        *_after(SHOP, "    exclude: {baseline: {reason: a good reason, workloads: delete}}\n"),
        "clusters[1].exclude.baseline.workloads",
        "no such choice",
        "keep, remove",
    ),
    "a changed add-on that is not selected": (
        C,
        "    rings:\n      canary: 1.3.2\n",
        "    select: {rings: [canary]}\n",
        OSAKA,
        "leaves this cluster out",
        "select the cluster",
    ),
    # overrides
    "an override that has expired": (
        F,
        '"2027-01-31"',
        '"2026-11-23"',
        f"{OSAKA}.until",
        "today is 2026-11-24",
        "follows its ring again",
    ),
    "an override without an end": (
        F,
        '        until: "2027-01-31"\n',
        "",
        f"{OSAKA}.until",
        "missing",
        "the day until",
    ),
    "a day that the calendar lacks": (
        F,
        '"2027-01-31"',
        '"2027-02-29"',
        f"{OSAKA}.until",
        "no such day",
        "2027-01-31",
    ),
    "a day the other way round": (
        F,
        '"2027-01-31"',
        '"31.01.2027"',
        f"{OSAKA}.until",
        "not a day",
        "2027-01-31",
    ),
    "an override of the wrong form": (
        F,
        "version: 1.4.0",
        f"version: {COMMIT}",
        f"{OSAKA}.version",
        "a chart has a version",
        "three parts",
    ),
    "an override that floats": (
        F,
        "version: 1.4.0",
        "version: 1.4",
        f"{OSAKA}.version",
        "a number stands where text belongs",
        "quotes",
    ),
    "a wrong day of today": (
        S,
        "'2026-11-24'",
        "tomorrow",
        "config.gke-fleet:today",
        "not a day",
        "2027-01-31",
    ),
    # ownership and order
    "two add-ons in one namespace": (
        C,
        "namespace: baseline",
        "namespace: certificates",
        f"{BASE}.namespace",
        "certificates has that namespace",
        "of its own",
    ),
    "two add-ons with one group of CRDs": (
        C,
        *_after(KUSTOMIZE, "    crds: {groups: [certificates.example.org]}\n"),
        f"{BASE}.crds.groups[0]",
        "certificates brings the CRDs",
        "let one of them",
    ),
    "a group that is none": (
        C,
        "groups: [certificates.example.org]",
        "groups: [Certificates]",
        f"{CERT}.crds.groups[0]",
        "not an API group",
        "kubectl api-resources",
    ),
    "after nobody": (
        C,
        *_after(KUSTOMIZE, "    after: [certificate]\n"),
        f"{BASE}.after[0]",
        "not in the catalogue",
        "mean `certificates`?",
    ),
    "after itself": (
        C,
        *_after(KUSTOMIZE, "    after: [baseline]\n"),
        f"{BASE}.after[0]",
        "after itself",
        "drop the line",
    ),
    "after each other": (
        C,
        MORE,
        MORE.replace(*_after(DIRECTORY, "    after: [baseline]\n")).replace(
            *_after(KUSTOMIZE, "    after: [defaults]\n")
        ),
        f"{BASE}.after",
        "baseline after defaults after baseline",
        "drop one",
    ),
    "after what the cluster does not get": (
        C,
        MORE,
        MORE.replace(*_after(DIRECTORY, "    after: [baseline]\n")).replace(
            *_after(KUSTOMIZE, "    select: {rings: [canary]}\n")
        ),
        "clusters[0]",
        "defaults needs baseline",
        "exclude defaults here too",
    ),
    "after what is leaving": (
        C,
        MORE,
        MORE.replace(*_after(DIRECTORY, "    after: [baseline]\n")).replace(
            *_after(KUSTOMIZE, "    lifecycle: leaving\n    workloads: keep\n")
        ),
        f"{DEFS}.after[0]",
        "baseline is leaving",
        "let defaults leave first",
    ),
    "an unsupported minor": (
        C,
        MORE,
        MORE.replace('["1.35", "1.36"]', '["1.36"]', 1),
        "clusters[2].kubernetes",
        "works with Kubernetes 1.36",
        "exclude certificates here",
    ),
    "a ring's version for another minor": (
        C,
        "canary: 1.3.2",
        'canary: {version: 1.3.2, kubernetes: ["1.37"]}',
        "clusters[1].kubernetes",
        "1.3.2 works with Kubernetes 1.37",
        "add the minor",
    ),
    # leaving
    "leaving without a word on workloads": (
        C,
        *_after(KUSTOMIZE, "    lifecycle: leaving\n"),
        f"{BASE}.workloads",
        "nobody said",
        "workloads: keep",
    ),
    "workloads of one that stays": (
        C,
        *_after(KUSTOMIZE, "    workloads: remove\n"),
        f"{BASE}.workloads",
        "only while the add-on leaves",
        "lifecycle: leaving",
    ),
    "another life": (
        C,
        *_after(KUSTOMIZE, "    lifecycle: gone\n"),
        f"{BASE}.lifecycle",
        "no such choice",
        "active, leaving",
    ),
    "roll-out of nobody": (
        C,
        *_after(KUSTOMIZE, "    rollOut: {atOnce: 0}\n"),
        f"{BASE}.rollOut.atOnce",
        "no cluster would ever",
        "from 1",
    ),
    "roll-out of more than all": (
        C,
        *_after(KUSTOMIZE, "    rollOut: {atOnce: 110%}\n"),
        f"{BASE}.rollOut.atOnce",
        "no cluster would ever",
        "25%",
    ),
}


def told(folder: Callable[..., Path], file: str, old: str, new: str) -> tuple[Problem, ...]:
    assert old in GOOD[file]
    texts = {**GOOD, file: GOOD[file].replace(old, new, 1)}
    root = folder(fleet=texts[FLEET_FILE], catalogue=texts[CATALOGUE_FILE], stack=texts[STACK_FILE])
    with pytest.raises(ConfigurationError) as caught:
        load_stack(root, "acme")
    return caught.value.problems


def test_the_configuration_that_is_changed_is_good(folder: Callable[..., Path]) -> None:
    root = folder(fleet=GOOD[FLEET_FILE], catalogue=GOOD[CATALOGUE_FILE], stack=GOOD[STACK_FILE])
    assert len(load_stack(root, "acme").applications) == 1 + 4 * 3


@pytest.mark.parametrize("name", CASES)
def test_mistake_is_told(name: str, folder: Callable[..., Path]) -> None:
    file, old, new, path, why, remedy = CASES[name]
    problems = told(folder, file, old, new)
    assert all(problem.why and problem.remedy and problem.line for problem in problems)
    expected = {FLEET_FILE, CATALOGUE_FILE, STACK_FILE}
    here = [problem for problem in problems if problem.file in expected and problem.path == path]
    assert any(why in problem.why and remedy in problem.remedy for problem in here), problems


def test_all_at_once(folder: Callable[..., Path]) -> None:
    changed = MORE.replace(DIGEST, "latest").replace("namespace: baseline", "namespace: certificates")
    problems = told(folder, CATALOGUE_FILE, MORE, changed.replace("groups: [cert", "groups: [Cert"))
    paths = {problem.path for problem in problems}
    # What a mistake makes unreadable is told; what holds between entries is looked at among the readable ones.
    assert {f"{DEFS}.version", f"{CERT}.crds.groups[0]"} <= paths
