"""IAM members: one role for one principal on one thing.

Owns the six kinds of thing that hold grants. An id is holder, role, member and the condition's title, with
slashes; an import asks with spaces between them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from plugins.gcp.types.derived import MEMBER_RULE, PROJECT_RULE, ROLE, ROLE_RULE, etag
from plugins.gcp.types.kind import GcpType, Inputs, Numbers, Rule, value_at

PROJECT_IAM_MEMBER = "gcp:projects/iAMMember:IAMMember"
ACCOUNT_IAM_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
SECRET_IAM_MEMBER = "gcp:secretmanager/secretIamMember:SecretIamMember"  # noqa: S105 - a type
BUCKET_IAM_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
KEY_IAM_MEMBER = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"

_SECRET = r"projects/(?P<project>[^/ ]+)/secrets/(?P<secretId>[^/ ]+)"  # noqa: S105 - a name's form
_KEY = r"projects/[^/ ]+/locations/[^/ ]+/keyRings/[^/ ]+/cryptoKeys/[^/ ]+"


def secret_path(inputs: Inputs) -> str:
    """Full name of the secret that `secretId` names, short or full."""
    secret = str(inputs["secretId"])
    return secret if secret.startswith("projects/") else f"projects/{inputs['project']}/secrets/{secret}"


def _of_secret(inputs: Inputs) -> dict[str, str]:
    match = re.fullmatch(_SECRET, str(inputs.get("secretId") or ""))
    return {"project": match["project"]} if match else {}


def _bucket(inputs: Inputs) -> str:
    return f"b/{str(inputs['bucket']).removeprefix('b/')}"


def _named(holder: str) -> Callable[[Inputs], str]:
    return lambda inputs: str(inputs[holder])


def _grant(
    token: str, holder: str, form: str, *, path: Callable[[Inputs], str] | None = None, **more: Any
) -> GcpType:
    """A kind of grant whose input `holder` names what it is on; an id begins with `form`."""
    of = path or _named(holder)

    def identify(inputs: Inputs) -> str:
        parts = [of(inputs), inputs["role"], inputs["member"]]
        title = value_at(inputs, "condition.title")
        return "/".join([*parts, title] if title else parts)

    def fill(inputs: Inputs, _: Numbers) -> dict[str, Any]:
        return {"etag": etag(of(inputs), inputs["role"], inputs["member"])}

    rules = {"role": ROLE_RULE, "member": MEMBER_RULE, **more.pop("rules", {})}
    return GcpType(
        token=token,
        id_form=rf"{form}[/ ](?P<role>{ROLE})[/ ](?P<member>.+)",
        exclusive=False,
        spaced=True,
        id_of=identify,
        fill=fill,
        required=(holder, "role", "member"),
        rules=rules,
        computed=frozenset({"etag"}),
        **more,
    )


TYPES = (
    _grant(
        PROJECT_IAM_MEMBER,
        "project",
        r"(?P<project>[^/ ]+)",
        rules={"project": PROJECT_RULE},
    ),
    _grant(
        ACCOUNT_IAM_MEMBER,
        "serviceAccountId",
        r"(?P<serviceAccountId>projects/[^/]+/serviceAccounts/[^/ ]+)",
        rules={
            "serviceAccountId": Rule(
                r"projects/[^/]+/serviceAccounts/[^/@]+@[^/@]+",
                "be the full name of an account: projects/PROJECT/serviceAccounts/EMAIL",
            )
        },
        takes_project=False,
    ),
    _grant(
        SECRET_IAM_MEMBER,
        "secretId",
        _SECRET,
        path=secret_path,
        implied=_of_secret,
        rules={
            "project": PROJECT_RULE,
            "secretId": Rule(
                r"(?:projects/[^/]+/secrets/)?[A-Za-z0-9_-]{1,255}",
                "be a secret: up to 255 letters, digits, hyphens and underscores",
            ),
        },
    ),
    _grant(
        BUCKET_IAM_MEMBER,
        "bucket",
        r"(?:b/)?(?P<bucket>[^/ ]+)",
        path=_bucket,
        takes_project=False,
    ),
    _grant(
        KEY_IAM_MEMBER,
        "cryptoKeyId",
        rf"(?P<cryptoKeyId>{_KEY})",
        rules={
            "cryptoKeyId": Rule(
                _KEY,
                "be the full name of a key: projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY",
            )
        },
        takes_project=False,
    ),
)
