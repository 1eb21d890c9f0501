"""A stack alone on paper: the scratch project, the answer, and that the checkout stays as it was."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
import yaml

from whatif.preview import PLACEHOLDER, NoStack, make_project, preview

PROJECT = """\
name: theirs
runtime: {name: python, options: {toolchain: pip, virtualenv: .venv}}
stackConfigDir: stacks
backend: {url: gs://theirs}
config:
  fleet: {type: string}
  token: {type: string, secret: true}
  deep: {type: object}
"""
STACK = """\
secretsprovider: gcpkms://projects/acme/locations/global/keyRings/r/cryptoKeys/k
encryptedkey: CiQAsomething
config:
  theirs:fleet: prod
  theirs:token:
    secure: v1:abc:def
  theirs:deep:
    list:
      - {secure: v1:x:y}
      - plain
"""
PROGRAM = """\
import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as k8s

config = pulumi.Config()
deep = config.require_object("deep")
account = gcp.serviceaccount.Account("a", project="acme-prod", account_id="robot-1", description=deep["list"][1])
document = '{"clusters": [{"name": "c", "cluster": {"server": "https://c.example"}}]}'
for at in range(2):
    provider = k8s.Provider(f"p{at}", kubeconfig=document, cluster_identifier=str(at))
    k8s.core.v1.Secret(f"s{at}", metadata={"name": "s"}, string_data={"t": config.require_secret("token")},
                       opts=pulumi.ResourceOptions(provider=provider))
    k8s.core.v1.ConfigMap(f"m{at}", metadata={"name": "m"}, data={"e": account.email},
                          opts=pulumi.ResourceOptions(provider=provider))
"""
PACK = """\
import os
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

def check(args, report):
    if args.resource_type == "gcp:serviceaccount/account:Account":
        report(f"stack {os.environ['PULUMI_PROJECT']}/{os.environ['PULUMI_STACK']} dry {os.environ['PULUMI_DRY_RUN']}")

PolicyPack("pack", policies=[ResourceValidationPolicy(
    "no-accounts", "There shall be none.", check, enforcement_level=EnforcementLevel.%s)])
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A project whose secrets nobody here can open."""
    folder = tmp_path / "checkout"
    (folder / "stacks").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text(PROJECT)
    (folder / "stacks" / "Pulumi.prod.yaml").write_text(STACK)
    (folder / "__main__.py").write_text(PROGRAM)
    return folder


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack whose one policy is mandatory."""
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (folder / "__main__.py").write_text(PACK % "MANDATORY")
    return folder


def fingerprint(folder: Path) -> dict[str, str]:
    """path -> digest of every file that is not a cache."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_stack_that_nobody_can_open_is_previewed_and_nothing_changes(checkout: Path, cli: Path) -> None:
    before = fingerprint(checkout)
    out = io.StringIO()
    result = preview(checkout, "prod", cli=cli, policy_pack=None, out=out)
    assert result.exit_code == 0, out.getvalue()
    assert fingerprint(checkout) == before
    assert result.summary == {"create": 8}
    assert result.providers == {"gcp": 1, "kubernetes": 2}
    inputs = {each["name"]: each["inputs"] for each in result.resources}
    assert inputs["a"]["description"] == "plain"
    assert inputs["m1"]["data"] == {"e": "[unknown]"}
    assert inputs["s0"]["stringData"] == "[secret]"
    assert PLACEHOLDER not in str(result.resources)
    assert {each["op"] for each in result.resources} == {"create"}
    assert "8 to create" in out.getvalue()
    assert result.diagnostics == []


def test_a_mandatory_policy_says_no(checkout: Path, pack: Path, cli: Path) -> None:
    result = preview(checkout, "prod", cli=cli, policy_pack=pack)
    assert result.exit_code != 0
    assert [(each["rule"], each["level"]) for each in result.policies] == [("no-accounts", "mandatory")]
    assert "stack theirs/prod dry true" in result.policies[0]["message"]
    assert result.policies[0]["urn"].endswith("::a")


def test_a_program_that_fails_says_why(checkout: Path, cli: Path) -> None:
    (checkout / "__main__.py").write_text(
        "import pulumi\nraise pulumi.RunError('the ring is not declared')\n"
    )
    result = preview(checkout, "prod", cli=cli, policy_pack=None)
    assert result.exit_code != 0
    assert "error: the ring is not declared" in result.diagnostics


def test_the_scratch_project_names_no_credential(checkout: Path, tmp_path: Path) -> None:
    make_project(checkout, "prod", tmp_path / "scratch")
    project = yaml.safe_load((tmp_path / "scratch" / "Pulumi.yaml").read_text())
    stack = yaml.safe_load((tmp_path / "scratch" / "stacks" / "Pulumi.prod.yaml").read_text())
    assert project["main"] == str(checkout)
    assert "backend" not in project
    config = stack.pop("config")
    assert not stack
    token, deep = config["theirs:token"], config["theirs:deep"]["list"][0]
    # Another ciphertext is another placeholder, so that setting another secret is a change.
    assert token.startswith(PLACEHOLDER)
    assert deep.startswith(PLACEHOLDER)
    assert token != deep
    assert config == {"theirs:fleet": "prod", "theirs:token": token, "theirs:deep": {"list": [deep, "plain"]}}


def test_a_stack_that_is_not_there_names_those_that_are(checkout: Path, cli: Path) -> None:
    with pytest.raises(NoStack, match=r"there is no stack staging: .*Stacks here: prod"):
        preview(checkout, "staging", cli=cli, policy_pack=None)


def test_a_failure_in_an_output_ends_the_program_and_later_outputs_are_waited_for(
    checkout: Path, cli: Path, tmp_path: Path
) -> None:
    """On paper the SDK waits for everything that is left at once."""
    program = checkout / "__main__.py"
    mark = tmp_path / "mark"
    later = f"lambda _: pulumi.Output.from_input(1).apply(lambda _: open({str(mark)!r}, 'w').close())"
    program.write_text(PROGRAM + f"pulumi.Output.from_input(1).apply({later})\n")
    assert preview(checkout, "prod", cli=cli).exit_code == 0
    assert mark.exists()
    program.write_text(PROGRAM + "pulumi.Output.from_input(1).apply(lambda _: 1 / 0)\n")
    result = preview(checkout, "prod", cli=cli)
    assert result.exit_code != 0
    assert any("division by zero" in line for line in result.diagnostics)
