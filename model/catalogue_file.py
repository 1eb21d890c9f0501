"""`stacks/catalog.yaml` as far as it can be read, and every mistake in it.

Owns its sections. What holds inside and between add-ons is checked in `model.addon_checks`, what holds between them
and clusters in `model.delivery_checks`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic import TypeAdapter

from model.addon_checks import addon_problems
from model.catalogue import Addon, Ahead, ArgocdChart, Catalogue, EmptySource
from model.document import Document, Step
from model.entry import mapping, parsed, section
from model.stamping import ARGOCD
from model.vocabulary import Name, Ring

_SECTIONS = {
    "rings": "the rings in the order in which a version moves",
    "argocd": "chart, repository and versions of Argo CD",
    "emptySource": "repository, revision and path of an empty folder",
    "ahead": "how far a ring may run ahead of the next one",
    "addons": "the add-ons by name",
}
_OPTIONAL = ("ahead",)


class CatalogueFile:
    """The catalogue as far as it could be read."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems = list(document.problems)
        content = mapping(document, self.problems, _SECTIONS)
        self.raw_addons = section(document, self.problems, content, "addons")
        kinds: dict[str, Any] = {
            "rings": TypeAdapter(tuple[Ring, ...]),
            "argocd": ArgocdChart,
            "emptySource": EmptySource,
            "ahead": Ahead,
        }
        found: dict[str, Any] = {
            key: parsed(kind, document, (key,), content[key], self.problems)
            for key, kind in kinds.items()
            if key in content
        }
        self.rings: tuple[str, ...] | None = found.get("rings")
        self.argocd: ArgocdChart | None = found.get("argocd")
        self.empty: EmptySource | None = found.get("emptySource")
        self.ahead: Ahead = found.get("ahead") or Ahead()
        if content:
            for key, meaning in _SECTIONS.items():
                if key not in content and key not in _OPTIONAL:
                    self._add((key,), None, "it is missing", f"add `{key}:` {meaning}")
        self.addons: dict[str, Addon] = {}
        for name, raw in self.raw_addons.items():
            parsed(TypeAdapter(Name), document, ("addons", name), name, self.problems)
            addon = parsed(Addon, document, ("addons", name), raw, self.problems, {"rings": "version"})
            if addon is not None:
                self.addons[name] = addon
        self._check()
        if self.rings is not None:
            self.addons = {name: addon.for_rings(self.rings) for name, addon in self.addons.items()}

    def complete(self) -> Catalogue:
        """The whole catalogue; to be called only where there is no problem."""
        assert self.rings is not None and self.argocd is not None and self.empty is not None
        return Catalogue(rings=self.rings, argocd=self.argocd, addons=self.addons, empty_source=self.empty)

    def _check(self) -> None:
        document = self.document
        if self.rings == ():
            self._add(
                ("rings",), None, "there is no ring", "list the rings in order, as in [dev, canary, stable]"
            )
        for ring, count in Counter(self.rings or ()).items():
            if count > 1:
                self._add(("rings",), ring, f"ring {ring} is listed {count} times", "list every ring once")
        if ARGOCD in self.raw_addons:
            why = "that name belongs to the Application by which Argo CD manages itself"
            self._add(
                ("addons", ARGOCD), ARGOCD, why, "choose another name; Argo CD's version is under `argocd`"
            )
        self.problems += addon_problems(document, self.addons, self.raw_addons, self.rings, self.ahead)

    def _add(self, path: tuple[Step, ...], value: Any, why: str, remedy: str) -> None:
        self.problems.append(self.document.problem(path, value, why, remedy))
