"""How strict the policy pack is on one stack: the setting `policies` of a stack file.

Owns its form. Does not own the rules, their names and parameters, nor what an exemption matches: the pack does
(`policies/`).
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from model.vocabulary import Entry, Name, Reason, Until

POLICIES = "gke-fleet:policies"
"""Key of the setting in a stack file."""


class Level(StrEnum):
    """What a violation means, in the words of the CLI."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"
    DISABLED = "disabled"


class RuleSettings(Entry):
    """One rule: its level, and parameters that the rule itself checks."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow", alias_generator=to_camel)

    level: Level | None = Field(
        default=None, description="mandatory, advisory or disabled; else the rule's own"
    )


class ExemptionSettings(Entry):
    """One exemption from a rule."""

    rule: Name = Field(description="name of the rule")
    resource: str = Field(
        min_length=1, description="name, TYPE::NAME or URN of the resource; * stands for any part"
    )
    reason: Reason = Field(description="why the rule does not hold there")
    until: Until = Field(description='the last day on which it counts, in quotes, as in "2026-12-31"')


class PolicySettings(Entry):
    """Levels, parameters and exemptions of one stack."""

    rules: dict[Name, RuleSettings] = Field(default={}, description="rules by name: level and parameters")
    exemptions: tuple[ExemptionSettings, ...] = Field(
        default=(), description="a list of exemptions: rule, resource, reason, until"
    )
