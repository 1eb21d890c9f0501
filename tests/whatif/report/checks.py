"""What is asked of a report whatever the answer: a reader of Markdown that takes nothing on trust, one of HTML, and
letters that nobody sees.

The reader of Markdown knows less than GitHub's, and refuses what it does not know: outside a code span and a fence it
allows this project's own tags and words alone.
"""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_FENCE = re.compile(r"```(?:diff|yaml|mermaid)?\Z")
_SPAN = re.compile(r"`[^`]+`")
_TAG = re.compile(r"<details(?: open)?>|</details>|<summary>|</summary>|<br>")
_OUTSIDE = re.compile(r"[A-Za-z0-9 ,.;:|*()+~?'=>&/\-\N{RIGHTWARDS ARROW}]*\Z")
_MERMAID = re.compile(
    r"flowchart LR|    direction LR|  end|  r\d+ --> r\d+|  classDef \w+ fill:#\w{6},stroke:#\w{6},color:#\w{6}"
    r'|  subgraph r\d+\["[^"<>`#;&\[\]{}|]*"\]|    c\d+\["(?:[^"<>`#;&\[\]{}|]|<br/>)*"\]:::\w+'
    r'|  (?:r\d+|more)\["(?:[^"<>`#;&\[\]{}|]|<br/>)*"\]:::\w+'
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def hidden(text: str) -> set[str]:
    """Characters of `text` that control something or cannot be seen, line breaks aside."""
    return {letter for letter in set(text) if letter != "\n" and unicodedata.category(letter) in HIDDEN}


def read_markdown(text: str) -> str:
    """Check `text`; gives what stands outside of code spans and fences, the first line aside."""
    lines = text.split("\n")
    assert re.fullmatch(r"<!-- gke-fleet what-if [A-Za-z0-9._-]* -->", lines[0]), lines[0]
    outside: list[str] = []
    fence, opened, columns = "", 0, 0
    for line in lines[1:]:
        if fence:
            if line == "```":
                fence = ""
                continue
            assert "```" not in line, line
            if fence == "```mermaid":
                assert _MERMAID.fullmatch(line), line
            continue
        if line.startswith("```"):
            assert _FENCE.match(line), line
            fence = line
            continue
        assert line.count("`") % 2 == 0, line
        rest = _SPAN.sub("", line)
        assert "`" not in rest, line
        for tag in _TAG.findall(rest):
            opened += {"<details": 1, "</details": -1}.get(tag.split(">")[0].split(" ")[0], 0)
            assert opened in (0, 1), "details in details, or closed twice"
        rest = re.sub(r"&(?:lt|gt|#x27);", "", _TAG.sub("", rest))
        rest = rest.removeprefix("### ")
        assert _OUTSIDE.match(rest), line
        if line.startswith("|"):
            assert line.endswith("|"), line
            columns = columns or line.count("|")
            assert line.count("|") == columns, line
        else:
            columns = 0
            assert "|" not in rest, line
        outside.append(rest)
    assert not fence, "a fence is open at the end"
    assert not opened, "details are open at the end"
    return "\n".join(outside)


class Page(HTMLParser):
    """A page, checked while it is read: tags and attributes that it may have, each closed."""

    TAGS = _words(
        "html head meta title style body header main section article footer div h1 h2 h3 p span strong code pre "
        "ul li dl dt dd details summary svg g rect text"
    )
    ATTRIBUTES = _words(
        "lang charset http-equiv content name class open viewbox role aria-label x y width height rx text-anchor"
    )
    VALUES = re.compile(r"[a-z -]*\Z")
    """Of a class: words of this project's."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.said: list[str] = []
        self.styles = 0
        self.policy = ""
        assert text.startswith("<!doctype html>\n")
        self.feed(text)
        self.close()
        assert self.open == [], self.open
        assert self.styles == 1
        assert self.policy.startswith("default-src 'none'; style-src 'sha256-")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.TAGS, tag
        for name, value in attrs:
            assert name in self.ATTRIBUTES, (tag, name)
            assert name != "class" or self.VALUES.match(value or ""), value
            if name in ("x", "y", "width", "height", "rx"):
                assert str(value).lstrip("-").isdigit(), value
        given = dict(attrs)
        self.policy = (given["content"] or "") if given.get("http-equiv") else self.policy
        self.styles += tag == "style"
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raise AssertionError(f"{tag} closes itself: HTML knows no such thing")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.said.append(data)
