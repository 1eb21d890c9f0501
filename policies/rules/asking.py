"""Only the rules that a resource concerns are asked about it.

Owns a choice in front of the SDK's service. The SDK asks each policy of a pack about each resource, and in a pack of
many rules nearly all of them say that it is not theirs, which follows from the type token alone. Does not own how a
policy is asked, nor any answer: the SDK's own methods give it, over fewer policies, and where an SDK does not have
them any more, everything stays as it is, only slower.

A policy is left out only where it says that it has no say (`RulePolicy.has_no_say`, `StackRulePolicy.looks_past`); one
that does not know these questions is asked about everything.
"""

import copy
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

_POLICIES: Final = "_PolicyAnalyzerServicer__policies"
_CONFIGURATION: Final = "_PolicyAnalyzerServicer__policy_pack_config"
_METHODS: Final = ("Analyze", "AnalyzeStack", "Remediate", "Configure", "ConfigureStack")
_CHOSEN: Final = "_chosen"


def ask_those_concerned(sdk: ModuleType) -> bool:
    """Make the service in the module `pulumi_policy.policy` leave out what need not be asked.

    Returns whether it could.
    """
    # Typed as Any: the SDK's methods are assigned anew on purpose.
    module: Any = sdk
    service: Any = getattr(sdk, "_PolicyAnalyzerServicer", None)
    if not all(hasattr(service, name) for name in _METHODS) or not hasattr(sdk, "StackValidationPolicy"):
        return False
    if not {_POLICIES, _CONFIGURATION} <= getattr(service, "__annotations__", {}).keys():
        return False
    analyze, analyze_stack, remediate = service.Analyze, service.AnalyzeStack, service.Remediate

    def analyze_with_those_concerned(self: Any, request: Any, context: Any) -> Any:
        def choose() -> Any:
            return _with(self, [one for one in _policies(self) if _has_a_say(self, one, request.type)])

        return analyze(_once(self, request.type, choose), request, context)

    def analyze_stack_for_those_concerned(self: Any, request: Any, context: Any) -> Any:
        # One policy after the other, each with the resources that it looks at.
        whole = analyze_stack(_with(self, []), request, context)
        for policy in _policies(self):
            if isinstance(policy, module.StackValidationPolicy):
                whole.MergeFrom(analyze_stack(_with(self, [policy]), _part(policy, request), context))
        return whole

    def remediate_where_something_does(self: Any, request: Any, context: Any) -> Any:
        def answer() -> Any:
            if any(one.has_remediation() for one in _policies(self) if hasattr(one, "has_remediation")):
                return None
            # The answer is about levels alone, so it is the same for any resource.
            return remediate(self, type(request)(), context)

        always = _once(self, None, answer)
        return remediate(self, request, context) if always is None else always

    service.Analyze = analyze_with_those_concerned
    service.AnalyzeStack = analyze_stack_for_those_concerned
    service.Remediate = remediate_where_something_does
    for name in ("Configure", "ConfigureStack"):
        setattr(service, name, _choosing_anew(getattr(service, name)))
    return True


def _choosing_anew(configure: Callable[..., Any]) -> Callable[..., Any]:
    def configured(self: Any, request: Any, context: Any) -> Any:
        answer = configure(self, request, context)
        vars(self)[_CHOSEN] = {}
        return answer

    return configured


def _once(service: Any, key: str | None, choose: Callable[[], Any]) -> Any:
    """What `choose` gives, remembered in `service` until it is configured."""
    chosen = vars(service).setdefault(_CHOSEN, {})
    if key not in chosen:
        chosen[key] = choose()
    return chosen[key]


def _policies(service: Any) -> list[Any]:
    found: list[Any] = vars(service)[_POLICIES]
    return found


def _with(service: Any, policies: list[Any]) -> Any:
    """`service` as it is configured now, but for its policies."""
    made = copy.copy(service)
    vars(made)[_POLICIES] = policies
    return made


def _has_a_say(service: Any, policy: Any, resource_type: str) -> bool:
    has_no_say = getattr(policy, "has_no_say", None)
    configuration = vars(service)[_CONFIGURATION].get(policy.name) or {}
    return has_no_say is None or not has_no_say(resource_type, configuration)


class _Part:
    """A request about a stack with some of its resources."""

    def __init__(self, request: Any, resources: list[Any]) -> None:
        self._request, self.resources = request, resources

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


def _part(policy: Any, request: Any) -> Any:
    looks_past = getattr(policy, "looks_past", None)
    if looks_past is None:
        # It may follow dependencies from any resource to any other.
        return request
    return _Part(request, [one for one in request.resources if not looks_past(one.type)])
