"""A fleet and its memberships."""

from __future__ import annotations

from typing import Any

from plugins.gcp.types.derived import CREATED, LABELS, LOCATION, PROJECT_RULE, labels, made_uuid
from plugins.gcp.types.kind import GcpType, Inputs, Numbers, Rule

FLEET = "gcp:gkehub/fleet:Fleet"
MEMBERSHIP = "gcp:gkehub/membership:Membership"


def _fleet_id(inputs: Inputs) -> str:
    return f"projects/{inputs['project']}/locations/global/fleets/default"


def _fleet(inputs: Inputs, _: Numbers) -> dict[str, Any]:
    return {
        "uid": made_uuid(_fleet_id(inputs)),
        "states": [{"code": "READY"}],
        "createTime": CREATED,
        "updateTime": CREATED,
        "deleteTime": "",
        **labels("labels", inputs),
    }


def _membership_id(inputs: Inputs) -> str:
    location = inputs.get("location") or "global"
    return f"projects/{inputs['project']}/locations/{location}/memberships/{inputs['membershipId']}"


def _membership(inputs: Inputs, _: Numbers) -> dict[str, Any]:
    return {"name": _membership_id(inputs), **labels("labels", inputs)}


TYPES = (
    GcpType(
        token=FLEET,
        id_form=r"projects/(?P<project>[^/]+)/locations/global/fleets/default",
        id_of=_fleet_id,
        fill=_fleet,
        rules={
            "project": PROJECT_RULE,
            "displayName": Rule(
                r"[A-Za-z0-9'\"\s!-]{4,30}",
                "be 4 to 30 letters, digits, spaces, hyphens, quotes and exclamation marks",
            ),
        },
        computed=LABELS | {"createTime", "deleteTime", "states", "uid", "updateTime"},
        secret_outputs=LABELS,
    ),
    GcpType(
        token=MEMBERSHIP,
        id_form=r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/memberships/(?P<membershipId>[^/]+)",
        id_of=_membership_id,
        fill=_membership,
        required=("membershipId",),
        defaults={"location": "global"},
        rules={
            "project": PROJECT_RULE,
            "location": Rule(rf"global|{LOCATION}", "be a region or global"),
            "membershipId": Rule(
                r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?",
                "be 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends",
            ),
            "endpoint.gkeCluster.resourceLink": Rule(
                r"(?://container\.googleapis\.com/)?projects/[^/]+/(?:locations|zones)/[^/]+/clusters/[^/]+",
                "be a cluster: //container.googleapis.com/projects/PROJECT/locations/LOCATION/clusters/NAME",
            ),
        },
        computed=LABELS | {"name"},
        secret_outputs=LABELS,
    ),
)
