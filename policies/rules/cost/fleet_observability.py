"""Rule fleet-observability: the fleet's log routing is meant, and copies nothing."""

from collections.abc import Iterator
from typing import Final

from ..gcp import is_one_of
from ..place import Place, inputs
from ..rule import Finding, Resource, Rule

FEATURE: Final = "gcp:gkehub/feature:Feature"
OBSERVABILITY: Final = "fleetobservability"
_REMEDY: Final = "Take it out, or keep it where one place for the logs of all clusters is worth its price"
_MODE_REMEDY: Final = 'Write "MOVE", or take it out'


def _look(resource: Resource) -> Iterator[Finding]:
    feature = inputs(resource).at("name")
    if feature.text != OBSERVABILITY:
        return
    yield feature.offends("it creates log buckets and sinks, and what they take in is billed", _REMEDY)
    for mode in _modes(inputs(resource).at("spec", OBSERVABILITY, "loggingConfig")):
        if mode.text.upper() == "COPY":
            yield mode.offends("every log line is taken in, and billed, twice", _MODE_REMEDY)


def _modes(logging: Place) -> Iterator[Place]:
    for _, config in logging.entries():
        yield config.at("mode")


RULE: Final = Rule(
    name="fleet-observability",
    title="Log routing of a fleet is meant",
    mandatory=False,
    reason="Logs are billed by the gigabyte that comes in, and routing with COPY takes each in twice.",
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/stackdriver/pricing",
    looks_at=(
        f"gcp:gkehub Feature: name {OBSERVABILITY}, spec.{OBSERVABILITY}.loggingConfig and the mode of each of its "
        "parts",
    ),
    concerns=is_one_of(FEATURE),
    look=_look,
)
