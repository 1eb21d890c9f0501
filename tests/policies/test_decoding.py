"""Each resource is decoded once, and what the pack says stays the same."""

import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pulumi_policy.policy
import pytest
from pulumi.runtime.proto import analyzer_pb2

from policies.rules.decoding import decode_once
from policies.rules.pack import policies

from .test_image import deployment


@pytest.fixture
def sdk() -> Iterator[ModuleType]:
    """A copy of the SDK's module, so that the other tests keep the one that they have."""
    spec = importlib.util.find_spec("pulumi_policy.policy")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["pulumi_policy.copy"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["pulumi_policy.copy"]


def request(name: str, properties: dict[str, Any]) -> Any:
    made = analyzer_pb2.AnalyzeRequest(
        type="kubernetes:apps/v1:Deployment",
        urn=f"urn:pulumi:s::p::kubernetes:apps/v1:Deployment::{name}",
        name=name,
    )
    made.properties.update(properties)
    made.provider.name = "p"
    made.provider.properties.update({"kubeconfig": name})
    return made


def servicer(sdk: Any) -> Any:
    # The copy has classes of its own, and the pack's policies are the original's.
    sdk.ResourceValidationPolicy = pulumi_policy.policy.ResourceValidationPolicy
    sdk.StackValidationPolicy = pulumi_policy.policy.StackValidationPolicy
    sdk.EnforcementLevel = pulumi_policy.policy.EnforcementLevel
    return sdk._PolicyAnalyzerServicer("pack", "1.0.0", policies(), sdk.EnforcementLevel.ADVISORY)


def test_the_answers_are_the_same_and_each_message_is_decoded_once(
    sdk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [request(f"d{at}", deployment("nginx", f"nginx:1.{at}")) for at in range(3)]
    before = [servicer(sdk).Analyze(one, None) for one in requests]
    assert all(one.diagnostics for one in before)
    decoded: list[Any] = []
    real = sdk.json_format.MessageToDict

    def counted(message: Any) -> Any:
        decoded.append(message)
        return real(message)

    monkeypatch.setattr(
        sdk, "json_format", SimpleNamespace(**{**vars(sdk.json_format), "MessageToDict": counted})
    )
    assert decode_once(sdk)
    after = servicer(sdk)
    assert [after.Analyze(one, None) for one in requests] == before
    assert len(decoded) == 2 * len(requests)
    # The same again, for a message of another identity.
    assert after.Analyze(request("d0", deployment("nginx", "nginx:1.0")), None) == before[0]


def test_nothing_of_a_call_is_kept_after_it(sdk: Any) -> None:
    assert decode_once(sdk)
    one = servicer(sdk)
    asked = request("d", deployment("nginx", "nginx:1.2"))
    one.Analyze(request("e", {}), None)
    before = sys.getrefcount(asked), sys.getrefcount(asked.properties)
    assert one.Analyze(asked, None).diagnostics
    policy: Any = pulumi_policy.policy.ResourceValidationPolicy(
        name="mends",
        description="mends",
        enforcement_level=sdk.EnforcementLevel.REMEDIATE,
        remediate=lambda args: {"a": "b"},
    )
    mending = sdk._PolicyAnalyzerServicer("pack", "1.0.0", [policy], sdk.EnforcementLevel.ADVISORY)
    stack = analyzer_pb2.AnalyzeStackRequest(resources=[analyzer_pb2.AnalyzerResource(type="x:y:Z", urn="u")])
    one.AnalyzeStack(stack, None)
    assert mending.Remediate(asked, None).remediations
    assert (sys.getrefcount(asked), sys.getrefcount(asked.properties)) == before


def test_an_sdk_without_these_names_is_left_alone() -> None:
    other = ModuleType("other")
    assert not decode_once(other)
    assert not hasattr(other, "unknown_checking_proxy")
