"""Every mistake that an owner can make in a bootstrap file is told with file, path, value and remedy.

Each case changes one thing in a good file. The words are held because people act on them.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from bootstrap.load import load
from model.problems import ConfigurationError

GOOD = """\
organization: "400000000001"
billingAccount: 012345-6789AB-CDEF01
hostProject: acme-host
projects:
  acme-host: {}
  acme-shop:
    uses: [networks]
  acme-data:
    create: false
    number: "100000000003"
state:
  bucket: acme-state
  location: asia-northeast1
github:
  owner: acme
  ownerId: "1000001"
  repository: fleet
  repositoryId: "2000001"
  deployEnvironment: production
"""


class Case(NamedTuple):
    """`old` becomes `new` (the whole text where `old` is None); then `path` is at fault."""

    name: str
    old: str | None
    new: str
    path: str
    why: str
    remedy: str


DATA = '  acme-data:\n    create: false\n    number: "100000000003"\n'
CASES = [
    # The file as such.
    Case("empty", None, "", "", "the file is empty", "write it like bootstrap/prod.yaml"),
    Case("a list", None, "- a\n", "", "has to be a map", "write it like bootstrap/prod.yaml"),
    Case("not YAML", None, "projects: [", "", "it is not YAML at line", "correct the indentation"),
    Case(
        "key twice",
        "hostProject: acme-host\n",
        "hostProject: acme-host\nhostProject: acme-shop\n",
        "hostProject",
        "the key stands twice: it is already at line 3",
        "keep one of the two",
    ),
    Case(
        "unknown key",
        "hostProject:",
        "hostproject:",
        "hostproject",
        "no such key",
        "did you mean `hostProject`?",
    ),
    Case(
        "unknown key deep", "uses:", "use:", "projects.acme-shop.use", "no such key", "did you mean `uses`?"
    ),
    # Numbers that are text.
    Case("id is a number", '"400000000001"', "400000000001", "organization", "a number", "put it in quotes"),
    Case("owner id", '"1000001"', "1000001", "github.ownerId", "a number", 'put it in quotes: "1000001"'),
    # Where projects go.
    Case(
        "folder with prefix",
        'organization: "400000000001"',
        "folder: folders/12",
        "folder",
        "not the id of a folder",
        "use the digits alone",
    ),
    Case(
        "two places",
        "billingAccount:",
        'folder: "500"\nbillingAccount:',
        "folder",
        "`organization` says where new projects go, too",
        "keep one of the two",
    ),
    Case(
        "no place",
        'organization: "400000000001"\n',
        "",
        "organization",
        "project acme-host is to be created, and nothing says where",
        "add `organization:` or `folder:`, or `create: false`",
    ),
    Case(
        "nobody pays",
        "billingAccount: 012345-6789AB-CDEF01\n",
        "",
        "billingAccount",
        "nobody pays for it",
        "add `billingAccount:`",
    ),
    Case(
        "billing account",
        "012345-6789AB-CDEF01",
        "billingAccounts/012345-6789AB-CDEF01",
        "billingAccount",
        "it is not a billing account",
        "gcloud billing accounts list",
    ),
    # Projects.
    Case(
        "number as id",
        "hostProject: acme-host",
        'hostProject: "100000000001"',
        "hostProject",
        "that is a project number, not a project id",
        "use the project's id",
    ),
    Case(
        "host is nowhere",
        "hostProject: acme-host",
        "hostProject: acme-hots",
        "hostProject",
        "not among `projects`",
        "did you mean `acme-host`?",
    ),
    Case(
        "hub is nowhere",
        "hostProject: acme-host\n",
        "hostProject: acme-host\nhubProject: acme-hub\n",
        "hubProject",
        "not among `projects`",
        "add it there",
    ),
    Case("short id", "  acme-host: {}", "  acme: {}", "projects.acme", "it is not a project id", "6 to 30"),
    Case(
        "existing without number",
        '    number: "100000000003"\n',
        "",
        "projects.acme-data.number",
        "missing for a project that exists already",
        "as `gcloud projects describe acme-data` prints it",
    ),
    Case(
        "new with number",
        "    create: false\n",
        "",
        "projects.acme-data.number",
        "Google gives a new project its number",
        "add `create: false` if the project exists",
    ),
    Case(
        "number is not one",
        '"100000000003"',
        '"12"',
        "projects.acme-data.number",
        "it is not a project number",
        "use the digits",
    ),
    Case(
        "number twice",
        DATA,
        DATA + DATA.replace("acme-data", "acme-more"),
        "projects.acme-more.number",
        "project acme-data has that number already",
        "correct one of the two numbers",
    ),
    Case(
        "default network of another",
        "    create: false\n",
        "    create: false\n    defaultNetwork: true\n",
        "projects.acme-data.defaultNetwork",
        "the project exists, and so do its networks",
        "drop the line",
    ),
    Case(
        "unknown use",
        "[networks]",
        "[network]",
        "projects.acme-shop.uses[0]",
        "there is no such choice",
        "did you mean `networks`?",
    ),
    Case(
        "use twice",
        "[networks]",
        "[networks, networks]",
        "projects.acme-shop.uses",
        "networks is listed 2 times",
        "list it once",
    ),
    Case(
        "use without cluster",
        "hostProject: acme-host\nprojects:\n  acme-host: {}\n",
        "hostProject: acme-host\nhubProject: acme-shop\nprojects:\n  acme-host: {uses: [networks]}\n",
        "projects.acme-host.uses",
        "no cluster lives in the host project",
        "drop `uses` here",
    ),
    Case(
        "no projects", None, "projects: {}\n", "projects", "there is no project", "add the fleet host project"
    ),
    Case(
        "a word for a map",
        "  acme-host: {}",
        "  acme-host: yes",
        "projects.acme-host",
        "yes or no",
        "write keys",
    ),
    # State.
    Case("upper case", "acme-state", "Acme-State", "state.bucket", "not the name of a bucket", "lower-case"),
    Case(
        "gs:// before it",
        "acme-state",
        "gs://acme-state",
        "state.bucket",
        "not the name of a bucket",
        "3 to 53",
    ),
    Case("long bucket", "acme-state", "a" * 54, "state.bucket", "not the name of a bucket", "3 to 53"),
    Case("google's bucket", "acme-state", "goog-state", "state.bucket", "Google takes no bucket", "3 to 53"),
    Case(
        "zone", "asia-northeast1", "asia-northeast1-a", "state.location", "that is a zone", "asia-northeast1"
    ),
    Case("region", "asia-northeast1", "asia-north1", "state.location", "no such region", "did you mean"),
    Case(
        "no state",
        "state:\n  bucket: acme-state\n  location: asia-northeast1\n",
        "",
        "state",
        "missing",
        "add `state:`",
    ),
    # GitHub.
    Case(
        "owner in the repository",
        "repository: fleet",
        "repository: acme/fleet",
        "github.repository",
        "that holds a slash",
        "the owner has a key of its own",
    ),
    Case(
        "owner",
        "owner: acme",
        "owner: acme_inc",
        "github.owner",
        "not the name of a GitHub user",
        "before the slash",
    ),
    Case("id is a name", '"2000001"', "fleet", "github.repositoryId", "not a numeric id of GitHub", "gh api"),
    Case(
        "environment with a colon",
        "deployEnvironment: production",
        'deployEnvironment: "a:ref"',
        "github.deployEnvironment",
        "subject of a token cannot be built",
        "at most 40 letters",
    ),
    Case(
        "previews deploy",
        "deployEnvironment: production\n",
        "deployEnvironment: production\n  previewEnvironment: production\n",
        "github.previewEnvironment",
        "whoever may read could deploy",
        "an environment of their own",
    ),
    Case(
        "no environment",
        "  deployEnvironment: production\n",
        "",
        "github.deployEnvironment",
        "it is missing",
        "add `deployEnvironment:` GitHub environment whose jobs may deploy",
    ),
    Case(
        "unknown operators",
        "state:",
        "operators: [root]\nstate:",
        "operators[0]",
        "no such choice",
        "known: reader",
    ),
    Case(
        "protect",
        "state:",
        "protect: off-course\nstate:",
        "protect",
        "text stands where",
        "safe from",
    ),
]


def written(folder: Path, text: str) -> Path:
    """A folder `bootstrap` with `text` as the settings of stack `acme`."""
    root = folder / "bootstrap"
    root.mkdir()
    (root / "acme.yaml").write_text(text, encoding="utf-8")
    return root


def test_the_good_file_is_good(tmp_path: Path) -> None:
    settings = load(written(tmp_path, GOOD), "acme")
    assert settings.hub == "acme-host"
    assert not settings.projects["acme-data"].create


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_mistake(case: Case, tmp_path: Path) -> None:
    if case.old is not None:
        assert GOOD.count(case.old) == 1, "the case has to change one thing"
    text = case.new if case.old is None else GOOD.replace(case.old, case.new)
    with pytest.raises(ConfigurationError) as caught:
        load(written(tmp_path, text), "acme")
    found = [problem for problem in caught.value.problems if problem.path == case.path]
    assert found, f"nothing is said about {case.path!r}: {caught.value}"
    assert any(case.why in problem.why and case.remedy in problem.remedy for problem in found), found
    assert all(problem.file == "bootstrap/acme.yaml" for problem in caught.value.problems)


def test_every_mistake_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("acme-state", "Acme").replace("repository: fleet", "repository: a/b")
    text = text.replace('    number: "100000000003"\n', "").replace(
        "hostProject: acme-host", "hostProject: acme-hots"
    )
    with pytest.raises(ConfigurationError) as caught:
        load(written(tmp_path, text), "acme")
    paths = {problem.path for problem in caught.value.problems}
    assert paths == {"state.bucket", "github.repository", "projects.acme-data.number", "hostProject"}
    assert "4 configuration errors" in str(caught.value)


def test_a_stack_without_settings(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"bootstrap/acne\.yaml: the file: stack acne has no settings"
    ) as caught:
        load(written(tmp_path, GOOD), "acne")
    assert "did you mean `acme`?" in str(caught.value)
