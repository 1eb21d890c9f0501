"""The comparison through the Pulumi CLI, on paper: base and head of a real repository.

Proves what is read of either side and what is refused. The plugins are this project's stand-ins: that the official
ones see the same differences is not proven here.
"""

from __future__ import annotations

import copy
import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.comparison import _written
from cli.failure import ExitCode
from sandbox.tools import ensure, silent
from whatif import against as module
from whatif.against import Question, advisory_config, against
from whatif.lock import environment_for
from whatif.report.document import read

from .conftest import Repository

pytestmark = pytest.mark.engine


def the_change(repository: Repository) -> None:
    """One of each: a version, values, a cluster that comes, one that moves ring, one that is taken out."""

    def catalogue(content: dict[str, Any]) -> None:
        content["addons"]["reloader"]["version"] = "2.2.17"
        content["addons"]["external-secrets"]["values"] = {"replicaCount": 2}
        del content["addons"]["kyverno"]
        content["addons"]["cert-manager"] |= {"lifecycle": "leaving", "workloads": "remove"}
        content["addons"]["baseline"] |= {"lifecycle": "leaving", "workloads": "keep"}

    def fleet(content: dict[str, Any]) -> None:
        new = copy.deepcopy(content["clusters"][-1]) | {"name": "dev-nagoya-new"}
        content["clusters"].append(new)
        content["clusters"][1]["ring"] = "canary"

    def settings(content: dict[str, Any]) -> None:
        content["config"]["gke-fleet:limits"] = {"removed": 100, "clustersPerRing": {"canary": 1}}

    repository.edit("catalog.yaml", catalogue)
    repository.edit("dev.fleet.yaml", fleet)
    repository.edit("Pulumi.dev.yaml", settings)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, Any]:
    """The repository with the change uncommitted, and the comparison with its commit."""
    from .conftest import make

    folder = tmp_path_factory.mktemp("changed")
    repository = make(folder / "fleet")
    repository.edit("dev.fleet.yaml", lambda content: content.update(protect=False))
    repository.commit()
    the_change(repository)
    question = Question(
        checkout=repository.folder,
        stack="dev",
        base="HEAD",
        head=repository.folder,
        cli=ensure("pulumi", silent) / "pulumi",
        cache=folder / "cache",
        pack=repository.folder / "policies",
        advisory=advisory_config(None, folder / "advisory.json"),
    )
    return repository, against(question)


def entry(changes: Any, application: str) -> Any:
    (found,) = [one for one in changes if one["application"] == application]
    return found


def test_each_application_that_differs_says_how(changed: tuple[Repository, Any]) -> None:
    document = json.loads(_written("json", changed[1].answer, changed[1]))
    changes = document["changes"]
    version = entry(changes, "reloader-dev-hub")
    assert (version["change"], version["from"], version["to"], version["effect"]) == (
        "version", "2.2.16", "2.2.17", None,
    )  # fmt: skip
    values = entry(changes, "external-secrets-dev-osaka-data")
    assert values["change"] == "values"
    assert values["from"] != values["to"]
    assert any("replicaCount" in line for line in values["details"])
    moved = entry(changes, "external-secrets-dev-tokyo-shop")
    assert (moved["change"], moved["from"], moved["to"]) == ("ring", "dev", "canary")
    assert "values" in [one["change"] for one in moved["also"]]
    added = entry(changes, "external-secrets-dev-nagoya-new")
    assert (added["change"], added["from"], added["to"]) == ("added", None, "1.3.1")
    effects = {name: entry(changes, f"{name}-dev-hub") for name in ("kyverno", "cert-manager", "baseline")}
    assert {name: (one["change"], one["effect"]) for name, one in effects.items()} == {
        "kyverno": ("removed", "orphaned"),
        "cert-manager": ("removed", "pruned"),
        "baseline": ("removed", "kept"),
    }
    assert not [one for one in changes if one["addon"] == "argocd"]


def test_the_steps_are_the_cli_s_own(changed: tuple[Repository, Any]) -> None:
    document = json.loads(_written("json", changed[1].answer, changed[1]))
    steps = {(one["type"].rpartition(":")[2], one["name"]): one for one in document["steps"]}
    assert steps["ApplicationSet", "kyverno"]["op"] == "delete"
    assert steps["ApplicationSet", "reloader"]["op"] == "update"
    assert steps["Cluster", "dev-nagoya-new"]["op"] == "create"
    assert steps["Cluster", "dev-hub"]["op"] == "same"
    diff = steps["ApplicationSet", "reloader"]["detailed_diff"]
    assert any(path.endswith("values.version") for path in diff)
    assert all(set(one) == {"kind", "inputDiff"} for one in diff.values())
    counted: dict[str, int] = {}
    for step in document["steps"]:
        counted[step["op"]] = counted.get(step["op"], 0) + 1
    assert counted == {op: number for op, number in document["summary"].items() if number}


def test_before_and_after_of_what_a_fleet_costs(changed: tuple[Repository, Any]) -> None:
    answer = changed[1].answer
    assert answer.head.providers["kubernetes"] == answer.base.providers["kubernetes"] + 1
    assert answer.head.gateway > answer.base.gateway
    assert set(answer.head.clusters) - set(answer.base.clusters) == {"dev-nagoya-new"}
    assert answer.radius.rings == {"canary": 1, "dev": 4}


def test_every_form_is_made_of_it_and_read_back(changed: tuple[Repository, Any]) -> None:
    compared = changed[1]
    for form in ("markdown", "html"):
        assert "dev-nagoya-new" in _written(form, compared.answer, compared)
    again = read(_written("json", compared.answer, compared))
    assert again.changes == compared.answer.changes
    assert again.radius == compared.answer.radius


def test_the_checkout_stays_as_it_was_and_git_lists_no_other_worktree(
    changed: tuple[Repository, Any],
) -> None:
    repository, _ = changed
    assert repository.git("worktree", "list").count("\n") == 0
    assert "dev-nagoya-new" in (repository.folder / "stacks" / "dev.fleet.yaml").read_text()


def test_the_same_revision_differs_in_nothing(untouched: Repository, tmp_path: Path) -> None:
    document = untouched.document(tmp_path / "out.json", stack="sandbox")
    assert document["changes"] == []
    assert {step["op"] for step in document["steps"]} == {"same"}
    assert document["new_policies"] == document["fixed_policies"] == []


def test_a_stack_that_the_base_does_not_have_is_all_new(repository: Repository, tmp_path: Path) -> None:
    file = repository.folder / "stacks" / "Pulumi.dev.yaml"
    kept = file.read_text()
    file.unlink()
    repository.commit()
    file.write_text(kept)
    document = repository.document(tmp_path / "out.json")
    assert {one["change"] for one in document["changes"]} == {"added"}
    assert {step["op"] for step in document["steps"]} == {"create"}
    assert "without this stack" in document["base"]["label"]


def test_a_change_beyond_the_limits_is_refused_unless_it_is_acknowledged(
    repository: Repository, tmp_path: Path
) -> None:
    """Limits of the working tree count too where they are stricter; another change is not acknowledged."""
    repository.edit("catalog.yaml", lambda content: content["addons"]["reloader"].update(version="2.2.17"))

    def limited(content: dict[str, Any]) -> None:
        content["config"]["gke-fleet:limits"] = {"clusters": 2}

    repository.edit("Pulumi.dev.yaml", limited)
    output = tmp_path / "out.json"
    failure = repository.compare(output)
    assert failure is not None
    assert failure.code is ExitCode.BLAST_RADIUS
    assert "clusters: 3, at most 2" in failure.what
    change = json.loads(output.read_text())["radius"]["change"]
    assert change in failure.what
    assert change in failure.remedy

    def acknowledged(content: dict[str, Any]) -> None:
        content["config"]["gke-fleet:acknowledged"] = [
            {"change": change, "reason": "All three at once is meant"}
        ]

    repository.edit("Pulumi.dev.yaml", acknowledged)
    assert repository.compare(output, expect=change) is None
    refused = repository.compare(output, expect="0123456789abcdef")
    assert refused is not None
    assert refused.code == 5
    assert json.loads(output.read_text())["radius"]["acknowledged"] == "All three at once is meant"


def test_policy_findings_are_new_or_fixed(repository: Repository, tmp_path: Path) -> None:
    """The base floats at one place, the head at another: what a base violates does not stop the comparison."""
    program = repository.folder / "__main__.py"
    was = program.read_text()
    pod = 'k8s.core.v1.Pod("{}", spec={{"containers": [{{"image": "x:latest"}}]}})'
    floating = f"import pulumi_kubernetes as k8s\n{pod}\n"
    allowed = "pulumi:disable-default-providers"
    repository.edit("Pulumi.dev.yaml", lambda content: content["config"].pop(allowed))
    program.write_text(was + floating.format("before"))
    repository.commit()
    program.write_text(was + floating.format("after"))
    output = tmp_path / "out.json"
    failure = repository.compare(output)
    assert failure is not None
    assert failure.code is ExitCode.REFUSED
    assert "image-pinned" in failure.what
    document = json.loads(output.read_text())
    for field, name in (("new_policies", "after"), ("fixed_policies", "before")):
        found = [one for one in document[field] if one["rule"] == "image-pinned"]
        assert [one["urn"].rpartition("::")[2] for one in found] == [name]


def test_each_revision_runs_in_the_environment_of_its_own_lock(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment of the base is made by hand, with another version of an SDK; making one of a lock is proven in
    tests/whatif/test_lock.py."""
    other = tmp_path / "other"
    packages = other / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    packages.mkdir(parents=True)
    (other / "bin").mkdir()
    (other / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    (other / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).resolve().parent}\n")
    own = next(Path(entry) for entry in sys.path if entry.endswith("site-packages"))
    for name in ("pulumi_gcp", "pulumi_kubernetes"):
        (packages / name).mkdir()
        described = json.loads((own / name / "pulumi-plugin.json").read_text())
        if name == "pulumi_gcp":
            described["version"] = "10.1.7"
        (packages / name / "pulumi-plugin.json").write_text(json.dumps(described))
        for inner in (own / name).iterdir():
            if inner.name != "pulumi-plugin.json":
                (packages / name / inner.name).symlink_to(inner)
    for inner in own.iterdir():
        if not (packages / inner.name).exists() and not inner.name.startswith("pulumi_gcp-"):
            (packages / inner.name).symlink_to(inner)
    # The SDK asks for the version that its metadata gives.
    metadata = packages / "pulumi_gcp-10.1.7.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pulumi_gcp\nVersion: 10.1.7\n")
    program = repository.folder / "__main__.py"
    asked = '[__import__("sys").prefix, __import__("importlib.metadata").metadata.version("pulumi_gcp")]'
    program.write_text(program.read_text() + f'pulumi.export("ran", {asked})\n')
    (repository.folder / "requirements.txt").write_text("other==1.0.0 --hash=sha256:" + "0" * 64 + "\n")
    repository.commit()
    real = environment_for

    def chosen(lock: Path, **more: Any) -> Path:
        return other if "other==" in lock.read_text() else real(lock, **more)

    monkeypatch.setattr(module, "environment_for", chosen)
    own_lock = Path(module.__file__).resolve().parent.parent / "requirements.txt"
    (repository.folder / "requirements.txt").write_text(own_lock.read_text())
    question = Question(
        checkout=repository.folder, stack="dev", base="HEAD", head=repository.folder, cache=tmp_path,
        cli=ensure("pulumi", silent) / "pulumi",
    )  # fmt: skip
    compared = against(question)
    assert compared.answer.exit_code == 0, compared.answer.diagnostics
    assert compared.base_outputs["ran"] == [str(other), "10.1.7"]
    assert compared.head_outputs["ran"] == [sys.prefix, importlib.metadata.version("pulumi_gcp")]


def test_the_head_s_program_comes_up_during_the_base_s_run(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where memory allows; and at once where the base is on paper already."""
    program = repository.folder / "__main__.py"
    program.write_text(
        program.read_text() + 'pulumi.export("ready", "--ready" in __import__("sys").orig_argv)\n'
    )
    repository.commit()
    question = Question(
        checkout=repository.folder, stack="dev", base="HEAD", head=repository.folder, cache=tmp_path,
        cli=ensure("pulumi", silent) / "pulumi", kept=tmp_path / "bases",
    )  # fmt: skip
    first, again = against(question), against(question)
    assert [first.base_outputs["ready"], first.head_outputs["ready"]] == [False, True]
    assert [again.base_outputs["ready"], again.head_outputs["ready"]] == [False, True]
    monkeypatch.setattr(module, "available_mib", lambda: 100.0)
    alone = against(question)
    assert alone.head_outputs["ready"] is False
    assert alone.answer.model_copy(update={"steps": (), "changes": ()}) == first.answer.model_copy(
        update={"steps": (), "changes": ()}
    ), "apart from the one output, where it ran makes no difference"


def test_a_base_that_fails_says_so(repository: Repository, tmp_path: Path) -> None:
    program = repository.folder / "__main__.py"
    was = program.read_text()
    program.write_text('raise SystemExit("the base is broken")\n')
    repository.commit()
    program.write_text(was)
    failure = repository.compare(tmp_path / "out.json")
    assert failure is not None
    assert failure.code is ExitCode.REFUSED
    assert "the base HEAD" in failure.what
    assert not (tmp_path / "out.json").exists()


def test_a_head_that_fails_claims_no_change_of_applications(repository: Repository, tmp_path: Path) -> None:
    (repository.folder / "__main__.py").write_text('raise ValueError("the head is broken")\n')
    output = tmp_path / "out.json"
    failure = repository.compare(output)
    assert failure is not None
    assert failure.code is ExitCode.REFUSED
    assert "the head is broken" in failure.what
    document = json.loads(output.read_text())
    assert document["changes"] == []
    assert document["radius"]["removed"] == 0


@pytest.mark.sandbox
def test_rendered_objects_of_a_new_version_and_what_cannot_be_reached(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Helm and the charts of the sandbox's tools, and no network."""
    ensure("delivery", silent)
    monkeypatch.setenv("GKE_FLEET_OFFLINE", "1")

    def versions(content: dict[str, Any]) -> None:
        content["addons"]["kyverno"]["version"] = "3.4.4"
        content["addons"]["reloader"]["version"] = "2.2.17"

    repository.edit("catalog.yaml", versions)
    document = repository.document(tmp_path / "out.json", manifests=True)
    rendered = {one["addon"]: one for one in document["manifests"]}
    assert rendered["kyverno"]["why_not"] is None
    assert rendered["kyverno"]["clusters"] == ["dev-hub", "dev-tokyo-shop", "dev-osaka-data"]
    assert any(line.startswith("ClusterRole ") for line in rendered["kyverno"]["objects"])
    assert "@@" in rendered["kyverno"]["diff"]
    assert "network is not asked" in rendered["reloader"]["why_not"]
