"""The rules as Markdown, for the README of the pack. Owns the form; the words are the rules'."""

from . import catalogue


def markdown() -> str:
    """One section a rule: level, why, what to do, where it looks, source. Ends with a newline."""
    sections = []
    for rule in catalogue():
        level = "mandatory" if rule.mandatory else "advisory"
        places = "\n".join(f"- {place}" for place in rule.looks_at)
        sections.append(
            f"### {rule.name} ({level})\n\n{rule.title}. {rule.reason}\n\n{rule.remedy}\n\n"
            f"Looks at:\n{places}\n\nSource: <{rule.source}>\n"
        )
    return "\n".join(sections)
