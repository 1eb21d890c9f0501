"""The JSON document of an answer, written for scripts and read again from anybody.

Owns its fields: those of `./fleet preview --format json` (README, "For scripts"), in which `applications`, `notices`
and `providers` are the head's, and beside them what only a comparison has. Does not own `resources`, which the
command adds, nor what is done with an answer.

A document may come out of a job that ran the program of a fork. `read` takes nothing on trust: size, depth, numbers,
every field and its type; what is right by that may still be a lie, and its texts are still hostile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from pydantic import ValidationError

from whatif.answer import Answer, Step
from whatif.report.masking import masked_answer
from whatif.report.plain import line

VERSION = 1
"""Of the document's form."""

MOST_BYTES = 20_000_000
MOST_DEPTH = 40
_MOST_NUMBER = 2**53
_MOST_ERRORS = 20
_ANSWER = (
    "stack", "changes", "policies", "new_policies", "fixed_policies", "radius", "summary", "diagnostics", "manifests",
    "exit_code", "confined",
)  # fmt: skip
_IGNORED = ("resources",)
"""What the command adds for scripts and no report reads."""

_STEP_NAMES = {
    "detailedDiff": "detailed_diff",
    "diffReasons": "diff_reasons",
    "replaceReasons": "replace_reasons",
}
"""The CLI's own name -> the field of `Step`."""


class Refused(Exception):
    """A document that is not one of these. Its text names each field that is wrong, and can be printed as it is."""


def document(answer: Answer) -> dict[str, Any]:
    """The document: plain JSON values, credentials masked.

    `base` and `head` are {label, resources, clusters, providers, gateway, costs, notices}; the Applications of the
    head are `applications`, those of the base stand in `base`. A step has each of the CLI's fields under the CLI's
    own name too.
    """
    shown = masked_answer(answer)
    whole = shown.model_dump(mode="json", by_alias=True, include=set(_ANSWER))
    head = shown.head.model_dump(mode="json", exclude={"applications"})
    return {
        "answer_version": VERSION,
        "stack": shown.stack,
        "applications": [one.model_dump(mode="json") for one in shown.head.applications],
        "notices": head["notices"],
        "policies": whole["policies"],
        "providers": head["providers"],
        "summary": whole["summary"],
        "changes": whole["changes"],
        "steps": [_step(one) for one in shown.steps],
        "new_policies": whole["new_policies"],
        "fixed_policies": whole["fixed_policies"],
        "radius": whole["radius"],
        "base": shown.base.model_dump(mode="json"),
        "head": head,
        "manifests": whole["manifests"],
        "diagnostics": whole["diagnostics"],
        "exit_code": whole["exit_code"],
        "confined": whole["confined"],
    }


def _step(step: Step) -> dict[str, Any]:
    fields = step.model_dump(mode="json", by_alias=True)
    return fields | {name: fields[field] for name, field in _STEP_NAMES.items()}


def read(written: bytes | str | Mapping[str, Any]) -> Answer:
    """The answer of a document, or of its text in UTF-8.

    Raises Refused: larger than `MOST_BYTES`, deeper than `MOST_DEPTH`, no JSON, another version, or a field that is
    unknown, missing or of another type.
    """
    found = _parsed(written) if isinstance(written, bytes | str) else written
    if not isinstance(found, Mapping):
        raise Refused("the document is no JSON object")
    _measure(found)
    version = found.get("answer_version")
    if type(version) is not int or version != VERSION:
        given = line(repr(version), 40)
        raise Refused(
            f"answer_version: {given} is not {VERSION}. Write and read the document with the same version of gke-fleet"
        )
    missing = [name for name in ("applications", "head", "base", "steps") if name not in found]
    if missing:
        raise Refused("; ".join(f"{name}: missing" for name in missing))
    if not isinstance(found["head"], Mapping):
        raise Refused("head: an object is wanted")
    for name in ("notices", "providers"):
        if found.get(name) != found["head"].get(name):
            raise Refused(f"{name}: differs from head.{name}")
    known = {
        *_ANSWER,
        *_IGNORED,
        "answer_version",
        "applications",
        "notices",
        "providers",
        "steps",
        "base",
        "head",
    }
    fields = {name: each for name, each in found.items() if name not in known or name in _ANSWER}
    fields["base"] = found["base"]
    fields["head"] = {**found["head"], "applications": found["applications"]}
    fields["steps"] = _steps(found["steps"])
    try:
        return Answer.model_validate_json(json.dumps(fields), strict=True)
    except ValidationError as error:
        raise Refused(_said(error)) from None


def _parsed(written: bytes | str) -> Any:
    if len(written) > MOST_BYTES:
        raise Refused(f"the document has {len(written):,} bytes; {MOST_BYTES:,} are the most")
    try:
        text = written.decode() if isinstance(written, bytes) else written
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise Refused(f"the document is nested deeper than {MOST_DEPTH}") from None
    except (UnicodeDecodeError, ValueError) as error:
        raise Refused(f"the document is no JSON in UTF-8: {line(str(error), 200)}") from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _measure(found: Mapping[str, Any]) -> None:
    """Depth, size of numbers, and letters that no UTF-8 text holds, without recursion."""
    waiting: list[tuple[Any, str, int]] = [(found, "", 1)]
    while waiting:
        value, where, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise Refused(f"{line(where, 200)}: nested deeper than {MOST_DEPTH}")
        if isinstance(value, Mapping):
            for name, each in value.items():
                _text(name, where)
                waiting.append((each, f"{where}.{name}" if where else name, depth + 1))
        elif isinstance(value, list | tuple):
            waiting += [(each, f"{where}[{position}]", depth + 1) for position, each in enumerate(value)]
        elif isinstance(value, str):
            _text(value, where)
        elif isinstance(value, int | float) and not -_MOST_NUMBER <= value <= _MOST_NUMBER:
            raise Refused(f"{line(where, 200)}: a number beyond {_MOST_NUMBER}")


def _text(value: str, where: str) -> None:
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Refused(f"{line(where, 200)}: half of a surrogate pair")


def _steps(found: Any) -> Any:
    """Without the second names. Validated by the model: what is no list of objects is passed on as it is."""
    if not isinstance(found, list):
        return found
    return [
        {name: each for name, each in step.items() if name not in _STEP_NAMES}
        if isinstance(step, Mapping)
        else step
        for step in found
    ]


def _said(error: ValidationError) -> str:
    wrong = error.errors(include_url=False, include_context=False, include_input=False)
    lines = []
    for each in wrong[:_MOST_ERRORS]:
        where = ""
        for part in each["loc"]:
            where += f"[{part}]" if isinstance(part, int) else f".{part}" if where else str(part)
        lines.append(
            f"{line(where.replace('head.applications', 'applications', 1), 200)}: {line(each['msg'], 200)}"
        )
    if len(wrong) > _MOST_ERRORS:
        lines.append(f"and {len(wrong) - _MOST_ERRORS:,} more")
    return "the document is refused: " + "; ".join(lines)
