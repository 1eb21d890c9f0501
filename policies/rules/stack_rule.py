"""A rule over all resources of a stack together.

Owns the form of such a rule and how it becomes a policy of the CLI, which calls it once, after everything else.
In an update the engine then shows a resource's outputs, in a preview what is known of them: for Kubernetes
objects both hold what the inputs held.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi_policy import Policy, StackValidationPolicy

from .exemption import Ledger
from .properties import inputs_of
from .rule import Described, Finding, Resource, RuleError, group_of


@dataclass(frozen=True, kw_only=True)
class Stack:
    """The resources that a rule concerns, in the order of registration, and the rule's parameters.

    `ledger`: what the exemptions of the rules before this one did.
    """

    resources: Sequence[Resource]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)


@dataclass(frozen=True, kw_only=True)
class StackRule(Described):
    """A rule over all resources of a stack whose type token it `concerns`. Its findings carry a URN."""

    concerns: Callable[[str], bool]
    look: Callable[[Stack], Iterable[Finding]]

    @property
    def group(self) -> str:
        """The subject: the folder in which the rule's module stands, as words."""
        return group_of(self.look)

    def findings(
        self,
        resources: Iterable[Resource],
        configuration: Mapping[str, Any] | None = None,
        ledger: Ledger | None = None,
    ) -> tuple[Finding, ...]:
        """What the rule has against a stack, one finding a resource and path. Raises `ConfigurationError`."""
        parameters = self.settings(configuration)
        concerned = [resource for resource in resources if self.concerns(resource.type)]
        stack = Stack(resources=concerned, parameters=parameters, ledger=ledger or Ledger())
        first: dict[tuple[str, str], Finding] = {}
        for finding in self.look(stack):
            first.setdefault((finding.urn, finding.path), finding)
        return tuple(first.values())

    def validate(self, args: Any, report: Callable[..., None], ledger: Ledger | None = None) -> None:
        """The callback of the policy SDK. Raises `RuleError` where the rule itself fails, `ConfigurationError`
        where its configuration is none.
        """
        configuration = args.get_config()
        self.settings(configuration)
        exempted = (ledger or Ledger()).exempted(self.name, configuration)
        try:
            resources = [
                Resource(
                    type=one.resource_type,
                    properties=inputs_of(one.props),
                    urn=one.urn,
                    name=one.name,
                    protect=one.opts.protect,
                )
                for one in args.resources
                if self.concerns(one.resource_type)
            ]
            found = self.findings(resources, configuration, ledger)
        except Exception as error:
            raise RuleError(self.name, "the stack", error) from error
        for finding in found:
            if not exempted(finding.urn):
                report(str(finding), finding.urn or None)

    def policy(self, ledger: Ledger | None = None) -> Policy:
        """The rule as the policy SDK wants it; `ledger` is told what its exemptions did."""
        kept = ledger or Ledger()
        return StackRulePolicy(
            self, validate=lambda args, report: self.validate(args, report, kept), **self.described()
        )


class StackRulePolicy(StackValidationPolicy):  # type: ignore[misc]
    """A rule over a stack as the policy SDK has it. It says which resources it need not be shown (`asking`)."""

    def __init__(self, rule: StackRule, **described: Any) -> None:
        super().__init__(**described)
        self._rule = rule

    def looks_past(self, resource_type: str) -> bool:
        """Whether what it says is the same without the resources of this type."""
        try:
            return not self._rule.concerns(resource_type)
        except Exception:  # noqa: BLE001 - raised again where it is asked
            return False
