"""The analysis of resources by a policy pack, in this process: as the policy SDK does it for the CLI.

Owns making the SDK's requests, and the time of the two parts: each resource by itself, and the whole stack at the end.
Does not own the packs. The SDK has no public way to do this without a server, so its service object is called.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pulumi_policy.policy
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel, Policy
from pulumi_policy.policy import _PolicyAnalyzerServicer


def analysed(file: Path, pack: str) -> dict[str, Any]:
    """Microseconds a resource that `pack` ("rules" or "nothing") takes over the resources in `file`: a JSON list of
    {urn, type, name, inputs}."""
    resources = json.loads(file.read_text())
    service = _service(pack)
    requests = [analyzer_pb2.AnalyzeRequest(**_resource(one)) for one in resources]
    began = time.perf_counter()
    findings = sum(len(service.Analyze(request, None).diagnostics) for request in requests)
    each = time.perf_counter() - began
    stack = analyzer_pb2.AnalyzeStackRequest(
        resources=[analyzer_pb2.AnalyzerResource(**_resource(one)) for one in resources]
    )
    began = time.perf_counter()
    findings += len(service.AnalyzeStack(stack, None).diagnostics)
    whole = time.perf_counter() - began
    count = len(resources)
    return {
        "resources": count,
        "findings": findings,
        "microseconds_each": round(each / count * 1e6, 1),
        "microseconds_stack": round(whole / count * 1e6, 1),
        "microseconds": round((each + whole) / count * 1e6, 1),
    }


def _resource(one: dict[str, Any]) -> dict[str, Any]:
    properties = struct_pb2.Struct()
    properties.update(one["inputs"])
    return {"type": one["type"], "properties": properties, "urn": one["urn"], "name": one["name"]}


def _service(pack: str) -> Any:
    service = _PolicyAnalyzerServicer(pack, "0.0.1", _policies(pack), EnforcementLevel.ADVISORY)
    service.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest(stack="large", project="bench"), None)
    service.Configure(analyzer_pb2.ConfigureAnalyzerRequest(), None)
    return service


def _policies(pack: str) -> list[Policy]:
    if pack == "rules":
        from policies.rules.decoding import decode_once
        from policies.rules.pack import policies

        # As the pack's own __main__ does.
        decode_once(pulumi_policy.policy)
        return policies()
    from bench.programs.nothing.nothing import policies as nothing

    return nothing()
