"""Taking over what exists: the program is written, the stack is empty, the cloud has the objects.

The real CLI imports from a cloud that was there before (tests/program/standing.py), with the files that
`./fleet adopt` writes. Not proven here: what the official plugins read from Google Cloud and from a cluster, nor
what a real `helm upgrade` of the adopted release does.
"""

from __future__ import annotations

import contextlib
import fnmatch
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.adoption import adopt, import_files, names
from cli.engine import Engine
from cli.failure import Failure
from model.gateway import kubeconfig
from model.load import load_stack
from plugins.ground import pending_id
from tests.program.attached import attached
from tests.program.graph import copy_of_the_program, new_stack, pulumi

pytestmark = pytest.mark.engine

STACK = "dev"
HUB, REGISTERED = "dev-hub", "dev-tokyo-shop"
ONLY = (
    "Account/*",
    f"Cluster/{HUB}",
    "Fleet/*",
    "Membership/*",
    "Namespace/argocd",
    "Release/argocd",
    "AppProject/addons",
    "Application/argocd",
)
UNCHANGED = {"same", "read", "update"}


@dataclass(frozen=True)
class Cloud:
    """A program, the CLI on a cloud that knows nothing of it, and the log of what was made and deleted there."""

    folder: Path
    environment: Mapping[str, str]
    log: Path

    def engine(self) -> Engine:
        return Engine(Path("pulumi"), self.environment, self.folder)

    def steps(self) -> list[dict[str, Any]]:
        done = pulumi(self.folder, self.environment, "preview", "--json", "--stack", STACK)
        found: list[dict[str, Any]] = json.loads(done.stdout)["steps"]
        return found

    def states(self) -> dict[str, dict[str, Any]]:
        done = pulumi(self.folder, self.environment, "stack", "export", "--stack", STACK)
        return {state["urn"]: state for state in json.loads(done.stdout)["deployment"]["resources"]}

    def take_over(self, file: Path, *more: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        words = ["import", "--stack", STACK, "--file", str(file), "--generate-code=false", "--yes", *more]
        return pulumi(self.folder, self.environment, *words, check=check)


MakeCloud = Callable[[Callable[[dict[str, Any]], None]], contextlib.AbstractContextManager[Cloud]]


@pytest.fixture
def make_cloud(environment: Mapping[str, str], tmp_path: Path) -> MakeCloud:
    """Makes a cloud that holds what the program would make of ONLY, as `by_hand` changes it."""

    @contextlib.contextmanager
    def make(by_hand: Callable[[dict[str, Any]], None]) -> Iterator[Cloud]:
        folder = copy_of_the_program(_made(tmp_path / "program"))
        _register_one(folder)
        new_stack(folder, environment, STACK)
        try:
            cloud = Cloud(folder, environment, tmp_path / "log")
            wanted = [step["newState"] for step in cloud.steps()]
            standing = _as_the_program_would(folder, wanted)
            by_hand(standing)
            file = tmp_path / "cloud.json"
            file.write_text(json.dumps(standing))
            cloud.log.touch()
            with attached(environment, file, cloud.log) as variables:
                yield Cloud(folder, {**environment, **variables}, cloud.log)
        finally:
            pulumi(folder, environment, "stack", "rm", STACK, "--yes", "--force")

    return make


def made_by_hand(standing: dict[str, Any]) -> None:
    """The ways in which people's own clusters and their own Argo CD differ from the program's, and may."""
    (cluster,) = [inputs for key, inputs in standing["gcp"].items() if ":Cluster " in key]
    cluster["resourceLabels"] = {"owner": "platform"}
    cluster["nodeConfig"] = {"machineType": "e2-standard-4"}
    cluster["initialNodeCount"] = 1
    for key, inputs in standing["gcp"].items():
        if ":Account " in key or ":Fleet " in key:
            inputs["displayName"] = "made by hand"
        if ":Membership " in key:
            inputs["labels"] = {"owner": "shop"}
    hub = standing["clusters"][HUB]
    hub["releases"]["argocd/argocd"] = {
        "name": "argocd",
        "namespace": "argocd",
        "chart": "argo-cd",
        "version": "9.1.0",
    }
    for each in hub["objects"]:
        if each["kind"] == "Namespace":
            each["metadata"]["labels"] = {"owner": "platform"}


def test_what_exists_is_taken_over_and_nothing_is_made_twice(make_cloud: MakeCloud, tmp_path: Path) -> None:
    with make_cloud(made_by_hand) as cloud:
        told: list[str] = []
        files = adopt(cloud.engine(), STACK, ONLY, tmp_path / "adoption", told.append)
        listed = json.loads(files[1].read_text())["resources"]
        assert set(names(listed)) == {
            *(f"Account/{name}" for name in _accounts(listed)),
            *(f"Cluster/{HUB}", "Fleet/acme-dev-hub", f"Membership/{REGISTERED}"),
            *("Namespace/argocd", "Release/argocd", "AppProject/addons", "Application/argocd"),
        }
        assert str(files[0]) in told[0] and str(files[1]) in told[0]

        cloud.take_over(files[0], "--protect=false")
        cloud.take_over(files[1])
        taken = {urn: state["id"] for urn, state in cloud.states().items() if _stands_for_something(state)}
        assert len(taken) == len(names(listed))

        steps = cloud.steps()
        operations = {step["urn"]: step["op"] for step in steps}
        assert {operations[urn] for urn in taken} <= UNCHANGED
        assert set(operations.values()) <= UNCHANGED | {"create"}
        changed = {urn.rpartition("::")[2] for urn in taken if operations[urn] == "update"}
        assert HUB in changed and REGISTERED in changed, "labels are brought to what the files say"
        release = next(urn for urn in taken if urn.endswith("Release::argocd"))
        assert operations[release] == "same", "the program never touches a release that runs"

        pulumi(cloud.folder, cloud.environment, "up", "--yes", "--skip-preview", "--stack", STACK)
        done = cloud.log.read_text()
        assert "delete " not in done and "upgrade " not in done
        assert "create " in done, "what was not there is made"
        assert not [id_ for id_ in taken.values() if f"create {id_}\n" in done]
        assert {step["op"] for step in cloud.steps()} <= {"same", "read"}
        protected = {urn.rpartition("::")[2] for urn, state in cloud.states().items() if state.get("protect")}
        assert HUB in protected and "argocd" not in protected, "protection is the program's again"


def test_without_adoption_the_program_meets_what_exists(make_cloud: MakeCloud) -> None:
    with make_cloud(made_by_hand) as cloud:
        words = ("up", "--yes", "--skip-preview", "--stack", STACK)
        refused = pulumi(cloud.folder, cloud.environment, *words, check=False)
        assert refused.returncode != 0
        assert "Already exists" in refused.stdout + refused.stderr


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("description", "the old hub"),
        ("network", "projects/acme-network/global/networks/old"),
    ],
)
def test_a_cluster_that_differs_where_nothing_can_change_is_seen_before(
    make_cloud: MakeCloud, tmp_path: Path, path: str, value: object
) -> None:
    def differs(standing: dict[str, Any]) -> None:
        (cluster,) = [inputs for key, inputs in standing["gcp"].items() if ":Cluster " in key]
        cluster[path] = value

    with make_cloud(differs) as cloud:
        files = adopt(cloud.engine(), STACK, [f"Cluster/{HUB}"], tmp_path / "adoption", lambda _: None)
        cloud.take_over(files[0], "--protect=false")
        cloud.take_over(files[1])
        (cluster,) = [urn for urn, state in cloud.states().items() if _stands_for_something(state)]
        words = ("preview", "--stack", STACK)
        refused = pulumi(cloud.folder, cloud.environment, *words, check=False)
        assert refused.returncode != 0
        assert "marked for protection" in refused.stdout + refused.stderr, "the import protects it"
        assert cluster.endswith(f"::{HUB}")


def test_what_does_not_exist_is_named_and_nothing_is_taken(make_cloud: MakeCloud, tmp_path: Path) -> None:
    with make_cloud(lambda standing: standing["gcp"].clear()) as cloud:
        files = adopt(cloud.engine(), STACK, ["Membership/*"], tmp_path / "adoption", lambda _: None)
        cloud.take_over(files[0], "--protect=false")
        refused = cloud.take_over(files[1], check=False)
        assert refused.returncode != 0
        assert f"memberships/{REGISTERED}' does not exist" in refused.stdout + refused.stderr
        assert not [state for state in cloud.states().values() if _stands_for_something(state)]


def test_this_cli_needs_two_files(make_cloud: MakeCloud, tmp_path: Path) -> None:
    """Where this fails, a CLI has come that takes Providers below components of the same file: then one file is
    enough."""
    with make_cloud(made_by_hand) as cloud:
        files = adopt(cloud.engine(), STACK, ["Namespace/argocd"], tmp_path / "adoption", lambda _: None)
        both = [json.loads(file.read_text()) for file in files]
        one = tmp_path / "one.json"
        one.write_text(json.dumps({"resources": [*both[0]["resources"], *both[1]["resources"]]}))
        refused = cloud.take_over(one, "--skip-preview", check=False)
        assert refused.returncode != 0
        assert "refers to missing parent" in refused.stdout + refused.stderr


def test_a_pattern_that_names_nothing_is_told(make_cloud: MakeCloud, tmp_path: Path) -> None:
    with (
        make_cloud(made_by_hand) as cloud,
        pytest.raises(Failure, match="Cluster/nowhere") as told,
    ):
        adopt(cloud.engine(), STACK, ["Cluster/nowhere"], tmp_path / "adoption", lambda _: None)
    assert f"Cluster/{HUB}" in told.value.remedy


def test_what_can_be_made_twice_is_left_out() -> None:
    service = "gcp:projects/service:Service"
    urn = f"urn:pulumi:one::fleet::{service}::gkehub"
    listed = {"resources": [{"type": service, "name": "gkehub", "id": "<PLACEHOLDER>"}]}
    wanted = [{"urn": urn, "inputs": {"project": "acme", "service": "gkehub.googleapis.com"}}]
    assert import_files(listed, wanted, ()) == (
        {"nameTable": {}, "resources": []},
        {"nameTable": {}, "resources": []},
    )


def _accounts(entries: list[dict[str, Any]]) -> list[str]:
    return [entry.get("logicalName", entry["name"]) for entry in entries if ":Account" in entry["type"]]


def _stands_for_something(state: Mapping[str, Any]) -> bool:
    return bool(state.get("custom")) and not str(state["type"]).startswith("pulumi:")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _register_one(folder: Path) -> None:
    file = folder / "stacks" / f"{STACK}.fleet.yaml"
    fleet = yaml.safe_load(file.read_text())
    (entry,) = [each for each in fleet["clusters"] if each["name"] == REGISTERED]
    entry["join"] = "register"
    for key in ("mode", "nodePools", "channel", "maintenance", "encryptionKey", "newSubnetwork", "network"):
        entry.pop(key, None)
    file.write_text(yaml.safe_dump(fleet, sort_keys=False))


def _as_the_program_would(folder: Path, wanted: list[dict[str, Any]]) -> dict[str, Any]:
    """A cloud that holds what the program would make of ONLY, exactly as it would make it."""
    fleet = load_stack(folder / "stacks", STACK).fleet
    servers = {kubeconfig(fleet, cluster): cluster.membership_id for cluster in fleet.clusters}
    providers = {
        state["urn"]: servers[state["inputs"]["kubeconfig"]]
        for state in wanted
        if state["type"] == "pulumi:providers:kubernetes"
    }
    standing: dict[str, Any] = {
        "gcp": {},
        "clusters": {name: {"objects": [], "releases": {}} for name in servers.values()},
    }
    for state in wanted:
        kind = state["type"].rpartition(":")[2]
        name = f"{kind}/{state['urn'].rpartition('::')[2]}"
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in ONLY):
            continue
        inputs = {key: value for key, value in state.get("inputs", {}).items() if key != "__defaults"}
        if state["type"].startswith("gcp:"):
            standing["gcp"][f"{state['type']} {pending_id(state['type'], inputs)}"] = inputs
        elif state["type"].startswith("kubernetes:"):
            cluster = standing["clusters"][providers[state["provider"].rpartition("::")[0]]]
            if kind == "Release":
                cluster["releases"][f"{inputs['namespace']}/{inputs['name']}"] = inputs
            else:
                cluster["objects"].append(inputs)
    return standing
