"""Rule audit-log-volume: logs of who reads what are switched on for one service at a time, and meant."""

import re
from collections.abc import Iterator
from typing import Final

from ..place import inputs
from ..rule import Finding, Resource, Rule

_TOKEN: Final = re.compile(r"gcp:(?:projects|folder|organizations)/(?:iAM|iam)AuditConfig:\w+")
_TYPES: Final = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
_REMEDY: Final = (
    "Take it out, or keep it where an audit asks for it, with exemptedMembers for callers that never rest"
)


def _concerns(resource_type: str) -> bool:
    return _TOKEN.fullmatch(resource_type) is not None


def _look(resource: Resource) -> Iterator[Finding]:
    whole = inputs(resource)
    everything = whole.at("service").text == "allServices"
    for config in whole.at("auditLogConfigs").each():
        kind = config.at("logType")
        if kind.text in _TYPES:
            where = "of every service" if everything else f"of {whole.at('service').text or 'a service'}"
            yield kind.offends(f"every such call {where} becomes a log line that is billed", _REMEDY)


RULE: Final = Rule(
    name="audit-log-volume",
    title="Data access logs are meant",
    mandatory=False,
    reason=(
        "They are off for a reason: Argo CD alone makes thousands of reading calls an hour, and each line is billed. "
        "What changes something is logged anyway, for nothing."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/logging/docs/audit/configure-data-access",
    looks_at=("gcp:projects, gcp:folder and gcp:organizations IAMAuditConfig: auditLogConfigs[].logType",),
    concerns=_concerns,
    look=_look,
)
