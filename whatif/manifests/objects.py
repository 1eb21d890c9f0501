"""Rendered manifests as objects, and the difference between two sets of them.

Owns splitting and reading YAML, which object is the same one on both sides, and the unified diff of each, bounded,
with what is left out counted. Does not own rendering.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from whatif.manifests.delivered import Unrendered
from whatif.manifests.hidden import hide

RANDOM = "[random]"
"""Stands for what comes out differently each time a chart is rendered."""

_VERSION_LABELS = ("app.kubernetes.io/version", "helm.sh/chart")
"""Labels that differ on every object of another version of a chart, and say no more than the version."""

_CHANGED_LINES = 120
_WHOLE_LINES = 40
_DIFF_CHARACTERS = 300_000
_LINE_CHARACTERS = 400
_MOST_PARTS = 500_000
_DEEPEST = 100

_DOCUMENT = re.compile(r"^---(?:[ \t][^\n]*)?\r?$\n?", re.MULTILINE)
_COMMENTS = re.compile(r"\A(?:\s*#[^\n]*(?:\n|\Z)|\s*\n)+")

Object = dict[str, Any]

_LABELS_ALONE = f"changed, only the labels {' and '.join(_VERSION_LABELS)}"


class Identity(NamedTuple):
    """What makes an object the same one for a cluster: the version of its API does not."""

    kind: str
    namespace: str
    name: str
    group: str

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        words = f"{self.kind} {place}{self.name}"
        return "".join(mark if mark.isprintable() else "?" for mark in words)[:500]


@dataclass(frozen=True)
class Rendered:
    """Documents of one rendering. `again`: those of a second one, where it may come out differently."""

    documents: tuple[str, ...] = ()
    again: tuple[str, ...] | None = None


@dataclass
class Difference:
    """`objects`: a line for each object that differs; `diff`: a unified diff of them."""

    objects: list[str] = field(default_factory=list)
    diff: str = ""


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def split(text: str) -> tuple[str, ...]:
    """The documents of a stream of YAML, comments before them left out, empty ones too."""
    documents = (_COMMENTS.sub("", one).rstrip() for one in _DOCUMENT.split(text))
    return tuple(f"{one}\n" for one in documents if one)


class Comparison:
    """Comparing many pairs that have most objects in common: each document is read once, and each pair of objects
    is compared once."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[tuple[Identity, Object], ...]] = {}
        self._known: dict[tuple[Identity, int, int], tuple[str, list[str]]] = {}

    def compare(self, base: Rendered, head: Rendered) -> Difference:
        """What becomes different from `base` to `head`. Raises Unrendered where one of them is no YAML."""
        same = set(base.documents) & set(head.documents)
        is_steady = base.again is None and head.again is None
        sides = [self._side(side, same) for side in (base, head)]
        found = Difference()
        written: list[str] = []
        left, size, labels = [0, 0], 0, 0
        for identity in sorted({*sides[0], *sides[1]}):
            before, after = (side.get(identity) for side in sides)
            if before == after:
                continue
            key = (identity, id(before), id(after))
            how, lines = (self._known.get(key) if is_steady else None) or _one(identity, before, after)
            if is_steady:
                # What was read is kept, so that an id stays that of one object.
                self._known[key] = (how, lines)
            found.objects.append(f"{identity}: {how}")
            if not lines:
                labels += 1
                continue
            text = "\n".join(lines)
            if size + len(text) > _DIFF_CHARACTERS:
                left = [left[0] + 1, left[1] + len(lines)]
            else:
                written.append(text)
                size += len(text) + 1
        if labels:
            written.append(f"... {labels} objects: {_LABELS_ALONE}")
        if left[0]:
            written.append(f"... {left[0]} more objects, {left[1]} more lines")
        found.diff = "\n".join(written)
        return found

    def _side(self, rendered: Rendered, same: set[str]) -> dict[Identity, Object]:
        wanted = [one for one in rendered.documents if one not in same]
        if rendered.again is None:
            return self._objects(wanted)
        again = set(rendered.again)
        steady = self._objects(one for one in wanted if one in again)
        random = self._objects(one for one in wanted if one not in again)
        return steady | _blank(random, self._objects(again - set(rendered.documents)))

    def _objects(self, documents: Iterable[str]) -> dict[Identity, Object]:
        found: dict[Identity, Object] = {}
        for text in documents:
            if text not in self._read:
                self._read[text] = tuple((_identity(one), one) for one in _items(_loaded(text)))
            found.update(self._read[text])
        return found


def _one(identity: Identity, before: Object | None, after: Object | None) -> tuple[str, list[str]]:
    """How one object differs in a word and numbers, and the lines of its diff; none for labels of the version."""
    if before is not None and after is not None and _unlabelled(before) == _unlabelled(after):
        return _LABELS_ALONE, []
    lines = _unified(identity, *(_lines(side) for side in hide(before, after)))
    body = [line for line in lines[2:] if not line.startswith("@@")]
    added, removed = (sum(line.startswith(sign) for line in body) for sign in "+-")
    if before is None:
        return "added", _bounded(lines, _WHOLE_LINES)
    if after is None:
        return "removed", _bounded(lines, _WHOLE_LINES)
    return f"changed, +{added} -{removed} lines", _bounded(lines, _CHANGED_LINES)


def _unlabelled(one: Object) -> Object:
    """Without the labels of the version, its own and those of its pods."""
    made = {**one, "metadata": _without_labels(one.get("metadata"))}
    spec = one.get("spec")
    if isinstance(spec, dict) and isinstance(spec.get("template"), dict):
        template = spec["template"]
        made["spec"] = {
            **spec,
            "template": {**template, "metadata": _without_labels(template.get("metadata"))},
        }
    return made


def _without_labels(metadata: Any) -> Any:
    if not isinstance(metadata, dict) or not isinstance(metadata.get("labels"), dict):
        return metadata
    labels = {key: value for key, value in metadata["labels"].items() if key not in _VERSION_LABELS}
    return {**metadata, "labels": labels}


def _unified(identity: Identity, before: Sequence[str], after: Sequence[str]) -> list[str]:
    names = (str(identity) if before else "/dev/null", str(identity) if after else "/dev/null")
    return list(difflib.unified_diff(before, after, *names, lineterm=""))


def _lines(side: Any) -> list[str]:
    if side is None:
        return []
    text = yaml.dump(
        side, Dumper=_Dumper, sort_keys=True, default_flow_style=False, width=110, allow_unicode=True
    )
    return [_short(line) for line in text.splitlines()]


def _short(line: str) -> str:
    if len(line) <= _LINE_CHARACTERS:
        return line
    return f"{line[:_LINE_CHARACTERS]} ... {len(line) - _LINE_CHARACTERS} more characters"


def _bounded(lines: list[str], most: int) -> list[str]:
    if len(lines) <= most:
        return lines
    return [*lines[:most], f"... {len(lines) - most} more lines"]


def _loaded(text: str) -> Any:
    try:
        # A CSafeLoader makes data alone.
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:300]
        raise Unrendered(f"what was rendered is not YAML: {said}", "look at the add-on's templates") from None
    _measure(document, 0, [_MOST_PARTS])
    return document


def _measure(part: Any, depth: int, left: list[int]) -> None:
    """Refuse what aliases of YAML can make of a few lines: billions of parts."""
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST:
        raise Unrendered(
            f"an object has more than {_MOST_PARTS} parts, or more than {_DEEPEST} levels",
            "look at the add-on's templates",
        )
    for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _measure(one, depth + 1, left)


def _items(document: Any) -> Iterable[Object]:
    if not isinstance(document, dict):
        return
    items = document.get("items")
    if str(document.get("kind", "")).endswith("List") and isinstance(items, list):
        for one in items:
            yield from _items(one)
    else:
        yield document


def _identity(one: Mapping[str, Any]) -> Identity:
    metadata = one.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = metadata.get("name") or f"{metadata.get('generateName', '')}*"
    group = str(one.get("apiVersion", "")).rpartition("/")[0]
    return Identity(str(one.get("kind", "")), str(metadata.get("namespace") or ""), str(name), group)


def _blank(objects: Mapping[Identity, Object], again: Mapping[Identity, Object]) -> dict[Identity, Object]:
    """The objects with RANDOM wherever the second rendering says something else."""
    found: dict[Identity, Object] = {}
    for identity, one in objects.items():
        if identity in again:
            found[identity] = _steady(one, again[identity])
        else:
            # Its very name is new each time.
            metadata = {**(one.get("metadata") or {}), "name": RANDOM}
            found[identity._replace(name=RANDOM)] = {**one, "metadata": metadata}
    return found


def _steady(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: _steady(value, other.get(key)) for key, value in one.items()}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [_steady(*both) for both in zip(one, other, strict=True)]
    return one if one == other else RANDOM
