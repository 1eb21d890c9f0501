"""The page, read by an HTML parser. How a browser draws it is shown in test_browser.py."""

from __future__ import annotations

import base64
import hashlib

from hypothesis import given

from tests.whatif.report import answers
from tests.whatif.report.checks import Page, hidden
from whatif.answer import Answer
from whatif.report.element import element
from whatif.report.page import page


def test_the_page_of_a_dozen_clusters() -> None:
    said = "\n".join(Page(page(answers.dozen())).said)
    for cluster in (*(each for ring in answers.RINGS.values() for each in ring), answers.LEFT):
        assert cluster in said
    for word in (
        "refused",
        "orphaned",
        "replicaCount: 1 -> 2",
        answers.FINGERPRINT,
        "chart-pinned",
        "confined",
    ):
        assert word in said
    assert "same-one" not in said


def test_the_policy_allows_the_style_of_the_page_and_nothing_else() -> None:
    text = page(answers.small())
    sheet = text.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    wanted = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert Page(text).policy == wanted
    assert "url(" not in sheet
    assert "@import" not in sheet


def test_every_cluster_of_a_large_fleet_is_on_the_page() -> None:
    answer = answers.large(500, 3)
    said = "\n".join(Page(page(answer)).said)
    assert all(name in said for name in answer.head.clusters)


def test_a_text_and_an_attribute_are_escaped() -> None:
    made = element("p", "<b>&\"'", class_="a\" onload='x'")
    assert made == '<p class="a&quot; onload=&#x27;x&#x27;">&lt;b&gt;&amp;&quot;&#x27;</p>'


@answers.QUICK
@given(answers.hostile())
def test_no_text_of_an_answer_becomes_markup(answer: Answer) -> None:
    text = page(answer)
    assert hidden(text) == set()
    Page(text)
