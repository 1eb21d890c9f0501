"""The answer in a terminal, below the CLI's own text of the resources.

Owns tables and lines of the comparison. Does not own the resource diff: the CLI has printed it. A text of the program
is printed as it is, without control characters (plain.py) and never as markup.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from whatif.answer import Answer, ChangeKind, Difference, Manifest
from whatif.report.grouping import (
    EFFECTS,
    ChangeGroup,
    Grouped,
    PolicyGroup,
    acknowledgement,
    listed,
    stack_file,
)
from whatif.report.plain import line, many, number, plain

_COLOURS = {
    ChangeKind.ADDED: "green",
    ChangeKind.REMOVED: "red",
    ChangeKind.RING: "yellow",
    ChangeKind.VERSION: "blue",
    ChangeKind.VALUES: "magenta",
}
_MOST_NAMES = 8
_MOST_OLD = 12
_MOST_LINES = 400


def print_answer(answer: Answer, console: Console) -> None:
    """Print what changes beside the resources: summary, Applications, policies, manifests, blast radius."""
    grouped = Grouped(answer)
    _applications(grouped, console)
    print_findings("New policy findings", grouped.new_policies, console, "red")
    print_findings("Fixed policy findings", grouped.fixed_policies, console, "green")
    if grouped.old_policies:
        count = sum(max(1, len(group.resources)) for group in grouped.old_policies)
        rules = ", ".join(sorted({line(group.rule, 60) for group in grouped.old_policies})[:_MOST_OLD])
        _say(console, f"{many(count, 'policy finding')} that base and head share: {rules}")
    for notice in grouped.notices:
        _say(console, ("notice ", "yellow"), line(notice))
    for one in grouped.answer.manifests or ():
        _manifest(one, console)
    _summary(grouped, console)
    _radius(grouped, console)
    if grouped.answer.confined is not None:
        _say(console, f"The program of the head ran confined: {line(grouped.answer.confined)}")
    for refusal in grouped.refusals:
        _say(console, ("refused ", "bold red"), refusal)


def _say(console: Console, *parts: str | tuple[str, str]) -> None:
    console.print(Text.assemble(*parts), soft_wrap=True, highlight=False)


def _heading(console: Console, text: str) -> None:
    console.print()
    _say(console, (text, "bold"))


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _applications(grouped: Grouped, console: Console) -> None:
    answer = grouped.answer
    between = f"{line(answer.base.label, 80)} -> {line(answer.head.label, 80)}"
    _heading(console, f"Applications that differ, {between}")
    if not grouped.changes:
        _say(console, "none")
        return
    table = _table("CHANGE", "ADD-ON", "WHAT", "RING", "CLUSTERS")
    for group in grouped.changes:
        table.add_row(
            Text(group.change.value, _COLOURS[group.change]),
            Text(line(group.addon, 80)),
            Text("\n".join(_what(group))),
            Text(line(group.ring, 40) or "-"),
            Text(_names(group.clusters)),
        )
    console.print(table)


def _what(group: ChangeGroup) -> list[str]:
    first = _sides(group.from_, group.to)
    lines = [first] if first else []
    lines += [f"{group.effect.value}: {EFFECTS[group.effect]}"] if group.effect else []
    lines += [line(each, 200) for each in group.details]
    return lines + [f"also {_also(each)}" for each in group.also]


def _also(each: Difference) -> str:
    return f"{each.change.value} {_sides(each.from_, each.to)}".rstrip()


def _sides(before: str | None, after: str | None) -> str:
    if before is None or after is None:
        return line(before or after or "", 80)
    return f"{line(before, 80)} -> {line(after, 80)}"


def _names(names: Sequence[str]) -> str:
    shown, more = listed(names, _MOST_NAMES)
    said = ", ".join(line(name, 80) for name in shown) + (f" and {number(more)} more" if more else "")
    return f"{number(len(names))}: {said}" if len(names) > 1 else said


def print_findings(title: str, groups: Sequence[PolicyGroup], console: Console, colour: str = "red") -> None:
    """Print findings of the policy pack, each with its resources; nothing where there are none."""
    if not groups:
        return
    _heading(console, title)
    for group in groups:
        mark = colour if group.level == "mandatory" or colour == "green" else "yellow"
        message = line(group.message, 1_000)
        _say(console, (f"{line(group.level, 40)} ", mark), f"{line(group.rule, 80)}: {message}")
        if group.resources:
            _say(console, f"    {_names(group.resources)}")


def _manifest(one: Manifest, console: Console) -> None:
    sides = _sides(one.from_, one.to)
    _heading(console, f"Rendered {line(one.addon, 80)} {sides} on {_names(one.clusters)}")
    if one.why_not is not None:
        _say(console, f"not rendered: {line(one.why_not, 1_000)}")
        return
    for each in one.objects:
        _say(console, f"    {line(each, 300)}")
    lines = plain(one.diff).rstrip("\n").split("\n") if one.diff else []
    for each in lines[:_MOST_LINES]:
        _say(console, (each, {"+": "green", "-": "red", "@": "cyan"}.get(each[:1], "")))
    if len(lines) > _MOST_LINES:
        _say(
            console,
            f"... and {number(len(lines) - _MOST_LINES)} more lines; the JSON document has all of them",
        )


def _summary(grouped: Grouped, console: Console) -> None:
    _heading(console, "Before and after")
    table = _table("", "BEFORE", "AFTER", "")
    for fact in grouped.facts:
        after = Text(fact.after, "bold red" if fact.is_bad else "")
        table.add_row(Text(fact.label), Text(fact.before or ""), after, Text(fact.note))
    console.print(table)


def _radius(grouped: Grouped, console: Console) -> None:
    radius = grouped.answer.radius
    touched = f"{many(radius.removed, 'Application')} removed, {many(radius.clusters, 'cluster')} touched"
    _heading(console, f"Blast radius of change {line(radius.change, 80)}")
    _say(console, touched)
    for limit in radius.limits:
        over = limit.found > limit.allowed
        said = f"{line(limit.what, 80)}: {number(limit.found)} of {number(limit.allowed)} allowed"
        _say(
            console, (said, "red" if over else ""), f": {_names(limit.names)}" if over and limit.names else ""
        )
    if not radius.exceeded:
        return
    if radius.acknowledged is not None:
        _say(console, f"over the limit, acknowledged: {line(radius.acknowledged)}")
        return
    file, where = stack_file(grouped.answer)
    _say(console, f"Make the change smaller, or acknowledge this very change in {line(file)}{where}:")
    for each in acknowledgement(plain(radius.change)):
        _say(console, f"    {each}")
