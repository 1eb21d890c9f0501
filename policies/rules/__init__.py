"""The list of rules. Owns their order; each rule is a module of its own, in a folder named by its subject."""

from collections.abc import Mapping
from typing import Final

from . import contract, cost, deletion, exemptions, keyless, least_privilege, pinning, private
from .rule import Rule
from .stack_rule import StackRule

GROUPS: Final[Mapping[str, tuple[Rule | StackRule, ...]]] = {
    "pinning": pinning.RULES,
    "keyless": keyless.RULES,
    "private": private.RULES,
    "cost": cost.RULES,
    "least_privilege": least_privilege.RULES,
    "deletion": deletion.RULES,
    "contract": contract.RULES,
    "exemptions": exemptions.RULES,
}
"""The folders of rules, in the order in which documentation and reports show them; `exemptions` reads what the
others did, so it is the last."""


def catalogue() -> tuple[Rule | StackRule, ...]:
    """Every rule of the pack, in the order in which documentation and reports show them."""
    return tuple(rule for rules in GROUPS.values() for rule in rules)


__all__ = ["GROUPS", "Rule", "StackRule", "catalogue"]
