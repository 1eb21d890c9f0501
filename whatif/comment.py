"""`python -m whatif.comment DOCUMENT.json ...`: the comment of a what-if on its pull request, one a document.

Owns which pull request it is, and making or updating the one comment on it. Does not own the text
(whatif/report/markdown.py), nor reading a document (whatif/report/document.py). Part of a trusted workflow that runs
after the what-if, on the event workflow_run, with a token that may write comments: it runs no code of the pull
request, and believes nothing in a document, the number of a pull request least of all. There is no such field.

The event says which commit of which repository was previewed. Its `pull_requests` is empty for a fork, and so is
what GitHub lists for a commit that only the fork has; so the open pull requests of the head's branch are asked for
too, and only one whose head is that very commit of that very repository counts.

Reads GITHUB_EVENT_PATH, GITHUB_REPOSITORY, GITHUB_TOKEN (issues or pull requests: write) and GITHUB_API_URL. Exit
codes: 0 done, or the head has moved on and its own run will comment; 1 refused; 2 a document or the environment is
wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import aiohttp

from whatif.report.document import MOST_BYTES, Refused, read
from whatif.report.markdown import markdown, marker
from whatif.report.plain import line

AUTHOR = "github-actions[bot]"
"""Whose comments are updated: those made with a workflow's own token. A mark in somebody else's comment is ignored."""

_MOST_DOCUMENTS = 20
_PAGE = 100
_MOST_PAGES = 50
_SECONDS = 60
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}\Z")


class NoComment(Exception):
    """There is nothing to comment on, or GitHub refuses it."""


class WrongInput(Exception):
    """A document or the environment is not what it must be. All that is wrong with it is in the text."""


@dataclass(frozen=True)
class Run:
    """What the event says was previewed. `repository` is the one that gets the comment, `head` the head's."""

    repository: str
    head: str
    branch: str
    sha: str


@dataclass(frozen=True)
class Comment:
    """What is to stand on the pull request. `mark` is its first line."""

    mark: str
    body: str


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Comment on the pull request of the event; gives the exit code."""
    try:
        run = event_run(environment)
        api, token = _access(environment)
        comments = list(rendered(arguments))
        print(asyncio.run(_comment(api, token, run, comments)), file=sys.stderr)
    except WrongInput as error:
        print(error, file=sys.stderr)
        return 2
    except NoComment as error:
        print(f"no comment: {error}", file=sys.stderr)
        return 1
    return 0


def rendered(paths: Sequence[str]) -> Iterator[Comment]:
    """The comment of each document. Raises WrongInput, before any is given, with all that is wrong."""
    if not 1 <= len(paths) <= _MOST_DOCUMENTS:
        raise WrongInput(f"{len(paths)} documents given: name 1 to {_MOST_DOCUMENTS}, one a stack")
    comments: dict[str, Comment] = {}
    wrong = []
    for name in paths:
        try:
            answer = read(_bytes(Path(name)))
        except Refused as error:
            wrong.append(f"{line(name, 200)}: {error}")
            continue
        mark = marker(answer.stack)
        if mark in comments:
            wrong.append(f"{line(name, 200)}: another document is of stack {line(answer.stack, 100)} too")
        comments[mark] = Comment(mark, markdown(answer))
    if wrong:
        raise WrongInput("\n".join(wrong))
    yield from comments.values()


def _bytes(path: Path) -> bytes:
    # An artifact may hold a link to a file of this machine, or a pipe that never ends.
    if path.is_symlink() or not path.is_file():
        raise Refused("there is no such file, or it is a link")
    if (size := path.stat().st_size) > MOST_BYTES:
        raise Refused(f"the document has {size:,} bytes; {MOST_BYTES:,} are the most")
    return path.read_bytes()


def event_run(environment: Mapping[str, str]) -> Run:
    """What was previewed. Raises WrongInput: no workflow_run event of a pull request of this repository."""
    path, repository = environment.get("GITHUB_EVENT_PATH", ""), environment.get("GITHUB_REPOSITORY", "")
    if not path or not _REPOSITORY.match(repository):
        raise WrongInput("GITHUB_EVENT_PATH and GITHUB_REPOSITORY must be set: this runs in a workflow")
    try:
        event = json.loads(Path(path).read_bytes())
        run = event["workflow_run"]
        kind, sha, branch = str(run["event"]), str(run["head_sha"]), str(run["head_branch"])
        head, owner = str((run["head_repository"] or {})["full_name"]), str(event["repository"]["full_name"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongInput(
            f"GITHUB_EVENT_PATH is no workflow_run event of a repository that still exists ({line(repr(error), 200)})"
        ) from None
    if kind != "pull_request":
        raise WrongInput(
            f"the run was started by {line(kind, 40)}, not by pull_request: nothing to comment on"
        )
    if owner.casefold() != repository.casefold() or not _COMMIT.match(sha) or not _REPOSITORY.match(head):
        raise WrongInput("the event is of another repository, or names no commit and head repository")
    return Run(repository, head, branch, sha)


def _access(environment: Mapping[str, str]) -> tuple[str, str]:
    api, token = (
        environment.get("GITHUB_API_URL", "https://api.github.com"),
        environment.get("GITHUB_TOKEN", ""),
    )
    url = urlsplit(api)
    if url.scheme != "https" and url.hostname != "127.0.0.1":
        raise WrongInput("GITHUB_API_URL must begin with https://: a token is sent there")
    if not token:
        raise WrongInput("GITHUB_TOKEN must be set, to a token that may write comments on pull requests")
    return api.rstrip("/"), token


async def _comment(api: str, token: str, run: Run, comments: Sequence[Comment]) -> str:
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "gke-fleet",
    }
    limit = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(headers=headers, timeout=limit, trust_env=True) as session:
        github = _GitHub(session, f"{api}/repos/{run.repository}")
        number, moved = await _pull_request(github, run)
        if number is None:
            return moved
        said: list[str] = []
        for comment in comments:
            now = await github.ask("GET", f"/pulls/{number}")
            if not _is_head(now, run):
                return "\n".join([*said, f"#{number} has moved on from {run.sha}: its own run will comment"])
            said.append(await _put(github, number, comment))
    return "\n".join(said)


class _GitHub:
    """One repository's REST API. A redirect is not followed: it would take the token elsewhere."""

    def __init__(self, session: aiohttp.ClientSession, repository: str) -> None:
        self._session = session
        self._repository = repository

    async def ask(
        self, method: str, path: str, body: Mapping[str, str] | None = None, *, may_lack: bool = False
    ) -> Any:
        """What it answers; None with `may_lack` where there is no such thing. Raises NoComment."""
        try:
            async with self._session.request(
                method, self._repository + path, json=body, allow_redirects=False
            ) as answer:
                if may_lack and answer.status in (404, 422):
                    return None
                if answer.status not in (200, 201):
                    said = line((await answer.text())[:1_000], 300)
                    hint = (
                        ". The workflow needs the permission pull-requests: write"
                        if answer.status == 403
                        else ""
                    )
                    raise NoComment(
                        f"GitHub answers {answer.status} to {method} {line(path, 200)}: {said}{hint}"
                    )
                return await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NoComment(
                f"{method} {line(path, 200)}: {type(error).__name__}: {line(str(error), 300)}"
            ) from None


async def _pull_request(github: _GitHub, run: Run) -> tuple[int | None, str]:
    """The number; or None and why it is not needed. Raises NoComment: no pull request, or several."""
    of_commit = await github.ask("GET", f"/commits/{run.sha}/pulls?per_page={_PAGE}", may_lack=True) or []
    head = f"{run.head.partition('/')[0]}:{run.branch}"
    query = urlencode({"state": "open", "head": head, "per_page": _PAGE}, quote_via=quote)
    of_branch = await github.ask("GET", f"/pulls?{query}", may_lack=True) or []
    found = {int(each["number"]): each for each in (*of_commit, *of_branch) if _is_open_here(each, run)}
    numbers = sorted(number for number, each in found.items() if _is_head(each, run))
    if len(numbers) == 1:
        return numbers[0], ""
    if numbers:
        several = ", ".join(f"#{number}" for number in numbers)
        raise NoComment(f"{run.sha} of {run.head} is the head of {several}: close all but one")
    if any(_head_repository(each) == run.head.casefold() for each in found.values()):
        return None, f"the pull request has moved on from {run.sha}: its own run will comment"
    raise NoComment(f"no open pull request of {run.repository} has {run.sha} of {run.head} as its head")


def _is_open_here(pull: Mapping[str, Any], run: Run) -> bool:
    base = str(((pull.get("base") or {}).get("repo") or {}).get("full_name", ""))
    return pull.get("state") == "open" and base.casefold() == run.repository.casefold()


def _is_head(pull: Mapping[str, Any], run: Run) -> bool:
    is_same = _head_repository(pull) == run.head.casefold() and pull["head"].get("sha") == run.sha
    return is_same and _is_open_here(pull, run)


def _head_repository(pull: Mapping[str, Any]) -> str:
    """In small letters; "" for a fork that is gone."""
    return str(((pull.get("head") or {}).get("repo") or {}).get("full_name", "")).casefold()


async def _put(github: _GitHub, number: int, comment: Comment) -> str:
    for page in range(1, _MOST_PAGES + 1):
        there = await github.ask("GET", f"/issues/{number}/comments?per_page={_PAGE}&page={page}")
        for each in there:
            written = str(each.get("body") or "").replace("\r\n", "\n")
            if (each.get("user") or {}).get("login") != AUTHOR or written.split("\n", 1)[0] != comment.mark:
                continue
            if written.rstrip() == comment.body.rstrip():
                return f"#{number}: the comment says this already"
            await github.ask("PATCH", f"/issues/comments/{int(each['id'])}", {"body": comment.body})
            return f"#{number}: comment updated"
        if len(there) < _PAGE:
            break
    await github.ask("POST", f"/issues/{number}/comments", {"body": comment.body})
    return f"#{number}: comment made"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
