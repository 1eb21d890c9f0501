"""From Applications that differ to rendered differences, each once for all clusters that it is the same on.

Owns which pairs are rendered, and the grouping. What is different on one cluster alone, such as its name in a value,
is a rendering of its own: nothing is guessed to be alike. What cannot be rendered is said, and fails nothing.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from whatif.answer import Change, ChangeKind, Effect, Manifest
from whatif.manifests.delivered import Delivered, Source, Unrendered, delivered
from whatif.manifests.objects import Comparison, Difference, Rendered
from whatif.manifests.reach import Reach, Sources
from whatif.manifests.render import render

_SECONDS = 600.0
"""How long all of it may take; what is left then is said to be left."""

_Asked = TypeVar("_Asked", bound=Hashable)
_Made = TypeVar("_Made")
_Outputs = Mapping[str, Any]


@dataclass(frozen=True)
class _Pair:
    """What an Application delivers in the base and the head; None where it delivers nothing."""

    addon: str
    versions: tuple[str | None, str | None]
    base: Delivered | None
    head: Delivered | None
    why_not: str | None = None


def manifests(
    base: _Outputs, head: _Outputs, changes: Iterable[Change], *, reach: Reach, say: Callable[[str], None]
) -> tuple[Manifest, ...]:
    """The rendered difference of every Application of `changes`; `base` and `head` are outputs of the stack.

    In the order of add-ons in `changes`. What stays on a cluster, kept or orphaned, is no difference, nor is what
    renders the same. Nothing is raised for what cannot be rendered: `why_not` of its Manifest says it.
    """
    clusters: dict[_Pair, list[str]] = {}
    sides = [_by_name(outputs) for outputs in (base, head)]
    for change in changes:
        pair = _pair(change, (base, head), sides)
        if pair is not None:
            clusters.setdefault(pair, []).append(change.cluster)
    if not clusters:
        return ()
    say(f"rendering {len(clusters)} differences of {len({pair.addon for pair in clusters})} add-ons")
    with tempfile.TemporaryDirectory(prefix="gke-fleet-manifests-", ignore_cleanup_errors=True) as folder:
        found = _compared(list(clusters), reach, Path(folder))
    return _grouped(clusters, found)


def _by_name(outputs: _Outputs) -> dict[str, Mapping[str, Any]]:
    listed = outputs.get("applications")
    entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return {str(one.get("application")): one for one in entries if not one.get("removing")}


def _pair(change: Change, outputs: Sequence[_Outputs], sides: Sequence[Mapping[str, Any]]) -> _Pair | None:
    """None where nothing becomes different on the cluster."""
    if change.change is ChangeKind.REMOVED and change.effect is not Effect.PRUNED:
        return None
    entries = [side.get(change.application) for side in sides]
    versions = tuple(None if one is None else str(one.get("version", "")) for one in entries)
    found: list[Delivered | None] = []
    why_not = None
    for one, said in zip(entries, outputs, strict=True):
        values = said.get("values")
        try:
            found.append(None if one is None else delivered(one, values if isinstance(values, dict) else {}))
        except Unrendered as error:
            found.append(None)
            why_not = str(error)
    if found[0] == found[1] and why_not is None:
        return None
    return _Pair(change.addon, (versions[0], versions[1]), found[0], found[1], why_not)


def _compared(pairs: Sequence[_Pair], reach: Reach, scratch: Path) -> list[Difference | str]:
    """In the order of `pairs`; a text is why one could not be rendered."""
    renderings = _Renderings(Sources(reach, scratch), scratch)
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 1)) as pool:
        return list(pool.map(renderings.difference, pairs))


def _grouped(
    clusters: Mapping[_Pair, Sequence[str]], found: Sequence[Difference | str]
) -> tuple[Manifest, ...]:
    """One Manifest for all clusters on which the same becomes different."""
    groups: dict[tuple[Hashable, ...], list[str]] = {}
    for (pair, names), difference in zip(clusters.items(), found, strict=True):
        if isinstance(difference, str):
            key: tuple[Hashable, ...] = (pair.addon, *pair.versions, (), "", difference[:4000])
        elif difference.objects:
            objects = [line[:2000] for line in difference.objects]
            key = (pair.addon, *pair.versions, tuple(objects), difference.diff, None)
        else:
            continue
        groups.setdefault(key, []).extend(names)
    made = [
        Manifest.model_validate(dict(zip(_FIELDS, key, strict=True)) | {"clusters": tuple(names)})
        for key, names in groups.items()
    ]
    order = {addon: number for number, addon in enumerate(dict.fromkeys(pair.addon for pair in clusters))}
    return tuple(sorted(made, key=lambda one: order[one.addon]))


_FIELDS = ("addon", "from", "to", "objects", "diff", "why_not")


class _Renderings:
    """Every source is got once, everything that is delivered is rendered once."""

    def __init__(self, sources: Sources, scratch: Path) -> None:
        self._sources = sources
        self._scratch = scratch
        self._until = time.monotonic() + _SECONDS
        self._got = _Once[Source, Path]()
        self._rendered = _Once[Delivered, Rendered]()
        self._comparison = Comparison()

    def difference(self, pair: _Pair) -> Difference | str:
        """What becomes different, or why that cannot be said."""
        if pair.why_not is not None:
            return pair.why_not
        try:
            return self._comparison.compare(self._side(pair.base), self._side(pair.head))
        except Unrendered as error:
            return str(error)

    def _side(self, wanted: Delivered | None) -> Rendered:
        return Rendered() if wanted is None else self._rendered.get(wanted, self._render)

    def _render(self, wanted: Delivered) -> Rendered:
        if time.monotonic() > self._until:
            raise Unrendered(
                f"there was no time left: it took {_SECONDS:.0f} seconds", "change fewer add-ons at once"
            )
        got = self._got.get(wanted.source, self._sources.get)
        return render(wanted, self._sources, got, Path(tempfile.mkdtemp(dir=self._scratch)))


class _Once(Generic[_Asked, _Made]):
    """What is made of each thing once, whichever thread asks first; a failure is made once too."""

    def __init__(self) -> None:
        self._made: dict[_Asked, Future[_Made]] = {}
        self._lock = threading.Lock()

    def get(self, asked: _Asked, make: Callable[[_Asked], _Made]) -> _Made:
        with self._lock:
            is_first = asked not in self._made
            future = self._made.setdefault(asked, Future())
        if is_first:
            try:
                future.set_result(make(asked))
            except Exception as error:  # noqa: BLE001 - whoever asks gets it
                future.set_exception(error)
        return future.result()
