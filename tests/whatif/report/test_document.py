"""The JSON document: written, and read again from anybody."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from tests.whatif.report import answers
from whatif.answer import Answer
from whatif.report.document import MOST_BYTES, Refused, document, read
from whatif.report.masking import masked_answer


def test_the_documented_fields() -> None:
    found = document(answers.dozen())
    assert found["answer_version"] == 1
    assert {"application", "cluster", "addon", "version", "namespace", "ring"} <= set(
        found["applications"][0]
    )
    assert set(found["policies"][0]) == {"rule", "level", "urn", "message"}
    assert found["providers"] == {"gcp": 1, "kubernetes": 11}
    assert found["summary"] == {"update": 11, "replace": 1, "same": 21}
    assert found["notices"] == ["old", "madrid-old leaves: nobody looks after it"]
    step = next(each for each in found["steps"] if each["op"] == "replace")
    assert step["name"] == "dev-tokyo"
    assert (
        step["detailed_diff"]
        == step["detailedDiff"]
        == {"location": {"kind": "update-replace", "inputDiff": True}}
    )
    assert step["replaceReasons"] == ["location"]
    removed = next(each for each in found["changes"] if each["change"] == "removed")
    assert set(removed) == {
        "application",
        "cluster",
        "addon",
        "change",
        "from",
        "to",
        "effect",
        "also",
        "details",
    }
    assert (removed["from"], removed["to"], removed["effect"]) == ("2.10.0", None, "orphaned")
    assert found["radius"]["change"] == answers.FINGERPRINT
    assert "applications" not in found["head"]
    assert len(found["base"]["applications"]) == len(answers.dozen().base.applications)
    assert found["manifests"][0]["from"] == "2.10.0"


@pytest.mark.parametrize("make", [answers.small, answers.dozen, lambda: answers.large(100, 20, alike=False)])
def test_what_is_written_is_read(make: Callable[[], Answer]) -> None:
    answer = make()
    assert read(json.dumps(document(answer))) == answer


def test_the_resources_of_the_command_are_not_read() -> None:
    with_resources = document(answers.small()) | {"resources": [{"urn": "x", "inputs": {"a": [1]}}]}
    assert read(with_resources) == answers.small()


@answers.QUICK
@given(answers.hostile())
def test_round_trip(answer: Answer) -> None:
    written = document(answer)
    again = read(json.dumps(written).encode())
    assert again == masked_answer(answer)
    assert document(again) == written


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def wrong(path: str, value: Any) -> Callable[[], Any]:
    """A document of the dozen with `value` at `path`, such as "changes.0.change"."""

    def make() -> Any:
        found = json.loads(json.dumps(document(answers.dozen())))
        *parents, last = (int(each) if each.isdigit() else each for each in path.split("."))
        target = found
        for each in parents:
            target = target[each]
        target[last] = value
        return found

    return make


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (wrong("changes.0.change", "harmless"), "changes[0].change: Input should be 'added', "),
        (wrong("changes.0.cluster", 3), "changes[0].cluster: Input should be a valid string"),
        (wrong("pull_request", 7), "pull_request: Extra inputs are not permitted"),
        (wrong("radius.pull_request", 7), "radius.pull_request: Extra inputs are not permitted"),
        (
            wrong("applications.0.removing", "yes"),
            "applications[0].removing: Input should be a valid boolean",
        ),
        (wrong("applications", None), "applications: "),
        (wrong("head", []), "head: an object is wanted"),
        (wrong("base", "x"), "base: Input should be an object"),
        (wrong("steps", {"a": 1}), "steps: Input should be a valid array"),
        (wrong("steps.0", 1), "steps[0]: Input should be an object"),
        (wrong("exit_code", "0"), "exit_code: Input should be a valid integer"),
        (wrong("exit_code", True), "exit_code: Input should be a valid integer"),
        (wrong("summary.update", 10**30), "summary.update: a number beyond"),
        (wrong("head.gateway", 1e300), "head.gateway: a number beyond"),
        (wrong("stack", "x" * 2_001), "stack: String should have at most 2000 characters"),
        (wrong("stack", "\ud800"), "stack: half of a surrogate pair"),
        (wrong("notices", ["other"]), "notices: differs from head.notices"),
        (wrong("providers", {}), "providers: differs from head.providers"),
        (wrong("answer_version", 2), "answer_version: 2 is not 1"),
        (wrong("answer_version", True), "answer_version: True is not 1"),
        (wrong("resources", deep(50)), "nested deeper than 40"),
        (wrong("steps.0.detailed_diff", deep(50)), "nested deeper than 40"),
        (dict, "answer_version: None is not 1"),
        (
            lambda: {"answer_version": 1},
            "applications: missing; head: missing; base: missing; steps: missing",
        ),
        (lambda: "[]", "the document is no JSON object"),
        (lambda: "[" * 100_000, "nested deeper"),
        (lambda: '{"a": NaN}', "NaN is no number of JSON"),
        (lambda: '{"a": ' + "1" * 5_000 + "}", "the document is no JSON in UTF-8"),
        (lambda: b"\xff\xfe", "the document is no JSON in UTF-8"),
        (lambda: b"", "the document is no JSON in UTF-8"),
        (lambda: b" " * (MOST_BYTES + 1), "20,000,001 bytes; 20,000,000 are the most"),
    ],
)
def test_a_wrong_document_is_refused_by_its_field(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(Refused) as refused:
        read(make())
    assert said in str(refused.value)


def test_all_errors_at_once_and_none_that_writes_to_a_terminal() -> None:
    found = document(answers.dozen())
    found["changes"] = [{"\x1b[31m<b>": 1} for _ in range(100)]
    found["exit_code"] = None
    with pytest.raises(Refused) as refused:
        read(found)
    said = str(refused.value)
    assert "changes[0].application: Field required" in said
    assert "more" in said.rsplit(";", 1)[1]
    assert "\x1b" not in said
