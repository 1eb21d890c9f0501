"""The terminal's form."""

from __future__ import annotations

import io
import re

from hypothesis import given
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from tests.whatif.report import answers
from tests.whatif.report.checks import hidden
from whatif.answer import Answer
from whatif.report.text import print_answer


def printed(answer: Answer, *, colours: bool = False) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=140, force_terminal=colours, color_system="truecolor" if colours else None
    )
    print_answer(answer, console)
    return out.getvalue()


def test_the_text_of_a_dozen_clusters(snapshot: SnapshotAssertion) -> None:
    assert printed(answers.dozen()) == snapshot


def test_a_large_fleet_is_a_few_lines() -> None:
    answer = answers.large(1_000, 5).model_copy(update={"manifests": None, "diagnostics": ()})
    lines = printed(answer).split("\n")
    assert len(lines) < 150
    assert any("250: cluster-0000-of-a-region" in line for line in lines)
    assert any("1,000: cluster-cluster-0000" in line and "and 992 more" in line for line in lines)


def test_markup_is_text() -> None:
    answer = answers.dozen().model_copy(update={"confined": "[bold red]x[/] [link=https://a]y[/link] :tada:"})
    assert "[bold red]x[/] [link=https://a]y[/link] :tada:" in printed(answer, colours=True)


@answers.QUICK
@given(answers.hostile())
def test_no_text_of_an_answer_reaches_the_terminal_as_a_command(answer: Answer) -> None:
    assert hidden(printed(answer)) == set()
    coloured = printed(answer, colours=True)
    assert hidden(re.sub(r"\x1b\[[0-9;]*m", "", coloured)) == set()
    # Only the styles of this report: no hyperlink, no blinking, nothing hidden.
    assert set(re.findall(r"\x1b\[([0-9;]*)m", coloured)) <= {
        "0",
        "1",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "1;31",
    }
