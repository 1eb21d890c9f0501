"""A server on this machine that stands in for the few calls of GitHub's REST API that the comment needs.

What it does not prove: that GitHub answers so. Its answers are written down from GitHub's documentation: for the head
of a fork, `commits/SHA/pulls` knows no pull request; pages hold a hundred entries; a wrong token is answered by 401,
a missing permission by 403.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-of-the-workflow"
REPOSITORY = "acme/fleet"


@dataclass
class GitHub:
    """What GitHub knows. `knows_forks`: whether it lists pull requests of a commit that only a fork has."""

    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    knows_forks: bool = False
    may_write: bool = True
    asked: list[str] = field(default_factory=list)
    url: str = ""
    moves_after: int | None = None
    """After so many comments the head of every pull request becomes another commit."""

    def pull(
        self, number: int, sha: str, head: str = REPOSITORY, branch: str = "change", state: str = "open"
    ) -> None:
        self.pulls[number] = {
            "number": number,
            "state": state,
            "head": {"sha": sha, "ref": branch, "repo": {"full_name": head}},
            "base": {"repo": {"full_name": REPOSITORY}},
        }

    def comment(self, number: int, body: str, login: str = "github-actions[bot]") -> None:
        made = {"id": 1_000 + sum(map(len, self.comments.values())), "body": body, "user": {"login": login}}
        self.comments.setdefault(number, []).append(made)

    def bodies(self, number: int) -> list[str]:
        return [each["body"] for each in self.comments.get(number, [])]

    @property
    def written(self) -> list[str]:
        """The calls that wrote something."""
        return [each for each in self.asked if not each.startswith("GET")]

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        local = path.removeprefix(f"/repos/{REPOSITORY}")
        if found := re.fullmatch(r"/commits/(\w+)/pulls", local):
            known = [
                each for each in self.pulls.values()
                if each["head"]["sha"] == found[1]
                and (self.knows_forks or (each["head"]["repo"] or {}).get("full_name") == REPOSITORY)
            ]  # fmt: skip
            return (200, known) if known else (422, {"message": f"No commit found for SHA: {found[1]}"})
        if local == "/pulls":
            owner, _, branch = query["head"][0].partition(":")
            return 200, [
                each for each in self.pulls.values()
                if each["state"] in query["state"] and each["head"]["ref"] == branch
                and (each["head"]["repo"] or {}).get("full_name", "").startswith(f"{owner}/")
            ]  # fmt: skip
        if found := re.fullmatch(r"/pulls/(\d+)", local):
            return 200, self.pulls[int(found[1])]
        if found := re.fullmatch(r"/issues/(\d+)/comments", local):
            number = int(found[1])
            if method == "POST":
                if not self.may_write:
                    return 403, {"message": "Resource not accessible by integration"}
                self.comment(number, body["body"])
                self._count()
                return 201, self.comments[number][-1]
            start = (int(query["page"][0]) - 1) * 100
            return 200, self.comments.get(number, [])[start : start + 100]
        if (found := re.fullmatch(r"/issues/comments/(\d+)", local)) and method == "PATCH":
            each = next(
                each for all_ in self.comments.values() for each in all_ if each["id"] == int(found[1])
            )
            each["body"] = body["body"]
            self._count()
            return 200, each
        return 404, {"message": "Not Found"}

    def _count(self) -> None:
        if self.moves_after is not None and len(self.written) >= self.moves_after:
            for each in self.pulls.values():
                each["head"]["sha"] = "f" * 40


@contextmanager
def running(github: GitHub) -> Iterator[GitHub]:
    """`github` behind a port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            url = urlsplit(self.path)
            github.asked.append(f"{self.command} {self.path}")
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            if self.headers.get("Authorization") == f"Bearer {TOKEN}":
                status, said = github.answer(self.command, url.path, parse_qs(url.query), body)
            else:
                status, said = 401, {"message": "Bad credentials"}
            written = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        do_GET = do_POST = do_PATCH = _do

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    github.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield github
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
