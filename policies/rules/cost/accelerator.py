"""Rule accelerators-meant: GPUs, TPUs and confidential machines are meant."""

import re
from collections.abc import Iterator
from typing import Final

from ..gcp import has_nodes, node_configs
from ..place import inputs
from ..rule import Finding, Resource, Rule

_FAMILY: Final = re.compile(r"(?:a[2-9][a-z]?|g[2-9][a-z]?|ct[0-9]\w*)-.*")
_REMEDY: Final = (
    "Take it out, or exempt the pool with the reason; let it shrink to no node when nothing runs on it"
)


def _look(resource: Resource) -> Iterator[Finding]:
    for node in node_configs(resource):
        for gpu in node.at("guestAccelerators").each():
            kind = gpu.at("type")
            if kind.is_known and gpu.at("count").number != 0:
                yield kind.offends("an accelerator costs more than the machine it is in", _REMEDY)
        machine = node.at("machineType")
        if _FAMILY.fullmatch(machine.text):
            yield machine.offends("machines of this family have accelerators built in", _REMEDY)
        confidential = node.at("confidentialNodes", "enabled")
        if confidential.is_true:
            yield confidential.offends("confidential machines cost more by the vCPU", _REMEDY)
    whole = inputs(resource).at("confidentialNodes", "enabled")
    if whole.is_true:
        yield whole.offends("confidential machines cost more by the vCPU", _REMEDY)


RULE: Final = Rule(
    name="accelerators-meant",
    title="Accelerators and confidential machines are meant",
    mandatory=False,
    reason="They cost several times as much as an ordinary node, by the hour that they exist and not that they work.",
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/compute/gpus-pricing",
    looks_at=(
        "nodes of Standard clusters and NodePools: nodeConfig.guestAccelerators[], .machineType, .confidentialNodes",
        "gcp:container Cluster: confidentialNodes",
    ),
    concerns=has_nodes,
    look=_look,
)
