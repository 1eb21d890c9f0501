"""One entry of a file turned into its type, with each mistake as a Problem that says what to do.

Owns the translation of pydantic's errors into the words of this project. Validation runs in JSON mode: strict
about types, yet lists become tuples and words become enums.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar, overload

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from model.document import Document, Step
from model.problems import Problem, did_you_mean

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


@overload
def parsed(
    kind: type[M],
    document: Document,
    at: tuple[Step, ...],
    raw: Any,
    problems: list[Problem],
    short: Mapping[str, str] = ...,
) -> M | None: ...
@overload
def parsed(
    kind: TypeAdapter[T],
    document: Document,
    at: tuple[Step, ...],
    raw: Any,
    problems: list[Problem],
    short: Mapping[str, str] = ...,
) -> T | None: ...
def parsed(
    kind: Any,
    document: Document,
    at: tuple[Step, ...],
    raw: Any,
    problems: list[Problem],
    short: Mapping[str, str] = MappingProxyType({}),
) -> Any:
    """`raw`, which stands at path `at` of a file, as a `kind`; None where it is wrong, and `problems`
    grows.

    `short`: section -> key, for sections whose entries may be that key's value alone: with `{"rings": "version"}`
    `rings: {canary: 1.3.2}` is read as `rings: {canary: {version: 1.3.2}}`.
    """
    raw, spelled = _spelled_out(raw, short)
    text = json.dumps(raw)
    try:
        if isinstance(kind, TypeAdapter):
            return kind.validate_json(text, strict=True)
        return kind.model_validate_json(text)
    except ValidationError as error:
        model = kind if isinstance(kind, type) else None
        details = error.errors()
        problems += [
            _problem(document, at, model, one, spelled) for one in details if not _follows(one, details)
        ]
        return None


def mapping(document: Document, problems: list[Problem], keys: Iterable[str]) -> dict[str, Any]:
    """The content of a file as a map; what is unknown or missing at the top becomes a problem."""
    content = document.content
    if content is None and document.problems:
        return {}
    if not isinstance(content, dict):
        why = "the file is empty" if content is None else "the file has to be a map"
        problems.append(document.problem((), None, why, f"give it the keys {', '.join(keys)}"))
        return {}
    known = list(keys)
    for key in content:
        if key not in known:
            problems.append(document.problem((key,), None, "there is no such key", did_you_mean(key, known)))
    return content


def section(document: Document, problems: list[Problem], content: dict[str, Any], key: str) -> dict[str, Any]:
    """A part of a file that is a map by name; empty where it is missing or something else."""
    found = content.get(key, {})
    if isinstance(found, dict):
        return found
    problems.append(
        document.problem((key,), found, f"{key} is a map by name", "write `NAME:` and its entry under it")
    )
    return {}


def _spelled_out(raw: Any, short: Mapping[str, str]) -> tuple[Any, set[tuple[Step, ...]]]:
    """`raw` without short forms, and the paths of what was spelled out."""
    spelled: set[tuple[Step, ...]] = set()
    if not isinstance(raw, dict):
        return raw, spelled
    result = dict(raw)
    for name, key in short.items():
        entries = raw.get(name)
        if isinstance(entries, dict):
            bare = {entry for entry, value in entries.items() if not isinstance(value, dict | list)}
            result[name] = {
                entry: {key: value} if entry in bare else value for entry, value in entries.items()
            }
            spelled |= {(name, entry, key) for entry in bare}
    return result, spelled


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Whether an error says only that a list is too short because its entries are wrong."""
    at = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(at) and other["loc"][: len(at)] == at for other in details
    )


def _problem(
    document: Document, at: tuple[Step, ...], model: Any, detail: ErrorDetails, spelled: set[tuple[Step, ...]]
) -> Problem:
    inner = tuple(step for step in detail["loc"] if step != "[key]")
    path = (*at, *(inner[:2] if inner in spelled else inner))
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "configuration":
        return document.problem(path, value, context["why"], context["remedy"])
    if kind == "extra_forbidden":
        known = _keys(_model_at(model, inner[:-1]))
        return document.problem(path, None, "there is no such key", did_you_mean(str(inner[-1]), known))
    field = _field_at(model, inner)
    meaning = field.description if field is not None and field.description else "see the entry beside it"
    if kind == "missing":
        return document.problem(path, None, "it is missing", f"add `{inner[-1]}:` {meaning}")
    if kind == "string_type":
        return document.problem(path, value, _not_text(value), _quoted(document, path, value, meaning))
    if kind == "too_short" and not value:
        return document.problem(path, None, "nothing is in it", f"give {meaning}")
    if kind == "enum":
        words = _words(field)
        return document.problem(path, value, "there is no such choice", did_you_mean(str(value), words))
    if kind == "bool_type":
        why = f"{_noun(value)} stands where true or false belongs"
        return document.problem(path, value, why, f"write true or false, without quotes: {meaning}")
    if kind in {"int_type", "int_from_float"}:
        why = f"{_noun(value)} stands where a whole number belongs"
        return document.problem(path, value, why, f"write a whole number, without quotes: {meaning}")
    if kind == "tuple_type":
        why = f"{_noun(value)} stands where a list belongs"
        return document.problem(path, value, why, f"write a list: {meaning}")
    if kind == "string_pattern_mismatch":
        return document.problem(path, value, "it has not the form that belongs there", f"write {meaning}")
    if kind in {"model_type", "dict_type"}:
        why = f"{_noun(value)} stands where a map belongs"
        return document.problem(path, value, why, f"write keys and values under it: {meaning}")
    return document.problem(path, value, _lower_first(detail["msg"]), f"give {meaning}")


def _not_text(value: Any) -> str:
    return f"{_noun(value)} stands where text belongs"


def _quoted(document: Document, path: tuple[Step, ...], value: Any, meaning: str) -> str:
    if isinstance(value, bool | int | float):
        spelling = document.spellings.get(path)
        return f'put it in quotes: "{spelling.text if spelling else value}"'
    return f"write text: {meaning}"


def _noun(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {
        bool: "yes or no",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a map",
    }
    return names.get(type(value), type(value).__name__)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _keys(model: Any) -> list[str]:
    if isinstance(model, type) and issubclass(model, BaseModel):
        return [field.alias or name for name, field in model.model_fields.items()]
    return []


def _field_at(model: Any, path: tuple[Step, ...]) -> FieldInfo | None:
    """The field that a path ends at or passes last."""
    field: FieldInfo | None = None
    for step in path:
        found = _field(model, step)
        field = found or field
        model = _inner(found.annotation if found else model)
    return field


def _model_at(model: Any, path: tuple[Step, ...]) -> Any:
    for step in path:
        found = _field(model, step)
        model = _inner(found.annotation if found else model)
    return model


def _field(model: Any, step: Step) -> FieldInfo | None:
    if isinstance(model, type) and issubclass(model, BaseModel):
        for name, field in model.model_fields.items():
            if step == (field.alias or name):
                return field
    return None


def _inner(annotation: Any) -> Any:
    """The model inside a field's type: of `dict[str, Override]`, `Network | None` or `tuple[X, ...]`."""
    if not typing.get_args(annotation):
        return annotation
    for argument in reversed(typing.get_args(annotation)):
        found = _inner(argument)
        if isinstance(found, type) and issubclass(found, BaseModel):
            return found
    return None


def _words(field: FieldInfo | None) -> list[str]:
    if field is None:
        return []
    for candidate in (field.annotation, *typing.get_args(field.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Enum):
            return [str(member.value) for member in candidate]
    return []
