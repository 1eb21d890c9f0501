"""The pack under the real CLI, on a small program that is not this project's.

Proves that a violation fails `preview` and names itself in an event, that what is pinned passes, that
levels, parameters and exemptions can be set, that a stack export can be analysed, and that a rule's own failure
names rule and resource. The program registers components under the provider's type tokens, so no provider plugin is
needed; it does not prove what the kubernetes plugin's Check makes of inputs.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from plugins import workspace
from sandbox.tools import ensure, silent

from .conftest import FOLDER
from .test_chart_version import COMMIT, REPO, application_set, clusters
from .test_image import DIGEST, deployment

PROGRAM = """
import asyncio
import json
import pathlib

import pulumi


def unknown():
    known = asyncio.get_event_loop().create_future()
    known.set_result(False)
    value = asyncio.get_event_loop().create_future()
    value.set_result(None)
    return pulumi.Output(set(), value, known)


def inputs(value):
    if value == "UNKNOWN":
        return unknown()
    if isinstance(value, list):
        return [inputs(element) for element in value]
    if isinstance(value, dict):
        return {key: inputs(element) for key, element in value.items()}
    return value


for resource in json.loads(pathlib.Path("resources.json").read_text()):
    given = inputs(resource["inputs"])
    options = pulumi.ResourceOptions(protect=resource.get("protect", True))
    pulumi.ComponentResource(resource["type"], resource["name"], given, options).register_outputs(given)
"""
"""Registers what resources.json says; the text UNKNOWN stands for a value that is not known before the update."""


@dataclass(frozen=True)
class Project:
    """A small program with a stack of its own, and the environment in which the CLI runs it."""

    folder: Path
    environment: dict[str, str]
    binary: str

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command of the CLI in the program's folder."""
        return subprocess.run(
            [self.binary, *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def resources(self, **inputs: tuple[str, dict[str, Any]]) -> None:
        """What the program registers from now on: name = (kubernetes type without the package, inputs)."""
        found = [
            {"type": f"kubernetes:{token}", "name": name, "inputs": given}
            for name, (token, given) in inputs.items()
        ]
        (self.folder / "resources.json").write_text(json.dumps(found))

    def preview(self, *arguments: str, pack: Path = FOLDER) -> tuple[int, list[dict[str, Any]]]:
        """Exit code and events of a preview with the pack."""
        done = self.pulumi("preview", "--json", "--policy-pack", str(pack), *arguments)
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, done.stdout + done.stderr
        return done.returncode, [json.loads(line) for line in lines]


def violations(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Rule, level and resource of every policy event, sorted."""
    found = [event["policyEvent"] for event in events if "policyEvent" in event]
    return sorted(
        (one["policyName"], one["enforcementLevel"], one["resourceUrn"].rpartition("::")[2]) for one in found
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("foreign")
    cli = ensure("pulumi", silent) / "pulumi"
    state = folder / "state"
    state.mkdir()
    environment = workspace.make(
        folder / "home", cli=cli, backend_url=f"file://{state}", ground="paper", state=None
    )
    environment["PULUMI_ENABLE_STREAMING_JSON_PREVIEW"] = "true"
    program = folder / "program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: foreign\nruntime: python\n")
    (program / "__main__.py").write_text(PROGRAM)
    made = Project(program, environment, str(cli))
    done = made.pulumi("stack", "init", "dev")
    assert done.returncode == 0, done.stderr
    return made


def careful(properties: dict[str, Any]) -> dict[str, Any]:
    """An ApplicationSet with all that rules about other things than versions ask for."""
    spec = properties["spec"]
    template = {"spec": spec["template"]["spec"] | {"project": "platform"}}
    rest = {
        "goTemplateOptions": ["missingkey=error"],
        "syncPolicy": {"preserveResourcesOnDeletion": True, "applicationsSync": "create-update"},
    }
    annotations = {"pulumi.com/deletionPropagationPolicy": "background"}
    return {"metadata": {"annotations": annotations}, "spec": spec | rest | {"template": template}}


def git(revision: str) -> dict[str, Any]:
    source = {"repoURL": "https://git.example.com/x.git", "targetRevision": revision}
    return {"spec": {"project": "platform", "source": source}}


BAD_SET = careful(application_set(clusters("1.2.3"), clusters("1.2")))
GOOD_SET = careful(application_set(clusters("1.2.3"), clusters("1.2.4")))
GIT = git("main")
GOOD_GIT = git(COMMIT)


@pytest.mark.sandbox
def test_violations_fail_the_preview_and_are_events(project: Project) -> None:
    project.resources(
        release=("helm.sh/v3:Release", {"chart": "x", "version": "1.2", **REPO}),
        rings=("argoproj.io/v1alpha1:ApplicationSet", BAD_SET),
        branch=("argoproj.io/v1alpha1:Application", GIT),
        latest=("apps/v1:Deployment", deployment("nginx", "nginx:1.2.3")),
    )
    code, events = project.preview()
    assert code != 0
    assert violations(events) == [
        ("chart-version-pinned", "mandatory", "release"),
        ("chart-version-pinned", "mandatory", "rings"),
        ("git-revision-pinned", "mandatory", "branch"),
        ("image-digest", "advisory", "latest"),
        ("image-pinned", "mandatory", "latest"),
    ]


@pytest.mark.sandbox
def test_what_is_pinned_passes_and_advice_does_not_stop_it(project: Project) -> None:
    project.resources(
        release=("helm.sh/v3:Release", {"chart": "x", "version": "1.2.3", **REPO}),
        rings=("argoproj.io/v1alpha1:ApplicationSet", GOOD_SET),
        commit=("argoproj.io/v1alpha1:Application", GOOD_GIT),
        digest=("apps/v1:Deployment", deployment(f"nginx@{DIGEST}", "nginx:1.2.3")),
    )
    code, events = project.preview()
    assert violations(events) == [("image-digest", "advisory", "digest")]
    assert code == 0


@pytest.mark.sandbox
def test_what_is_not_known_before_the_update_is_no_violation_and_hides_none(project: Project) -> None:
    project.resources(
        later=("helm.sh/v3:Release", {"chart": "x", "version": "UNKNOWN", **REPO}),
        rings=(
            "argoproj.io/v1alpha1:ApplicationSet",
            careful(application_set(clusters("UNKNOWN"), clusters("1.2"))),
        ),
    )
    code, events = project.preview()
    assert violations(events) == [("chart-version-pinned", "mandatory", "rings")]
    assert code != 0


def configured(project: Project, configuration: dict[str, Any]) -> tuple[str, str]:
    """The option that hands a configuration to the pack."""
    file = project.folder / "policies.json"
    file.write_text(json.dumps(configuration))
    return "--policy-pack-config", str(file)


def exempt(resource: str, until: str) -> dict[str, str]:
    return {"resource": resource, "until": until, "reason": "it is not ours"}


RELEASE = ("helm.sh/v3:Release", {"chart": "x", "version": "1.2", **REPO})


@pytest.mark.sandbox
def test_levels_and_parameters_can_be_set_for_one_rule_and_a_level_for_all_others(project: Project) -> None:
    labels = {"argocd.argoproj.io/secret-type": "cluster", "team": "a"}
    project.resources(
        release=RELEASE, tokyo=("core/v1:Secret", {"metadata": {"name": "a", "labels": labels}})
    )
    configuration = {
        "chart-version-pinned": "advisory",
        "cluster-labels-declared": {"labels": ["team", "ring"]},
    }
    code, events = project.preview(*configured(project, configuration))
    assert violations(events) == [
        ("chart-version-pinned", "advisory", "release"),
        ("cluster-labels-declared", "mandatory", "tokyo"),
    ]
    assert code != 0
    code, events = project.preview(*configured(project, configuration | {"all": "disabled"}))
    assert violations(events) == [("chart-version-pinned", "advisory", "release")]
    assert code == 0


@pytest.mark.sandbox
def test_an_exemption_holds_until_its_day_and_then_fails_the_preview(project: Project) -> None:
    project.resources(release=RELEASE, other=RELEASE)
    given = [exempt("*Release::release", "2027-06-30"), exempt("gone", "2027-06-30")]
    stack = "foreign-dev"
    configuration = {"chart-version-pinned": {"exemptions": given, "today": "2027-06-30"}}
    code, events = project.preview(*configured(project, configuration))
    assert violations(events) == [
        ("chart-version-pinned", "mandatory", "other"),
        ("exemption-granted", "advisory", stack),
        ("exemption-unused", "advisory", stack),
    ]
    assert code != 0
    project.resources(release=RELEASE)
    code, events = project.preview(*configured(project, configuration))
    assert code == 0
    configuration["chart-version-pinned"]["today"] = "2027-07-01"
    code, events = project.preview(*configured(project, configuration))
    assert violations(events) == [
        ("chart-version-pinned", "mandatory", "release"),
        ("exemption-expired", "mandatory", stack),
        ("exemption-expired", "mandatory", stack),
        ("exemption-unused", "advisory", stack),
    ]
    assert code != 0


@pytest.mark.sandbox
def test_a_mistake_in_the_configuration_names_rule_field_value_and_remedy(project: Project) -> None:
    project.resources(release=RELEASE)
    given = {"exemptions": [exempt("release", "soon")], "versions": []}
    option = configured(project, {"chart-version-pinned": given})
    done = project.pulumi("preview", "--policy-pack", str(FOLDER), *option)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    for text in (
        'exemptions[0].until is "soon": this is no day; write a day such as "2027-06-30"',
        "versions is []: there is no such parameter; the rule has exemptions, today",
    ):
        assert f"configuration of rule chart-version-pinned: {text}" in said


@pytest.mark.sandbox
def test_a_pack_that_was_copied_alone_works_the_same(project: Project, bare_pack: Path) -> None:
    project.resources(release=("helm.sh/v3:Release", {"chart": "x", "version": "1.2", **REPO}))
    code, events = project.preview(pack=bare_pack)
    assert violations(events) == [("chart-version-pinned", "mandatory", "release")]
    assert code != 0


@pytest.mark.sandbox
def test_a_stack_export_is_analysed_without_stack_and_provider(project: Project) -> None:
    project.resources(rings=("argoproj.io/v1alpha1:ApplicationSet", GOOD_SET))
    assert project.pulumi("up", "--yes").returncode == 0
    export = project.folder / "export.json"
    assert project.pulumi("stack", "export", "--file", str(export)).returncode == 0
    option = configured(project, {"chart-version-pinned": {"exemptions": [exempt("other", "2026-01-01")]}})
    analyse = ("policy", "analyze", "--file", str(export), "--policy-pack", str(FOLDER))
    done = project.pulumi(*analyse, *option)
    assert done.returncode != 0
    assert "[mandatory]  exemption-expired" in done.stdout
    done = project.pulumi(*analyse)
    assert done.returncode == 0, done.stdout + done.stderr
    state = json.loads(export.read_text())
    (component,) = (one for one in state["deployment"]["resources"] if one["type"].endswith("ApplicationSet"))
    component["outputs"] = component["inputs"] = BAD_SET
    export.write_text(json.dumps(state))
    done = project.pulumi(*analyse)
    assert done.returncode != 0
    assert "[mandatory]  chart-version-pinned" in done.stdout
    assert "spec.generators[1].clusters.values.version" in done.stdout


@pytest.mark.sandbox
def test_a_rule_that_fails_names_itself_and_the_resource(
    project: Project, bare_pack: Path, tmp_path: Path
) -> None:
    broken = shutil.copytree(bare_pack, tmp_path / "broken")
    rule = broken / "rules" / "pinning" / "image_tag.py"
    rule.write_text(
        rule.read_text().replace("for image in images(resource):", "for image in [{}['nothing']]:")
    )
    project.resources(pod=("core/v1:Pod", {"spec": {}}))
    done = project.pulumi("preview", "--policy-pack", str(broken))
    assert done.returncode != 0
    assert "rule image-pinned failed on" in done.stdout + done.stderr
    assert "kubernetes:core/v1:Pod::pod: KeyError: 'nothing'" in done.stdout + done.stderr


@pytest.mark.sandbox
def test_a_pack_that_does_not_start_fails_the_preview_and_says_why(
    project: Project, bare_pack: Path, tmp_path: Path
) -> None:
    broken = shutil.copytree(bare_pack, tmp_path / "broken")
    (broken / "__main__.py").write_text("import nothing_of_this_name\n")
    done = project.pulumi("preview", "--policy-pack", str(broken))
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "ModuleNotFoundError: No module named 'nothing_of_this_name'" in said
    assert "the policy pack did not start; its own output says why" in said
