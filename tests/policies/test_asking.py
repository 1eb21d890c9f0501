"""Only the rules that a resource concerns are asked, and what the pack says stays the same.

The same requests go to two copies of the SDK, one as it is and one with the choice in front of it. What this does not
prove: that the SDK's answers are right.
"""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pulumi_policy.policy
import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import ResourceValidationPolicy, StackValidationPolicy
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policies.rules import Rule, catalogue
from policies.rules.asking import ask_those_concerned
from policies.rules.decoding import decode_once
from policies.rules.pack import policies
from policies.rules.parameter import ConfigurationError
from policies.rules.properties import inputs_of, plain
from policies.rules.rule import Resource
from policies.rules.stack_rule import Stack

from .examples import Example
from .test_cost import EXAMPLES as COST
from .test_every_rule import OTHERS
from .test_image import deployment
from .test_keyless import EXAMPLES as KEYLESS
from .test_least_privilege import EXAMPLES as LEAST_PRIVILEGE
from .test_private import EXAMPLES as PRIVATE

RESOURCES = [
    *(
        (one.type, one.properties)
        for one in (*COST, *KEYLESS, *LEAST_PRIVILEGE, *PRIVATE)
        if isinstance(one, Example)
    ),
    *((kind, properties) for _, kind, properties in OTHERS),
]
"""Type token and inputs of everything that some rule refuses or lets pass."""
EXEMPTION = {"resource": "*", "until": "2027-06-30", "reason": "it is not ours"}
PAST = {"exemptions": [{"resource": "gone", "until": "2027-06-30", "reason": "old"}], "today": "2027-07-01"}
NOTHING: dict[str, Any] = {"exemptions": [], "today": ""}
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "what the engine gives by default": {rule.name: NOTHING for rule in catalogue()},
    "an exemption": {"image-pinned": {"exemptions": [EXEMPTION], "today": "2027-01-01"}},
    "an exemption that is past": {"machine-size": PAST, "image-pinned": PAST},
    "parameters": {"machine-size": {"vcpu": 2}, "cluster-labels-declared": {"labels": ["nobody"]}},
    "mistakes": {"image-pinned": NOTHING, "machine-size": {"vcpu": "x", "nothing": 1}},
}
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


@pytest.fixture
def copies() -> Iterator[Callable[[], Any]]:
    """Makes copies of the SDK's module, so that the other tests keep the one that they have."""
    made: list[str] = []

    def make() -> Any:
        spec = importlib.util.find_spec("pulumi_policy.policy")
        assert spec is not None
        assert spec.loader is not None
        module: Any = importlib.util.module_from_spec(spec)
        made.append(f"pulumi_policy.copy{len(made)}")
        sys.modules[made[-1]] = module
        spec.loader.exec_module(module)
        # The copy has classes of its own, and the pack's policies are the original's.
        for name in ("ResourceValidationPolicy", "StackValidationPolicy", "EnforcementLevel"):
            setattr(module, name, getattr(pulumi_policy.policy, name))
        return module

    yield make
    for name in made:
        del sys.modules[name]


def service(sdk: Any, own: list[Any] | None = None) -> Any:
    return sdk._PolicyAnalyzerServicer("pack", "1.0.0", own or policies(), sdk.EnforcementLevel.ADVISORY)


def struct(values: dict[str, Any]) -> Any:
    made = struct_pb2.Struct()
    made.update(values)
    return made


def known(value: Any) -> Any:
    """`value` without what has no place in a message."""
    if isinstance(value, dict):
        return {key: known(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [known(each) for each in value]
    return value if value is None or isinstance(value, (str, bool, int, float)) else UNKNOWN_STRING_VALUE


def request(kind: str, properties: dict[str, Any], name: str = "one") -> Any:
    urn = f"urn:pulumi:s::p::{kind}::{name}"
    return analyzer_pb2.AnalyzeRequest(type=kind, urn=urn, name=name, properties=struct(known(properties)))


def configure(one: Any, configuration: dict[str, Any], level: Any = analyzer_pb2.MANDATORY) -> None:
    given = {
        name: analyzer_pb2.PolicyConfig(enforcementLevel=level, properties=struct(values))
        for name, values in configuration.items()
    }
    one.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=given), None)


def outcome(call: Callable[..., Any], asked: Any) -> Any:
    """What a call answers, or what it raises."""
    try:
        return call(asked, None)
    except Exception as error:  # noqa: BLE001 - any, for they are compared
        return type(error).__name__, str(error)


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_the_answers_are_the_same(copies: Callable[[], Any], configuration: dict[str, Any]) -> None:
    plain, choosing = copies(), copies()
    assert decode_once(choosing)
    services = [service(plain), service(choosing)]
    for one in services:
        configure(one, configuration)
    requests = [request(kind, properties, str(at)) for at, (kind, properties) in enumerate(RESOURCES)]
    for each in requests:
        before, after = (outcome(one.Analyze, each) for one in services)
        assert before == after
    fields = ("type", "urn", "name", "properties")
    stack = analyzer_pb2.AnalyzeStackRequest(
        resources=[
            analyzer_pb2.AnalyzerResource(**{field: getattr(each, field) for field in fields})
            for each in requests
        ]
    )
    before, after = (outcome(one.AnalyzeStack, stack) for one in services)
    assert before == after
    assert isinstance(before, tuple) or before.diagnostics


def test_a_rule_that_fails_says_the_same(copies: Callable[[], Any]) -> None:
    def fail(_: object) -> Any:
        raise KeyError("nothing")

    (rule,) = (rule for rule in catalogue() if rule.name == "image-pinned")
    assert isinstance(rule, Rule)
    for look, concerns in ((fail, rule.concerns), (rule.look, fail)):
        words = {name: getattr(rule, name) for name in ("name", "title", "mandatory", "reason", "remedy")}
        broken = Rule(**words, source="https://x.example", looks_at=("x",), concerns=concerns, look=look)
        plain, choosing = copies(), copies()
        assert decode_once(choosing)
        before, after = (
            outcome(service(sdk, [broken.policy()]).Analyze, request(DEPLOYMENT, {}))
            for sdk in (plain, choosing)
        )
        assert before == after
        assert before[0] == "RuleError"


def test_those_that_a_resource_does_not_concern_are_not_asked(copies: Callable[[], Any]) -> None:
    sdk = copies()
    assert decode_once(sdk)
    # Names, not the arguments: lists out of a message that live as long as the interpreter make it end in a fault.
    asked: list[str] = []
    real = sdk.ResourceValidationArgs

    def counted(*arguments: Any) -> Any:
        asked.append(arguments[3])
        return real(*arguments)

    sdk.ResourceValidationArgs = counted
    one = service(sdk)
    configure(one, {rule.name: NOTHING for rule in catalogue()})
    assert one.Analyze(request(DEPLOYMENT, deployment("nginx", "nginx:latest")), None).diagnostics
    assert 0 < len(asked) < 10 < len(catalogue())


def test_a_stack_rule_is_shown_what_it_concerns_and_any_other_policy_everything(
    copies: Callable[[], Any],
) -> None:
    sdk = copies()
    assert decode_once(sdk)
    shown: list[list[str]] = []

    def foreign(args: Any, report: Any) -> None:
        shown.append([one.name for one in args.resources])
        (last,) = (one for one in args.resources if one.name == "b")
        assert [one.name for one in last.dependencies] == ["a"]

    own: Any = StackValidationPolicy(name="foreign", description="looks at all", validate=foreign)
    first = analyzer_pb2.AnalyzerResource(type="x:y:A", urn="urn:a", name="a")
    second = analyzer_pb2.AnalyzerResource(type=DEPLOYMENT, urn="urn:b", name="b", dependencies=["urn:a"])
    asked = analyzer_pb2.AnalyzeStackRequest(resources=[first, second])
    decoded: list[Any] = []
    real = sdk.deserialize_properties

    def counted(given: Any) -> Any:
        decoded.append(given)
        return real(given)

    sdk.deserialize_properties = counted
    assert not service(sdk).AnalyzeStack(asked, None).diagnostics
    assert decoded == []
    service(sdk, [*policies(), own]).AnalyzeStack(asked, None)
    assert shown == [["a", "b"]]


def test_a_policy_that_is_no_rule_is_asked_about_everything(copies: Callable[[], Any]) -> None:
    sdk = copies()
    assert decode_once(sdk)
    asked: list[str] = []

    def foreign(args: Any, report: Any) -> None:
        asked.append(args.name)

    own: Any = ResourceValidationPolicy(name="foreign", description="looks at all", validate=foreign)
    one = service(sdk, [*policies(), own])
    for name in ("a", "b"):
        one.Analyze(request("x:y:Z", {}, name), None)
    assert asked == ["a", "b"]


def test_a_new_configuration_is_heard(copies: Callable[[], Any]) -> None:
    sdk = copies()
    assert decode_once(sdk)
    one = service(sdk)
    latest = request(DEPLOYMENT, deployment("nginx", "nginx:latest"))

    def names() -> set[str]:
        return {found.policyName for found in one.Analyze(latest, None).diagnostics}

    assert "image-pinned" in names()
    configure(one, {"image-pinned": {"exemptions": [EXEMPTION], "today": "2027-01-01"}})
    assert "image-pinned" not in names()
    configure(one, {"image-pinned": PAST})
    assert "image-pinned" in names()
    configure(one, {"image-pinned": {}}, analyzer_pb2.DISABLED)
    assert "image-pinned" not in names()
    configure(one, {"machine-size": {"nothing": 1}})
    with pytest.raises(ConfigurationError, match="configuration of rule machine-size: nothing is 1"):
        names()


def test_where_nothing_remediates_nothing_is_decoded_and_levels_are_answered(
    copies: Callable[[], Any],
) -> None:
    plain, choosing = copies(), copies()
    assert decode_once(choosing)
    decoded: list[Any] = []
    real = choosing.deserialize_properties

    def counted(given: Any, *more: Any) -> Any:
        decoded.append(given)
        return real(given, *more)

    choosing.deserialize_properties = counted
    before, after = service(plain), service(choosing)
    asked = request(DEPLOYMENT, deployment("nginx", "nginx:latest"))
    assert after.Remediate(asked, None) == before.Remediate(asked, None)
    for one in (before, after):
        configure(one, {"image-pinned": {}}, analyzer_pb2.REMEDIATE)
    answer = after.Remediate(asked, None)
    assert answer == before.Remediate(asked, None)
    assert [one.policy_name for one in answer.not_applicable] == ["image-pinned"]
    assert not any(decoded)


def test_what_remediates_gets_the_resource(copies: Callable[[], Any]) -> None:
    sdk = copies()
    assert decode_once(sdk)
    level: Any = sdk.EnforcementLevel.REMEDIATE
    mending: Any = ResourceValidationPolicy(
        name="mends",
        description="mends",
        enforcement_level=level,
        remediate=lambda args: {"a": args.props["b"]},
    )
    one = service(sdk, [*policies(), mending])
    for value in ("x", "y"):
        (found,) = one.Remediate(request("x:y:Z", {"b": value}), None).remediations
        assert dict(found.properties) == {"a": value}


def test_a_configuration_is_held_against_the_schema_whatever_was_held_before() -> None:
    rules = {rule.name: rule for rule in catalogue()}
    assert rules["machine-size"].settings({"vcpu": 1}) == {"vcpu": 1}
    assert rules["machine-size"].settings({"vcpu": 2}) == {"vcpu": 2}
    for wrong in ({"vcpu": True}, {"vcpu": "1"}, {"vcpu": 1, "days": 1}):
        # Python takes True for 1.
        with pytest.raises(ConfigurationError, match="configuration of rule machine-size"):
            rules["machine-size"].settings(wrong)
    with pytest.raises(ConfigurationError, match="configuration of rule key-versions"):
        rules["key-versions"].settings({"vcpu": 1})


METHODS = {
    name: lambda self, asked, context: "as before"
    for name in ("Analyze", "AnalyzeStack", "Remediate", "Configure", "ConfigureStack")
}
FIELDS = {"_PolicyAnalyzerServicer__policies": list, "_PolicyAnalyzerServicer__policy_pack_config": dict}


@pytest.mark.parametrize(
    "names",
    [
        {},
        METHODS,
        {**METHODS, "__annotations__": {"_PolicyAnalyzerServicer__policies": list}},
        {"Analyze": METHODS["Analyze"], "__annotations__": FIELDS},
    ],
)
def test_an_sdk_without_these_names_is_left_alone(names: dict[str, Any]) -> None:
    other: Any = ModuleType("other")
    other.StackValidationPolicy = StackValidationPolicy
    other._PolicyAnalyzerServicer = type("Other", (), dict(names))
    assert not ask_those_concerned(other)
    assert vars(other._PolicyAnalyzerServicer).get("Analyze") is names.get("Analyze")


@pytest.mark.parametrize("rule", catalogue(), ids=lambda rule: rule.name)
def test_no_rule_writes_to_what_it_looks_at(rule: Any) -> None:
    """All rules share the inputs of a resource."""
    proxies = [unknown_checking_proxy(known(properties)) for _, properties in RESOURCES]
    resources = [
        Resource(type=kind, properties=inputs_of(proxy), urn=f"urn:{at}", name=str(at))
        for at, ((kind, _), proxy) in enumerate(zip(RESOURCES, proxies, strict=True))
    ]
    if isinstance(rule, Rule):
        for one, proxy in zip(resources, proxies, strict=True):
            rule.findings(one.type, proxy)
    else:
        list(rule.look(Stack(resources=resources, parameters=rule.settings({}))))
    assert [one.properties for one in resources] == [plain(proxy) for proxy in proxies]
