"""Rule metric-volume: no metrics are taken in beyond those of the system, which are free."""

from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER, is_one_of, may_be_autopilot
from ..place import inputs
from ..rule import Finding, Resource, Rule

_FREE: Final = "SYSTEM_COMPONENTS"
_PROMETHEUS_REMEDY: Final = "Set it to false, unless somebody looks at these metrics"
_REMEDY: Final = f'Take it out; "{_FREE}" is free'


def _look(resource: Resource) -> Iterator[Finding]:
    cluster = inputs(resource)
    monitoring = cluster.at("monitoringConfig")
    prometheus = monitoring.at("managedPrometheus", "enabled")
    if prometheus.is_known and not prometheus.is_false and not may_be_autopilot(cluster):
        why = "every sample is billed, and it is on unless it is switched off"
        yield prometheus.offends(why, _PROMETHEUS_REMEDY)
    for component in monitoring.at("enableComponents").each():
        if component.is_set and component.text != _FREE:
            yield component.offends("these metrics are billed by the sample", _REMEDY)
    for field in ("enableMetrics", "enableRelay"):
        switch = monitoring.at("advancedDatapathObservabilityConfig", field)
        if switch.is_true:
            yield switch.offends("it measures every flow of every pod, and the samples are billed", _REMEDY)


RULE: Final = Rule(
    name="metric-volume",
    title="No metrics are taken in that nobody asked for",
    mandatory=False,
    reason="Metrics are billed by the sample: the bill grows with pods and labels, not with who looks at them.",
    remedy=f"{_PROMETHEUS_REMEDY}; {_REMEDY[0].lower()}{_REMEDY[1:]}.",
    source="https://cloud.google.com/stackdriver/pricing",
    looks_at=(
        "gcp:container Cluster: monitoringConfig.managedPrometheus.enabled (in Autopilot it cannot be switched off, "
        "and is no offence), .enableComponents[], .advancedDatapathObservabilityConfig",
    ),
    concerns=is_one_of(CLUSTER),
    look=_look,
)
