"""Which clusters an ApplicationSet's generators select, as something that can be proven.

Each generator selects by labels of cluster Secrets. Two generators that select one cluster would stamp one
Application twice, and the controller then freezes the whole set; so selectors have to exclude each other, and
`disjoint` proves it from the selectors alone, whatever Secrets there may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CLUSTER = "fleet_cluster"
LIFECYCLE = "fleet_lifecycle"
RING = "fleet_ring"


@dataclass(frozen=True)
class Selector:
    """A label selector: `equal` has to match, the cluster's name has to be in `among` (if given) and not in
    `without`."""

    equal: tuple[tuple[str, str], ...]
    among: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a Secret with these labels is selected, by the rules of Kubernetes."""
        name = labels.get(CLUSTER)
        return (
            all(labels.get(key) == value for key, value in self.equal)
            and (self.among is None or name in self.among)
            and name not in self.without
        )

    def manifest(self) -> dict[str, Any]:
        """The selector as Kubernetes writes it."""
        expressions = []
        if self.among is not None:
            expressions.append({"key": CLUSTER, "operator": "In", "values": list(self.among)})
        if self.without:
            expressions.append({"key": CLUSTER, "operator": "NotIn", "values": list(self.without)})
        result: dict[str, Any] = {"matchLabels": dict(self.equal)}
        if expressions:
            result["matchExpressions"] = expressions
        return result


def disjoint(one: Selector, other: Selector) -> bool:
    """Whether no labels whatever can match both selectors."""
    ones, others = dict(one.equal), dict(other.equal)
    if any(others.get(key, value) != value for key, value in ones.items()):
        return True
    names, other_names = _names(one), _names(other)
    if names is not None and other_names is not None:
        return not names & other_names
    if names is not None:
        return names <= set(other.without)
    if other_names is not None:
        return other_names <= set(one.without)
    return False


def _names(selector: Selector) -> set[str] | None:
    """The cluster names that a selector admits; None where it admits all but a few."""
    equal = dict(selector.equal).get(CLUSTER)
    if equal is None and selector.among is None:
        return None
    names = {equal} if equal is not None else set(selector.among or ())
    if equal is not None and selector.among is not None:
        names &= set(selector.among)
    return names - set(selector.without)
