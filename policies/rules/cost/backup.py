"""Rule no-gke-backup: Backup for GKE, which is billed by the pod and by the gigabyte, is not switched on."""

import re
from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER
from ..place import inputs
from ..rule import Finding, Resource, Rule

_TOKEN: Final = re.compile(r"gcp:gkebackup/(?:(?!Iam)\w)+:\w+")
_REMEDY: Final = "Take it out: what a cluster runs comes from Git, and data is backed up where it is kept"


def _concerns(resource_type: str) -> bool:
    return resource_type == CLUSTER or _TOKEN.fullmatch(resource_type) is not None


def _look(resource: Resource) -> Iterator[Finding]:
    whole = inputs(resource)
    if resource.type != CLUSTER:
        yield whole.at("name").offends("every pod that is backed up is billed, and every gigabyte", _REMEDY)
        return
    agent = whole.at("addonsConfig", "gkeBackupAgentConfig", "enabled")
    if agent.is_true:
        yield agent.offends("from here on one plan is enough to be billed for every pod", _REMEDY)


RULE: Final = Rule(
    name="no-gke-backup",
    title="Backup for GKE is not used",
    mandatory=True,
    reason="It is billed by the pod and by the gigabyte, and a plan takes in every pod of a cluster.",
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/add-on/backup-for-gke/concepts/backup-for-gke",
    looks_at=(
        "gcp:container Cluster: addonsConfig.gkeBackupAgentConfig.enabled",
        "gcp:gkebackup: that there is a plan, a channel or a restore",
    ),
    concerns=_concerns,
    look=_look,
)
