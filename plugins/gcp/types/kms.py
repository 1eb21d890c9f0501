"""Key rings and keys."""

from __future__ import annotations

from typing import Any

from plugins.gcp.types.derived import LABELS, PROJECT_RULE, labels
from plugins.gcp.types.kind import GcpType, Inputs, Numbers, Rule

KEY_RING = "gcp:kms/keyRing:KeyRing"
CRYPTO_KEY = "gcp:kms/cryptoKey:CryptoKey"

_NAME_RULE = Rule(r"[A-Za-z0-9_-]{1,63}", "be 1 to 63 letters, digits, hyphens and underscores")
_RING_FORM = r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+"


def _ring_id(inputs: Inputs) -> str:
    return f"projects/{inputs['project']}/locations/{inputs['location']}/keyRings/{inputs['name']}"


def _key_id(inputs: Inputs) -> str:
    return f"{inputs['keyRing']}/cryptoKeys/{inputs['name']}"


def _key(inputs: Inputs, _: Numbers) -> dict[str, Any]:
    version = {"name": f"{_key_id(inputs)}/cryptoKeyVersions/1", "state": "ENABLED"}
    thirty_days = "2592000s"
    return {
        "primaries": [version],
        "destroyScheduledDuration": inputs.get("destroyScheduledDuration") or thirty_days,
        **labels("labels", inputs),
    }


TYPES = (
    GcpType(
        token=KEY_RING,
        id_form=r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/keyRings/(?P<name>[^/]+)",
        id_of=_ring_id,
        required=("location", "name"),
        autoname="name",
        rules={"project": PROJECT_RULE, "name": _NAME_RULE},
    ),
    GcpType(
        token=CRYPTO_KEY,
        id_form=rf"(?P<keyRing>{_RING_FORM})/cryptoKeys/(?P<name>[^/]+)",
        id_of=_key_id,
        fill=_key,
        required=("keyRing", "name"),
        defaults={"purpose": "ENCRYPT_DECRYPT"},
        autoname="name",
        rules={
            "keyRing": Rule(_RING_FORM, "be the full name of a key ring: projects/P/locations/L/keyRings/R"),
            "name": _NAME_RULE,
            "rotationPeriod": Rule(r"\d+(?:\.\d+)?s", "be a number of seconds, such as 7776000s"),
        },
        computed=LABELS | {"destroyScheduledDuration", "primaries"},
        secret_outputs=LABELS,
        takes_project=False,
    ),
)
