"""renovate.json finds every version that this repository holds, each once.

Proven: what its expressions match, and what they leave out. Not proven: that Renovate takes the file; that was tried by
hand alone (docs/ci.md).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.tools import GROUPS

ROOT = Path(__file__).resolve().parents[2]
SETTINGS: dict[str, Any] = json.loads((ROOT / "renovate.json").read_text())
CATALOGUE = ROOT / "stacks" / "catalog.yaml"


def found(text: str, path: str) -> list[tuple[str, str, int]]:
    """What the custom managers find in a file: datasource, version, and where it stands."""
    matches = []
    for manager in SETTINGS["customManagers"]:
        # A pattern between slashes is a regular expression, as Renovate reads it.
        if any(re.search(pattern.strip("/"), path) for pattern in manager["managerFilePatterns"]):
            for expression in manager["matchStrings"]:
                for match in re.finditer(expression.replace("(?<", "(?P<"), text):
                    group = "currentDigest" if "currentDigest" in match.groupdict() else "currentValue"
                    matches.append((manager["datasourceTemplate"], match[group], match.start(group)))
    return matches


def versions() -> list[tuple[str, str]]:
    """Datasource and version of everything in the catalogue but the empty folder, which is the same at each commit.

    What stands under an add-on's `rings` is ahead on purpose and moved by people.
    """
    content = yaml.safe_load(CATALOGUE.read_text())
    listed = [("helm", content["argocd"]["version"]), ("github-releases", content["argocd"]["appVersion"])]
    for addon in content["addons"].values():
        if "chart" not in addon:
            listed.append(("git-refs", addon["version"]))
        else:
            listed.append(
                ("docker" if addon["repository"].startswith("oci://") else "helm", addon["version"])
            )
    return listed


def test_every_version_of_the_catalogue_is_found_once() -> None:
    seen = found(CATALOGUE.read_text(), "stacks/catalog.yaml")
    assert sorted((source, version) for source, version, _ in seen) == sorted(versions())
    assert len({place for *_, place in seen}) == len(seen)
    assert {source for source, *_ in seen} == {"helm", "docker", "git-refs", "github-releases"}


def test_what_is_found_depends_on_the_kind_of_source() -> None:
    text = CATALOGUE.read_text()
    moved = text.replace(
        "repository: https://charts.external-secrets.io", "repository: oci://ghcr.io/external-secrets"
    )
    before, after = (sorted(each[:2] for each in found(one, "stacks/catalog.yaml")) for one in (text, moved))
    assert set(after) - set(before) == {("docker", "1.3.1")}
    assert set(before) - set(after) == {("helm", "1.3.1")}


def test_a_ring_s_version_is_left_to_people() -> None:
    ahead = CATALOGUE.read_text().replace("rings: {}", "rings: {canary: 1.3.2}")
    assert "1.3.2" not in {version for _, version, _ in found(ahead, "stacks/catalog.yaml")}


def test_nothing_is_found_elsewhere() -> None:
    assert found(CATALOGUE.read_text(), "tests/stacks/catalog.yaml") == []


def test_the_cli_in_the_workflows_is_found() -> None:
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        seen = found(path.read_text(), f".github/workflows/{path.name}")
        assert len(seen) == path.read_text().count("pulumi-version:"), path


@pytest.mark.parametrize("manager", SETTINGS["customManagers"], ids=lambda one: str(one["description"]))
def test_an_expression_is_one_that_re2_takes(manager: dict[str, Any]) -> None:
    """No look-around and no back reference: Renovate's engine has neither."""
    for expression in manager["matchStrings"]:
        assert not re.search(r"\(\?<?[=!]|\\[1-9]|\(\?P", expression)
        named = set(re.findall(r"\(\?<(\w+)>", expression)) | {
            key.removesuffix("Template") for key in manager if key.endswith("Template")
        }
        assert {"datasource"} < named
        assert named & {"depName", "packageName"}
        assert named & {"currentValue", "currentDigest"}


def group_of(name: str, manager: str, file: str) -> str | None:
    """The group that the rules put a package into; the last one that fits says it."""
    group = None
    for rule in SETTINGS["packageRules"]:
        fits = (
            manager in rule.get("matchManagers", [manager])
            and file in rule.get("matchFileNames", [file])
            and name in rule.get("matchPackageNames", [name])
            and "matchDepNames" not in rule
            and "matchDatasources" not in rule
        )
        if fits:
            group = rule.get("groupName", group)
    return group


def test_pulumi_moves_as_one() -> None:
    pins = re.findall(r"^(pulumi[\w-]*)==", (ROOT / "requirements.in").read_text(), re.MULTILINE)
    assert len(pins) == 4
    groups = {group_of(name, "pip-compile", "requirements.txt") for name in pins}
    groups.add(group_of("pulumi-policy", "pip_requirements", "policies/requirements.txt"))
    groups.add(group_of("pulumi", "custom.regex", ".github/workflows/drift.yml"))
    for program in GROUPS["pulumi"].programs:
        groups.add(group_of(str(program.module), "gomod", "sandbox/tools/pulumi/go.mod"))
    assert groups == {"pulumi"}
    assert group_of("github.com/rhysd/actionlint", "gomod", "sandbox/tools/workflows/go.mod") is None


def test_a_lock_has_one_manager() -> None:
    """Renovate reads the command in a lock's head, and knows only some of uv's options, with `=` before a value."""
    pattern = SETTINGS["pip-compile"]["managerFilePatterns"][0].strip("/")
    locks = [path for path in ROOT.glob("requirements*.txt") if re.search(pattern, path.name)]
    (off,) = (rule for rule in SETTINGS["packageRules"] if rule.get("matchManagers") == ["pip_requirements"])
    assert (
        {path.name for path in locks}
        == {"requirements.txt", "requirements-dev.txt"}
        == set(off["matchFileNames"])
    )
    known = r"--(universal|generate-hashes|(python-version|output-file|constraints?)=\S+)"
    for lock in locks:
        command = lock.read_text().splitlines()[1].removeprefix("#    ")
        assert re.fullmatch(rf"uv pip compile( {known})* {lock.stem}\.in", command), command
