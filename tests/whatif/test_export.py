"""A stack export as the base: read, closed off from its secrets, imported, compared."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.comparison import _written
from plugins import workspace
from plugins.codec import REDACTED, Secret, changed_paths
from sandbox.tools import ensure, silent
from whatif.against import Question, against
from whatif.export import NotAnExport, read
from whatif.preview import QUIET
from whatif.scratch import Scratch, make_project

from .conftest import Repository

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
URN = "urn:pulumi:prod::gke-fleet::kubernetes:core/v1:Secret::s"


def export(file: Path, resources: Any, **more: Any) -> Path:
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": resources, **more}}))
    return file


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, st.sampled_from(["plaintext", "ciphertext"]))
def test_no_secret_of_any_form_gets_past_the_reader(
    tmp_path_factory: pytest.TempPathFactory, around: Any, form: str
) -> None:
    secret = {SIGNATURE: SECRET, form: json.dumps("planted-secret")}
    resource = {
        "urn": URN,
        "type": "x",
        "inputs": {"a": [around, secret], "b": {"c": secret}},
        "outputs": secret,
    }
    file = export(tmp_path_factory.mktemp("e") / "e.json", [resource], pending_operations=[])
    found = read(file, "gke-fleet", "prod")
    assert "planted-secret" not in found.importable("v1:salt")
    assert found.importable("v1:salt").count(REDACTED) == 3


def test_an_export_says_what_it_holds(tmp_path: Path) -> None:
    root = {
        "urn": "urn:pulumi:prod::gke-fleet::pulumi:pulumi:Stack::gke-fleet-prod",
        "type": "pulumi:pulumi:Stack",
        "outputs": {"clusters": ["a"], "token": {SIGNATURE: SECRET, "ciphertext": "x"}},
    }
    provider = {
        "urn": URN.replace("kubernetes:core/v1:Secret", "pulumi:providers:gcp"),
        "parent": root["urn"],
    }
    pending = [{"type": "creating", "resource": {"urn": URN}}]
    states = [root, provider | {"type": "pulumi:providers:gcp"}]
    found = read(export(tmp_path / "e.json", states, pending_operations=pending), "gke-fleet", "prod")
    assert found.outputs == {"clusters": ["a"], "token": "[secret]"}
    assert found.providers == {"gcp": 1}
    assert found.parents == {provider["urn"]: root["urn"]}
    assert "creating" in found.pending[0]
    assert "pending_operations" not in found.importable("v1:salt")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "deployment.resources is missing"),
        ('{"deployment": {"resources": 1}}', "deployment.resources is missing"),
        ('{"deployment": {"resources": [{"urn": 1}]}}', "without a URN"),
        (
            json.dumps({"deployment": {"resources": [{"urn": URN.replace("prod", "dev")}]}}),
            "an export of stack dev of project gke-fleet, not of prod",
        ),
    ],
)
def test_what_is_no_export_of_the_stack_is_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "e.json"
    file.write_text(text)
    with pytest.raises(NotAnExport, match=why) as refused:
        read(file, "gke-fleet", "prod")
    assert str(file) in str(refused.value)
    assert "pulumi stack export --stack prod" in refused.value.remedy


def test_what_an_export_hid_counts_as_the_same_and_nothing_else_does() -> None:
    assert not changed_paths({"a": Secret(REDACTED)}, {"a": Secret("new")})
    assert not changed_paths({"a": Secret(REDACTED)}, {"a": {"deep": "new"}})
    assert changed_paths({"a": "old"}, {"a": REDACTED}) == {"a": "update"}
    assert changed_paths({"a": Secret(REDACTED)}, {}) == {"a": "delete"}


LAUNCHER = Path(workspace.__file__).with_name("launch.py")
PLANTED = ("hunter2-plain", "hunter2-config", "hunter2-state", "hunter2-user", "hunter2-environment")


INSTALLED = """\
#!/bin/sh
# A stand-in works with its own workspace alone, so it is given one.
home=$(mktemp -d)
printf '{{"backend": "%s", "ground": "paper"}}' "$PULUMI_BACKEND_URL" > "$home/gke-fleet-workspace.json"
echo "$GOOGLE_CREDENTIALS" >> {noted}
GKE_FLEET_WORKSPACE=$home GKE_FLEET_GROUND=paper exec {python} -s {launcher} {package} {version} "$@"
"""


@pytest.mark.engine
def test_an_export_is_the_base_and_no_secret_is_in_any_form_of_the_answer(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets stand in the export (in plain text, as `--show-secrets` writes them, in inputs and outputs and in an
    output of the stack), in the stack file, in a provider, in an address and in the environment.

    That an export of the official plugins reads the same is not proven: its shape is from documents.
    """
    for name in ("PULUMI_CONFIG_PASSPHRASE", "GITHUB_TOKEN", "GOOGLE_CREDENTIALS"):
        monkeypatch.setenv(name, PLANTED[4])
    program = repository.folder / "__main__.py"
    program.write_text(
        program.read_text()
        + "import pulumi_kubernetes as k8s\n"
        + 'secret = pulumi.Output.secret("hunter2-plain")\n'
        + 'document = pulumi.Output.secret(\'{"clusters": [{"name": "c", "cluster": {"server": "https://c"}}]}\')\n'
        + 'own = k8s.Provider("own", kubeconfig=document)\n'
        + "made = pulumi.ResourceOptions(provider=own)\n"
        + 'k8s.core.v1.Secret("planted", metadata={"name": "p"}, string_data={"password": secret}, opts=made)\n'
        + 'k8s.core.v1.ConfigMap("planted", metadata={"name": "p"}, data={"n": secret}, opts=made)\n'
        + 'pulumi.export("planted", secret)\n'
        + 'pulumi.log.warn("https://robot:hunter2-user@charts.acme.example is slow")\n'
    )
    repository.edit(
        "Pulumi.dev.yaml",
        lambda content: content["config"].update({"gke-fleet:gitToken": {"secure": f"v1:{PLANTED[1]}:x"}}),
    )
    cli = ensure("pulumi", silent) / "pulumi"
    file = tmp_path / "dev.json"
    with Scratch(cli) as scratch:
        project = scratch.folder / "deployed"
        make_project(repository.folder, "dev", project, values={"gke-fleet:readinessTimeout": 0})
        for command in (
            ["stack", "init", "dev", "--non-interactive", "--no-select"],
            ["up", "--yes", "--skip-preview", "--stack", "dev", *QUIET],
            ["stack", "export", "--stack", "dev", "--show-secrets", "--file", str(file)],
        ):
            said, code = scratch.run(command, project)
            assert code == 0, said
    assert PLANTED[0] in file.read_text()
    file.write_text(file.read_text().replace('\\"n\\":\\"hunter2-plain', '\\"n\\":\\"hunter2-state'))
    repository.edit("catalog.yaml", lambda content: content["addons"]["reloader"].update(version="2.2.17"))
    question = Question(
        checkout=repository.folder, stack="dev", base=file, head=repository.folder, cli=cli, cache=tmp_path
    )
    said_by_cli = (tmp_path / "cli.txt").open("w+")
    compared = against(question, out=said_by_cli)
    answer = compared.answer
    assert answer.exit_code == 0
    # What is really deployed differs from the working tree in the version alone: no secret shows as a change.
    assert {step.name for step in answer.steps if step.op != "same"} == {"reloader"}
    assert {change.change.value for change in answer.changes} == {"version"}
    assert answer.base.label == "dev.json"
    said_by_cli.seek(0)
    forms = {form: _written(form, answer, compared) for form in ("json", "markdown", "html")}
    forms["text"] = said_by_cli.read()
    for form, written in forms.items():
        for planted in PLANTED:
            assert planted not in written, (form, planted)
    assert "charts.acme.example" in forms["json"]

    # The same with plugins that the user has installed: these stand for the official ones, and note what they get.
    noted = tmp_path / "given"
    for package, version in workspace.sdk_versions().items():
        plugin = (
            tmp_path / "pulumi" / "plugins" / f"resource-{package}-v{version}" / f"pulumi-resource-{package}"
        )
        plugin.parent.mkdir(parents=True)
        plugin.write_text(
            INSTALLED.format(
                noted=noted, python=sys.executable, package=package, version=version, launcher=LAUNCHER
            )
        )
        plugin.chmod(0o755)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi"))
    asked = dataclasses.replace(question, official=True)
    again = against(asked).answer
    assert again.exit_code == 0, again.diagnostics
    assert {(step.op, step.urn) for step in again.steps} == {(step.op, step.urn) for step in answer.steps}
    assert again.changes == answer.changes
    assert again.radius == answer.radius
    assert set(noted.read_text().split()) == {PLANTED[4]}
