"""What a change of one entry changes: a stack is put up on paper once, then each test previews one edit
against it.

Real operations of the real engine on its own state. Not proven here: how long a thing takes, or that a
cluster really goes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.program.graph import Graph, copy_of_the_program, new_stack, preview, pulumi

pytestmark = pytest.mark.engine

STACK = "dev"
FLEET = "stacks/dev.fleet.yaml"
CATALOGUE = "stacks/catalog.yaml"
NEW = """
  - name: dev-osaka-shop
    project: acme-dev-shop
    location: asia-northeast2
    kubernetes: "1.36"
    ring: dev
"""
SETS = {
    f"ApplicationSet {addon}"
    for addon in ("baseline", "cert-manager", "external-secrets", "kyverno", "reloader")
}
"""What a cluster of the ring dev gets: its name stands in each."""
LEAVING = "    lifecycle: leaving\n    workloads: remove\n"


@pytest.fixture(scope="module")
def standing(environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program, its stack up."""
    folder = copy_of_the_program(tmp_path_factory.mktemp("standing"))
    new_stack(folder, environment, STACK)
    pulumi(folder, environment, "up", "--yes", "--skip-preview", "--stack", STACK)
    return folder


@pytest.fixture
def folder(standing: Path) -> Iterator[Path]:
    """The folder of the standing stack; its files are put back afterwards."""
    kept = standing / "kept"
    shutil.copytree(standing / "stacks", kept)
    yield standing
    shutil.rmtree(standing / "stacks")
    kept.rename(standing / "stacks")


def edit(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def operations(graph: Graph) -> dict[str, set[str]]:
    """Names of the custom resources by operation, `same` left out."""
    found: dict[str, set[str]] = {}
    for resource in graph:
        if resource.is_custom and resource.op != "same":
            found.setdefault(resource.op, set()).add(f"{resource.type.rpartition(':')[2]} {resource.name}")
    return found


def test_nothing_changes_without_an_edit(folder: Path, environment: Mapping[str, str]) -> None:
    assert operations(preview(folder, environment, STACK)) == {}


def test_a_new_cluster_is_one_entry(folder: Path, environment: Mapping[str, str]) -> None:
    edit(folder, FLEET, "clusters:\n", f"clusters:{NEW}")
    assert operations(preview(folder, environment, STACK)) == {
        "create": {
            "Account dev-osaka-shop-nodes",
            "Cluster dev-osaka-shop",
            "IAMMember dev-osaka-shop-nodes",
            "kubernetes dev-osaka-shop",
            "ClusterRole dev-osaka-shop-fleet-argocd",
            "ClusterRoleBinding dev-osaka-shop-fleet-argocd",
            "Secret cluster-dev-osaka-shop",
        },
        "update": {"AppProject addons", *SETS},
    }


def test_a_new_version_is_one_line(folder: Path, environment: Mapping[str, str]) -> None:
    edit(folder, CATALOGUE, "version: 1.3.1", "version: 1.3.2")
    assert operations(preview(folder, environment, STACK)) == {"update": {"ApplicationSet external-secrets"}}


def test_a_setting_of_argo_cd_reaches_its_application_alone(
    folder: Path, environment: Mapping[str, str]
) -> None:
    edit(folder, FLEET, "reconciliationSeconds: 60", "reconciliationSeconds: 90")
    assert operations(preview(folder, environment, STACK)) == {"update": {"Application argocd"}}


def test_a_new_version_of_argo_cd_does_not_reach_helm(folder: Path, environment: Mapping[str, str]) -> None:
    edit(folder, CATALOGUE, "version: 10.3.3", "version: 10.4.1")
    assert operations(preview(folder, environment, STACK)) == {"update": {"Application argocd"}}


def test_a_cluster_leaves_in_two_steps(folder: Path, environment: Mapping[str, str]) -> None:
    entry = (folder / FLEET).read_text(encoding="utf-8").split("\n\n")[-1]
    edit(folder, FLEET, entry, "")
    refused = pulumi(folder, environment, "preview", "--stack", STACK, check=False)
    assert refused.returncode != 0 and "protected" in refused.stdout + refused.stderr

    edit(folder, FLEET, "clusters:\n", f"clusters:\n{entry}{LEAVING}\n")
    leaving = preview(folder, environment, STACK)
    assert operations(leaving) == {
        "update": {
            *SETS,
            "Cluster dev-osaka-data",
            "Secret cluster-dev-osaka-data",
            "kubernetes dev-osaka-data",
        }
    }
    application_set = leaving.only("kubernetes:argoproj.io/v1alpha1:ApplicationSet", "external-secrets")
    secret = leaving.only("kubernetes:core/v1:Secret", "cluster-dev-osaka-data")
    assert application_set.urn in leaving.behind(secret), "the generators change before the labels do"
    pulumi(folder, environment, "up", "--yes", "--skip-preview", "--stack", STACK)

    edit(folder, FLEET, f"{entry}{LEAVING}", "")
    gone = operations(preview(folder, environment, STACK))
    assert gone["update"] == {"AppProject addons", *SETS}
    assert {
        "Cluster dev-osaka-data",
        "Secret cluster-dev-osaka-data",
        "kubernetes dev-osaka-data",
    } <= gone["delete"]
    pulumi(folder, environment, "up", "--yes", "--skip-preview", "--stack", STACK)


def test_membership_under_another_name_stops_the_up_before_anything_is_done_behind_it(
    folder: Path, environment: Mapping[str, str]
) -> None:
    """Its Provider, and with it everything in the cluster, is not even registered."""
    exported = pulumi(folder, environment, "stack", "export", "--stack", STACK).stdout
    state = json.loads(exported)
    for resource in state["deployment"]["resources"]:
        if resource["urn"].endswith("container/cluster:Cluster::dev-tokyo-shop"):
            resource["outputs"]["fleet"]["membershipId"] = "dev-tokyo-shop-1"
    kept, changed = folder / "kept.json", folder / "changed.json"
    kept.write_text(exported, encoding="utf-8")
    changed.write_text(json.dumps(state), encoding="utf-8")
    pulumi(folder, environment, "stack", "import", "--stack", STACK, "--file", str(changed))
    log = folder / "events.json"
    told = pulumi(folder, environment, "preview", "--stack", STACK, "--event-log", str(log), check=False)
    pulumi(folder, environment, "stack", "import", "--stack", STACK, "--file", str(kept))
    output = told.stdout + told.stderr
    assert told.returncode != 0
    assert "as membership dev-tokyo-shop-1" in output and "built for dev-tokyo-shop in" in output
    assert "Traceback" not in output
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    begun = [event["resourcePreEvent"]["metadata"] for event in events if "resourcePreEvent" in event]
    registered = {step["urn"].rpartition("$")[2] for step in begun if step["op"] != "delete"}
    assert "gcp:container/cluster:Cluster::dev-tokyo-shop" in registered
    assert "pulumi:providers:kubernetes::dev-tokyo-shop" not in registered


def test_every_configuration_error_is_told_at_once(folder: Path, environment: Mapping[str, str]) -> None:
    edit(folder, FLEET, "ring: dev", "ring: dew")
    edit(folder, CATALOGUE, "version: 1.3.1", "version: latest")
    told = pulumi(folder, environment, "preview", "--stack", STACK, check=False)
    output = told.stdout + told.stderr
    assert told.returncode != 0
    assert "stacks/dev.fleet.yaml" in output and "did you mean `dev`?" in output
    assert "stacks/catalog.yaml" in output and "write all three parts of one version" in output
    assert "Traceback" not in output
