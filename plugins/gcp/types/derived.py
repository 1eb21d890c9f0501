"""Stable values for what Google computes, and the rules for names that several types share.

Owns how a value is made from a resource's own id: the same on paper, in the sandbox's cloud and in tests.
"""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from typing import Any

from plugins.gcp.types.kind import Inputs, Rule

PROJECT = r"(?:[a-z][a-z0-9.-]*:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"
REGION = r"[a-z]+-[a-z]+\d+"
LOCATION = rf"{REGION}(?:-[a-z])?"
CREATED = "2026-01-01T00:00:00.000000000Z"
_PROVISIONED = {"goog-pulumi-provisioned": "true"}

PROJECT_RULE = Rule(
    PROJECT, "be a project id: 6 to 30 lower-case letters, digits and hyphens, starting with a letter"
)
REGION_RULE = Rule(REGION, "be a region, such as asia-northeast1")
COMPUTE_NAME_RULE = Rule(
    r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?",
    "be 1 to 63 lower-case letters, digits and hyphens, starting with a letter, not ending in a hyphen",
)
ROLE = r"(?:roles|(?:projects|organizations)/[^/ ]+/roles)/[A-Za-z0-9_.]+"
ROLE_RULE = Rule(ROLE, "be a role, such as roles/gkehub.viewer")
MEMBER_RULE = Rule(
    r"allUsers|allAuthenticatedUsers|(?:deleted:)?(?:user|serviceAccount|group|domain|projectOwner|projectEditor|projectViewer"
    r"|principal|principalSet):.+",
    "be an IAM member, such as serviceAccount:NAME@PROJECT.iam.gserviceaccount.com",
)
SERVICE_RULE = Rule(
    r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", "be the full name of an API, such as container.googleapis.com"
)
LABELS = frozenset({"effectiveLabels", "pulumiLabels"})
"""Outputs that the provider marks secret, whatever is in them."""


def digest(*parts: str) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def digits(count: int, *parts: str) -> str:
    """`count` decimal digits, the first of them not 0."""
    return "1" + str(int(digest(*parts), 16))[-(count - 1) :]


def paper_number(project: str) -> str:
    """A stable number for a project that nobody has asked Google about."""
    return digits(12, "project", project)


def made_uuid(*parts: str) -> str:
    """A UUID."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "\0".join(parts)))


def etag(*parts: str) -> str:
    """An etag of IAM."""
    return base64.b64encode(bytes.fromhex(digest(*parts)[:16])).decode()


def labels(name: str, inputs: Inputs) -> dict[str, Any]:
    """The two outputs that say labels again, with the provider's own."""
    effective = {**_PROVISIONED, **(inputs.get(name) or {})}
    return {"effectiveLabels": effective, "pulumiLabels": dict(effective)}


def merged(inputs: Inputs, name: str, more: Inputs) -> dict[str, Any]:
    """The block `name` of `inputs` with what the server adds to it."""
    return {**(inputs.get(name) or {}), **more}


def region_of(location: str) -> str:
    """Region of a region or zone: asia-northeast1-b -> asia-northeast1."""
    return re.sub(r"-[a-z]$", "", location)
