"""The comment. Not proven here: how GitHub draws it. `checks.read_markdown` refuses what this project does
not write."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from tests.whatif.report import answers
from tests.whatif.report.checks import hidden, read_markdown
from whatif.answer import Answer
from whatif.report.markdown import LIMIT, code, fenced, markdown, marker


def test_the_comment_of_a_dozen_clusters(snapshot: SnapshotAssertion) -> None:
    text = markdown(answers.dozen())
    read_markdown(text)
    assert text == snapshot


def test_nothing_changes() -> None:
    text = markdown(answers.small())
    read_markdown(text)
    assert "**Nothing changes**" in text
    assert "mermaid" not in text
    assert "<details>" not in text


def test_clusters_with_the_same_change_are_one_row() -> None:
    text = markdown(answers.large(200, 1))
    rows = [line for line in text.split("\n") if line.startswith("| `add-on-00`")]
    assert len(rows) == 4  # one a ring
    assert rows[0].startswith(
        "| `add-on-00` | version `1.0.0` \N{RIGHTWARDS ARROW} `1.1.0` | `dev` | 50: `cluster-0000"
    )
    assert rows[0].endswith("and 38 more |")


def test_beyond_forty_clusters_a_ring_is_one_box() -> None:
    assert 'c0["cluster-0000' in markdown(answers.large(40, 1))
    text = markdown(answers.large(44, 1))
    assert 'r0["ring dev<br/>11 of 11 clusters change<br/>11 to another version"]:::version' in text
    assert "c0[" not in text


@pytest.mark.parametrize("alike", [True, False], ids=["one difference", "each its own"])
def test_a_thousand_clusters_fit_and_what_does_not_is_counted(alike: bool) -> None:
    answer = answers.large(alike=alike)
    text = markdown(answer)
    assert len(text.encode("utf-16-le")) // 2 < LIMIT
    assert len(text) > LIMIT * 0.8, "there was room for more"
    read_markdown(text)
    rows = sum(1 for line in text.split("\n") if re.match(r"\| `add-on-\d\d` \|", line))
    if alike:
        assert rows == 20 * 4
    else:
        assert (
            f"{20_000 - rows:,} more Applications not shown here; the JSON document has all of them." in text
        )
        steps = text.count("@@ ~ kubernetes")
        assert f"{1_000 - steps:,} more resources not shown here" in text
    assert re.search(r"\d+ more lines; the JSON document has all of them\.", text)
    assert re.search(r"\d+ more messages not shown here", text)


def test_the_acknowledgement_is_the_stack_files() -> None:
    text = markdown(answers.dozen())
    written = text.split("```yaml\n")[1].split("```")[0]
    said = yaml.safe_load(written)["config"]["gke-fleet:acknowledged"]
    assert said == [{"change": answers.FINGERPRINT, "reason": "why it is right all the same"}]
    assert "`stacks/Pulumi.prod.yaml` of the base branch, with" in text
    trusted = markdown(answers.dozen().model_copy(update={"confined": None}))
    assert "`stacks/Pulumi.prod.yaml`, with" in trusted


def test_within_the_limits_nothing_is_to_acknowledge() -> None:
    answer = answers.dozen()
    radius = answer.radius.model_copy(update={"limits": answer.radius.limits[:1]})
    text = markdown(answer.model_copy(update={"radius": radius}))
    assert "Within its limit." in text
    assert "acknowledged" not in text


def test_an_acknowledged_change_says_why() -> None:
    answer = answers.dozen()
    radius = answer.radius.model_copy(update={"acknowledged": "the mirror moves"})
    text = markdown(answer.model_copy(update={"radius": radius}))
    assert "Acknowledged all the same: `the mirror moves`" in text
    assert "blast radius is over" not in text
    assert "```yaml" not in text


@pytest.mark.parametrize("text", answers.HOSTILE)
def test_a_code_span_holds_anything(text: str) -> None:
    span = code(text)
    assert re.fullmatch(r"`[^`|\n]+`", span), span
    assert hidden(span) == set()


@given(st.text(st.characters(codec="utf-8")))
def test_a_fence_holds_anything(text: str) -> None:
    lines = fenced([text, "```" + text], "diff").split("\n")
    assert lines[0] == "```diff"
    assert [position for position, line in enumerate(lines) if "```" in line] == [0, 3]


@given(st.text(st.characters(codec="utf-8")))
@example("prod --> <b>")
def test_the_marker_is_one_comment(stack: str) -> None:
    assert re.fullmatch(r"<!-- gke-fleet what-if [A-Za-z0-9._-]* -->", marker(stack))


@answers.QUICK
@given(answers.hostile())
def test_no_text_of_an_answer_leaves_its_code_span(answer: Answer) -> None:
    text = markdown(answer)
    assert len(text) < LIMIT
    assert hidden(text) == set()
    outside = read_markdown(text)
    for word in ("octocat", "script", "evil", "approved", "alert"):
        assert word not in outside.replace("approved environment", "")
