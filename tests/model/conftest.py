"""A small fleet and catalogue in a folder, for tests that change one thing in it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

FLEET = """\
hostProject: acme-host
projects:
  acme-host: "100000000001"
  acme-shop: "100000000002"
  acme-data: "100000000003"
protect: true
argocd:
  reconciliationSeconds: 60
clusters:
  - name: hub
    role: hub
    project: acme-host
    location: asia-northeast1
    kubernetes: "1.36"
    ring: stable
  - name: tokyo
    project: acme-shop
    location: asia-northeast1
    kubernetes: "1.36"
    ring: canary
    labels:
      team: shop
  - name: osaka
    project: acme-data
    location: asia-northeast2
    kubernetes: "1.35"
    ring: stable
    labels:
      team: data
    addons:
      external-secrets:
        version: 1.4.0
        reason: tries the new one first
        until: "2027-01-31"
"""

CATALOGUE = """\
rings: [dev, canary, stable]
argocd:
  chart: argo-cd
  repository: https://charts.example.org/argo
  version: 10.3.3
  appVersion: v3.5.1
emptySource:
  repository: https://git.example.org/platform.git
  revision: 0123456789abcdef0123456789abcdef01234567
  path: empty
addons:
  external-secrets:
    chart: external-secrets
    repository: https://charts.example.org
    version: 1.3.1
    rings:
      canary: 1.3.2
    namespace: external-secrets
    values:
      replicas: 1
      owner: all
    kinds:
      cluster: [apiextensions.k8s.io/CustomResourceDefinition]
      namespaced: [Secret, apps/Deployment]
    kubernetes: ["1.35", "1.36"]
"""

STACK = """\
config:
  gke-fleet:fleet: acme
"""


def written(root: Path, fleet: str = FLEET, catalogue: str = CATALOGUE, stack: str = STACK) -> Path:
    """The folder `stacks` below `root`, made if need be, with these texts as the files of the stack `acme`."""
    stacks = root / "stacks"
    stacks.mkdir(exist_ok=True)
    for name, text in {
        "acme.fleet.yaml": fleet,
        "catalog.yaml": catalogue,
        "Pulumi.acme.yaml": stack,
    }.items():
        (stacks / name).write_text(text, encoding="utf-8")
    return stacks


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder `stacks` of these files; each keyword replaces the text of one of them."""
    return functools.partial(written, tmp_path)
