"""What a rule is, what it finds, and how it becomes a policy of the CLI.

Owns the form of a rule and of its messages, and what happens when a rule itself fails. Does not own any
rule. The engine calls a policy with proxies that raise on unknown values; a rule sees plain values instead
(`properties`), so that one unknown does not end the check of everything that is known.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi_policy import EnforcementLevel, ResourceValidationPolicy

from .properties import plain, shown


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as a rule sees it: type token, and checked inputs as plain values, `UNKNOWN` among them."""

    type: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One offence.

    `path` leads to it from the resource's inputs, such as ``spec.sources[0].targetRevision``.
    """

    path: str
    value: object
    why: str
    remedy: str

    def __str__(self) -> str:
        why = " ".join(self.why.split())  # it may repeat a text of several lines
        return f"{self.path} is {shown(self.value)}: {why}. {self.remedy}."


class RuleError(Exception):
    """A rule failed on a resource: a mistake in the rule, not in the resource. Names both."""


Look = Callable[[Resource], Iterable[Finding]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule: what is asked, why, what to do, where that is written, where it looks, and the look itself.

    `concerns` is asked first, with the type token alone, because it is called for every resource of a stack.
    """

    name: str
    title: str
    mandatory: bool
    reason: str
    remedy: str
    source: str
    looks_at: tuple[str, ...]
    concerns: Callable[[str], bool]
    look: Look

    def findings(self, resource_type: str, properties: Mapping[str, Any]) -> tuple[Finding, ...]:
        """What the rule has against a resource, one finding a path, in the order of the look.

        `properties` may be the engine's proxies or plain values. Unknown values are no offence.
        """
        if not self.concerns(resource_type):
            return ()
        first: dict[str, Finding] = {}
        for finding in self.look(Resource(type=resource_type, properties=plain(properties))):
            first.setdefault(finding.path, finding)
        return tuple(first.values())

    def validate(self, args: Any, report: Callable[[str], None]) -> None:
        """The callback of the policy SDK. Raises `RuleError` where the rule itself fails."""
        try:
            found = self.findings(args.resource_type, args.props)
        except Exception as error:
            raise RuleError(
                f"rule {self.name} failed on {args.urn}: {type(error).__name__}: {error}. "
                "This is a mistake in the rule, not in the resource; until it is mended, set the rule to "
                '"disabled" with --policy-pack-config'
            ) from error
        for finding in found:
            report(str(finding))

    def policy(self) -> ResourceValidationPolicy:
        """The rule as the policy SDK wants it."""
        return ResourceValidationPolicy(
            name=self.name,
            description=self.title,
            validate=self.validate,
            enforcement_level=EnforcementLevel.MANDATORY if self.mandatory else EnforcementLevel.ADVISORY,
            remediation_steps=self.remedy,
            url=self.source,
        )
