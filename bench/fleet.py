"""A fleet and a catalogue of any size, in a project of their own.

Owns what they say: clusters that the program creates, spread over projects and rings, and charts that all of them
get. Does not own the program: it is a copy of this checkout's.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

STACK = "large"
BEFORE, AFTER = "1.4.0", "1.4.1"
"""Versions of the first add-on in base and head: the one thing that differs."""

_PROGRAM = ("Pulumi.yaml", "__main__.py", "components", "model", "policies", "requirements.txt")
_CLUSTERS_OF_A_PROJECT = 20
_CLUSTERS_OF_A_CELL = 40
_RINGS = ("dev", "canary", "stable", "stable", "stable")
"""Of five clusters, one is in each of the early rings."""


def write(root: Path, folder: Path, *, clusters: int, addons: int, version: str = BEFORE) -> None:
    """Make a checkout in `folder` (not there yet) with the program of the one in `root` and the stack STACK: a hub,
    `clusters` members, and `addons` charts, the first of them at `version`."""
    folder.mkdir(parents=True)
    leave = shutil.ignore_patterns("__pycache__")
    for name in _PROGRAM:
        if (root / name).is_dir():
            shutil.copytree(root / name, folder / name, ignore=leave)
        else:
            shutil.copy2(root / name, folder / name)
    stacks = folder / "stacks"
    stacks.mkdir()
    _write(stacks / f"{STACK}.fleet.yaml", fleet(clusters))
    settings = {
        "pulumi:disable-default-providers": ["kubernetes"],
        "gke-fleet:fleet": STACK,
        # Nobody answers on paper.
        "gke-fleet:readinessTimeout": 0,
        # So that the answer depends on no clock.
        "gke-fleet:today": "2026-01-01",
    }
    _write(stacks / f"Pulumi.{STACK}.yaml", {"config": settings})
    upgrade(folder, addons=addons, version=version)


def upgrade(folder: Path, *, addons: int, version: str = AFTER) -> None:
    """Write the catalogue of a checkout that `write` made, with the first add-on at `version`."""
    _write(folder / "stacks" / "catalog.yaml", catalogue(addons, version))


def commit(folder: Path) -> str:
    """Make a Git repository of a checkout, with all of it in one commit, and give its id."""
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    for words in (
        ["init", "--quiet"],
        ["add", "--all"],
        [*identity, "commit", "--quiet", "--message", "base"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def fleet(clusters: int) -> dict[str, Any]:
    """The fleet file: a hub and `clusters` members."""
    projects = {"acme-hub-bench": "100000000001"}
    entries = [_cluster("hub", "acme-hub-bench", "stable") | {"role": "hub"}]
    for number in range(clusters):
        project = f"acme-bench-{number // _CLUSTERS_OF_A_PROJECT:03}"
        projects[project] = str(200000000000 + number // _CLUSTERS_OF_A_PROJECT)
        ring, cell = _RINGS[number % len(_RINGS)], f"cell-{number // _CLUSTERS_OF_A_CELL:02}"
        entries.append(_cluster(f"member-{number:04}", project, ring) | {"cell": cell})
    return {
        "hostProject": "acme-hub-bench",
        "projects": projects,
        "protect": True,
        # Rare enough for the gateway's budget at any size of a fleet.
        "argocd": {"reconciliationSeconds": 3600},
        "clusters": entries,
    }


def _cluster(name: str, project: str, ring: str) -> dict[str, Any]:
    place = {"project": project, "location": "asia-northeast1", "kubernetes": "1.36"}
    return {"name": name, **place, "ring": ring, "labels": {"team": name}}


def catalogue(addons: int, version: str) -> dict[str, Any]:
    """The catalogue: `addons` charts with values, one of which reads the cluster's labels."""
    return {
        "rings": ["dev", "canary", "stable"],
        "argocd": {
            "chart": "argo-cd",
            "repository": "https://argoproj.github.io/argo-helm",
            "version": "10.3.3",
            "appVersion": "v3.5.1",
        },
        "emptySource": {
            "repository": "https://git.example.org/platform.git",
            "revision": "d41e9dfd0cb08bb8f9f83abb0299ace2a7bb46fe",
            "path": "empty",
        },
        "addons": {f"addon-{number:02}": _addon(number, version) for number in range(addons)},
    }


def _addon(number: int, version: str) -> dict[str, Any]:
    name = f"addon-{number:02}"
    return {
        "chart": name,
        "repository": "https://charts.example.org",
        "version": version if number == 0 else BEFORE,
        "namespace": name,
        "values": {
            "cluster": "{{ .metadata.labels.fleet_cluster }}" if number == 1 else "any",
            "replicas": 2,
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
        },
        "kinds": {"namespaced": ["Service", "ServiceAccount", "apps/Deployment"]},
        "kubernetes": ["1.36"],
    }


def _write(file: Path, document: Any) -> None:
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
