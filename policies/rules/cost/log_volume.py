"""Rule log-volume: of a cluster's logs those of the system alone go to Cloud Logging by themselves."""

from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER, is_one_of, may_be_autopilot
from ..place import inputs
from ..rule import Finding, Resource, Rule

_SYSTEM: Final = "SYSTEM_COMPONENTS"
_REMEDY: Final = f'Set loggingConfig.enableComponents to ["{_SYSTEM}"], unless somebody reads the rest there'


def _look(resource: Resource) -> Iterator[Finding]:
    cluster = inputs(resource)
    components = cluster.at("loggingConfig", "enableComponents")
    off = cluster.at("loggingService").text == "none"
    if components.value is None and not off and not may_be_autopilot(cluster):
        yield components.offends("then the logs of every pod are taken in too", _REMEDY)
    for component in components.each():
        if component.is_set and component.text != _SYSTEM:
            yield component.offends("these logs are billed by the gigabyte", _REMEDY)


RULE: Final = Rule(
    name="log-volume",
    title="No logs are taken in that nobody asked for",
    mandatory=False,
    reason="Logs are billed by the gigabyte that comes in, and one chatty pod can be most of it.",
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/stackdriver/pricing",
    looks_at=(
        "gcp:container Cluster: loggingConfig.enableComponents[] (where it is not set, Autopilot decides by itself, "
        "and a Standard cluster takes in the logs of every pod)",
    ),
    concerns=is_one_of(CLUSTER),
    look=_look,
)
