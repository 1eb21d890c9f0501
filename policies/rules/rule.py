"""What a rule is, what it finds, and how it becomes a policy of the CLI.

Owns the form of a rule about one resource and of its messages, its parameters, and what happens when a rule
itself fails. Does not own any rule, nor rules over a whole stack (`stack_rule`), nor exemptions (`exemption`).
The engine calls a policy with proxies that raise on unknown values; a rule sees plain values instead
(`properties`), so that one unknown does not end the check of everything that is known.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi_policy import EnforcementLevel, Policy, PolicyConfigSchema, ResourceValidationPolicy

from .exemption import CONFIGURATION, Ledger, configuration_faults
from .parameter import ConfigurationError, Schema
from .properties import inputs_of, shown


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as a rule sees it: type token, and checked inputs as plain values, `UNKNOWN` among them.

    `protect` is the resource option, `parameters` the rule's own: each has a value, given or by default.
    """

    type: str
    properties: Mapping[str, Any]
    urn: str = ""
    name: str = ""
    protect: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One offence.

    `path` leads to it from the resource's inputs, such as ``spec.sources[0].targetRevision``. `urn` names the
    resource where a rule looks at many.
    """

    path: str
    value: object
    why: str
    remedy: str
    urn: str = ""

    def __str__(self) -> str:
        why = " ".join(self.why.split())  # it may repeat a text of several lines
        return f"{self.path} is {shown(self.value)}: {why}. {self.remedy}."


class RuleError(Exception):
    """A rule failed on a resource: a mistake in the rule, not in the resource. Names both."""

    def __init__(self, rule: str, where: str, error: Exception) -> None:
        super().__init__(
            f"rule {rule} failed on {where}: {type(error).__name__}: {error}. "
            "This is a mistake in the rule, not in the resource; until it is mended, set the rule to "
            '"disabled" with --policy-pack-config'
        )


@dataclass(frozen=True, kw_only=True)
class Described(ABC):
    """What every rule says of itself: what is asked, why, what to do, where that is written, where it looks.

    `parameters`: name -> JSON schema of the value, with ``description`` and ``default``; what the rule gets is
    held against it.
    """

    name: str
    title: str
    mandatory: bool
    reason: str
    remedy: str
    source: str
    looks_at: tuple[str, ...]
    parameters: Mapping[str, Schema] = field(default_factory=dict)
    _faultless: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    @property
    @abstractmethod
    def group(self) -> str:
        """The subject: the folder in which the rule's module stands, as words."""

    @property
    def level(self) -> str:
        """The level unless configuration says another: mandatory or advisory."""
        return "mandatory" if self.mandatory else "advisory"

    def settings(self, configuration: Mapping[str, Any] | None) -> dict[str, Any]:
        """Every parameter's value: what `configuration` of the policy gives, else the default.

        Raises `ConfigurationError` with every mistake in it.
        """
        given = configuration or {}
        # A run has one configuration, and asks for each resource. By its text, since 1 and True are equal.
        if given and (text := repr(given)) not in self._faultless:
            if found := list(configuration_faults(self.parameters, given)):
                raise ConfigurationError(self.name, found)
            self._faultless.add(text)
        return {name: given.get(name, schema.get("default")) for name, schema in self.parameters.items()}

    def described(self) -> dict[str, Any]:
        """The words of the rule as arguments of the SDK's policies."""
        return {
            "name": self.name,
            "description": self.title,
            "enforcement_level": EnforcementLevel(self.level),
            # Types are left to `settings`, which says more than the CLI where a value has the wrong one.
            "config_schema": PolicyConfigSchema({
                name: {key: schema[key] for key in ("description", "default")}
                for name, schema in (*self.parameters.items(), *CONFIGURATION.items())
            }),
            "tags": [self.group],
            "remediation_steps": self.remedy,
            "url": self.source,
        }  # fmt: skip


Look = Callable[[Resource], Iterable[Finding]]


@dataclass(frozen=True, kw_only=True)
class Rule(Described):
    """A rule about one resource. `concerns` is asked first, with the type token alone, because it is called
    for every resource of a stack.
    """

    concerns: Callable[[str], bool]
    look: Look

    @property
    def group(self) -> str:
        """The subject: the folder in which the rule's module stands, as words."""
        return group_of(self.look)

    def findings(
        self,
        resource_type: str,
        properties: Mapping[str, Any],
        configuration: Mapping[str, Any] | None = None,
        *,
        urn: str = "",
        name: str = "",
        protect: bool = False,
    ) -> tuple[Finding, ...]:
        """What the rule has against a resource, one finding a path, in the order of the look.

        `properties` may be the engine's proxies or plain values. Unknown values are no offence. Exemptions are
        not looked at. Raises `ConfigurationError`.
        """
        parameters = self.settings(configuration)
        if not self.concerns(resource_type):
            return ()
        resource = Resource(
            type=resource_type,
            properties=inputs_of(properties),
            urn=urn,
            name=name,
            protect=protect,
            parameters=parameters,
        )
        first: dict[str, Finding] = {}
        for finding in self.look(resource):
            first.setdefault(finding.path, finding)
        return tuple(first.values())

    def validate(self, args: Any, report: Callable[[str], None], ledger: Ledger | None = None) -> None:
        """The callback of the policy SDK. Raises `RuleError` where the rule itself fails, `ConfigurationError`
        where its configuration is none.
        """
        configuration = args.get_config()
        self.settings(configuration)
        exempted = (ledger or Ledger()).exempted(self.name, configuration)
        try:
            found = self.findings(
                args.resource_type,
                args.props,
                configuration,
                urn=args.urn,
                name=args.name,
                protect=args.opts.protect,
            )
        except Exception as error:
            raise RuleError(self.name, args.urn, error) from error
        for finding in found:
            if not exempted(args.urn):
                report(str(finding))

    def policy(self, ledger: Ledger | None = None) -> Policy:
        """The rule as the policy SDK wants it; `ledger` is told what its exemptions did."""
        kept = ledger or Ledger()
        return RulePolicy(
            self, validate=lambda args, report: self.validate(args, report, kept), **self.described()
        )


class RulePolicy(ResourceValidationPolicy):  # type: ignore[misc]
    """A rule as the policy SDK has it. It says when it need not be asked (`asking`)."""

    def __init__(self, rule: Rule, **described: Any) -> None:
        super().__init__(**described)
        self._rule = rule

    def has_no_say(self, resource_type: str, configuration: Mapping[str, Any]) -> bool:
        """Whether it would report nothing, record nothing and raise nothing, whatever else the resource is."""
        try:
            self._rule.settings(configuration)
            return not configuration.get("exemptions") and not self._rule.concerns(resource_type)
        except Exception:  # noqa: BLE001 - raised again where it is asked, and shown with the resource
            return False


def group_of(look: Callable[..., Any]) -> str:
    """The folder in which a rule's look is written, as words."""
    return look.__module__.split(".")[-2].replace("_", " ")
