"""From a stack file's setting to the configuration file of the CLI: what is written, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.failure import ExitCode, Failure
from cli.policies import pack_config

KEY = "gke-fleet:policies"
EXEMPTION = {
    "rule": "repository-secret-keyless",
    "resource": "kubernetes:core/v1:Secret::git-*",
    "reason": "until the mirror has it",
    "until": "2027-06-30",
}


def written(tmp_path: Path, said: dict[str, Any], **more: Any) -> dict[str, Any]:
    out = pack_config({KEY: said} | more, tmp_path / "policies.json")
    assert out == tmp_path / "policies.json"
    assert out is not None
    read: dict[str, Any] = json.loads(out.read_text())
    return read


def refusal(tmp_path: Path, said: dict[str, Any]) -> str:
    with pytest.raises(Failure) as raised:
        pack_config({KEY: said}, tmp_path / "policies.json", file="stacks/Pulumi.prod.yaml")
    assert raised.value.code == ExitCode.CONFIGURATION
    assert not (tmp_path / "policies.json").exists()
    return raised.value.what


def test_a_stack_that_says_nothing_needs_no_file(tmp_path: Path) -> None:
    assert pack_config({}, tmp_path / "x") is None
    assert pack_config({KEY: {}}, tmp_path / "x") is None
    assert not (tmp_path / "x").exists()


def test_levels_parameters_and_exemptions_are_sorted_to_their_rules(tmp_path: Path) -> None:
    said = {
        "rules": {
            "image-digest": {"level": "disabled"},
            "cluster-labels-declared": {"labels": ["team"]},
            "repository-secret-keyless": {"level": "mandatory"},
        },
        "exemptions": [EXEMPTION, EXEMPTION | {"rule": "image-pinned"}],
    }
    exempt = {key: value for key, value in EXEMPTION.items() if key != "rule"}
    assert written(tmp_path, said) == {
        "image-digest": {"enforcementLevel": "disabled"},
        "cluster-labels-declared": {"labels": ["team"]},
        "repository-secret-keyless": {"enforcementLevel": "mandatory", "exemptions": [exempt]},
        "image-pinned": {"exemptions": [exempt]},
    }


def test_the_stacks_day_is_the_exemptions(tmp_path: Path) -> None:
    found = written(tmp_path, {"exemptions": [EXEMPTION]}, **{"gke-fleet:today": "2027-07-01"})
    assert found["repository-secret-keyless"]["today"] == "2027-07-01"


def test_every_mistake_is_said_at_once_with_file_path_value_and_remedy(tmp_path: Path) -> None:
    said = {
        "rules": {
            "image-digset": {"level": "advisory"},
            "cluster-labels-declared": {"labels": "team", "label": []},
            "image-pinned": {"level": "strict", "exemptions": []},
        },
        "exemptions": [EXEMPTION | {"rule": "repository-secrets"}, EXEMPTION | {"until": "soon"}],
    }
    text = refusal(tmp_path, said)
    where = f"stacks/Pulumi.prod.yaml: config.{KEY}"
    assert text.startswith("7 configuration errors")
    assert f"{where}.rules.image-digset is '\"image-digset\"': the policy pack has no such rule" in text
    assert "did you mean `image-digest`?" in text
    assert f"{where}.rules.cluster-labels-declared.labels is '\"team\"': an array belongs there" in text
    assert f"{where}.rules.cluster-labels-declared.label is '[]': there is no such parameter" in text
    assert f"{where}.rules.image-pinned.level is '\"strict\"': there is no such level" in text
    assert f"{where}.rules.image-pinned.exemptions: the stack file has one list for all rules" in text
    assert f"{where}.exemptions[0].rule is '\"repository-secrets\"': the policy pack has no such rule" in text
    assert f"{where}.exemptions[1].until is '\"soon\"': this is no day" in text
