"""The comment on a pull request.

Owns its form: an invisible mark by which it is found again, the summary first, the rest folded, and its size, whatever
the fleet's: GitHub refuses more than 65,536 characters, and what does not fit is counted. Does not own the picture
(mermaid.py), nor how the comment gets there (whatif/comment.py).

Every text of an answer may come from a fork. Here they stand in code spans and fences alone: GitHub makes no link,
no mention and no reference of what is in one, an entity or a backslash would not stop it from doing so elsewhere.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from whatif.answer import Answer, ChangeKind, Difference, Manifest, Radius
from whatif.report import mermaid
from whatif.report.grouping import (
    EFFECTS,
    ChangeGroup,
    Grouped,
    PolicyGroup,
    StepGroup,
    acknowledgement,
    listed,
    stack_file,
)
from whatif.report.plain import line, many, number, plain

LIMIT = 64_000
"""Below this many characters (UTF-16 units, the larger way to count) a comment stays."""

_NAME = 80
_SENTENCE = 600
_MOST_NAMES = 12
_MOST_DETAILS = 6
_MOST_LIMITS = 12
_ELSEWHERE = "the JSON document has all of them"
_MARK = re.compile(r"[^A-Za-z0-9._-]")
_ARROW = "\N{RIGHTWARDS ARROW}"


def markdown(answer: Answer) -> str:
    """The comment, less than `LIMIT` characters."""
    grouped = Grouped(answer)
    top = "\n".join([*_heading(grouped), *_summary(grouped), *_radius(grouped), *_picture(grouped)])
    bottom = "\n".join(_foot(grouped))
    sections = [section for section in _sections(grouped) if section.items]
    left = LIMIT - 1 - _size(top) - _size(bottom) - 2 * (len(sections) + 1)
    shares = _shares([(section.size, section.weight) for section in sections], left)
    body = [section.render(share) for section, share in zip(sections, shares, strict=True)]
    return "\n\n".join([top, *(part.strip("\n") for part in body), bottom]) + "\n"


def marker(stack: str) -> str:
    """The first line of the comment on `stack`."""
    return f"<!-- gke-fleet what-if {_MARK.sub('_', stack)[:200]} -->"


def code(text: str, limit: int = _NAME) -> str:
    """`text` as a code span that it cannot leave, in a table either: no backtick, no column sign, one line."""
    shown = line(text, limit).replace("`", "'").replace("|", "\N{BROKEN BAR}")
    return f"`{shown}`" if shown else "(empty)"


def fenced(lines: Iterable[str], language: str = "") -> str:
    """A fence that no line can close."""
    return "\n".join([f"```{language}", *(_fence_line(each) for each in lines), "```"])


def _fence_line(text: str) -> str:
    return _kept_line(text, 240).replace("```", "'''")


def _kept_line(text: str, limit: int) -> str:
    """One line of at most `limit` characters with its indentation, and how many more there are."""
    shown = plain(text).replace("\n", " ").rstrip()
    more = len(shown) - limit
    return shown if more <= 0 else f"{shown[:limit]}\N{HORIZONTAL ELLIPSIS} (+{more:,} characters)"


def _size(text: str) -> int:
    return len(text.encode("utf-16-le", "replace")) // 2


@dataclass(frozen=True)
class _Section:
    """A folded part. `items` are whole lines; between `head` and `foot` as many of them stand as there is room."""

    title: str
    items: Sequence[str]
    noun: str
    weight: int
    counts: Sequence[int] = ()
    """How many of `noun` each item stands for; one where nothing is said."""
    head: str = ""
    foot: str = ""
    is_open: bool = False

    @property
    def size(self) -> int:
        return _size(self._whole(self.items, ""))

    def render(self, limit: int) -> str:
        """At most `limit` characters; where not even the frame fits, one line that says so."""
        if self.size <= limit:
            return self._whole(self.items, "")
        counts = self.counts or [1] * len(self.items)
        left = limit - _size(self._whole((), self._more(sum(counts))))
        kept: list[str] = []
        for item in self.items:
            left -= _size(item) + 1
            if left < 0:
                break
            kept.append(item)
        more = self._more(sum(counts[len(kept) :]))
        return self._whole(kept, more) if kept else f"**{html.escape(self.title)}**: {more}"

    def _more(self, count: int) -> str:
        plural = self.noun.removesuffix("y") + "ies" if self.noun.endswith("y") else self.noun + "s"
        return f"{number(count)} more {self.noun if count == 1 else plural} not shown here; {_ELSEWHERE}."

    def _whole(self, items: Sequence[str], more: str) -> str:
        parts = [
            f"<details{' open' if self.is_open else ''}>",
            f"<summary>{html.escape(self.title)}</summary>",
            "",
        ]
        if items:
            parts += [self.head] if self.head else []
            parts += items
            parts += [self.foot] if self.foot else []
        parts += ["", more] if more else []
        return "\n".join([*parts, "", "</details>"])


def _shares(wanted: Sequence[tuple[int, int]], total: int) -> list[int]:
    """For each (size, weight) how much of `total` it gets: what a small one leaves goes to the others by weight."""
    shares = [0] * len(wanted)
    waiting = set(range(len(wanted)))
    while waiting:
        weights = sum(wanted[each][1] for each in waiting)
        fitting = {each for each in waiting if wanted[each][0] <= total * wanted[each][1] // weights}
        if not fitting:
            for each in waiting:
                shares[each] = total * wanted[each][1] // weights
            break
        for each in fitting:
            shares[each] = wanted[each][0]
            total -= wanted[each][0]
        waiting -= fitting
    return shares


def _heading(grouped: Grouped) -> list[str]:
    answer = grouped.answer
    lines = [marker(answer.stack), f"### What-if: {code(answer.stack)}", ""]
    if grouped.refusals:
        lines += [f"**Refused**: {'; '.join(grouped.refusals)}.", ""]
    elif grouped.is_empty:
        lines += ["**Nothing changes**: no Application and no resource differs.", ""]
    lines += [f"From {code(answer.base.label)} to {code(answer.head.label)}.", ""]
    return lines


def _summary(grouped: Grouped) -> list[str]:
    rows = ["| | before | after | |", "|---|---:|---:|---|"]
    for fact in grouped.facts:
        after = f"**{fact.after}**" if fact.is_bad else fact.after
        rows.append(f"| {fact.label} | {fact.before or ''} | {after} | {html.escape(fact.note)} |")
    return [*rows, ""]


def _radius(grouped: Grouped) -> list[str]:
    radius = grouped.answer.radius
    touched = f"{many(radius.removed, 'Application')} removed, {many(radius.clusters, 'cluster')} touched"
    lines = [f"**Blast radius** of change {code(radius.change)}: {touched}{_by_ring(radius)}.", ""]
    if not radius.limits:
        return [*lines, "No limit is set for it.", ""]
    if not radius.exceeded:
        return [
            *lines,
            f"Within {'its limit' if len(radius.limits) == 1 else f'all {len(radius.limits)} limits'}.",
            "",
        ]
    lines += ["| over the limit | found | allowed | which |", "|---|---:|---:|---|"]
    for limit in radius.exceeded[:_MOST_LIMITS]:
        row = (code(limit.what), number(limit.found), number(limit.allowed), _names(limit.names, 8))
        lines.append(f"| {' | '.join(row)} |")
    if len(radius.exceeded) > _MOST_LIMITS:
        lines.append(f"| {number(len(radius.exceeded) - _MOST_LIMITS)} more limits; {_ELSEWHERE} | | | |")
    lines.append("")
    if radius.acknowledged is not None:
        return [*lines, f"Acknowledged all the same: {code(radius.acknowledged, _SENTENCE)}", ""]
    file, where = stack_file(grouped.answer)
    said = (
        f"If this is meant, make the change smaller, or acknowledge this very change in {code(file)}{where}"
    )
    lines += [f"{said}, with your reason:", ""]
    return [*lines, fenced(acknowledgement(radius.change), "yaml"), ""]


def _by_ring(radius: Radius) -> str:
    shown, more = listed(list(radius.rings), 6)
    parts = [f"{number(radius.rings[name])} of ring {code(name, 40)}" for name in shown]
    parts += [f"{number(more)} more rings"] if more else []
    return f" ({', '.join(parts)})" if parts else ""


def _picture(grouped: Grouped) -> list[str]:
    if not grouped.answer.changes and not any(ring.touched for ring in grouped.rings):
        return []
    return ["```mermaid", mermaid.picture(grouped), "```"]


def _sections(grouped: Grouped) -> list[_Section]:
    answer = grouped.answer
    manifests = answer.manifests or ()
    room = min(8_000, max(1_200, 24_000 // max(1, len(manifests))))
    lined = [group for group in grouped.steps if group.lines]
    most = _MOST_NAMES if len(grouped.changes) <= 30 else 4
    return [
        _Section(
            f"Applications: {number(len(answer.changes))} differ",
            [_change(group, most) for group in grouped.changes], "Application", 12,
            [len(group.clusters) for group in grouped.changes],
            head="| add-on | what | ring | clusters |\n|---|---|---|---|",
        ),
        _policies("New policy findings", grouped.new_policies, 2, is_open=True),
        _policies("Fixed policy findings", grouped.fixed_policies, 1),
        _Section(
            f"Resources: {grouped.operations}",
            [_step(group) for group in grouped.steps], "resource", 3,
            [len(group.names) for group in grouped.steps],
            head="| operation | type | resources | what differs |\n|---|---|---|---|",
        ),
        _Section(
            "Resources, property by property",
            [_step_lines(group) for group in lined], "resource", 3,
            [len(group.names) for group in lined], head="```diff", foot="```",
        ),
        _Section(
            f"Rendered manifests: {many(len(manifests), 'difference')}",
            [_manifest(one, room) for one in manifests], "difference", 5,
        ),
        _sentences("New notices", grouped.notices, "notice"),
        _sentences("The CLI's errors and warnings", answer.diagnostics, "message"),
        _policies("Policy findings that base and head share", grouped.old_policies, 1),
        _sentences("Notices that base and head share", grouped.old_notices, "notice"),
    ]  # fmt: skip


def _sentences(title: str, texts: Sequence[str], noun: str) -> _Section:
    items = [f"- {code(text, _SENTENCE)}" for text in texts]
    return _Section(f"{title}: {number(len(texts))}", items, noun, 1)


def _change(group: ChangeGroup, most: int) -> str:
    cells = (
        code(group.addon),
        "<br>".join(_what(group)),
        _ring(group.ring),
        _names(group.clusters, most, True),
    )
    return f"| {' | '.join(cells)} |"


def _ring(name: str) -> str:
    return code(name, 40) if name else ""


def _what(group: ChangeGroup) -> list[str]:
    lines = [_difference(group.change, group.from_, group.to)]
    lines += [f"**{group.effect.value}**: {EFFECTS[group.effect]}"] if group.effect else []
    lines += [f"also {_also(each)}" for each in group.also[:_MOST_DETAILS]]
    details, more = listed(group.details, _MOST_DETAILS)
    lines += [code(each, 160) for each in details]
    return lines + ([f"and {number(more)} more; {_ELSEWHERE}"] if more else [])


def _difference(change: ChangeKind, before: str | None, after: str | None) -> str:
    if change in (ChangeKind.ADDED, ChangeKind.REMOVED):
        version = after if change is ChangeKind.ADDED else before
        return change.value + (f" {code(version)}" if version else "")
    if before is None and after is None:
        return change.value
    sides = (code(side) if side is not None else "none" for side in (before, after))
    return f"{change.value} {f' {_ARROW} '.join(sides)}"


def _also(each: Difference) -> str:
    return _difference(each.change, each.from_, each.to)


def _names(names: Sequence[str], most: int, counted: bool = False) -> str:
    shown, more = listed(names, most)
    said = ", ".join(code(name) for name in shown) + (f" and {number(more)} more" if more else "")
    return f"{number(len(names))}: {said}" if counted and len(names) > 1 else said


def _step(group: StepGroup) -> str:
    paths, more = listed(
        [*group.paths, *(reason for reason in group.reasons if reason not in group.paths)], 6
    )
    differs = ", ".join(code(path) for path in paths) + (f" and {number(more)} more" if more else "")
    cells = (
        code(f"{group.sign} {group.op}"),
        code(group.type),
        _names(group.names, _MOST_NAMES, True),
        differs,
    )
    return f"| {' | '.join(cells)} |"


def _step_lines(group: StepGroup) -> str:
    names, more = listed(group.names, 3)
    which = ", ".join(names) + (f" and {number(more)} more" if more else "")
    head = f"@@ {group.sign} {group.type}: ({group.op}) {line(which, 200)} @@"
    shown, left = _cut(group.lines, 3_000)
    shown += [f"... and {number(left)} more lines; {_ELSEWHERE}"] if left else []
    return "\n".join(_fence_line(each) for each in (head, *shown))


def _cut(lines: Sequence[str], room: int) -> tuple[list[str], int]:
    """Lines, each at the length that a fence has, up to `room` characters together; and how many are left."""
    flat = [one for text in lines for one in plain(text).split("\n")]
    shown: list[str] = []
    for text in flat:
        kept = _fence_line(text)
        room -= _size(kept) + 1
        if room < 0:
            break
        shown.append(kept)
    return shown, len(flat) - len(shown)


def _manifest(one: Manifest, room: int) -> str:
    version = _difference(ChangeKind.VERSION, one.from_, one.to).removeprefix("version ")
    parts = [f"{code(one.addon)} {version} on {_names(one.clusters, 6, True)}", ""]
    if one.why_not is not None:
        return "\n".join([*parts, f"Not rendered: {code(one.why_not, _SENTENCE)}", ""])
    objects, more = listed(one.objects, max(2, room // 400))
    parts += [f"- {code(each, 120)}" for each in objects]
    parts += [f"- and {number(more)} more objects; {_ELSEWHERE}"] if more else []
    if one.diff:
        shown, left = _cut(one.diff.rstrip("\n").split("\n"), room - sum(_size(each) + 1 for each in parts))
        parts += ["", fenced(shown, "diff")]
        parts += ["", f"{number(left)} more lines; {_ELSEWHERE}."] if left else []
    return "\n".join([*parts, ""])


def _policies(title: str, groups: Sequence[PolicyGroup], weight: int, *, is_open: bool = False) -> _Section:
    items = []
    for group in groups:
        which = f" ({_names(group.resources, 5, True)})" if group.resources else ""
        items.append(f"- {code(group.rule)} {code(group.level)}: {code(group.message, _SENTENCE)}{which}")
    counts = [max(1, len(group.resources)) for group in groups]
    return _Section(f"{title}: {number(sum(counts))}", items, "finding", weight, counts, is_open=is_open)


def _foot(grouped: Grouped) -> list[str]:
    answer = grouped.answer
    said = ["Made by `./fleet preview --base`; its JSON document (`--format json`) leaves nothing out."]
    if answer.confined is not None:
        said.append(f"The program of the head ran confined: {code(answer.confined, _SENTENCE)}")
    return said
