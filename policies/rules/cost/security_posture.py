"""Rule no-paid-posture: no scanning of workloads that is, or was, a product with a price."""

from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER, FLEET, is_one_of
from ..place import Place, inputs
from ..rule import Finding, Resource, Rule

_REMEDY: Final = (
    'Write the mode "BASIC" and the vulnerabilityMode "VULNERABILITY_DISABLED", and take the rest out'
)
_OFF: Final = ("", "DISABLED", "MODE_UNSPECIFIED", "WORKLOAD_VULNERABILITY_MODE_UNSPECIFIED")


def _look(resource: Resource) -> Iterator[Finding]:
    whole = inputs(resource)
    holder = whole if resource.type == CLUSTER else whole.at("defaultClusterConfig")
    posture = holder.at("securityPostureConfig")
    for place in (posture.at("mode"), posture.at("vulnerabilityMode")):
        if place.text.upper() in ("ENTERPRISE", "VULNERABILITY_ENTERPRISE"):
            yield place.offends(
                "the tier Enterprise was billed by the vCPU, and its scanning has ended", _REMEDY
            )
    for place in _protection(holder):
        if place.text.upper() not in _OFF:
            yield place.offends("it belongs to a product that was billed, and is deprecated", _REMEDY)


def _protection(holder: Place) -> Iterator[Place]:
    protect = holder.at("protectConfig")
    yield protect.at("workloadVulnerabilityMode")
    yield protect.at("workloadConfig", "auditMode")
    yield holder.at("compliancePostureConfig", "mode")


RULE: Final = Rule(
    name="no-paid-posture",
    title="No scanning that has a price",
    mandatory=True,
    reason="The basic dashboard comes with every cluster; what is above it was billed by the vCPU and is going away.",
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/concepts/about-security-posture-dashboard",
    looks_at=(
        "gcp:container Cluster: securityPostureConfig.mode and .vulnerabilityMode, protectConfig",
        "gcp:gkehub Fleet: the same and compliancePostureConfig, in defaultClusterConfig",
    ),
    concerns=is_one_of(CLUSTER, FLEET),
    look=_look,
)
