"""Buckets."""

from __future__ import annotations

from typing import Any

from plugins.gcp.types.derived import CREATED, LABELS, PROJECT_RULE, labels
from plugins.gcp.types.kind import GcpType, Inputs, Numbers, Rule

BUCKET = "gcp:storage/bucket:Bucket"


def _bucket(inputs: Inputs, numbers: Numbers) -> dict[str, Any]:
    return {
        "url": f"gs://{inputs['name']}",
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{inputs['name']}",
        "projectNumber": int(numbers(inputs["project"])),
        "timeCreated": CREATED,
        "updated": CREATED,
        **labels("labels", inputs),
    }


TYPES = (
    GcpType(
        token=BUCKET,
        id_form=r"(?:(?P<project>[^/]+)/)?(?P<name>[^/]+)",
        id_of=lambda inputs: str(inputs["name"]),
        fill=_bucket,
        required=("location", "name"),
        defaults={"forceDestroy": False, "storageClass": "STANDARD"},
        autoname="name",
        rules={
            "project": PROJECT_RULE,
            "name": Rule(
                r"(?!goog)[a-z0-9](?:[a-z0-9._-]{1,220}[a-z0-9])",
                "be 3 to 222 lower-case letters, digits, hyphens, dots and underscores",
            ),
        },
        computed=LABELS | {"projectNumber", "selfLink", "timeCreated", "updated", "url"},
        secret_outputs=LABELS,
    ),
)
