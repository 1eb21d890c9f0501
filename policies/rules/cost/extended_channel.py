"""Rule no-extended-channel: no cluster stays on a version for which Google bills by the hour."""

from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER, is_one_of
from ..place import inputs
from ..rule import Finding, Resource, Rule

_REMEDY: Final = 'Write "REGULAR" or "STABLE", and plan the upgrades with a maintenance window'


def _look(resource: Resource) -> Iterator[Finding]:
    channel = inputs(resource).at("releaseChannel", "channel")
    if channel.text.upper() == "EXTENDED":
        yield channel.offends("every hour of extended support is paid for, above the cluster's fee", _REMEDY)


RULE: Final = Rule(
    name="no-extended-channel",
    title="No cluster is on the channel Extended",
    mandatory=True,
    reason="The fee begins by itself, on the day on which the version leaves ordinary support.",
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/concepts/release-channels",
    looks_at=("gcp:container Cluster: releaseChannel.channel",),
    concerns=is_one_of(CLUSTER),
    look=_look,
)
