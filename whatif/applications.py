"""The difference between two revisions in Applications, read from what the program exports of each.

Owns what counts as a difference and what becomes of what a removed Application had delivered. Does not own the outputs
(`model.exported`). They may be those of an older revision: where it does not say what an Application delivers, no
change of that is claimed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from whatif.answer import Application, Change, ChangeKind, Difference, Effect
from whatif.value_lines import value_lines

Outputs = Mapping[str, Any]
"""Outputs of a stack by name, as `pulumi stack export` has them."""

_Key = tuple[str, str, str]
_ORDER = (ChangeKind.RING, ChangeKind.VERSION, ChangeKind.VALUES)


class UnreadableOutputs(ValueError):
    """The outputs of a revision are not those of this program."""


def applications(outputs: Outputs) -> tuple[Application, ...]:
    """The Applications that a revision exports, in its order. Raises UnreadableOutputs."""
    given = outputs.get("applications", ())
    if not isinstance(given, list | tuple):
        raise UnreadableOutputs(
            f"stack output applications: {type(given).__name__} stands where a list belongs. "
            "Compare with a revision, or an export, of this program"
        )
    return tuple(_application(index, one) for index, one in enumerate(given))


def _application(index: int, given: Any) -> Application:
    known = given if isinstance(given, Mapping) else {}
    try:
        return Application.model_validate(
            {key: known[key] for key in Application.model_fields if key in known}
        )
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(step) for step in first["loc"])
        raise UnreadableOutputs(
            f"stack output applications[{index}].{at}: {first['msg']}. Compare with a revision, or an export, of this "
            "program"
        ) from None


def changes(base: Outputs, head: Outputs, destroyed_clusters: Collection[str] = ()) -> tuple[Change, ...]:
    """What becomes different of Applications from `base` to `head`, by cluster, then by Application.

    `destroyed_clusters`: names of clusters that go in this change, with all that runs on them. Raises
    UnreadableOutputs.
    """
    return _Comparison(base, head, destroyed_clusters).changes()


class _Comparison:
    def __init__(self, base: Outputs, head: Outputs, destroyed: Collection[str]) -> None:
        self._base, self._head = _by_key(base), _by_key(head)
        self._kept_before, self._kept = _kept(base), _kept(head)
        self._texts_before, self._texts = _texts(base), _texts(head)
        self._destroyed = frozenset(destroyed)

    def changes(self) -> tuple[Change, ...]:
        keys = {*self._base, *self._head}
        found = [self._of(key, self._base.get(key), self._head.get(key)) for key in keys]
        made = [change for change in found if change is not None]
        return tuple(sorted(made, key=lambda one: (one.cluster, one.application, one.addon)))

    def _of(self, key: _Key, before: Application | None, after: Application | None) -> Change | None:
        was = before is not None and not before.removing
        if after is not None and not after.removing:
            if before is None or not was:
                return _made(key, ChangeKind.ADDED, None, after.version)
            return self._between(key, before, after)
        # What an earlier change left there on purpose still carries the mark of its Application, and is pruned as
        # soon as that stands on the empty source.
        pruned_later = before is None and after is not None and key[0] in self._kept_before
        if not was and not pruned_later:
            return None
        version = before.version if before is not None else None
        return _made(key, ChangeKind.REMOVED, version, None, effect=self._effect(key, after))

    def _effect(self, key: _Key, after: Application | None) -> Effect:
        application, cluster, _ = key
        if after is not None or cluster in self._destroyed:
            return Effect.PRUNED
        return Effect.KEPT if application in self._kept else Effect.ORPHANED

    def _between(self, key: _Key, before: Application, after: Application) -> Change | None:
        differ = {
            ChangeKind.RING: (before.ring, after.ring),
            ChangeKind.VERSION: (before.version, after.version),
        }
        found = [_difference(kind, old, new) for kind, (old, new) in differ.items() if old != new]
        details: tuple[str, ...] = ()
        if self._delivers_other(before, after):
            found.append(_difference(ChangeKind.VALUES, before.values, after.values))
            details = self._details(before, after)
        if not found:
            return None
        first, *rest = sorted(found, key=lambda one: _ORDER.index(one.change))
        return _made(key, first.change, first.from_, first.to, also=tuple(rest), details=details)

    def _delivers_other(self, before: Application, after: Application) -> bool:
        """Whether something beside version and ring differs, as far as both revisions say."""
        if before.namespace != after.namespace:
            return True
        return before.values is not None and after.values is not None and before.values != after.values

    def _details(self, before: Application, after: Application) -> tuple[str, ...]:
        old, new = (
            _read(texts.get(one.values or ""))
            for texts, one in ((self._texts_before, before), (self._texts, after))
        )
        if old is not None and new is not None:
            try:
                return value_lines(old, new)
            except RecursionError:
                return ("they are nested too deeply to be shown",)
        if before.namespace != after.namespace:
            return value_lines({"namespace": before.namespace}, {"namespace": after.namespace})
        return ()


def _kept(outputs: Outputs) -> frozenset[str]:
    given = outputs.get("kept")
    return frozenset(str(name) for name in given) if isinstance(given, list | tuple) else frozenset()


def _texts(outputs: Outputs) -> Mapping[str, Any]:
    given = outputs.get("values")
    return given if isinstance(given, Mapping) else {}


def _read(text: Any) -> Mapping[str, Any] | None:
    """What a text says; None where it is none, or not of this program."""
    try:
        read = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, Mapping) else None


def _by_key(outputs: Outputs) -> dict[_Key, Application]:
    return {(one.application, one.cluster, one.addon): one for one in applications(outputs)}


def _difference(kind: ChangeKind, before: str | None, after: str | None) -> Difference:
    return Difference.model_validate({"change": kind, "from": before, "to": after})


def _made(key: _Key, kind: ChangeKind, before: str | None, after: str | None, **more: Any) -> Change:
    application, cluster, addon = key
    named = {"application": application, "cluster": cluster, "addon": addon}
    return Change.model_validate({**named, "change": kind, "from": before, "to": after, **more})
