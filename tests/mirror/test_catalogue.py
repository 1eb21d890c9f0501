"""What the catalogue says of each add-on, held against what its chart or folder really makes.

A kind that is missing in the catalogue is refused by Argo CD's AppProject, and two add-ons that bring one CRD undo each
other. The charts are rendered by the real helm, folders by the real
kustomize, with the values that a fleet gives them.
"""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from model import load_stack
from model.catalogue import Addon, Form
from model.rights import cluster_role_rules
from sandbox.tools import ensure
from tests.mirror.conftest import Mirror, values

pytestmark = pytest.mark.sandbox

CHECKOUT = Path(__file__).resolve().parents[2]
FLEETS = [load_stack(CHECKOUT / "stacks", stack) for stack in ("prod", "dev")]
ADDONS = FLEETS[1].catalogue.addons
"""As upstream names them, without a mirror."""

Objects = list[dict[str, Any]]


def given(name: str) -> dict[str, Any]:
    """The values of an add-on on one cluster that gets it."""
    return next(dict(one.values) for fleet in FLEETS for one in fleet.applications if one.addon == name)


def made(mirror: Mirror, name: str, addon: Addon, tmp_path: Path) -> Objects:
    """The objects of an add-on, without hooks of Helm: of those, Argo CD runs its own kinds and leaves out tests."""
    repository = addon.repository.removeprefix("https://")
    if addon.form is Form.CHART:
        assert addon.chart is not None
        arguments = values(tmp_path, given(name))
        done = mirror.template(repository, addon.chart, addon.version, *arguments, namespace=addon.namespace)
        assert done.returncode == 0, done.stderr
        text = done.stdout
    else:
        assert addon.form is Form.KUSTOMIZE and addon.kustomize is not None
        subprocess.run(
            ["git", "clone", "--quiet", f"{mirror.url}/{repository}", "clone"], cwd=tmp_path, check=True
        )
        subprocess.run(["git", "checkout", "--quiet", addon.version], cwd=tmp_path / "clone", check=True)
        done = mirror.run(
            ensure("delivery", print) / "kustomize", "build", tmp_path / "clone" / addon.kustomize
        )
        assert done.returncode == 0, done.stderr
        text = done.stdout
    found = [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]
    return [one for one in found if annotations(one).get("helm.sh/hook") != "test"]


def annotations(one: dict[str, Any]) -> dict[str, str]:
    return one["metadata"].get("annotations") or {}


def kind(one: dict[str, Any]) -> str:
    group, slash, _ = one["apiVersion"].partition("/")
    return f"{group}/{one['kind']}" if slash else str(one["kind"])


@pytest.mark.parametrize("name", ADDONS)
def test_the_catalogue_says_what_is_made(mirror: Mirror, name: str, tmp_path: Path) -> None:
    addon = ADDONS[name]
    objects = made(mirror, name, addon, tmp_path)
    assert {kind(one) for one in objects} == {*addon.kinds.cluster, *addon.kinds.namespaced}
    elsewhere = {one["metadata"].get("namespace") for one in objects} - {None, addon.namespace}
    assert elsewhere == set(addon.other_namespaces)
    hooks = [one for one in objects if "helm.sh/hook" in annotations(one)]
    assert not hooks, "a hook of Helm is a surprise under Argo CD: switch it off by the chart's values"

    crds = [one for one in objects if one["kind"] == "CustomResourceDefinition"]
    assert {one["spec"]["group"] for one in crds} == set(addon.crds.groups if addon.crds else ())


def test_argo_cd_may_write_every_kind_of_the_catalogue() -> None:
    """In plural and lower case, as RBAC has it; the plurals here are regular."""
    written = {
        (group, resource)
        for rule in cluster_role_rules()
        if "create" in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    for addon in ADDONS.values():
        for one in (*addon.kinds.cluster, *addon.kinds.namespaced):
            group, _, name = one.rpartition("/")
            lower = name.lower()
            plural = lower + ("es" if lower.endswith("s") else "s")
            assert (group, plural) in written, one
