"""Rule no-service-account-keys: no program makes a key with which a service account signs in from anywhere."""

from collections.abc import Iterator
from typing import Final

from ..gcp import is_one_of
from ..place import inputs
from ..rule import Finding, Resource, Rule

_OWNER: Final = {
    "gcp:serviceaccount/key:Key": ("serviceAccountId", "a key of this account does not expire"),
    "gcp:storage/hmacKey:HmacKey": ("serviceAccountEmail", "an HMAC key of this account does not expire"),
    "gcp:projects/apiKey:ApiKey": ("serviceAccountEmail", "whoever has the API key acts as this account"),
}
"""Type token -> the field that names the account, and what is wrong."""

_REMEDY: Final = (
    "Let the workload be the account: Workload Identity Federation for GKE in a cluster, a workload identity pool "
    "for what runs elsewhere, impersonation for people"
)


def _look(resource: Resource) -> Iterator[Finding]:
    field, why = _OWNER[resource.type]
    account = inputs(resource).at(field)
    if resource.type != "gcp:projects/apiKey:ApiKey" or account.is_set:
        yield account.offends(f"{why}, and it works wherever it is copied to", _REMEDY)


RULE: Final = Rule(
    name="no-service-account-keys",
    title="Service accounts have no keys",
    mandatory=True,
    reason=(
        "A key is a password in a file: it works from anywhere until somebody deletes it, it ends up in states, "
        "logs and laptops, and nothing says who used it."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/iam/docs/best-practices-for-managing-service-account-keys",
    looks_at=(
        "gcp:serviceaccount Key, gcp:storage HmacKey: that there is one",
        "gcp:projects ApiKey: serviceAccountEmail",
    ),
    concerns=is_one_of(*_OWNER),
    look=_look,
)
