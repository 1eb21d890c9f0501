"""The page in a browser, at a phone's size and at a desk's: nothing runs over its side, nothing is asked for, nothing
is complained of.

Needs Chromium on PATH; without one the tests are skipped and say so, or fail where GKE_FLEET_NOTHING_SKIPPED is set.
Not proven here: that it is pleasant to read. Screenshots of it were looked at when it was made.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from tests.whatif.report import answers
from whatif.answer import Answer
from whatif.report.page import page

SIZES = {"phone": (390, 844), "desk": (1280, 900)}
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")

MEASURE = """<script>
const root = document.documentElement;
document.querySelectorAll("details").forEach((each) => { each.open = OPEN; });
const wide = [...document.querySelectorAll("body *")].filter((each) => {
  if (each.closest("pre, .chips, .stack, svg") && !each.matches("pre, .chips, .stack, svg")) return false;
  return each.getBoundingClientRect().right > innerWidth + 1;
});
const found = {
  inner: innerWidth, scroll: root.scrollWidth, wide: wide.map((each) => each.outerHTML.slice(0, 200)),
  asked: performance.getEntriesByType("resource").map((each) => each.name),
  sticky: document.querySelector(".bar").getBoundingClientRect().height,
  background: getComputedStyle(document.body).backgroundColor, tiles: document.querySelectorAll(".tile").length,
  tile: document.querySelector(".tile rect").getBoundingClientRect().height,
};
const said = document.createElement("textarea");
said.id = "found"; said.textContent = JSON.stringify(found);
parent.document.body.append(said);
</script>"""

Chromium = Callable[..., subprocess.CompletedProcess[str]]


def browser(environment: Mapping[str, str]) -> str:
    """Its path. Skips the test where there is none, or fails it where nothing may be skipped."""
    for name in NAMES:
        if found := shutil.which(name, path=environment.get("PATH", "")):
            return found
    reason = f"no Chromium on PATH ({', '.join(NAMES)})"
    if environment.get("GKE_FLEET_NOTHING_SKIPPED"):
        pytest.fail(f"{reason}, and nothing may be skipped here")
    pytest.skip(reason)


def test_without_a_browser_it_is_said_or_refused() -> None:
    with pytest.raises(pytest.skip.Exception, match="no Chromium on PATH"):
        browser({"PATH": "/nowhere"})
    with pytest.raises(pytest.fail.Exception, match="nothing may be skipped here"):
        browser({"PATH": "/nowhere", "GKE_FLEET_NOTHING_SKIPPED": "1"})


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Chromium:
    """Runs the browser without a window on a file; its output and its log."""
    found = browser(os.environ)

    def run(path: Path, size: tuple[int, int], *flags: str) -> subprocess.CompletedProcess[str]:
        command = [
            found, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            "--disable-dev-shm-usage", "--enable-logging=stderr",
            f"--user-data-dir={tmp_path_factory.mktemp('profile')}", f"--window-size={size[0]},{size[1]}",
            *flags, path.as_uri(),
        ]  # fmt: skip
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    return run


def measured(
    chromium: Chromium, folder: Path, text: str, size: tuple[int, int], *, is_open: bool
) -> dict[str, Any]:
    """What a script sees in a copy of the page that lets it run.

    A window is 500 pixels wide at least, whatever it is told; a frame in it has the width that it is given.
    """
    copy = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    assert copy != text
    copy = copy.replace("</body>", MEASURE.replace("OPEN", str(is_open).lower()) + "</body>")
    path = folder / "frame.html"
    frame = f'<iframe width="{size[0]}" height="{size[1]}" style="border:0" srcdoc="{escape(copy)}"></iframe>'
    path.write_text(f'<!doctype html><meta charset="utf-8"><body style="margin:0">{frame}</body>')
    said = chromium(path, size, "--dump-dom").stdout
    found = re.search(r'<textarea id="found">(.*?)</textarea>', said, re.DOTALL)
    assert found, said[-2_000:]
    result: dict[str, Any] = json.loads(unescape(found[1]))
    return result


def overlong() -> Answer:
    """Names that no line can hold."""
    answer = answers.dozen()
    names = {each: f"{each}-{'very' * 60}-long" for each in answer.head.clusters}
    changes = tuple(
        each.model_copy(update={"cluster": names.get(each.cluster, "x" * 500)}) for each in answer.changes
    )
    head = answer.head.model_copy(update={"clusters": tuple(names.values()), "label": "refs/" + "x" * 300})
    radius = answer.radius.model_copy(update={"change": "f" * 300})
    return answer.model_copy(update={"changes": changes, "head": head, "stack": "s" * 300, "radius": radius})


@pytest.mark.parametrize(
    ("make", "at"),
    [
        (answers.dozen, "phone"), (answers.dozen, "desk"), (overlong, "phone"), (overlong, "desk"),
        (lambda: answers.large(300, 8), "phone"),
    ],
    ids=["dozen, phone", "dozen, desk", "long names, phone", "long names, desk", "large, phone"],
)  # fmt: skip
def test_nothing_runs_over_the_side(
    chromium: Chromium, tmp_path: Path, make: Callable[[], Answer], at: str
) -> None:
    answer, size = make(), SIZES[at]
    found = measured(chromium, tmp_path, page(answer), size, is_open=len(answer.head.clusters) < 100)
    assert found["inner"] == size[0]
    assert found["scroll"] == found["inner"]
    assert found["wide"] == []
    assert found["asked"] == []
    assert found["sticky"] < size[1] / 8
    assert found["tiles"] >= len(answer.head.clusters)
    assert found["tile"] > 12
    assert found["background"] == "rgb(255, 255, 255)"


def test_the_page_itself_is_shown_without_a_complaint(chromium: Chromium, tmp_path: Path) -> None:
    """With its own policy: what the policy refuses would be in the log."""
    path = tmp_path / "page.html"
    path.write_text(page(overlong()))
    shown = chromium(path, SIZES["phone"], f"--screenshot={tmp_path / 'shown.png'}")
    assert "CONSOLE" not in shown.stderr, shown.stderr
    assert (tmp_path / "shown.png").read_bytes()[:4] == b"\x89PNG"


def test_a_script_on_the_page_would_not_run(chromium: Chromium, tmp_path: Path) -> None:
    """Were something to break the escaping, the policy stands behind it. This is what the log looks like then."""
    path = tmp_path / "page.html"
    added = "<script>document.title = 'ran'</script><img src='https://127.0.0.1:1/x.png'></body>"
    path.write_text(page(answers.small()).replace("</body>", added))
    shown = chromium(path, SIZES["phone"], "--dump-dom")
    assert "<title>What-if: prod</title>" in shown.stdout
    assert "CONSOLE" in shown.stderr
    assert "Content Security Policy" in shown.stderr


def test_dark_where_the_reader_likes_it_dark(chromium: Chromium, tmp_path: Path) -> None:
    forced = page(answers.dozen()).replace("@media (prefers-color-scheme: dark)", "@media all")
    assert "@media all" in forced
    dark = measured(chromium, tmp_path, forced, SIZES["phone"], is_open=False)["background"]
    assert dark == "rgb(15, 19, 23)"
