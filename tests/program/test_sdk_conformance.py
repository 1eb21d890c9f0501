"""Every key that the program sends exists in the SDK, at any depth, and every word is one of the documented.

Nested arguments are plain dictionaries, so neither a type checker nor the SDK says anything of a misspelt key:
it would travel to the provider. Here the inputs of a whole graph are laid beside the SDK's own input types
(`*Args`), which are generated from the provider's schema.

Not proven here: that Google accepts a value, nor the inside of custom resources, whose types no SDK has.
"""

from __future__ import annotations

import copy
import importlib
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pulumi_gcp
import pulumi_kubernetes
import pytest
from pulumi import _types

from tests.program.graph import Graph

pytestmark = pytest.mark.engine

_SECRET = "4dabf18193072939515e22adb298388d"
"""Marks a secret in the JSON of the CLI."""
_HIDDEN = "[secret]"
"""Stands there in place of one."""
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Stands for a text that is not known before the update."""

_OWN = {"__defaults", "__internal"}
"""Keys that the engine and the SDK add."""

_CLUSTER = "gcp:container/cluster:Cluster"
_POOL = "gcp:container/nodePool:NodePool"
_NAT = "gcp:compute/routerNat:RouterNat"

# Source of each: the text beside the field in pulumi_gcp 10.2, but for those with an address.
WORDS: dict[tuple[str, str], set[str]] = {
    (_CLUSTER, "anonymousAuthenticationConfig.mode"): {"ENABLED", "LIMITED"},
    (_CLUSTER, "databaseEncryption.state"): {"DECRYPTED", "ENCRYPTED"},
    # https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/DatapathProvider
    (_CLUSTER, "datapathProvider"): {"ADVANCED_DATAPATH", "DATAPATH_PROVIDER_UNSPECIFIED", "LEGACY_DATAPATH"},
    (_CLUSTER, "gatewayApiConfig.channel"): {"CHANNEL_DISABLED", "CHANNEL_EXPERIMENTAL", "CHANNEL_STANDARD"},
    (_CLUSTER, "loggingConfig.enableComponents"): {
        *("APISERVER", "CONTROLLER_MANAGER", "KCP_VPA", "SCHEDULER", "SYSTEM_COMPONENTS", "WORKLOADS")
    },
    (_CLUSTER, "monitoringConfig.enableComponents"): {
        *("APISERVER", "CADVISOR", "CONTROLLER_MANAGER", "DAEMONSET", "DCGM", "DEPLOYMENT", "HPA", "JOBSET"),
        *("KUBELET", "POD", "SCHEDULER", "STATEFULSET", "STORAGE", "SYSTEM_COMPONENTS"),
    },
    (_CLUSTER, "networkingMode"): {"ROUTES", "VPC_NATIVE"},
    (_CLUSTER, "nodeConfig.workloadMetadataConfig.mode"): {"GCE_METADATA", "GKE_METADATA", "UNSPECIFIED"},
    (_CLUSTER, "releaseChannel.channel"): {"EXTENDED", "RAPID", "REGULAR", "STABLE", "UNSPECIFIED"},
    (_CLUSTER, "securityPostureConfig.mode"): {"BASIC", "DISABLED", "ENTERPRISE"},
    (_CLUSTER, "securityPostureConfig.vulnerabilityMode"): {
        *("VULNERABILITY_BASIC", "VULNERABILITY_DISABLED", "VULNERABILITY_ENTERPRISE")
    },
    # https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/NodeConfig#effect
    (_POOL, "nodeConfig.taints.effect"): {"NO_EXECUTE", "NO_SCHEDULE", "PREFER_NO_SCHEDULE"},
    (_POOL, "nodeConfig.workloadMetadataConfig.mode"): {"GCE_METADATA", "GKE_METADATA", "UNSPECIFIED"},
    # https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/NodePoolUpdateStrategy
    (_POOL, "upgradeSettings.strategy"): {"BLUE_GREEN", "SHORT_LIVED", "SURGE"},
    (_NAT, "natIpAllocateOption"): {"AUTO_ONLY", "MANUAL_ONLY"},
    (_NAT, "sourceSubnetworkIpRangesToNat"): {
        *("ALL_SUBNETWORKS_ALL_IP_RANGES", "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES", "LIST_OF_SUBNETWORKS")
    },
    (_NAT, "subnetworks.sourceIpRangesToNats"): {
        *("ALL_IP_RANGES", "LIST_OF_SECONDARY_IP_RANGES", "PRIMARY_IP_RANGE")
    },
    ("gcp:projects/iAMAuditConfig:IAMAuditConfig", "auditLogConfigs.logType"): {
        *("ADMIN_READ", "DATA_READ", "DATA_WRITE")
    },
}
"""(type, dotted path without indexes) -> the values that are documented."""


def input_type(token: str) -> type | None:
    """The SDK's input type of a resource's token; None for a custom resource, of which no SDK knows."""
    if token == "pulumi:providers:kubernetes":
        return typing.cast(type, importlib.import_module("pulumi_kubernetes.provider").ProviderArgs)
    package, module, name = token.split(":")
    if package == "gcp":
        folder, _, _ = module.partition("/")
        resource = getattr(getattr(pulumi_gcp, folder), name)
    elif package == "kubernetes":
        try:
            found: Any = pulumi_kubernetes
            for part in module.removesuffix(".k8s.io").replace(".k8s.io/", "/").split("/"):
                found = getattr(found, "rbac" if part == "rbac.authorization" else part.partition(".")[0])
            resource = getattr(found, name)
        except AttributeError:
            return None
    else:
        raise AssertionError(f"{token}: of which SDK?")
    home = importlib.import_module(resource.__module__)
    # A kind of Kubernetes that is nested in lists has an `Args` of its own, which has no resource.
    arguments = getattr(home, f"{name}InitArgs", None) or getattr(home, f"{name}Args")
    return typing.cast(type, arguments)


def strange(kind: Any, value: Any, path: str = "") -> Iterator[str]:
    """What in `value` (JSON of a preview) is no value of an input type, each as `path: why`."""
    if value is None or value in (_UNKNOWN, _HIDDEN) or (isinstance(value, Mapping) and _SECRET in value):
        return
    options = list(_options(kind))
    if Any in options:
        return
    if isinstance(value, Mapping):
        yield from _strange_map(options, value, path)
    elif isinstance(value, list):
        inner = [typing.get_args(each)[0] for each in options if _is_list(each)]
        if not inner:
            yield f"{path}: a list, and the SDK has {_said(options)}"
        for element in value if inner else []:
            yield from strange(inner[0], element, path)
    elif not any(_is_scalar(value, each) for each in options):
        yield f"{path}: {value!r}, and the SDK has {_said(options)}"


def _strange_map(options: list[Any], value: Mapping[str, Any], path: str) -> Iterator[str]:
    models = [each for each in options if isinstance(each, type) and _types.is_input_type(each)]
    if models:
        known = _types.input_type_types(models[0])
        for key, inner in value.items():
            where = f"{path}.{key}".lstrip(".")
            if key in _OWN:
                continue
            if key not in known:
                yield f"{where}: {models[0].__name__} has no such key"
            else:
                yield from strange(known[key], inner, where)
        return
    maps = [typing.get_args(each) for each in options if _is_map(each)]
    if not maps and dict not in options:
        yield f"{path}: a map, and the SDK has {_said(options)}"
    for inner in value.values() if maps else []:
        yield from strange(maps[0][1], inner, path)


def _options(kind: Any) -> Iterator[Any]:
    """The plain types that an SDK's `Input[Optional[...]]` stands for."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        for each in typing.get_args(kind):
            yield from _options(each)
    elif kind is not type(None) and not _is_later(kind):
        yield kind


def _is_later(kind: Any) -> bool:
    origin = typing.get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, (pulumi.Output, typing.Awaitable))


def _is_list(kind: Any) -> bool:
    origin = typing.get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, typing.Sequence)


def _is_map(kind: Any) -> bool:
    origin = typing.get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, typing.Mapping)


def _is_scalar(value: Any, kind: Any) -> bool:
    if typing.get_origin(kind) is typing.Literal:
        return value in typing.get_args(kind)
    if isinstance(value, bool):
        return kind is bool
    if isinstance(value, int | float):
        return kind in (int, float)
    return isinstance(kind, type) and issubclass(kind, str | pulumi.Asset | pulumi.Archive)


def _said(options: list[Any]) -> str:
    return " or ".join(getattr(each, "__name__", str(each)) for each in options)


def words(inputs: Any, path: list[str]) -> Iterator[Any]:
    """The values at a path, through lists."""
    if isinstance(inputs, list):
        for each in inputs:
            yield from words(each, path)
    elif not path:
        yield inputs
    elif isinstance(inputs, Mapping) and path[0] in inputs:
        yield from words(inputs[path[0]], path[1:])


@pytest.fixture(scope="module")
def every_resource(fleets: Mapping[str, Graph]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """(name, type, inputs) of every resource of every fleet."""
    return [
        (f"{stack}: {resource.type}::{resource.name}", resource.type, resource.inputs)
        for stack, graph in fleets.items()
        for resource in graph
        if resource.is_custom and resource.type != "pulumi:pulumi:Stack"
    ]


def test_every_key_exists_in_the_sdk(every_resource: list[tuple[str, str, Mapping[str, Any]]]) -> None:
    checked, found = set(), []
    for name, token, inputs in every_resource:
        kind = input_type(token)
        if kind is None:
            assert ".io/" in token and "argoproj" in token, token
            continue
        checked.add(token)
        # A Provider's inputs are texts of JSON where they are no texts, and its version is the engine's.
        is_provider = token.startswith("pulumi:")
        plain = dict.fromkeys(key for key in inputs if key != "version") if is_provider else inputs
        found += [f"{name}: {told}" for told in strange(kind, plain)]
    assert sorted(set(found)) == []
    assert len([token for token in checked if token.startswith("gcp:")]) >= 15, checked
    assert len([token for token in checked if token.startswith("kubernetes:")]) >= 5, checked


def test_every_word_is_a_documented_one(
    every_resource: list[tuple[str, str, Mapping[str, Any]]],
) -> None:
    for (token, path), documented in WORDS.items():
        used = {
            word
            for _, kind, inputs in every_resource
            if kind == token
            for value in words(inputs, path.split("."))
            for word in (value if isinstance(value, list) else [value])
        }
        assert used, f"{token} {path}: nothing uses it, so the table proves nothing"
        assert used <= documented, f"{token} {path}"


def test_every_way_to_spell_it_wrong_is_found(
    every_resource: list[tuple[str, str, Mapping[str, Any]]],
) -> None:
    """Each key of each cluster, pool and binding in turn gets one letter more, at any depth."""
    tried = 0
    for _, token, inputs in every_resource:
        if token not in {_CLUSTER, _POOL, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"}:
            continue
        kind = input_type(token)
        for wrong in misspelt(inputs, kind):
            tried += 1
            assert any("has no such key" in told for told in strange(kind, wrong)), wrong
    assert tried > 100


def misspelt(inputs: Mapping[str, Any], kind: Any) -> Iterator[dict[str, Any]]:
    """Copies of `inputs` with one key misspelt each, labels and other free maps left alone."""
    model = next(
        (each for each in _options(kind) if isinstance(each, type) and _types.is_input_type(each)), None
    )
    if model is None:
        return
    known = _types.input_type_types(model)
    for key, value in inputs.items():
        if key in _OWN:
            continue
        changed = copy.deepcopy(dict(inputs))
        changed[f"{key}x"] = changed.pop(key)
        yield changed
        inner = known[key]
        if isinstance(value, Mapping) and _SECRET not in value:
            for below in misspelt(value, inner):
                yield {**inputs, key: below}
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            lists = [each for each in _options(inner) if _is_list(each)]
            for below in misspelt(value[0], typing.get_args(lists[0])[0]) if lists else ():
                yield {**inputs, key: [below, *value[1:]]}


def test_wrong_shapes_are_found_too() -> None:
    kind = input_type(_CLUSTER)
    assert list(strange(kind, {"releaseChannel": "REGULAR"})) == [
        "releaseChannel: 'REGULAR', and the SDK has ClusterReleaseChannelArgs"
    ]
    assert list(strange(kind, {"enableAutopilot": "yes"}))
    assert list(strange(kind, {"name": {"a": "b"}}))
    assert list(strange(kind, {"resourceLabels": ["a"]}))
    assert not list(strange(kind, {"resourceLabels": {"any_key": "x"}, "enableAutopilot": True}))
