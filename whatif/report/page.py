"""The answer as one HTML page that needs nothing else.

Owns what the page shows and in which order: verdict and counts stay in sight, then the numbers, the blast radius, the
picture, and each part folded. Nothing is left out but resources that stay as they are, and the end of a very long
rendered difference. Does not own escaping (element.py), the picture (picture.py), nor the groups.

It has no script, asks for nothing and says so to the browser: a Content-Security-Policy that allows its own style by
hash, and nothing else. To search, the browser's own search opens what is folded.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from whatif.answer import Answer, ChangeKind, Difference, Manifest
from whatif.report.element import Markup, element, joined, style
from whatif.report.grouping import (
    EFFECTS,
    WORDS,
    ChangeGroup,
    Fact,
    Grouped,
    PolicyGroup,
    Ring,
    StepGroup,
    acknowledgement,
    listed,
    stack_file,
)
from whatif.report.picture import MARKS, tiles
from whatif.report.plain import line, many, number, plain

_SHEET = Path(__file__).with_name("page.css").read_text()
_ARROW = " \N{RIGHTWARDS ARROW} "
_SENTENCE = 20_000
_MOST_SHOWN = 8
_MOST_CARD = 5
_MOST_DIFF = 400_000


def page(answer: Answer) -> str:
    """The whole HTML document."""
    grouped = Grouped(answer)
    digest = base64.b64encode(hashlib.sha256(_SHEET.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"What-if: {line(grouped.answer.stack, 80)}"),
        style(_SHEET),
    )
    body = element("body", _bar(grouped), element("main", _parts(grouped)))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _parts(grouped: Grouped) -> list[Markup | None]:
    answer = grouped.answer
    manifests = answer.manifests or ()
    lined = [group for group in grouped.steps if group.lines]
    return [
        _lead(grouped),
        element("dl", [_fact(fact) for fact in grouped.facts], class_="facts"),
        _radius(grouped),
        _picture(grouped),
        element("h2", "Details"),
        _folded(
            f"Applications: {number(len(answer.changes))} differ",
            [_change(each) for each in grouped.changes],
            True,
        ),
        _policies("New policy findings", grouped.new_policies, True),
        _policies("Fixed policy findings", grouped.fixed_policies),
        _folded(f"Resources: {grouped.operations}", [_step(group) for group in grouped.steps]),
        _folded("Resources, property by property", [_step_lines(group) for group in lined]),
        _folded(
            f"Rendered manifests: {many(len(manifests), 'difference')}", [_manifest(one) for one in manifests]
        ),
        _sentences("New notices", grouped.notices, True),
        _sentences("The CLI's errors and warnings", answer.diagnostics),
        _policies("Policy findings that base and head share", grouped.old_policies),
        _sentences("Notices that base and head share", grouped.old_notices),
        _foot(grouped),
    ]


def _code(text: str, limit: int = 2_000) -> Markup:
    return element("code", line(text, limit) or "(empty)")


def _bar(grouped: Grouped) -> Markup:
    answer = grouped.answer
    no = bool(grouped.refusals)
    said = "refused" if no else "nothing changes" if grouped.is_empty else "allowed"
    chips = [
        element(
            "li", f"{MARKS[kind]} {number(grouped.kinds[kind])} {WORDS[kind]}", class_=f"chip {kind.value}"
        )
        for kind in ChangeKind
        if grouped.kinds[kind]
    ]
    chips.append(element("li", f"{many(grouped.step_count, 'resource')} differ", class_="chip same"))
    title = element(
        "h1",
        element("span", "What-if: ", line(answer.stack, 80), class_="stack"),
        element("span", said, class_=f"verdict{' no' if no else ''}"),
    )
    return element("header", element("div", title, element("ul", chips, class_="chips")), class_="bar")


def _lead(grouped: Grouped) -> Markup:
    answer = grouped.answer
    sides = joined(
        "Stack ",
        _code(answer.stack, 200),
        " from ",
        _code(answer.base.label, 200),
        " to ",
        _code(answer.head.label, 200),
        ". ",
    )
    why = element("strong", f"Refused: {'; '.join(grouped.refusals)}.") if grouped.refusals else None
    return element("p", sides, why, class_="lead")


def _fact(fact: Fact) -> Markup:
    before = (
        element("span", fact.before, _ARROW, class_="before")
        if fact.before not in (None, fact.after)
        else None
    )
    note = element("dd", fact.note, class_="note") if fact.note else None
    return element(
        "div", element("dt", fact.label), element("dd", before, fact.after), note,
        class_="fact bad" if fact.is_bad else "fact",
    )  # fmt: skip


def _radius(grouped: Grouped) -> Markup:
    radius = grouped.answer.radius
    touched = f"{many(radius.removed, 'Application')} removed, {many(radius.clusters, 'cluster')} touched. "
    parts = [
        element("h2", "Blast radius"),
        element("p", touched, "This change is ", _code(radius.change, 80), "."),
    ]
    limits = [
        element(
            "li", _code(limit.what, 80), f" {number(limit.found)} of {number(limit.allowed)} allowed",
            [" (over): ", _names(limit.names)] if limit.found > limit.allowed else None,
        )
        for limit in radius.limits
    ]  # fmt: skip
    parts.append(element("ul", limits) if limits else element("p", "No limit is set for it."))
    if radius.exceeded and radius.acknowledged is not None:
        parts.append(element("p", "Over the limit, acknowledged: ", _code(radius.acknowledged, _SENTENCE)))
    elif radius.exceeded:
        file, where = stack_file(grouped.answer)
        said = "Make the change smaller, or acknowledge this very change in "
        parts.append(element("p", said, _code(file, 120), where, ", with your reason:"))
        parts.append(element("pre", "\n".join(acknowledgement(radius.change))))
    return element("section", parts, class_="box" if radius.is_over else "box calm")


def _picture(grouped: Grouped) -> Markup | None:
    if not grouped.rings:
        return None
    kinds = [kind for kind in ChangeKind if any(ring.counts[kind] for ring in grouped.rings)]
    legend = [
        element("li", element("span", f"{MARKS[k]} {WORDS[k]}", class_=f"kind {k.value}")) for k in kinds
    ]
    legend.append(element("li", element("span", "\N{MIDDLE DOT} no change", class_="kind same")))
    return element(
        "section", element("h2", "Rings and clusters"), element("ul", legend, class_="legend"),
        element("div", [_ring(ring) for ring in grouped.rings], class_="rings"),
    )  # fmt: skip


def _ring(ring: Ring) -> Markup:
    title = element("h3", "ring " if ring.name else "no ring", line(ring.name, 80))
    count = element("p", f"{number(len(ring.touched))} of {many(len(ring.clusters), 'cluster')} change")
    shown, more = listed(ring.groups, _MOST_CARD)
    lines = [element("li", _kind(group.change), " ", _what(group)) for group in shown]
    lines += [element("li", f"and {number(more)} more below")] if more else []
    return element(
        "article", title, count, tiles(ring), element("ul", lines) if lines else None, class_="card"
    )


def _what(group: ChangeGroup) -> Markup:
    count = f", {many(len(group.clusters), 'cluster')}"
    sides = _sides(group.change, group.from_, group.to)
    return joined(_code(group.addon, 80), " " if sides else "", sides, count)


def _sides(change: ChangeKind, before: str | None, after: str | None) -> Markup:
    if change in (ChangeKind.ADDED, ChangeKind.REMOVED):
        version = after if change is ChangeKind.ADDED else before
        return joined(_code(version)) if version else joined()
    if before is None and after is None:
        return joined()
    return joined(
        _code(before) if before is not None else "none", _ARROW, _code(after) if after is not None else "none"
    )


def _kind(change: ChangeKind) -> Markup:
    return element("span", f"{MARKS[change]} {change.value}", class_=f"kind {change.value}")


def _folded(title: str, rows: Sequence[Markup], is_open: bool = False) -> Markup | None:
    return element("details", element("summary", title), rows, open=is_open) if rows else None


def _sentences(title: str, texts: Sequence[str], is_open: bool = False) -> Markup | None:
    rows = [element("p", line(text), class_="row") for text in texts]
    return _folded(f"{title}: {number(len(texts))}", rows, is_open)


def _names(names: Sequence[str]) -> Markup:
    """All of them; where there are many, folded behind the first few."""
    shown, more = listed(names, _MOST_SHOWN)
    first = [[", " if position else "", _code(name)] for position, name in enumerate(shown)]
    if not more:
        return element("span", first)
    rest = element(
        "p", [[", " if position else "", _code(name)] for position, name in enumerate(names)], class_="names"
    )
    return element(
        "details",
        element("summary", first, element("span", f" and {number(more)} more", class_="more")),
        rest,
        class_="list",
    )


def _change(group: ChangeGroup) -> Markup:
    title = element("p", _kind(group.change), " ", element("strong", line(group.addon)), " ",
                    _sides(group.change, group.from_, group.to))  # fmt: skip
    where = many(len(group.clusters), "cluster") + (f" of ring {line(group.ring)}" if group.ring else "")
    effect = element("p", f"{group.effect.value}: {EFFECTS[group.effect]}") if group.effect else None
    also = [element("p", "also ", _also(each), class_="quiet") for each in group.also]
    details = element("pre", "\n".join(line(each) for each in group.details)) if group.details else None
    return element(
        "div",
        title,
        effect,
        also,
        details,
        element("div", where, ": ", _names(group.clusters), class_="quiet"),
        class_="row",
    )


def _also(each: Difference) -> Markup:
    return joined(each.change.value, " ", _sides(each.change, each.from_, each.to))


def _step(group: StepGroup) -> Markup:
    title = element(
        "p", _code(f"{group.sign} {group.op}"), " ", element("span", line(group.type), class_="mono")
    )
    differs = [*group.paths, *(reason for reason in group.reasons if reason not in group.paths)]
    what = element("div", "differs in ", _names(differs), class_="quiet") if differs else None
    return element("div", title, element("div", _names(group.names)), what, class_="row")


def _step_lines(group: StepGroup) -> Markup:
    title = element(
        "p", _code(f"{group.sign} {group.op}"), " ", element("span", line(group.type), class_="mono")
    )
    return element(
        "div", title, element("div", _names(group.names), class_="quiet"), _diff(group.lines), class_="row"
    )


def _diff(lines: Sequence[str]) -> Markup:
    parts = []
    left = _MOST_DIFF
    flat = [one for text in lines for one in plain(text).split("\n")]
    for position, one in enumerate(flat):
        left -= len(one) + 1
        if left < 0:
            parts.append(
                element(
                    "span",
                    f"... and {number(len(flat) - position)} more lines; the JSON document has all of them",
                )
            )
            break
        kind = {"+": "add", "-": "del", "@": "at", "~": "at"}.get(one.lstrip()[:1])
        parts.append(joined(element("span", one, class_=kind) if kind else one, "\n"))
    return element("pre", parts)


def _manifest(one: Manifest) -> Markup:
    title = element(
        "p", element("strong", line(one.addon)), " ", _sides(ChangeKind.VERSION, one.from_, one.to)
    )
    where = element("div", _names(one.clusters), class_="quiet")
    if one.why_not is not None:
        return element("div", title, where, element("p", "Not rendered: ", line(one.why_not)), class_="row")
    objects = element("div", _names(one.objects), class_="quiet") if one.objects else None
    return element(
        "div",
        title,
        where,
        objects,
        _diff(one.diff.rstrip("\n").split("\n")) if one.diff else None,
        class_="row",
    )


def _policies(title: str, groups: Sequence[PolicyGroup], is_open: bool = False) -> Markup | None:
    rows = []
    for group in groups:
        level = "mandatory" if group.level == "mandatory" else "same"
        mark = element("span", line(group.level, 40), class_=f"kind {level}")
        which = element("div", _names(group.resources), class_="quiet") if group.resources else None
        rows.append(
            element(
                "div",
                element("p", mark, " ", _code(group.rule)),
                element("p", line(group.message)),
                which,
                class_="row",
            )
        )
    count = sum(max(1, len(group.resources)) for group in groups)
    return _folded(f"{title}: {number(count)}", rows, is_open)


def _foot(grouped: Grouped) -> Markup:
    said = ["Resources that stay as they are are not listed. The browser's search opens what is folded."]
    if grouped.answer.confined is not None:
        said.append(f" The program of the head ran confined: {line(grouped.answer.confined)}")
    return element("footer", said)
