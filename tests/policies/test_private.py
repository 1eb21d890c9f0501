"""The rules about networks, by a table: what each refuses, with the paths it names, and what it lets pass.

Proves them on inputs as the engine hands them over. Does not prove what GKE makes of settings that are left out.
"""

import copy
from typing import Any

import pytest
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.rules.private import RULES

from .examples import Example, check, check_all_are_shown

CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
FIREWALL = "gcp:compute/firewall:Firewall"
POLICY_RULE = "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule"
POLICY_RULES = "gcp:compute/networkFirewallPolicyWithRules:NetworkFirewallPolicyWithRules"

GOOD_NODE: dict[str, Any] = {
    "metadata": {"disable-legacy-endpoints": "true"},
    "shieldedInstanceConfig": {"enableSecureBoot": True, "enableIntegrityMonitoring": True},
    "workloadMetadataConfig": {"mode": "GKE_METADATA"},
}
GOOD: dict[str, Any] = {
    "removeDefaultNodePool": True,
    "initialNodeCount": 1,
    "enableShieldedNodes": True,
    "enableLegacyAbac": False,
    "workloadIdentityConfig": {"workloadPool": "p.svc.id.goog"},
    "privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": True},
    "masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": "10.0.0.0/8"}]},
    "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": False}},
    "anonymousAuthenticationConfig": {"mode": "LIMITED"},
    "rbacBindingConfig": {"enableInsecureBindingSystemAuthenticated": False},
    "nodeConfig": GOOD_NODE,
}
AUTOPILOT: dict[str, Any] = {"enableAutopilot": True, "privateClusterConfig": GOOD["privateClusterConfig"]}
UNKNOWN = UNKNOWN_STRING_VALUE


def firewall(*ranges: str, **more: Any) -> dict[str, Any]:
    return {"allows": [{"protocol": "tcp"}], "sourceRanges": list(ranges)} | more


def policy_rule(*ranges: str, **more: Any) -> dict[str, Any]:
    return {"action": "allow", "direction": "INGRESS", "match": {"srcIpRanges": list(ranges)}} | more


def networks(*ranges: str, **more: Any) -> dict[str, Any]:
    blocks = [{"cidrBlock": one} for one in ranges]
    return {"masterAuthorizedNetworksConfig": {"cidrBlocks": blocks} | more}


def node(**config: Any) -> dict[str, Any]:
    return {"nodeConfig": config}


OUTSIDE = "masterAuthorizedNetworksConfig"
EXAMPLES = [
    Example("private-nodes", CLUSTER, {}, ("privateClusterConfig.enablePrivateNodes",)),
    Example(
        "private-nodes", CLUSTER, {"enableAutopilot": True}, ("privateClusterConfig.enablePrivateNodes",)
    ),
    Example(
        "private-nodes",
        CLUSTER,
        {"privateClusterConfig": {"enablePrivateNodes": False}},
        ("privateClusterConfig.enablePrivateNodes",),
    ),
    Example(
        "private-nodes",
        POOL,
        {"networkConfig": {"enablePrivateNodes": False}},
        ("networkConfig.enablePrivateNodes",),
    ),
    Example(
        "private-nodes",
        CLUSTER,
        GOOD | {"nodePools": [{}, {"networkConfig": {"enablePrivateNodes": False}}]},
        ("nodePools[1].networkConfig.enablePrivateNodes",),
    ),
    Example("private-nodes", CLUSTER, {"networkConfig": {"defaultEnablePrivateNodes": True}}),
    Example("private-nodes", CLUSTER, {"privateClusterConfig": UNKNOWN}),
    Example("private-nodes", POOL, {}),
    Example("control-plane-closed", CLUSTER, {}, ("privateClusterConfig.enablePrivateEndpoint",)),
    Example(
        "control-plane-closed",
        CLUSTER,
        {"privateClusterConfig": {"enablePrivateEndpoint": False}},
        ("privateClusterConfig.enablePrivateEndpoint",),
    ),
    Example(
        "control-plane-closed",
        CLUSTER,
        networks("203.0.113.0/24", gcpPublicCidrsAccessEnabled=True),
        (f"{OUTSIDE}.gcpPublicCidrsAccessEnabled",),
    ),
    Example("control-plane-closed", CLUSTER, networks("203.0.113.0/24")),
    Example("control-plane-closed", CLUSTER, {OUTSIDE: {}}),
    Example("control-plane-closed", CLUSTER, {OUTSIDE: UNKNOWN}),
    Example(
        "control-plane-closed",
        CLUSTER,
        {"controlPlaneEndpointsConfig": {"ipEndpointsConfig": {"enabled": False}}},
    ),
    Example(
        "dns-endpoint-closed",
        CLUSTER,
        {"controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": True}}},
        ("controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic",),
    ),
    Example("dns-endpoint-closed", CLUSTER, {}),
    *(
        Example(
            "no-open-networks", CLUSTER, networks("10.0.0.0/8", one), (f"{OUTSIDE}.cidrBlocks[1].cidrBlock",)
        )
        for one in ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "8000::/1", " 0.0.0.0/0", "1.2.3.4/0")
    ),
    Example("no-open-networks", FIREWALL, firewall("10.0.0.0/8", "0.0.0.0/0"), ("sourceRanges[1]",)),
    Example("no-open-networks", FIREWALL, firewall("::/0", direction="INGRESS"), ("sourceRanges[0]",)),
    Example("no-open-networks", POLICY_RULE, policy_rule("0.0.0.0/0"), ("match.srcIpRanges[0]",)),
    Example(
        "no-open-networks",
        POLICY_RULES,
        {"rules": [policy_rule("10.0.0.0/8"), policy_rule("0.0.0.0/0")]},
        ("rules[1].match.srcIpRanges[0]",),
    ),
    Example(
        "no-open-networks", CLUSTER, networks("10.0.0.0/8", "203.0.113.7/32", "2001:db8::/32", "office", "")
    ),
    Example("no-open-networks", CLUSTER, networks(UNKNOWN)),
    Example("no-open-networks", FIREWALL, firewall("0.0.0.0/0", direction="EGRESS")),
    Example("no-open-networks", FIREWALL, firewall("0.0.0.0/0", disabled=True)),
    Example("no-open-networks", FIREWALL, {"denies": [{"protocol": "all"}], "sourceRanges": ["0.0.0.0/0"]}),
    Example("no-open-networks", POLICY_RULE, policy_rule("0.0.0.0/0", action="deny")),
    Example("no-open-networks", POLICY_RULE, policy_rule("0.0.0.0/0", direction="EGRESS")),
    Example(
        "no-anonymous-access",
        CLUSTER,
        {
            "anonymousAuthenticationConfig": {"mode": "ENABLED"},
            "rbacBindingConfig": {
                "enableInsecureBindingSystemAuthenticated": True,
                "enableInsecureBindingSystemUnauthenticated": True,
            },
        },
        (
            "anonymousAuthenticationConfig.mode",
            "rbacBindingConfig.enableInsecureBindingSystemAuthenticated",
            "rbacBindingConfig.enableInsecureBindingSystemUnauthenticated",
        ),
    ),
    Example("no-anonymous-access", CLUSTER, {}),
    Example("no-legacy-endpoints", CLUSTER, {"enableLegacyAbac": True}, ("enableLegacyAbac",)),
    Example(
        "no-legacy-endpoints",
        POOL,
        node(metadata={"disable-legacy-endpoints": "false"}),
        ("nodeConfig.metadata.disable-legacy-endpoints",),
    ),
    Example(
        "no-legacy-endpoints",
        POOL,
        node(metadata={"x": "y"}),
        ("nodeConfig.metadata.disable-legacy-endpoints",),
    ),
    Example(
        "no-legacy-endpoints",
        POOL,
        node(kubeletConfig={"insecureKubeletReadonlyPortEnabled": "TRUE"}),
        ("nodeConfig.kubeletConfig.insecureKubeletReadonlyPortEnabled",),
    ),
    Example(
        "no-legacy-endpoints",
        CLUSTER,
        {"nodePoolDefaults": {"nodeConfigDefaults": {"insecureKubeletReadonlyPortEnabled": "TRUE"}}},
        ("nodePoolDefaults.nodeConfigDefaults.insecureKubeletReadonlyPortEnabled",),
    ),
    Example("no-legacy-endpoints", POOL, node(metadata={})),
    Example("no-legacy-endpoints", POOL, node(metadata=UNKNOWN)),
    Example("no-legacy-endpoints", POOL, node(kubeletConfig={"insecureKubeletReadonlyPortEnabled": "FALSE"})),
    Example("workload-identity", CLUSTER, {}, ("workloadIdentityConfig.workloadPool",)),
    Example(
        "workload-identity",
        CLUSTER,
        GOOD | node(workloadMetadataConfig={"mode": "GCE_METADATA"}),
        ("nodeConfig.workloadMetadataConfig.mode",),
    ),
    Example(
        "workload-identity",
        POOL,
        node(workloadMetadataConfig={"mode": "MODE_UNSPECIFIED"}),
        ("nodeConfig.workloadMetadataConfig.mode",),
    ),
    Example("workload-identity", CLUSTER, {"enableAutopilot": True}),
    Example("workload-identity", CLUSTER, {"enableAutopilot": UNKNOWN}),
    Example("workload-identity", CLUSTER, {"workloadIdentityConfig": {"workloadPool": UNKNOWN}}),
    Example("workload-identity", POOL, {}),
    Example("shielded-nodes", CLUSTER, {"enableShieldedNodes": False}, ("enableShieldedNodes",)),
    Example(
        "shielded-nodes",
        POOL,
        node(shieldedInstanceConfig={"enableIntegrityMonitoring": False}),
        ("nodeConfig.shieldedInstanceConfig.enableIntegrityMonitoring",),
    ),
    Example(
        "shielded-nodes",
        CLUSTER,
        {
            "clusterAutoscaling": {
                "autoProvisioningDefaults": {"shieldedInstanceConfig": {"enableIntegrityMonitoring": False}}
            }
        },
        ("clusterAutoscaling.autoProvisioningDefaults.shieldedInstanceConfig.enableIntegrityMonitoring",),
    ),
    Example("shielded-nodes", CLUSTER, {}),
    Example("secure-boot", POOL, {}, ("nodeConfig.shieldedInstanceConfig.enableSecureBoot",)),
    Example("secure-boot", CLUSTER, {}, ("nodeConfig.shieldedInstanceConfig.enableSecureBoot",)),
    Example(
        "secure-boot",
        CLUSTER,
        {"nodePools": [{"nodeConfig": GOOD_NODE}, {"nodeConfig": {}}]},
        ("nodePools[1].nodeConfig.shieldedInstanceConfig.enableSecureBoot",),
    ),
    Example("secure-boot", CLUSTER, {"removeDefaultNodePool": True}),
    Example("secure-boot", CLUSTER, {"enableAutopilot": True}),
    Example("secure-boot", POOL, {"nodeConfig": UNKNOWN}),
    *(
        Example(rule.name, CLUSTER, properties)
        for rule in RULES
        for properties in (GOOD, AUTOPILOT | networks())
    ),
    *(Example(rule.name, POOL, {"nodeConfig": GOOD_NODE}) for rule in RULES),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_what_a_rule_refuses_and_lets_pass(example: Example) -> None:
    check(example, RULES)


def test_every_rule_is_shown_both_ways() -> None:
    check_all_are_shown(EXAMPLES, RULES)


@pytest.mark.parametrize(
    ("keys", "value", "rule"),
    [
        (("privateClusterConfig", "enablePrivateNodes"), False, "private-nodes"),
        (("enableShieldedNodes",), False, "shielded-nodes"),
        (("enableLegacyAbac",), True, "no-legacy-endpoints"),
        (("workloadIdentityConfig",), None, "workload-identity"),
        (("nodeConfig", "workloadMetadataConfig", "mode"), "GCE_METADATA", "workload-identity"),
        (("nodeConfig", "shieldedInstanceConfig", "enableSecureBoot"), False, "secure-boot"),
        (("anonymousAuthenticationConfig", "mode"), "ENABLED", "no-anonymous-access"),
    ],
    ids=str,
)
def test_one_setting_of_a_good_cluster_is_one_rules_business(
    keys: tuple[str, ...], value: Any, rule: str
) -> None:
    cluster = copy.deepcopy(GOOD)
    holder = cluster
    for key in keys[:-1]:
        holder = holder[key]
    holder[keys[-1]] = value
    assert [one.name for one in RULES if one.findings(CLUSTER, cluster)] == [rule]
