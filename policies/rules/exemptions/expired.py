"""Rule exemption-expired: an exemption ends on the day that it names, whether or not somebody looks."""

from collections.abc import Iterator
from typing import Final

from ..rule import Finding
from ..stack_rule import Stack, StackRule

_REMEDY: Final = (
    "Mend what it stands for and remove the exemption, or give it a later day with today's reason"
)


def _look(stack: Stack) -> Iterator[Finding]:
    for one in stack.ledger.expired():
        yield Finding(
            path=f"until of the exemption of {one.resource} from {one.rule}",
            value=one.until.isoformat(),
            why=f'it has expired, so the rule holds again (the reason was "{one.reason}")',
            remedy=_REMEDY,
        )


RULE: Final = StackRule(
    name="exemption-expired",
    title="No exemption is past its day",
    mandatory=True,
    reason="An exemption is a debt with a day on it; one that nobody ends is a rule that nobody keeps.",
    remedy=_REMEDY + ".",
    source="https://www.pulumi.com/docs/insights/policy/policy-packs/",
    looks_at=("exemptions[].until in the configuration of every rule that is not disabled",),
    concerns=lambda resource_type: False,
    look=_look,
)
