"""The pack on three small programs of somebody else, with the real SDKs, under the real CLI.

Each is clean, and with one fault planted for each group of rules that it has anything for it is refused by exactly the
rules of these faults: by a preview, and from an export of its state alone. Proves that nothing in the pack needs this
project's types. The providers are this project's stand-ins, so it does not prove what the official ones make of inputs.
"""

import re
import shutil
from pathlib import Path

import pytest

from plugins import workspace
from policies.rules import catalogue
from sandbox.tools import ensure, silent

from .test_cli import Project, violations

PROGRAMS = Path(__file__).parent / "foreign"
PLANTED = {
    "plain_gke": {
        "image-pinned": ["web"],
        "cluster-authentication": ["one"],
        "private-nodes": ["one"],
        "no-extended-channel": ["one"],
        "no-basic-roles": ["nodes"],
        "cluster-deletion-protected": ["one"],
    },
    "helm_only": {
        "chart-version-pinned": ["cert-manager"],
        "chart-dependencies-locked": ["cert-manager"],
        "values-image-pinned": ["cert-manager"],
        "kubeconfig-keyless": ["existing"],
        "no-cluster-admin": ["cert-manager"],
    },
    "argocd_elsewhere": {
        "ring-one-version": ["metrics"],
        "cluster-secret-keyless": ["osaka", "tokyo"],
        "app-project-closed": ["shared"],
        "applicationset-preserves": ["metrics"],
        "template-labels-exist": ["metrics"],
    },
}
"""Program -> rule -> the resources that it is to be reported for."""


def test_together_they_plant_a_fault_for_every_group() -> None:
    groups = {rule.name: rule.group for rule in catalogue()}
    planted = {groups[rule] for rules in PLANTED.values() for rule in rules}
    assert planted == set(groups.values()) - {"exemptions"}


@pytest.mark.engine
@pytest.mark.sandbox
@pytest.mark.parametrize("name", PLANTED)
def test_a_foreign_program_is_clean_and_each_planted_fault_is_found(
    name: str, bare_pack: Path, tmp_path: Path
) -> None:
    cli = ensure("pulumi", silent) / "pulumi"
    state = tmp_path / "state"
    state.mkdir()
    environment = workspace.make(
        tmp_path / "home", cli=cli, backend_url=f"file://{state}", ground="paper", state=None
    )
    environment["PULUMI_ENABLE_STREAMING_JSON_PREVIEW"] = "true"
    program = Project(shutil.copytree(PROGRAMS / name, tmp_path / "program"), environment, str(cli))
    assert program.pulumi("stack", "init", "dev").returncode == 0
    code, events = program.preview(pack=bare_pack)
    assert violations(events) == []
    assert code == 0

    assert program.pulumi("config", "set", "planted", "true").returncode == 0
    code, events = program.preview(pack=bare_pack)
    assert code != 0
    levels = {rule.name: rule.level for rule in catalogue()}
    expected = sorted((rule, levels[rule], one) for rule, found in PLANTED[name].items() for one in found)
    assert violations(events) == expected

    assert program.pulumi("up", "--yes", "--skip-preview").returncode == 0
    export = tmp_path / "export.json"
    assert program.pulumi("stack", "export", "--file", str(export)).returncode == 0
    done = program.pulumi("policy", "analyze", "--file", str(export), "--policy-pack", str(bare_pack))
    assert done.returncode != 0
    said = re.findall(r"\[(mandatory|advisory)\]\s+(\S+)\s+\(\S+: (\S+)\)", done.stdout)
    assert sorted((rule, level, one) for level, rule, one in said) == expected
