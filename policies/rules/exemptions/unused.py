"""Rule exemption-unused: an exemption that silences nothing is out of date, or its pattern is mistaken."""

from collections.abc import Iterator
from typing import Final

from ..rule import Finding
from ..stack_rule import Stack, StackRule

_REMEDY: Final = "Remove it, or mend the pattern: it is held against name, TYPE::NAME and URN"


def _look(stack: Stack) -> Iterator[Finding]:
    for one, findings in stack.ledger.used.items():
        if not findings:
            yield Finding(
                path=f"resource of an exemption from {one.rule}",
                value=one.resource,
                why="no resource that it matches violates the rule",
                remedy=_REMEDY,
            )


RULE: Final = StackRule(
    name="exemption-unused",
    title="Every exemption is needed",
    mandatory=False,
    reason="An exemption that silences nothing today silences tomorrow's mistake.",
    remedy=_REMEDY + ".",
    source="https://www.pulumi.com/docs/insights/policy/policy-packs/",
    looks_at=("exemptions[].resource in the configuration of every rule that is not disabled",),
    concerns=lambda resource_type: False,
    look=_look,
)
