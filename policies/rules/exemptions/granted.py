"""Rule exemption-granted: says what is exempt at each run, with the reason and the day on which it ends."""

from collections.abc import Iterator
from typing import Final

from ..rule import Finding
from ..stack_rule import Stack, StackRule

_REMEDY: Final = "Nothing to do before that day"


def _look(stack: Stack) -> Iterator[Finding]:
    expired = set(stack.ledger.expired())
    for one, findings in stack.ledger.used.items():
        if findings and one not in expired:
            many = "one finding is" if findings == 1 else f"{findings} findings are"
            yield Finding(
                path=f"resource of an exemption from {one.rule}",
                value=one.resource,
                why=f"{many} exempt until {one.until.isoformat()}, because: {one.reason}",
                remedy=_REMEDY,
            )


RULE: Final = StackRule(
    name="exemption-granted",
    title="What is exempt is said",
    mandatory=False,
    reason="Whoever reads a preview sees what the rules would have said, not only what they say.",
    remedy=_REMEDY + "; to say it no more, set the rule to disabled.",
    source="https://www.pulumi.com/docs/insights/policy/policy-packs/",
    looks_at=("exemptions[] in the configuration of every rule that is not disabled",),
    concerns=lambda resource_type: False,
    look=_look,
)
