"""What a confined program may ask of the engine, call by call.

Does not prove that the engine does what is asked only in the way that is thought of here; test_program.py asks it.
"""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from plugins.language_python import gate

resource: Any = importlib.import_module("pulumi.runtime.proto.resource_pb2")
callback: Any = importlib.import_module("pulumi.runtime.proto.callback_pb2")
engine: Any = importlib.import_module("pulumi.runtime.proto.engine_pb2")

MONITOR = "/pulumirpc.ResourceMonitor/"
SIGNATURE = "4dabf18193072939515e22adb298388d"
ASSET, ARCHIVE = "c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"
SECRET, OUTPUT = "1b47061264138c4ac30d75fd1eb44270", "d0e6a833031e9bbcd3f4e8bde6ca49a4"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def _register(**fields: Any) -> Any:
    values = fields.pop("object", {})
    request = resource.RegisterResourceRequest(**{"type": CONFIG_MAP, "name": "n", "custom": True, **fields})
    request.object.update(values)
    return request


def _provider(kubeconfig: Any) -> Any:
    return _register(type="pulumi:providers:kubernetes", object={"kubeconfig": kubeconfig})


def _passed(method: str, request: Any) -> Any:
    return type(request).FromString(gate.checked(MONITOR + method, request.SerializeToString()))


def _asset(kind: str, **fields: Any) -> dict[str, Any]:
    return {SIGNATURE: kind, **fields}


ALLOWED = [
    ("RegisterResource", _register()),
    ("RegisterResource", _register(type="gcp:container/cluster:Cluster", version="10.2.0")),
    ("RegisterResource", _register(type="pulumi:providers:kubernetes")),
    ("RegisterResource", _register(type="pulumi:pulumi:Stack", custom=False)),
    ("RegisterResource", _register(type="gke-fleet:index:Fleet", custom=False)),
    ("RegisterResource", _register(object={"a": [_asset(ASSET, text="hello")]})),
    (
        "RegisterResource",
        _register(object={"archive": _asset(ARCHIVE, assets={"a": _asset(ASSET, text="b")})}),
    ),
    ("RegisterResource", _provider("{}")),
    ("RegisterResource", _provider("apiVersion: v1\nclusters: []\n")),
    ("RegisterResource", _provider("")),
    ("RegisterResource", _provider(None)),
    ("RegisterResource", _provider("04da6b54-80e4-46f7-96ec-b56ff0331ba9")),
    ("RegisterResource", _provider({SIGNATURE: SECRET, "value": "{}"})),
    ("ReadResource", resource.ReadResourceRequest(type="gcp:projects/project:Project", name="n")),
    ("Invoke", resource.ResourceInvokeRequest(tok="gcp:organizations/getProject:getProject")),
    ("SupportsFeature", resource.SupportsFeatureRequest(id="secrets")),
]
REFUSED = [
    ("RegisterResource", _register(type="pulumi-python:dynamic:Resource"), "packages gcp and kubernetes"),
    ("RegisterResource", _register(type="command:local:Command"), "packages gcp and kubernetes"),
    ("RegisterResource", _register(type="pulumi:providers:pulumi-python"), "built-in type"),
    ("RegisterResource", _register(type="pulumi:providers:evil", custom=False), "built-in type"),
    ("RegisterResource", _register(type="pulumi:pulumi:StackReference"), "built-in type"),
    ("RegisterResource", _register(type="evil:index:Thing", custom=False, remote=True), "construct"),
    ("RegisterResource", _register(pluginDownloadURL="https://evil.example"), "where a plugin comes from"),
    ("RegisterResource", _register(pluginChecksums={"a": b"b"}), "where a plugin comes from"),
    ("RegisterResource", _register(packageRef="r"), "where a plugin comes from"),
    ("RegisterResource", _register(version="../../evil"), "no version"),
    ("RegisterResource", _register(transforms=[callback.Callback(target="evil:1")]), "transforms"),
    ("RegisterResource", _register(envVarMappings={"A": "GITHUB_TOKEN"}), "environment variables"),
    ("RegisterResource", _register(object={"a": _asset(ASSET, path="/etc/passwd")}), "'/etc/passwd'"),
    ("RegisterResource", _register(object={"a": _asset(ASSET, path="")}), "read by the engine"),
    ("RegisterResource", _register(object={"a": _asset(ASSET, text="", uri="http://evil.example")}), "evil"),
    ("RegisterResource", _register(object={"a": _asset(ARCHIVE, path="/root")}), "archive '/root'"),
    (
        "RegisterResource",
        _register(object={"a": [[{"b": _asset(ARCHIVE, assets={"c": _asset(ASSET, uri="file:///etc")})}]]}),
        "file:///etc",
    ),
    ("RegisterResource", _provider(["/etc/passwd"]), "no document"),
    ("RegisterResource", _provider({"path": "/etc/passwd"}), "no document"),
    ("RegisterResource", _provider("~/.kube/config"), "kubeconfig '~/.kube/config'"),
    (
        "RegisterResource",
        _provider({SIGNATURE: SECRET, "value": "/etc/passwd"}),
        "'/etc/passwd' is no document",
    ),
    (
        "RegisterResource",
        _provider({SIGNATURE: OUTPUT, "value": {SIGNATURE: SECRET, "value": "/etc/passwd"}}),
        "'/etc/passwd' is no document",
    ),
    ("ReadResource", resource.ReadResourceRequest(type="evil:a:B"), "packages gcp"),
    ("ReadResource", resource.ReadResourceRequest(type="gcp:a:B", pluginDownloadURL="x"), "comes from"),
    ("Invoke", resource.ResourceInvokeRequest(tok="pulumi:pulumi:readStackResourceOutputs"), "packages gcp"),
    ("Call", resource.ResourceCallRequest(tok="evil:a:b"), "packages gcp"),
    ("RegisterResourceHook", resource.RegisterResourceHookRequest(name="h", on_dry_run=True), "hook 'h'"),
    ("RegisterStackTransform", callback.Callback(target="evil:1"), "transforms"),
    ("RegisterStackInvokeTransform", callback.Callback(target="evil:1"), "transforms"),
    ("RegisterPackage", resource.RegisterPackageRequest(name="gcp"), "package of its own"),
]


@pytest.mark.parametrize(("method", "request_"), ALLOWED)
def test_what_is_let_through_is_not_changed(method: str, request_: Any) -> None:
    assert _passed(method, request_) == request_


@pytest.mark.parametrize(("method", "request_", "why"), REFUSED)
def test_what_leads_out_of_the_cell_is_refused(method: str, request_: Any, why: str) -> None:
    with pytest.raises(gate.Refused, match=why):
        _passed(method, request_)


@pytest.mark.parametrize(
    ("method", "fields", "values"),
    [
        (resource.ReadResourceRequest(type="gcp:a:B"), "ReadResource", "properties"),
        (resource.ResourceInvokeRequest(tok="gcp:a:b"), "Invoke", "args"),
        (resource.ResourceCallRequest(tok="gcp:a:b"), "Call", "args"),
        (resource.RegisterResourceOutputsRequest(urn="u"), "RegisterResourceOutputs", "outputs"),
    ],
)
def test_an_asset_is_refused_wherever_values_are(method: Any, fields: str, values: str) -> None:
    getattr(method, values).update({"deep": [_asset(ASSET, path="/etc/passwd")]})
    with pytest.raises(gate.Refused, match="/etc/passwd"):
        _passed(fields, method)


def test_an_asset_in_the_trigger_of_a_replacement_is_refused() -> None:
    request = _register()
    request.replacement_trigger.struct_value.update(_asset(ASSET, path="/etc/passwd"))
    with pytest.raises(gate.Refused, match="/etc/passwd"):
        _passed("RegisterResource", request)


def test_the_address_of_a_callback_never_reaches_the_engine() -> None:
    request = resource.RegisterResourceHookRequest(name="h")
    request.callback.target = "evil.example:443"
    assert _passed("RegisterResourceHook", request).callback.target == "127.0.0.1:1"


@pytest.mark.parametrize(
    "method",
    [
        "/pulumirpc.Engine/StartDebugging",
        "/pulumirpc.ResourceMonitor/Invented",
        "/pulumirpc.LanguageRuntime/Run",
    ],
)
def test_a_call_that_is_not_on_the_list_is_refused(method: str) -> None:
    with pytest.raises(gate.Refused):
        gate.checked(method, b"")


def test_what_is_not_understood_does_not_pass() -> None:
    """A field that a newer engine knows and this gate does not."""
    request = _register().SerializeToString()
    unknown = b"\xfa\xff\x03\x04evil"
    assert gate.checked(MONITOR + "RegisterResource", request + unknown) == gate.checked(
        MONITOR + "RegisterResource", request
    )
    with pytest.raises(gate.Refused, match="not a message"):
        gate.checked(MONITOR + "RegisterResource", b"\xff\xff\xff")


def test_a_run_has_a_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    held = gate.Gate(monitor="127.0.0.1:1", engine="127.0.0.1:1")
    try:
        monkeypatch.setattr(gate, "_MOST_LOGGED", 100)
        held._measure("/pulumirpc.Engine/Log", 100)
        held._measure(MONITOR + "RegisterResource", 1000)
        with pytest.raises(gate.Refused, match="more than 100 bytes of messages"):
            held._measure("/pulumirpc.Engine/Log", 1)
        monkeypatch.setattr(gate, "_MOST_CALLS", 3)
        with pytest.raises(gate.Refused, match="more than 3 calls"):
            held._measure(MONITOR + "RegisterResource", 1)
    finally:
        held.close()
    assert not held.folder.exists()
