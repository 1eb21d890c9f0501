"""The rules about money, by a table: what each refuses, with the paths it names, and what it lets pass.

Proves them on inputs as the engine hands them over. Does not prove what anything costs.
"""

from typing import Any

import pytest
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.rules.cost import RULES

from .examples import Example, check, check_all_are_shown

CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
FLEET = "gcp:gkehub/fleet:Fleet"
SERVICE = "gcp:projects/service:Service"
FEATURE = "gcp:gkehub/feature:Feature"
MEMBERSHIP = "gcp:gkehub/featureMembership:FeatureMembership"
KEY = "gcp:kms/cryptoKey:CryptoKey"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
UNKNOWN = UNKNOWN_STRING_VALUE
AUTOPILOT = {"enableAutopilot": True}

MONITORED = {"managedPrometheus": {"enabled": False}}


def monitoring(**config: Any) -> dict[str, Any]:
    return {"monitoringConfig": MONITORED | config}


def logging(*components: str) -> dict[str, Any]:
    return {"loggingConfig": {"enableComponents": list(components)}}


def pool(location: str, **given: Any) -> dict[str, Any]:
    return {"location": location, **given}


def observability(**parts: Any) -> dict[str, Any]:
    return {"name": "fleetobservability", "spec": {"fleetobservability": {"loggingConfig": parts}}}


EXAMPLES = [
    *(
        Example("no-paid-apis", SERVICE, {"service": f"{api}.googleapis.com"}, ("service",))
        for api in (
            "anthos",
            "gkemulticloud",
            "gkeonprem",
            "mesh",
            "meshconfig",
            "multiclusteringress",
            "trafficdirector",
            "anthosconfigmanagement",
            "anthospolicycontroller",
            "gkebackup",
            "configdelivery",
        )
    ),
    Example("no-paid-apis", SERVICE, {"service": "container.googleapis.com"}),
    Example("no-paid-apis", SERVICE, {"service": UNKNOWN}),
    Example("no-paid-apis", SERVICE, {"service": "mesh.googleapis.com"}, (), {"apis": ["anthos"]}),
    Example("no-paid-apis", SERVICE, {"service": "run.googleapis.com"}, ("service",), {"apis": ["run"]}),
    Example(
        "no-enterprise-tier",
        CLUSTER,
        {"enterpriseConfig": {"desiredTier": "ENTERPRISE"}},
        ("enterpriseConfig.desiredTier",),
    ),
    Example(
        "no-enterprise-tier",
        CLUSTER,
        {"enterpriseConfig": {"desiredTier": "STANDARD"}},
        ("enterpriseConfig.desiredTier",),
    ),
    Example("no-enterprise-tier", CLUSTER, {"enterpriseConfig": {"clusterTier": "STANDARD"}}),
    Example(
        "no-extended-channel",
        CLUSTER,
        {"releaseChannel": {"channel": "EXTENDED"}},
        ("releaseChannel.channel",),
    ),
    Example("no-extended-channel", CLUSTER, {"releaseChannel": {"channel": "REGULAR"}}),
    Example("fleet-features", FEATURE, {"name": "servicemesh"}, ("name",)),
    Example("fleet-features", FEATURE, {"name": "multiclusteringress"}, ("name",)),
    Example("fleet-features", MEMBERSHIP, {"feature": "servicemesh"}, ("feature",)),
    Example(
        "fleet-features",
        MEMBERSHIP,
        {"feature": "projects/p/locations/global/features/servicemesh"},
        ("feature",),
    ),
    Example("fleet-features", FEATURE, {"name": "clusterupgrade"}),
    Example("fleet-features", FEATURE, {"name": "rbacrolebindingactuation"}),
    Example("fleet-features", FEATURE, {"name": "fleetobservability"}),
    Example("fleet-features", FEATURE, {"name": UNKNOWN}),
    Example("fleet-features", FEATURE, {"name": "policycontroller"}, (), {"allowed": ["policycontroller"]}),
    Example("fleet-observability", FEATURE, {"name": "fleetobservability"}, ("name",)),
    Example(
        "fleet-observability",
        FEATURE,
        observability(defaultConfig={"mode": "COPY"}, fleetScopeLogsConfig={"mode": "MOVE"}),
        ("name", "spec.fleetobservability.loggingConfig.defaultConfig.mode"),
    ),
    Example("fleet-observability", FEATURE, {"name": "clusterupgrade"}),
    *(
        Example("no-attached-clusters", token, {"name": "x"}, ("name",))
        for token in (
            "gcp:container/attachedCluster:AttachedCluster",
            "gcp:container/awsCluster:AwsCluster",
            "gcp:container/awsNodePool:AwsNodePool",
            "gcp:container/azureCluster:AzureCluster",
            "gcp:gkeonprem/vMwareCluster:VMwareCluster",
            "gcp:gkeonprem/bareMetalCluster:BareMetalCluster",
        )
    ),
    Example("no-attached-clusters", CLUSTER, {"name": "x"}),
    Example("no-attached-clusters", "gcp:gkeonprem/vmwareClusterIamMember:VmwareClusterIamMember", {}),
    Example(
        "no-paid-posture",
        CLUSTER,
        {"securityPostureConfig": {"mode": "ENTERPRISE", "vulnerabilityMode": "VULNERABILITY_ENTERPRISE"}},
        ("securityPostureConfig.mode", "securityPostureConfig.vulnerabilityMode"),
    ),
    Example(
        "no-paid-posture",
        FLEET,
        {
            "defaultClusterConfig": {
                "securityPostureConfig": {"mode": "ENTERPRISE"},
                "compliancePostureConfig": {"mode": "ENABLED"},
            }
        },
        (
            "defaultClusterConfig.securityPostureConfig.mode",
            "defaultClusterConfig.compliancePostureConfig.mode",
        ),
    ),
    Example(
        "no-paid-posture",
        CLUSTER,
        {"protectConfig": {"workloadVulnerabilityMode": "BASIC", "workloadConfig": {"auditMode": "BASIC"}}},
        ("protectConfig.workloadVulnerabilityMode", "protectConfig.workloadConfig.auditMode"),
    ),
    Example(
        "no-paid-posture",
        CLUSTER,
        {"securityPostureConfig": {"mode": "BASIC", "vulnerabilityMode": "VULNERABILITY_DISABLED"}},
    ),
    Example("no-paid-posture", CLUSTER, {"protectConfig": {"workloadVulnerabilityMode": "DISABLED"}}),
    Example("no-paid-posture", FLEET, {}),
    Example(
        "no-gke-backup",
        CLUSTER,
        {"addonsConfig": {"gkeBackupAgentConfig": {"enabled": True}}},
        ("addonsConfig.gkeBackupAgentConfig.enabled",),
    ),
    Example("no-gke-backup", "gcp:gkebackup/backupPlan:BackupPlan", {"name": "x"}, ("name",)),
    Example("no-gke-backup", "gcp:gkebackup/restorePlan:RestorePlan", {}, ("name",)),
    Example("no-gke-backup", "gcp:gkebackup/backupPlanIamMember:BackupPlanIamMember", {}),
    Example("no-gke-backup", CLUSTER, {"addonsConfig": {"gkeBackupAgentConfig": {"enabled": False}}}),
    Example("metric-volume", CLUSTER, {}, ("monitoringConfig.managedPrometheus.enabled",)),
    Example(
        "metric-volume",
        CLUSTER,
        monitoring(enableComponents=["SYSTEM_COMPONENTS", "APISERVER", "POD"]),
        ("monitoringConfig.enableComponents[1]", "monitoringConfig.enableComponents[2]"),
    ),
    Example(
        "metric-volume",
        CLUSTER,
        monitoring(advancedDatapathObservabilityConfig={"enableMetrics": True, "enableRelay": True}),
        (
            "monitoringConfig.advancedDatapathObservabilityConfig.enableMetrics",
            "monitoringConfig.advancedDatapathObservabilityConfig.enableRelay",
        ),
    ),
    Example("metric-volume", CLUSTER, monitoring(enableComponents=["SYSTEM_COMPONENTS"])),
    Example("metric-volume", CLUSTER, AUTOPILOT),
    Example("metric-volume", CLUSTER, {"monitoringConfig": UNKNOWN}),
    Example("log-volume", CLUSTER, {}, ("loggingConfig.enableComponents",)),
    Example(
        "log-volume",
        CLUSTER,
        AUTOPILOT | logging("SYSTEM_COMPONENTS", "WORKLOADS"),
        ("loggingConfig.enableComponents[1]",),
    ),
    Example("log-volume", CLUSTER, logging("SYSTEM_COMPONENTS")),
    Example("log-volume", CLUSTER, logging()),
    Example("log-volume", CLUSTER, {"loggingService": "none"}),
    Example("log-volume", CLUSTER, AUTOPILOT),
    Example("log-volume", CLUSTER, {"loggingConfig": UNKNOWN}),
    *(
        Example(
            "audit-log-volume",
            token,
            {"service": service, "auditLogConfigs": [{"logType": "ADMIN_READ"}, {"logType": "DATA_WRITE"}]},
            ("auditLogConfigs[0].logType", "auditLogConfigs[1].logType"),
        )
        for token, service in (
            ("gcp:projects/iAMAuditConfig:IAMAuditConfig", "allServices"),
            ("gcp:folder/iamAuditConfig:IamAuditConfig", "storage.googleapis.com"),
            ("gcp:organizations/iamAuditConfig:IamAuditConfig", UNKNOWN),
        )
    ),
    Example("audit-log-volume", "gcp:projects/iAMAuditConfig:IAMAuditConfig", {"auditLogConfigs": []}),
    Example(
        "node-pool-size",
        POOL,
        pool("europe-west1", autoscaling={"maxNodeCount": 11}),
        ("autoscaling.maxNodeCount",),
    ),
    Example("node-pool-size", POOL, pool("europe-west1", nodeCount=11), ("nodeCount",)),
    Example("node-pool-size", POOL, pool("europe-west1", initialNodeCount=11), ("initialNodeCount",)),
    Example(
        "node-pool-size",
        POOL,
        pool("x", autoscaling={"totalMaxNodeCount": 31}),
        ("autoscaling.totalMaxNodeCount",),
    ),
    Example("node-pool-size", POOL, pool("europe-west1-b", nodeCount=31), ("nodeCount",)),
    Example(
        "node-pool-size", POOL, pool("europe-west1-b", nodeCount=16, nodeLocations=["a", "b"]), ("nodeCount",)
    ),
    Example("node-pool-size", POOL, pool("europe-west1", nodeCount=2), ("nodeCount",), {"nodes": 5}),
    Example(
        "node-pool-size",
        CLUSTER,
        pool("europe-west1", nodePools=[{"nodeCount": 10}, {"nodeCount": 11}]),
        ("nodePools[1].nodeCount",),
    ),
    Example("node-pool-size", CLUSTER, pool("europe-west1", initialNodeCount=11), ("initialNodeCount",)),
    Example("node-pool-size", CLUSTER, pool("europe-west1", initialNodeCount=11, removeDefaultNodePool=True)),
    Example("node-pool-size", POOL, pool("europe-west1", autoscaling={"maxNodeCount": 10})),
    Example("node-pool-size", POOL, pool("europe-west1", autoscaling={"maxNodeCount": UNKNOWN})),
    Example("node-pool-size", POOL, pool(UNKNOWN, nodeCount=11)),
    Example("node-pool-size", POOL, pool("europe-west1-b", nodeCount=30)),
    *(
        Example("machine-size", POOL, {"nodeConfig": {"machineType": machine}}, ("nodeConfig.machineType",))
        for machine in ("n2-standard-48", "c3-standard-88-metal", "custom-40-81920", "n2-custom-64-131072")
    ),
    *(
        Example("machine-size", POOL, {"nodeConfig": {"machineType": machine}})
        for machine in (
            "e2-medium",
            "n2-standard-32",
            "custom-8-16384",
            "a2-highgpu-1g",
            "e2-custom-4-131072",
            UNKNOWN,
        )
    ),
    Example(
        "machine-size",
        CLUSTER,
        {"nodeConfig": {"machineType": "e2-standard-8"}},
        ("nodeConfig.machineType",),
        {"vcpu": 4},
    ),
    Example(
        "accelerators-meant",
        POOL,
        {
            "nodeConfig": {
                "guestAccelerators": [{"type": "nvidia-l4", "count": 1}],
                "confidentialNodes": {"enabled": True},
            }
        },
        ("nodeConfig.guestAccelerators[0].type", "nodeConfig.confidentialNodes.enabled"),
    ),
    Example(
        "accelerators-meant",
        POOL,
        {"nodeConfig": {"machineType": "a3-highgpu-8g"}},
        ("nodeConfig.machineType",),
    ),
    Example(
        "accelerators-meant",
        POOL,
        {"nodeConfig": {"machineType": "ct5lp-hightpu-4t"}},
        ("nodeConfig.machineType",),
    ),
    Example(
        "accelerators-meant",
        CLUSTER,
        {"confidentialNodes": {"enabled": True}},
        ("confidentialNodes.enabled",),
    ),
    Example(
        "accelerators-meant", POOL, {"nodeConfig": {"guestAccelerators": [], "machineType": "e2-standard-4"}}
    ),
    Example(
        "accelerators-meant", POOL, {"nodeConfig": {"guestAccelerators": [{"type": "nvidia-l4", "count": 0}]}}
    ),
    Example("network-charges", "gcp:compute/routerNat:RouterNat", {"name": "x"}, ("name",)),
    Example(
        "network-charges", "gcp:compute/address:Address", {"name": "x", "addressType": "EXTERNAL"}, ("name",)
    ),
    Example("network-charges", "gcp:compute/globalAddress:GlobalAddress", {}, ("name",)),
    Example(
        "network-charges",
        "gcp:compute/globalForwardingRule:GlobalForwardingRule",
        {"loadBalancingScheme": "EXTERNAL_MANAGED"},
        ("name",),
    ),
    Example("network-charges", "gcp:compute/address:Address", {"addressType": "INTERNAL"}),
    Example(
        "network-charges", "gcp:compute/forwardingRule:ForwardingRule", {"loadBalancingScheme": "INTERNAL"}
    ),
    Example("network-charges", "gcp:compute/forwardingRule:ForwardingRule", {"loadBalancingScheme": UNKNOWN}),
    Example("key-versions", KEY, {"rotationPeriod": "86400s"}, ("rotationPeriod",)),
    Example(
        "key-versions",
        KEY,
        {"versionTemplate": {"protectionLevel": "HSM"}},
        ("versionTemplate.protectionLevel",),
    ),
    Example("key-versions", VERSION, {"deletionPolicy": "ABANDON"}, ("deletionPolicy",)),
    Example("key-versions", KEY, {"rotationPeriod": "7776000s"}, ("rotationPeriod",), {"days": 365}),
    Example(
        "key-versions",
        KEY,
        {"rotationPeriod": "7776000s", "versionTemplate": {"protectionLevel": "SOFTWARE"}},
    ),
    Example("key-versions", KEY, {"rotationPeriod": "often"}),
    Example("key-versions", VERSION, {"deletionPolicy": "DELETE"}),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_what_a_rule_refuses_and_lets_pass(example: Example) -> None:
    check(example, RULES)


def test_every_rule_is_shown_both_ways() -> None:
    check_all_are_shown(EXAMPLES, RULES)


def test_what_is_billed_by_being_on_is_mandatory_and_what_grows_with_use_is_not() -> None:
    assert {rule.name for rule in RULES if rule.mandatory} == {
        "no-paid-apis", "no-enterprise-tier", "no-extended-channel", "fleet-features", "no-attached-clusters",
        "no-paid-posture", "no-gke-backup",
    }  # fmt: skip


def test_the_zones_of_a_pool_are_told() -> None:
    (found,) = Example("node-pool-size", POOL, pool("europe-west1", nodeCount=20.0)).findings(RULES)
    assert "60 nodes (3 zones with 20 each), and 30 are the most" in str(found)
