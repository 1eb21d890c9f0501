"""The parameters of rules: what a configuration may say, held against a small part of JSON schema.

Owns the reading of a policy's configuration, and how a mistake in it is worded: every one at once, with the
value and what to write. Does not own which parameters exist.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Schema = Mapping[str, Any]
"""``type`` (string, integer, number, boolean, array, object), ``description``, ``default``; ``enum``; ``items``
of an array; ``properties``, ``required`` and ``additionalProperties: False`` of an object."""

_TYPES: Final[Mapping[str, type]] = {"string": str, "boolean": bool, "array": list, "object": dict}
ALWAYS: Final = ("exemptions", "today")
"""What every rule's configuration may hold besides its parameters."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One mistake: where in the configuration, what stands there (None: nothing), why it is one, what to do."""

    path: str
    value: object
    why: str
    remedy: str

    def __str__(self) -> str:
        subject = self.path if self.value is None else f"{self.path} is {written(self.value)}"
        return f"{subject}: {self.why}; {self.remedy}"


class ConfigurationError(Exception):
    """A rule's configuration is none: every mistake with rule, field, value and remedy, one a line."""

    def __init__(self, rule: str, faults: Iterable[Fault]) -> None:
        super().__init__("\n".join(f"configuration of rule {rule}: {fault}" for fault in faults))


def parameter_faults(parameters: Mapping[str, Schema], given: Mapping[str, Any]) -> Iterator[Fault]:
    """Every mistake in the parameters of a configuration."""
    for name, value in given.items():
        if name in parameters:
            yield from faults(value, parameters[name], name)
        elif name not in ALWAYS:
            known = ", ".join((*parameters, *ALWAYS))
            yield Fault(
                path=name, value=value, why="there is no such parameter", remedy=f"the rule has {known}"
            )


def faults(value: object, schema: Schema, path: str) -> Iterator[Fault]:
    """Every place in `value` that is not as `schema` says."""
    wanted = schema.get("type")
    meaning = schema.get("description", "see the rule")
    if wanted and not _is(value, wanted):
        article = "an" if wanted[0] in "aio" else "a"
        yield Fault(
            path=path, value=value, why=f"{article} {wanted} belongs there", remedy=f"write {meaning}"
        )
        return
    if "enum" in schema and value not in schema["enum"]:
        choices = ", ".join(map(written, schema["enum"]))
        yield Fault(path=path, value=value, why="there is no such choice", remedy=f"write one of {choices}")
    if isinstance(value, list) and "items" in schema:
        for index, element in enumerate(value):
            yield from faults(element, schema["items"], f"{path}[{index}]")
    if isinstance(value, Mapping) and "properties" in schema:
        yield from _field_faults(value, schema, path)


def _field_faults(value: Mapping[str, Any], schema: Schema, path: str) -> Iterator[Fault]:
    properties: Mapping[str, Schema] = schema["properties"]
    for key in schema.get("required", ()):
        if key not in value:
            meaning = properties[key].get("description", "it")
            yield Fault(path=f"{path}.{key}", value=None, why="it is missing", remedy=f"write {meaning}")
    for key, inner in value.items():
        if key in properties:
            yield from faults(inner, properties[key], f"{path}.{key}")
        elif schema.get("additionalProperties") is False:
            known = ", ".join(properties)
            why = "there is no such field"
            yield Fault(path=f"{path}.{key}", value=inner, why=why, remedy=f"there are {known}")


def _is(value: object, wanted: str) -> bool:
    if wanted in ("number", "integer"):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and (wanted == "number" or float(str(value)).is_integer())
    return isinstance(value, _TYPES[wanted])


def written(value: object) -> str:
    """A value as JSON, on one line."""
    return json.dumps(value, ensure_ascii=True, default=str)
