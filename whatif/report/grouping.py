"""What an answer comes down to: the groups, numbers and words that all reports share.

Owns which differences are one (200 clusters that get the same version are one line), their order, the counts of the
summary, and what is said of the blast radius. Does not own how it looks: each report escapes by its own form.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from whatif.answer import Answer, Change, ChangeKind, Difference, Effect, Policy, Step
from whatif.report.masking import masked_answer
from whatif.report.plain import many, number

GATEWAY_LIMIT = 2_400
"""Requests a minute that Connect Gateway gives a fleet host project (facts of GKE: quota of the gateway)."""

NO_RING = ""

_Item = TypeVar("_Item")

_SIGNS = {
    "same": " ",
    "create": "+",
    "update": "~",
    "delete": "-",
    "replace": "+-",
    "create-replacement": "++",
    "delete-replaced": "--",
    "read": ">",
    "read-replacement": ">>",
    "refresh": "~",
    "discard": "<",
    "discard-replaced": "<<",
    "import": "=",
    "import-replacement": "=>",
    "remove-pending-replace": "~",
}
"""Operation -> the sign that the CLI writes before a resource."""

_NAME = "\N{HORIZONTAL ELLIPSIS}"
"""Stands for the resource in a message that several resources share."""


@dataclass(frozen=True)
class ChangeGroup:
    """Applications that differ in the same way. `details` and `also` are the same on all of `clusters`.

    `from_` and `to` are None for values that have details: digests, which say nothing to a person.
    """

    addon: str
    ring: str
    change: ChangeKind
    from_: str | None
    to: str | None
    effect: Effect | None
    also: tuple[Difference, ...]
    details: tuple[str, ...]
    clusters: tuple[str, ...]


@dataclass(frozen=True)
class StepGroup:
    """Resources of one type to which the CLI does the same. `paths`: the properties that differ."""

    op: str
    type: str
    paths: tuple[str, ...]
    reasons: tuple[str, ...]
    lines: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def sign(self) -> str:
        return sign(self.op)


@dataclass(frozen=True)
class PolicyGroup:
    """Findings of one rule with one message. `resources`: names, where the finding names a resource."""

    rule: str
    level: str
    message: str
    resources: tuple[str, ...]


@dataclass(frozen=True)
class Cluster:
    """A cluster, and what changes of its Applications: kind -> how many."""

    name: str
    changes: Mapping[ChangeKind, int]
    is_new: bool
    is_gone: bool

    @property
    def kind(self) -> ChangeKind | None:
        """What stands for all of it in a picture: the first of `ChangeKind` with a change, removals before all."""
        if self.changes.get(ChangeKind.REMOVED):
            return ChangeKind.REMOVED
        return next((kind for kind in ChangeKind if self.changes.get(kind)), None)


@dataclass(frozen=True)
class Ring:
    """A ring with its clusters, as the head has them (the base, for a cluster that goes)."""

    name: str
    clusters: tuple[Cluster, ...]
    groups: tuple[ChangeGroup, ...]

    @property
    def touched(self) -> tuple[Cluster, ...]:
        return tuple(one for one in self.clusters if one.changes or one.is_new or one.is_gone)

    @property
    def counts(self) -> Counter[ChangeKind]:
        """kind -> Applications."""
        found: Counter[ChangeKind] = Counter()
        for one in self.clusters:
            found.update(one.changes)
        return found


@dataclass(frozen=True)
class Fact:
    """One line of the summary. `before` is None where only `after` makes sense. `is_bad`: worth a look first."""

    label: str
    before: str | None
    after: str
    note: str = ""
    is_bad: bool = False


class Grouped:
    """An answer, masked, with its groups. Each is computed once, when it is first asked for."""

    def __init__(self, answer: Answer) -> None:
        self.answer = masked_answer(answer)

    @cached_property
    def refusals(self) -> tuple[str, ...]:
        """Why this change is refused, in sentences made of our own words and numbers; none where it is not."""
        answer = self.answer
        found = []
        if answer.radius.is_over:
            found.append("the blast radius is over its limit")
        mandatory = sum(one.level == "mandatory" for one in answer.policies)
        if mandatory:
            found.append(f"{many(mandatory, 'finding')} of mandatory policies")
        if answer.exit_code and not mandatory:
            found.append(f"the CLI's preview fails with exit code {number(answer.exit_code)}")
        return tuple(found)

    @cached_property
    def is_empty(self) -> bool:
        """Whether nothing changes: no Application, no resource."""
        return not self.answer.changes and not self.steps

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """The summary."""
        answer = self.answer
        before, after = answer.base, answer.head
        mandatory = sum(one.level == "mandatory" for one in answer.new_policies)
        new = number(len(answer.new_policies))
        over = (after.gateway or 0) > GATEWAY_LIMIT
        return (
            Fact("Applications", number(len(before.applications)), number(len(after.applications)), self._applications),
            Fact("Clusters", number(len(before.clusters)), number(len(after.clusters)),
                 f"{number(answer.radius.clusters)} touched" + self._rings),
            Fact("Resources", number(before.resources), number(after.resources), self.operations),
            Fact("Policy findings", None, f"{new} new, {number(len(answer.fixed_policies))} fixed",
                 f"{number(mandatory)} of the new ones mandatory" if mandatory else "", bool(mandatory)),
            Fact("Gateway, requests a minute", _rate(before.gateway), _rate(after.gateway) or "not known",
                 f"of {GATEWAY_LIMIT:,}" + (": over the budget" if over else ""), over),
            Fact("Provider processes", number(sum(before.providers.values())), number(sum(after.providers.values()))),
            Fact("Cost findings", number(before.costs), number(after.costs), "", after.costs > before.costs),
        )  # fmt: skip

    @cached_property
    def kinds(self) -> Counter[ChangeKind]:
        """kind -> Applications."""
        return Counter(change.change for change in self.answer.changes)

    @cached_property
    def _applications(self) -> str:
        parts = []
        for kind in ChangeKind:
            if count := self.kinds[kind]:
                part = f"{number(count)} {WORDS[kind]}"
                if kind is ChangeKind.REMOVED:
                    effects = Counter(
                        change.effect for change in self.answer.changes if change.change is kind
                    )
                    said = [f"{number(effects[each])} {each.value}" for each in Effect if effects[each]]
                    part += f" ({', '.join(said)})" if said else ""
                parts.append(part)
        return ", ".join(parts) or "no difference"

    @cached_property
    def _rings(self) -> str:
        return f" in {many(len(self.answer.radius.rings), 'ring')}" if self.answer.radius.rings else ""

    @cached_property
    def operations(self) -> str:
        """The CLI's summary, such as "+ 3 to create, 8 unchanged"."""
        parts = []
        summary = self.answer.summary
        for op, mark in _SIGNS.items():
            if op != "same" and summary.get(op):
                parts.append(f"{mark} {number(summary[op])} to {op}")
        if others := sum(count for op, count in summary.items() if op not in _SIGNS):
            parts.append(f"{number(others)} of other operations")
        if summary.get("same"):
            parts.append(f"{number(summary['same'])} unchanged")
        return ", ".join(parts) or "none"

    @cached_property
    def changes(self) -> tuple[ChangeGroup, ...]:
        """Removals first, then as `ChangeKind` has them; the larger group first."""
        found: dict[tuple[Any, ...], list[str]] = defaultdict(list)
        rings, homes = self._ring_of_application, self._ring_of_cluster
        for change in self.answer.changes:
            also = tuple(_without_digests(each) for each in change.also)
            key = (
                change.addon,
                rings.get(change.application) or homes.get(change.cluster, NO_RING),
                change.change,
                *_sides(change),
            )
            found[(*key, change.effect, also, change.details)].append(change.cluster)
        groups = [ChangeGroup(*(*key, tuple(clusters))) for key, clusters in found.items()]
        return tuple(sorted(groups, key=self._order))

    def _order(self, group: ChangeGroup) -> tuple[Any, ...]:
        kinds = list(ChangeKind)
        first = -1 if group.change is ChangeKind.REMOVED else kinds.index(group.change)
        return (
            first,
            group.addon,
            self._ring_rank.get(group.ring, len(self._ring_rank)),
            -len(group.clusters),
        )

    @cached_property
    def _ring_of_application(self) -> dict[str, str]:
        answer = self.answer
        found = {one.application: one.ring for one in answer.base.applications}
        return found | {one.application: one.ring for one in answer.head.applications}

    @cached_property
    def _ring_of_cluster(self) -> dict[str, str]:
        answer = self.answer
        return {one.cluster: one.ring for one in (*answer.base.applications, *answer.head.applications)}

    @cached_property
    def _ring_rank(self) -> dict[str, int]:
        answer = self.answer
        names = [
            *answer.radius.rings,
            *(one.ring for one in (*answer.base.applications, *answer.head.applications)),
        ]
        return {name: rank for rank, name in enumerate(dict.fromkeys(names))}

    @cached_property
    def rings(self) -> tuple[Ring, ...]:
        """Every ring with a cluster, clusters of no known ring last."""
        answer = self.answer
        ring_of = self._ring_of_cluster
        kinds: dict[str, Counter[ChangeKind]] = defaultdict(Counter)
        for change in answer.changes:
            kinds[change.cluster][change.change] += 1
        before, after = set(answer.base.clusters), set(answer.head.clusters)
        members: dict[str, list[Cluster]] = defaultdict(list)
        for name in dict.fromkeys((*answer.head.clusters, *answer.base.clusters, *kinds)):
            cluster = Cluster(name, dict(kinds.get(name, {})), name not in before and name in after,
                              name in before and name not in after)  # fmt: skip
            members[ring_of.get(name, NO_RING)].append(cluster)
        groups: dict[str, list[ChangeGroup]] = defaultdict(list)
        for group in self.changes:
            groups[group.ring].append(group)
        ranks = self._ring_rank
        order = sorted(members, key=lambda name: (name == NO_RING, ranks.get(name, len(ranks)), name))
        return tuple(Ring(name, tuple(members[name]), tuple(groups[name])) for name in order)

    @cached_property
    def steps(self) -> tuple[StepGroup, ...]:
        """What the CLI does, without the resources that it leaves as they are; in the order of the first of each."""
        found: dict[tuple[Any, ...], list[str]] = defaultdict(list)
        for step in self.answer.steps:
            if step.op != "same":
                reasons = tuple(dict.fromkeys((*step.replace_reasons, *step.diff_reasons)))
                key = (
                    step.op,
                    short_type(step.type),
                    tuple(step.detailed_diff or ()),
                    reasons,
                    _unnamed(step),
                )
                found[key].append(step.name)
        return tuple(StepGroup(*(*key, tuple(names))) for key, names in found.items())

    @cached_property
    def step_count(self) -> int:
        return sum(len(group.names) for group in self.steps)

    @cached_property
    def new_policies(self) -> tuple[PolicyGroup, ...]:
        return findings(self.answer.new_policies)

    @cached_property
    def fixed_policies(self) -> tuple[PolicyGroup, ...]:
        return findings(self.answer.fixed_policies)

    @cached_property
    def old_policies(self) -> tuple[PolicyGroup, ...]:
        """Findings that base and head share."""
        left = Counter(self.answer.new_policies)
        shared = []
        for one in self.answer.policies:
            if left[one]:
                left[one] -= 1
            else:
                shared.append(one)
        return findings(shared)

    @cached_property
    def notices(self) -> tuple[str, ...]:
        """What the head warns of and the base does not."""
        before = set(self.answer.base.notices)
        return tuple(one for one in self.answer.head.notices if one not in before)

    @cached_property
    def old_notices(self) -> tuple[str, ...]:
        """What both warn of."""
        new = set(self.notices)
        return tuple(one for one in self.answer.head.notices if one not in new)


WORDS = {
    ChangeKind.ADDED: "added",
    ChangeKind.REMOVED: "removed",
    ChangeKind.RING: "to another ring",
    ChangeKind.VERSION: "to another version",
    ChangeKind.VALUES: "with other values",
}
"""As in "3 Applications to another version"."""

EFFECTS = {
    Effect.KEPT: "what it delivered stays: an entry says so",
    Effect.PRUNED: "what it delivered is removed",
    Effect.ORPHANED: "what it delivered stays, and nobody looks after it",
}


def sign(op: str) -> str:
    """The CLI's sign of an operation; "?" for one that this project does not know."""
    return _SIGNS.get(op, "?")


def short_type(token: str) -> str:
    """`gcp:container/cluster:Cluster` -> `gcp:container:Cluster`, as the CLI shows it."""
    package, _, rest = token.partition(":")
    module, colon, name = rest.rpartition(":")
    if not colon:
        return token
    head, slash, tail = module.rpartition("/")
    return (
        f"{package}:{head}:{name}"
        if slash and tail[:1] == name[:1].lower() and tail.lower() == name.lower()
        else token
    )


def resource_name(urn: str) -> str:
    """The name in a URN; the text itself where it is none."""
    parts = urn.split("::", 3)
    return parts[3] if len(parts) == 4 else urn


def acknowledgement(change: str) -> tuple[str, ...]:
    """The lines of the stack file that acknowledge `change`.

    In quotes: sixteen digits of which none is a letter would be a number.
    """
    return (
        "config:",
        "  gke-fleet:acknowledged:",
        f"    - change: {json.dumps(change)}",
        "      reason: why it is right all the same",
    )


def stack_file(answer: Answer) -> tuple[str, str]:
    """Where the acknowledgement goes: a file, and what to say after it.

    A head that is not trusted acknowledges nothing: its own stack file is not asked.
    """
    return f"stacks/Pulumi.{answer.stack}.yaml", " of the base branch" if answer.confined is not None else ""


def listed(names: Sequence[_Item], most: int) -> tuple[tuple[_Item, ...], int]:
    """The first `most` of `names`, and how many are left; one is never left alone."""
    return (tuple(names), 0) if len(names) <= most + 1 else (tuple(names[:most]), len(names) - most)


def _rate(value: float | None) -> str | None:
    return None if value is None else number(value)


def _sides(change: Change) -> tuple[str | None, str | None]:
    if change.change is ChangeKind.VALUES and change.details:
        return (None, None)
    return (change.from_, change.to)


def _without_digests(one: Difference) -> Difference:
    return one.model_copy(update={"from_": None, "to": None}) if one.change is ChangeKind.VALUES else one


def _unnamed(step: Step) -> tuple[str, ...]:
    """The lines of a step without those that only say which resource it is, so that equal differences are equal."""
    return tuple(one for one in step.lines if not one.strip().startswith(("[urn=", "[id=")))


def findings(policies: Iterable[Policy]) -> tuple[PolicyGroup, ...]:
    """Mandatory before advisory, then by rule. Messages that differ in the resource's name alone are one."""
    found: dict[tuple[str, str, str], list[Policy]] = defaultdict(list)
    for one in policies:
        name = resource_name(one.urn)
        found[
            (one.rule, one.level, one.message.replace(name, _NAME) if len(name) > 2 else one.message)
        ].append(one)
    groups = []
    for (rule, level, message), same in found.items():
        names = tuple(dict.fromkeys(resource_name(one.urn) for one in same if one.urn))
        groups.append(PolicyGroup(rule, level, same[0].message if len(same) == 1 else message, names))
    return tuple(sorted(groups, key=lambda group: (group.level != "mandatory", group.rule)))
