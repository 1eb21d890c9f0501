"""Examples of resources for rules: what each refuses, with the paths it names, and what it lets pass.

Owns the form of the tables and what holds for each of them. The tables are in the tests of each group of rules.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_policy.proxy import unknown_checking_proxy

from policies.rules import Rule
from policies.rules.rule import Finding


@dataclass(frozen=True)
class Example:
    """A resource and the paths that a rule names in it; none where the rule lets it pass."""

    rule: str
    type: str
    properties: dict[str, Any]
    paths: tuple[str, ...] = ()
    configuration: dict[str, Any] | None = None

    def __str__(self) -> str:
        told = json.dumps(self.properties, default=repr)[:60]
        return f"{self.rule} {'refuses' if self.paths else 'passes'} {told}"

    def findings(self, rules: Iterable[Rule]) -> list[Finding]:
        """What its rule says, through the engine's proxies."""
        (rule,) = (rule for rule in rules if rule.name == self.rule)
        return list(rule.findings(self.type, unknown_checking_proxy(self.properties), self.configuration))


def check(example: Example, rules: Sequence[Rule]) -> None:
    """The rule names the paths of the example, each once and in any order, and says what to do."""
    found = example.findings(rules)
    assert sorted(finding.path for finding in found) == sorted(example.paths)
    for finding in found:
        assert "\n" not in str(finding)
        assert finding.remedy and not finding.remedy.endswith(".")
        assert finding.why and not finding.why.endswith(".")
        assert "Unknown" not in str(finding)


def check_all_are_shown(examples: Sequence[Example], rules: Sequence[Rule]) -> None:
    """Every rule refuses some example and lets another pass."""
    refusing = {example.rule for example in examples if example.paths}
    passing = {example.rule for example in examples if not example.paths}
    names = {rule.name for rule in rules}
    assert refusing == names
    assert passing == names
