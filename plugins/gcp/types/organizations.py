"""Projects."""

from __future__ import annotations

from typing import Any

from plugins.gcp.types.derived import LABELS, PROJECT_RULE, labels
from plugins.gcp.types.kind import GcpType, Inputs, Numbers, Rule

PROJECT = "gcp:organizations/project:Project"


def _project(inputs: Inputs, numbers: Numbers) -> dict[str, Any]:
    return {
        "number": numbers(inputs["projectId"]),
        "deletionPolicy": inputs.get("deletionPolicy") or "PREVENT",
        **labels("labels", inputs),
    }


TYPES = (
    GcpType(
        token=PROJECT,
        id_form=r"(?:projects/)?(?P<projectId>[^/]+)",
        id_of=lambda inputs: f"projects/{inputs['projectId']}",
        fill=_project,
        required=("name", "projectId"),
        defaults={"autoCreateNetwork": True},
        autoname="projectId",
        lower_case=True,
        plain_name="name",
        rules={
            "projectId": PROJECT_RULE,
            "name": Rule(
                r"[A-Za-z0-9'\"\s!-]{4,30}",
                "be 4 to 30 letters, digits, spaces, hyphens, quotes and exclamation marks",
            ),
            "orgId": Rule(r"\d+", "be the number of an organization"),
            "billingAccount": Rule(
                r"[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}", "be a billing account: 000000-000000-000000"
            ),
        },
        computed=LABELS | {"deletionPolicy", "number"},
        secret_outputs=LABELS,
        takes_project=False,
    ),
)
