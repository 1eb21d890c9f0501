"""The comment finds its pull request by the event alone, and stands there once a stack.

GitHub is a server on this machine (github.py says what that does not prove).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.whatif.report import answers
from tests.whatif.report.github import REPOSITORY, TOKEN, GitHub, running
from whatif.answer import Answer
from whatif.comment import main
from whatif.report.document import document
from whatif.report.markdown import markdown, marker

SHA = "1a" * 20
FORK = "stranger/fleet-fork"


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with running(GitHub()) as server:
        yield server


Comment = Callable[..., int]


@pytest.fixture
def comment(github: GitHub, tmp_path: Path) -> Comment:
    """Runs the command on documents, with the event of a run on `SHA` of the head repository."""

    def run(
        *documents: Any, head: str = FORK, branch: str = "change", token: str = TOKEN, **event: Any
    ) -> int:
        paths = []
        for position, each in enumerate(documents):
            path = tmp_path / f"{position}.json"
            path.write_bytes(each if isinstance(each, bytes) else json.dumps(each).encode())
            paths.append(str(path))
        fields = {
            "event": "pull_request", "head_sha": SHA, "head_branch": branch, "pull_requests": [],
            "head_repository": {"full_name": head},
        }  # fmt: skip
        happened = tmp_path / "event.json"
        happened.write_text(
            json.dumps({"workflow_run": fields | event, "repository": {"full_name": REPOSITORY}})
        )
        environment = {"GITHUB_EVENT_PATH": str(happened), "GITHUB_REPOSITORY": REPOSITORY}
        return main(paths, environment | {"GITHUB_TOKEN": token, "GITHUB_API_URL": github.url})

    return run


def of(answer: Answer, **more: Any) -> dict[str, Any]:
    return document(answer) | more


def test_the_first_comment_is_made(github: GitHub, comment: Comment) -> None:
    github.pull(7, SHA, FORK)
    github.comment(7, "looks good", "a-person")
    assert comment(of(answers.dozen())) == 0
    assert github.bodies(7) == ["looks good", markdown(answers.dozen())]


def test_the_second_updates_it_and_the_third_has_nothing_to_do(github: GitHub, comment: Comment) -> None:
    github.pull(7, SHA, FORK)
    assert comment(of(answers.small())) == 0
    assert comment(of(answers.dozen())) == 0
    assert github.bodies(7) == [markdown(answers.dozen())]
    writes = len(github.written)
    assert comment(of(answers.dozen())) == 0
    assert len(github.written) == writes == 2


def test_it_is_found_behind_many_others(github: GitHub, comment: Comment) -> None:
    github.pull(7, SHA, FORK)
    for number in range(250):
        github.comment(7, f"comment {number}", "a-person")
    github.comment(7, markdown(answers.small()).replace("\n", "\r\n"))
    assert comment(of(answers.dozen())) == 0
    assert github.bodies(7)[250:] == [markdown(answers.dozen())]


def test_a_mark_in_a_comment_of_somebody_else_is_left_alone(github: GitHub, comment: Comment) -> None:
    github.pull(7, SHA, FORK)
    theirs = f"{marker('prod')}\nall is well"
    github.comment(7, theirs, "stranger")
    github.comment(7, f"quoted:\n{marker('prod')}")
    assert comment(of(answers.dozen())) == 0
    assert github.bodies(7)[0] == theirs
    assert len(github.bodies(7)) == 3


def test_one_comment_a_stack(github: GitHub, comment: Comment) -> None:
    github.pull(7, SHA, FORK)
    other = answers.small().model_copy(update={"stack": "dev"})
    assert comment(of(answers.dozen()), of(other)) == 0
    assert [body.split("\n")[0] for body in github.bodies(7)] == [marker("prod"), marker("dev")]


def test_a_branch_of_the_repository_itself(github: GitHub, comment: Comment) -> None:
    github.pull(7, SHA)
    assert comment(of(answers.dozen()), head=REPOSITORY) == 0
    assert len(github.bodies(7)) == 1


@pytest.mark.parametrize("where", ["number", "pull_request"])
def test_a_document_that_claims_another_number_is_refused(
    github: GitHub, comment: Comment, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    github.pull(7, SHA, FORK)
    github.pull(8, "2b" * 20, FORK, "other")
    assert comment(of(answers.dozen(), **{where: 8})) == 2
    assert f"{where}: Extra inputs are not permitted" in capsys.readouterr().err
    assert github.asked == []


def test_a_number_in_the_texts_of_a_document_changes_nothing(github: GitHub, comment: Comment) -> None:
    github.pull(7, SHA, FORK)
    github.pull(8, "2b" * 20, FORK, "other")
    claims = answers.dozen().model_copy(update={"stack": "8", "confined": "acme/fleet#8 /issues/8/comments"})
    assert comment(of(claims)) == 0
    assert len(github.bodies(7)) == 1
    assert github.bodies(8) == []


def test_the_numbers_of_the_event_are_not_believed_either(github: GitHub, comment: Comment) -> None:
    """They are those of pull requests with the same branch name, of whatever repository."""
    github.pull(7, SHA, FORK)
    github.pull(8, "2b" * 20, FORK, "other")
    assert comment(of(answers.dozen()), pull_requests=[{"number": 8}]) == 0
    assert github.bodies(8) == []


@pytest.mark.parametrize("knows_forks", [True, False])
def test_the_same_commit_in_another_repository_does_not_count(
    github: GitHub, comment: Comment, knows_forks: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody may push the commit of another person's pull request to a fork, and open one from there."""
    github.knows_forks = knows_forks
    github.pull(7, SHA, "victim/fleet")
    assert comment(of(answers.dozen())) == 1
    assert f"no open pull request of {REPOSITORY} has {SHA} of {FORK} as its head" in capsys.readouterr().err
    assert github.written == []


def test_two_pull_requests_of_one_commit_are_refused(
    github: GitHub, comment: Comment, capsys: pytest.CaptureFixture[str]
) -> None:
    github.pull(7, SHA, FORK)
    github.pull(9, SHA, FORK)
    assert comment(of(answers.dozen())) == 1
    assert "is the head of #7, #9: close all but one" in capsys.readouterr().err
    assert github.written == []


def test_a_closed_one_does_not_count(github: GitHub, comment: Comment) -> None:
    github.knows_forks = True
    github.pull(7, SHA, FORK, state="closed")
    assert comment(of(answers.dozen())) == 1
    assert github.written == []


def test_a_fork_that_is_gone_does_not_count(github: GitHub, comment: Comment) -> None:
    github.knows_forks = True
    github.pull(7, SHA, FORK)
    github.pulls[7]["head"]["repo"] = None
    assert comment(of(answers.dozen())) == 1
    assert comment(of(answers.dozen()), head_repository=None) == 2
    assert github.written == []


def test_a_head_that_has_moved_on_is_left_to_its_own_run(
    github: GitHub, comment: Comment, capsys: pytest.CaptureFixture[str]
) -> None:
    github.pull(7, "2b" * 20, FORK)
    assert comment(of(answers.dozen())) == 0
    assert f"has moved on from {SHA}" in capsys.readouterr().err
    assert github.written == []


def test_a_head_that_moves_on_meanwhile_too(
    github: GitHub, comment: Comment, capsys: pytest.CaptureFixture[str]
) -> None:
    github.pull(7, SHA, FORK)
    github.moves_after = 1
    other = answers.small().model_copy(update={"stack": "dev"})
    assert comment(of(answers.dozen()), of(other)) == 0
    assert len(github.bodies(7)) == 1
    assert f"#7 has moved on from {SHA}" in capsys.readouterr().err


def test_a_branch_may_be_called_anything(github: GitHub, comment: Comment) -> None:
    branch = "x&state=closed#?/../\N{SNOWMAN} %2e"
    github.pull(7, SHA, FORK, branch)
    assert comment(of(answers.dozen()), branch=branch) == 0
    assert len(github.bodies(7)) == 1


def test_every_document_is_read_before_anything_is_asked(
    github: GitHub, comment: Comment, capsys: pytest.CaptureFixture[str]
) -> None:
    github.pull(7, SHA, FORK)
    assert comment(of(answers.dozen()), b"{}", b"\x1b[31m", of(answers.small())) == 2
    said = capsys.readouterr().err
    assert "1.json: answer_version" in said
    assert "2.json: the document is no JSON" in said
    assert "3.json: another document is of stack prod too" in said
    assert "\x1b" not in said
    assert github.asked == []


def test_a_link_in_an_artifact_is_not_followed(github: GitHub, tmp_path: Path, comment: Comment) -> None:
    secret = tmp_path / "secret"
    secret.write_text(json.dumps(of(answers.dozen())))
    (tmp_path / "link.json").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe.json")
    comment()
    environment = {
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"), "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url,
    }  # fmt: skip
    for name in ("link.json", "pipe.json", "absent.json"):
        assert main([str(tmp_path / name)], environment) == 2
    assert github.asked == []


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"event": "push"}, "started by push, not by pull_request"),
        ({"head_sha": "main"}, "names no commit"),
        ({"head_repository": {"full_name": "a/b/../c"}}, "names no commit and head repository"),
        ({"head_repository": None}, "no workflow_run event of a repository that still exists"),
    ],
)
def test_another_event_is_refused(
    github: GitHub, comment: Comment, event: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert comment(of(answers.dozen()), **event) == 2
    assert said in capsys.readouterr().err
    assert github.asked == []


def test_a_token_that_may_not_write_says_which_permission(
    github: GitHub, comment: Comment, capsys: pytest.CaptureFixture[str]
) -> None:
    github.pull(7, SHA, FORK)
    github.may_write = False
    assert comment(of(answers.dozen())) == 1
    said = capsys.readouterr().err
    assert "GitHub answers 403 to POST /issues/7/comments" in said
    assert "pull-requests: write" in said
    assert comment(of(answers.dozen()), token="another") == 1
    assert "another" not in capsys.readouterr().err


def test_a_token_goes_nowhere_but_to_https(
    tmp_path: Path, comment: Comment, capsys: pytest.CaptureFixture[str]
) -> None:
    comment()
    capsys.readouterr()
    environment = {
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"), "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": "http://api.example.com",
    }  # fmt: skip
    assert main(["x.json"], environment) == 2
    assert "must begin with https://" in capsys.readouterr().err
    assert main(["x.json"], {}) == 2
    assert main(["x.json"], environment | {"GITHUB_API_URL": "https://a", "GITHUB_TOKEN": ""}) == 2
    assert "GITHUB_TOKEN must be set" in capsys.readouterr().err
