"""The rules as Markdown, for RULES.md. Owns the form; the words are the rules'.

``python -m rules.document > RULES.md`` in the pack's folder (``python -m policies.rules.document`` in the checkout)
writes it anew.
"""

import json
import sys
from collections.abc import Iterator
from itertools import groupby

from . import Rule, StackRule, catalogue

_HEAD = """# Rules of the policy pack

<!-- written by rules.document; a test compares -->

Every rule has the level that stands behind its name until a configuration says another, and takes `exemptions` and
`today` besides its own parameters ([README](README.md)). A rule over the whole stack is asked once, after all others.
"""


def markdown() -> str:
    """A table of all rules, then one section a rule, by group. Ends with a newline."""
    groups = [
        (group, list(rules)) for group, rules in groupby(catalogue(), lambda rule: rule.group.capitalize())
    ]
    rows = [
        f"| {group} | [{rule.name}](#{rule.name}) | {rule.level} | {rule.title} |"
        for group, rules in groups
        for rule in rules
    ]
    table = "\n".join(("| Group | Rule | Level | What it asks |", "| --- | --- | --- | --- |", *rows))
    sections = [
        f"## {group}\n\n" + "\n".join("\n".join(_section(rule)) for rule in rules) for group, rules in groups
    ]
    return "\n".join((_HEAD, f"{table}\n", *sections))


def _section(rule: Rule | StackRule) -> Iterator[str]:
    yield f"### {rule.name}\n"
    scope = ", over the whole stack" if isinstance(rule, StackRule) else ""
    yield f"*{rule.level}{scope}.* {rule.title}.\n"
    yield f"**Why:** {rule.reason}\n"
    yield f"**What to do:** {rule.remedy}\n"
    yield "**Looks at:**\n"
    yield from (f"- {place}" for place in rule.looks_at)
    if rule.parameters:
        yield "\n**Parameters:**\n"
        for name, schema in rule.parameters.items():
            default = json.dumps(schema.get("default"), ensure_ascii=False)
            meaning = schema.get("description", "")
            yield f"- `{name}` ({schema.get('type', 'any')}, default `{default}`): {meaning}"
    yield f"\n**Source:** <{rule.source}>\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
