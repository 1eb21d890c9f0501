"""What the Pulumi CLI said of a run, read out of its event log.

Owns reading the log, and how a value is shown: a secret never. Does not own what is made of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plugins.codec import SECRET_MARK, SIGNATURE, UNKNOWN_MARK
from whatif.answer import Policy, Step

GONE = frozenset({"delete", "discard", "remove-pending-replace", "delete-replaced", "discard-replaced"})
"""Operations after which a resource is not there."""
ROOT = "pulumi:pulumi:Stack"

_COLOURS = re.compile(r"<\{%.*?%\}>")
_PROVIDER = "pulumi:providers:"
_SHOWN_LENGTH = 160
_SIGNS = {"add": "+", "delete": "-", "update": "~"}


@dataclass
class Preview:
    """What the CLI said.

    `resources`: {urn, type, name, op, inputs} in the order of registration, secrets as "[secret]", what is
    not known before the update as "[unknown]". `policies`: {rule, level, urn, message}. `summary`: op ->
    number of resources. `diagnostics`: errors and warnings. `exit_code`: the CLI's own, 0 where nothing
    says no. `states`: each resource as its stack would hold it, with parent, provider and dependencies.
    `steps`: what happens to each resource. `parents`: URN -> URN of its parent. `outputs`: the stack's outputs.
    """

    resources: list[dict[str, Any]] = field(default_factory=list)
    policies: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, int] = field(default_factory=dict)
    diagnostics: list[str] = field(default_factory=list)
    exit_code: int = 0
    states: list[dict[str, Any]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    parents: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def providers(self) -> dict[str, int]:
        """package -> how many processes of its plugin the stack costs in an ordinary run.

        The engine starts one for each provider resource, its own default ones among them. On paper one serves
        all of a package.
        """
        return provider_processes(each["type"] for each in self.resources if each["op"] not in GONE)

    @property
    def warnings(self) -> list[str]:
        """What the program and the engine warn of, without the word warning."""
        return [line.removeprefix("warning: ") for line in self.diagnostics if line.startswith("warning: ")]


def provider_processes(types: Iterable[str]) -> dict[str, int]:
    """package -> number of provider resources among these type tokens."""
    found = Counter(each.removeprefix(_PROVIDER) for each in types if each.startswith(_PROVIDER))
    return dict(sorted(found.items()))


def read(events: Path, *, inputs: bool = True) -> Preview:
    """What the event log of one run says. A log that is not there says nothing.

    `inputs`: whether to look into those of each resource; without, there are no steps.
    """
    found = Preview()
    if not events.exists():
        return found
    with events.open() as lines:
        for line in lines:
            _take(found, json.loads(line), inputs)
    return found


def policies(document: str) -> list[dict[str, Any]]:
    """The findings in what `pulumi policy analyze --json` prints, one event a line."""
    found = []
    for line in document.splitlines():
        if line.startswith("{"):
            event = json.loads(line)
            if "policyEvent" in event:
                found.append(_policy(event["policyEvent"]))
    return found


def as_policies(found: Iterable[Mapping[str, Any]]) -> tuple[Policy, ...]:
    """Findings in the form of the answer."""
    return tuple(Policy.model_validate(dict(one)) for one in found)


def shown(value: Any) -> Any:
    """`value` without what is internal; "[secret]" and "[unknown]" in place of what is."""
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET_MARK or (SIGNATURE in value and "ciphertext" in value):
            return "[secret]"
        return {name: shown(each) for name, each in value.items() if not name.startswith("__")}
    if isinstance(value, list):
        return [shown(each) for each in value]
    return "[unknown]" if value == UNKNOWN_MARK else value


def _take(found: Preview, event: Mapping[str, Any], inputs: bool) -> None:
    if "resourcePreEvent" in event:
        metadata = event["resourcePreEvent"]["metadata"]
        found.resources.append(_resource(metadata, inputs))
        if inputs:
            found.steps.append(_step(metadata))
        parent = (metadata.get("new") or metadata.get("old") or {}).get("parent")
        if parent:
            found.parents[str(metadata["urn"])] = str(parent)
    elif "resOutputsEvent" in event:
        metadata = event["resOutputsEvent"]["metadata"]
        if metadata["type"] == ROOT:
            # The last one is the program's: with a stack that was there before, the engine repeats the old ones.
            found.outputs = shown((metadata.get("new") or {}).get("outputs") or {})
    elif "policyEvent" in event:
        found.policies.append(_policy(event["policyEvent"]))
    elif "diagnosticEvent" in event:
        said = event["diagnosticEvent"]
        if said.get("severity") in ("error", "warning") and not said.get("ephemeral"):
            found.diagnostics.append(f"{said['severity']}: {_plain(said.get('message', ''))}")
    elif "summaryEvent" in event:
        found.summary = dict(event["summaryEvent"].get("resourceChanges") or {})


def _resource(metadata: Mapping[str, Any], inputs: bool) -> dict[str, Any]:
    state = metadata.get("new") or metadata.get("old") or {}
    return {
        "urn": str(metadata["urn"]),
        "type": str(metadata["type"]),
        "name": name_of(str(metadata["urn"])),
        "op": str(metadata["op"]),
        "inputs": shown(state.get("inputs") or {}) if inputs else {},
    }


def name_of(urn: str) -> str:
    """The name in a URN. A name may hold "::" itself."""
    return urn.split("::", 3)[3]


def _step(metadata: Mapping[str, Any]) -> Step:
    urn, detailed = str(metadata["urn"]), metadata.get("detailedDiff")
    return Step(
        op=str(metadata["op"]),
        urn=urn,
        type=str(metadata["type"]),
        name=name_of(urn),
        detailed_diff={
            str(path): {"kind": str(one.get("diffKind", "")), "inputDiff": bool(one.get("inputDiff"))}
            for path, one in detailed.items()
        }
        if detailed
        else None,
        diff_reasons=tuple(metadata.get("diffs") or ()),
        replace_reasons=tuple(metadata.get("keys") or ()),
        lines=tuple(_lines(metadata, detailed or {})),
        digest=_digest((metadata.get("new") or {}).get("inputs") or {}),
    )


def _digest(inputs: Mapping[str, Any]) -> str:
    text = json.dumps(shown(inputs), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _lines(metadata: Mapping[str, Any], detailed: Mapping[str, Any]) -> Iterable[str]:
    """What is different, a line each, with the values before and after as far as they can be shown."""
    old = (metadata.get("old") or {}).get("inputs") or {}
    new = (metadata.get("new") or {}).get("inputs") or {}
    for path in sorted(detailed):
        kind = str(detailed[path].get("diffKind", ""))
        what, _, replaces = kind.partition("-")
        before, after = _short(_at(old, path)), _short(_at(new, path))
        sides = {"add": after, "delete": before}.get(what, f"{before} => {after}")
        yield f"{_SIGNS.get(what, '~')} {path}: {sides}{' (replaces)' if replaces else ''}"


def _at(value: Any, path: str) -> Any:
    """The value at a path of the engine's, as in `a.b[0]["x.y"]`; None where there is none."""
    for match in re.finditer(r"\[\"((?:[^\"\\]|\\.)*)\"\]|\[(\d+)\]|([^.\[\]]+)", path):
        if isinstance(value, Mapping) and SIGNATURE in value:
            return value
        quoted, index, name = match.groups()
        if index is not None:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
        else:
            key = quoted.replace('\\"', '"') if quoted is not None else name
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _short(value: Any) -> str:
    text = json.dumps(shown(value), ensure_ascii=False)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 3]}..."


def _policy(event: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rule": str(event.get("policyName", "")),
        "level": str(event.get("enforcementLevel", "")),
        "urn": str(event.get("resourceUrn", "")),
        "message": _plain(str(event.get("message", ""))),
    }


def _plain(text: str) -> str:
    """`text` without the engine's marks of colours."""
    return _COLOURS.sub("", text).strip()
