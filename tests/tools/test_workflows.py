"""The workflows: what they may, what of a pull request reaches them, and that the commands in them exist.

What GitHub makes of them is not proven here: none of them has run there. What their scripts do is
test_workflow_scripts.py's.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from bootstrap.github_actions import POOL, PROVIDER
from bootstrap.load import load
from bootstrap.rights import Account
from cli import workflows
from cli.app import app

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"
FILES = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.yml"))}

READ = {"contents": "read"}
IDENTITY = {"contents": "read", "id-token": "write"}
RIGHTS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("drift", "drift"): IDENTITY,
    ("drift", "tell"): {"issues": "write"},
    ("preview", "preview"): IDENTITY,
    ("tests", "test"): READ,
    ("up", "dev"): IDENTITY,
    ("up", "prod"): IDENTITY,
    ("up-stack", "deploy"): IDENTITY,
    ("up-stack", "preview"): IDENTITY,
    ("what-if", "stacks"): READ,
    ("what-if", "what-if"): READ,
    ("what-if-comment", "comment"): {"actions": "read", "contents": "read", "pull-requests": "write"},
}
"""All that jobs may: workflow and job -> permissions."""

OWN_BRANCH = "github.event.pull_request.head.repo.full_name == github.repository"
USES = re.compile(r"^\s*(?:- )?uses: (?P<what>\S+?)(?:@(?P<commit>\S+))?(?P<comment> # .*)?$", re.MULTILINE)


def parsed(text: str) -> dict[str, Any]:
    """A workflow. Everything in it stays text: YAML would make a bool of `on`."""
    document = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - it makes nothing but text, lists and maps
    assert isinstance(document, dict)
    return document


def steps(workflow: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job.get("steps", [])


def scripts(text: str) -> list[str]:
    return [step["run"] for step in steps(parsed(text)) if "run" in step]


def faults(name: str, text: str) -> list[str]:
    """What is wrong with the text of the workflow `name`."""
    workflow = parsed(text)
    found = []
    for used in USES.finditer(text):
        if used["what"].startswith("./"):
            continue
        if not re.fullmatch(r"[0-9a-f]{40}", used["commit"] or "") or not re.fullmatch(
            r" # v\d+\.\d+\.\d+", used["comment"] or ""
        ):
            found.append(f"{used['what']} is not pinned by a commit, its release in a comment")
    triggers = set(workflow["on"])
    if "pull_request_target" in triggers or ("workflow_run" in triggers and name != "what-if-comment"):
        found.append("a trigger that lends its rights to a pull request")
    if workflow.get("permissions") != {}:
        found.append("permissions are not taken away from the workflow")
    if workflow.get("defaults", {}).get("run", {}).get("shell") != "bash" and scripts(text):
        found.append("a shell that goes on after a failed pipe")
    if "secrets." in text or "secrets:" in text:
        found.append("it reads a secret")
    for key, job in workflow["jobs"].items():
        if job.get("permissions") != RIGHTS.get((name, key)):
            found.append(f"{key} has other permissions than RIGHTS says")
        if "uses" not in job and "timeout-minutes" not in job:
            found.append(f"{key} has no timeout")
        trusted = OWN_BRANCH in job.get("if", "")
        if "pull_request" in triggers and "id-token" in job.get("permissions", {}) and not trusted:
            found.append(f"{key} gives a fork an identity")
    for step in steps(workflow):
        if "run" in step and "${{" in step["run"]:
            found.append(f"{step.get('name')}: an expression in a script")
        checkout = step.get("uses", "").startswith("actions/checkout@")
        if checkout and step.get("with", {}).get("persist-credentials") != "false":
            found.append(f"{step.get('name')}: the token stays on the disk")
        if checkout and "workflow_run" in triggers and "default_branch" not in step["with"].get("ref", ""):
            found.append(f"{step.get('name')}: another revision than the default branch")
        if "actions/cache" in step.get("uses", "") and name != "tests":
            found.append(f"{step.get('name')}: a cache that a pull request may have written")
        if "actions/cache/save" in step.get("uses", "") and "refs/heads/main" not in step.get("if", ""):
            found.append(f"{step.get('name')}: a pull request saves a cache")
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_workflow_has_no_fault(name: str) -> None:
    assert faults(name, FILES[name]) == []


def test_every_job_has_its_rights_listed() -> None:
    assert {(name, job) for name, text in FILES.items() for job in parsed(text)["jobs"]} == set(RIGHTS)


def test_an_action_has_one_version() -> None:
    used = {
        (found["what"].partition("/")[2], found["commit"], found["comment"])
        for text in FILES.values()
        for found in USES.finditer(text)
        if found["commit"]
    }
    repositories = {(name.partition("/")[0], commit) for name, commit, _ in used}
    assert len({name for name, _ in repositories}) == len(repositories)


def test_no_workflow_is_overlooked() -> None:
    assert {path.suffix for path in FOLDER.iterdir()} == {".yml"}


FAULTS = {
    "unpinned": ("what-if", re.compile(r"@3d3c42e\w+ # v7.0.1"), "@v7", {"here", "zizmor"}),
    "no release beside the commit": ("what-if", re.compile(r"(@3d3c42e\w+) # v7.0.1"), r"\1", {"here"}),
    "injection": (
        "what-if",
        re.compile(r"names=\(\)"),
        "echo '${{ github.event.pull_request.title }}'",
        {"here", "actionlint", "zizmor"},
    ),
    "it may write": ("what-if", re.compile("contents: read #"), "contents: write #", {"here"}),
    "it may all": (
        "what-if",
        re.compile(r"^permissions: \{\}$", re.MULTILINE),
        "permissions: write-all",
        {"here", "zizmor"},
    ),
    "the token stays": (
        "tests",
        re.compile("persist-credentials: false"),
        "fetch-depth: 1",
        {"here", "zizmor"},
    ),
    "a trigger with rights": (
        "what-if",
        re.compile(r"^  pull_request:$", re.MULTILINE),
        "  pull_request_target:",
        {"here", "zizmor"},
    ),
    "forks get an identity": ("preview", re.compile(re.escape(f"    if: {OWN_BRANCH}\n")), "", {"here"}),
    "the comment runs the head": (
        "what-if-comment",
        re.compile(re.escape("github.event.repository.default_branch")),
        "github.event.workflow_run.head_sha",
        {"here"},
    ),
    "a cache of the pull request": (
        "preview",
        re.compile(r"uses: actions/setup-python@\w+ # v7.0.0"),
        "uses: actions/cache/restore@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5",
        {"here"},
    ),
    "a shell that goes on": ("up-stack", re.compile("    shell: bash\n"), "    shell: sh\n", {"here"}),
    "a misspelt trigger": (
        "up",
        re.compile("workflow_dispatch:"),
        "workflow_dispach:",
        {"actionlint"},
    ),
}
"""One fault each: the workflow, what is put in place of what, and who sees it."""


@pytest.fixture(scope="session")
def linters() -> dict[str, list[str]]:
    return workflows.commands(ROOT, lambda line: None)


@pytest.mark.sandbox
def test_the_linters_find_nothing(linters: dict[str, list[str]]) -> None:
    for command in linters.values():
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.sandbox
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_seen(fault: str, tmp_path: Path, linters: dict[str, list[str]]) -> None:
    name, old, new, seen_by = FAULTS[fault]
    text, count = old.subn(new, FILES[name], count=1)
    assert count == 1
    found = {"here"} if faults(name, text) else set()
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for other, content in FILES.items():
        (folder / f"{other}.yml").write_text(text if other == name else content)
    (tmp_path / ".github" / "zizmor.yml").write_bytes((ROOT / ".github" / "zizmor.yml").read_bytes())
    for linter, command in linters.items():
        if subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode:
            found.add(linter)
    assert found == seen_by


# ---- What they name: stacks, identities, versions, commands


def on_google_cloud() -> set[str]:
    """The stacks whose state lies in a bucket and whose secrets open with a key: those that CI deploys."""
    return {
        path.stem.removeprefix("Pulumi.")
        for path in (ROOT / "stacks").glob("Pulumi.*.yaml")
        if yaml.safe_load(path.read_text()).get("secretsprovider", "").startswith("gcpkms://")
    }


def environments(name: str) -> dict[str, str]:
    """Stack -> environment, of the matrix of a workflow."""
    (job,) = (job for job in parsed(FILES[name])["jobs"].values() if "matrix" in job.get("strategy", {}))
    assert job["environment"] == "${{ matrix.environment }}"
    return {each["stack"]: each["environment"] for each in job["strategy"]["matrix"]["include"]}


def deployments() -> dict[str, dict[str, str]]:
    return {job["with"]["stack"]: job["with"] for job in parsed(FILES["up"])["jobs"].values()}


def test_every_stack_on_google_cloud_is_previewed_deployed_and_watched() -> None:
    stacks = on_google_cloud()
    assert stacks == {"dev", "prod"}
    assert set(environments("preview")) == set(environments("drift")) == set(deployments()) == stacks
    assert set(parsed(FILES["up"])["on"]["workflow_dispatch"]["inputs"]["stack"]["options"]) == stacks


def test_environments_are_those_that_bootstrap_lets_in() -> None:
    bootstrapped = on_google_cloud() & {path.stem for path in (ROOT / "bootstrap").glob("*.yaml")}
    assert bootstrapped == {"prod"}
    for stack in bootstrapped:
        github = load(ROOT / "bootstrap", stack).github
        assert environments("drift")[stack] == github.deploy_environment
        assert deployments()[stack]["deploy-environment"] == github.deploy_environment
        assert environments("preview")[stack] == github.preview_environment
        assert deployments()[stack]["preview-environment"] == github.preview_environment


def test_who_may_read_cannot_deploy() -> None:
    reading = {
        *environments("preview").values(),
        *(each["preview-environment"] for each in deployments().values()),
    }
    writing = {
        *environments("drift").values(),
        *(each["deploy-environment"] for each in deployments().values()),
    }
    assert not reading & writing
    assert len(reading) == len(writing) == len(on_google_cloud())


def test_accounts_and_pool_are_those_of_bootstrap() -> None:
    accounts: dict[tuple[str, str], str] = {}
    for name, text in FILES.items():
        for key, job in parsed(text)["jobs"].items():
            for step in job.get("steps", []):
                if step.get("uses", "").startswith("google-github-actions/auth@"):
                    accounts[name, key] = step["with"]["service_account"]
                    assert step["with"]["workload_identity_provider"] == (
                        "projects/${{ vars.HOST_PROJECT_NUMBER }}/locations/global/"
                        f"workloadIdentityPools/{POOL}/providers/{PROVIDER}"
                    )
    assert accounts == {
        ("drift", "drift"): f"{Account.DEPLOYER}@${{{{ vars.HOST_PROJECT }}}}.iam.gserviceaccount.com",
        ("preview", "preview"): f"{Account.PREVIEW}@${{{{ vars.HOST_PROJECT }}}}.iam.gserviceaccount.com",
        ("up-stack", "preview"): f"{Account.PREVIEW}@${{{{ vars.HOST_PROJECT }}}}.iam.gserviceaccount.com",
        ("up-stack", "deploy"): f"{Account.DEPLOYER}@${{{{ vars.HOST_PROJECT }}}}.iam.gserviceaccount.com",
    }


def test_only_deploying_jobs_run_after_an_approved_change_and_are_never_cancelled() -> None:
    deploy = parsed(FILES["up-stack"])["jobs"]["deploy"]
    assert deploy["needs"] == "preview"
    assert deploy["concurrency"] == {"group": "up-${{ inputs.stack }}", "cancel-in-progress": "false"}
    runs = [step.get("run", "") for step in deploy["steps"]]
    looks = next(at for at, run in enumerate(runs) if '--expect "$APPROVED"' in run)
    assert looks < next(at for at, run in enumerate(runs) if "./fleet up" in run)


def test_the_cli_is_the_locked_one() -> None:
    locked = re.search(r"^pulumi==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert locked is not None
    installed = re.findall(r"pulumi-version: (\S+)", "\n".join(FILES.values()))
    assert installed and set(installed) == {locked[1]}


def commands() -> list[tuple[str, list[str]]]:
    """`./fleet ...` and `python -m ...` of all scripts: workflow, words. An option that a script adds on a condition
    counts as one of its command's."""
    found = []
    for name, text in FILES.items():
        for script in scripts(text):
            added = " ".join(re.findall(r"more\+=\(([^)]*)\)", script))
            whole = script.replace("\\\n", " ").replace('"${more[@]}"', added)
            for said in re.findall(r"(?:\./fleet|python -m) [^|&;)>\n]*", whole):
                found.append((name, said.split()))
    return found


def test_commands_are_found() -> None:
    said = {" ".join(words[:3]) for _, words in commands()}
    assert {'./fleet up "$STACK"', './fleet preview "$STACK"', "python -m whatif.comment"} <= said
    assert any("--manifests" in words for _, words in commands())


@pytest.mark.parametrize(("name", "words"), commands(), ids=[" ".join(words) for _, words in commands()])
def test_a_command_exists_with_its_options(name: str, words: list[str]) -> None:
    options = {word for word in words if word.startswith("--")}
    if words[0] == "./fleet":
        group: Any = typer.main.get_command(app)
        command = group if words[1].startswith("--") else group.commands[words[1]]
        known = {opt for each in command.params for opt in each.opts} | {"--help"}
    else:
        assert importlib.util.find_spec(words[2]) is not None
        help_ = [sys.executable, "-m", words[2], "--help"] if options else ["true"]
        done = subprocess.run(help_, cwd=ROOT, capture_output=True, text=True, check=True)
        known = set(re.findall(r"--[\w-]+", done.stdout))
    assert options <= known, f"{name}: {' '.join(words)}"


# ---- The page about them


def test_the_page_names_every_workflow_environment_variable_and_action() -> None:
    page = (ROOT / "docs" / "ci.md").read_text()
    named = {parsed(text)["name"] for text in FILES.values()}
    named |= {*environments("preview").values(), *environments("drift").values()}
    named |= {one for text in FILES.values() for one in re.findall(r"vars\.(\w+)", text)}
    assert {name for name in named if f"`{name}`" not in page} == set()
    actions = {used["what"] for text in FILES.values() for used in USES.finditer(text) if used["commit"]}
    others = {name for name in actions if not name.startswith("actions/")}
    assert {name for name in others if f"`{name}`" not in page} == set()
