"""Workload identity federation: a foreign token against a pool's provider, and the account that it may be.

Owns a provider's attribute condition and mapping, of the forms that are used here: `assertion.NAME == 'TEXT'`, joined
by `&&`, and `assertion.NAME`. Everything else is refused when the provider is made. The claims are taken as given: that
their signature is the issuer's is what this cloud does not check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.cloud.iam import Iam
from sandbox.cloud.organization import Organization
from sandbox.cloud.refusal import Refusal, api_disabled, denied, invalid, not_found
from sandbox.cloud.store import Store

POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
_TERM = re.compile(r"""\s*assertion\.([A-Za-z0-9_]+)\s*==\s*(["'])([^"']*)\2\s*""")
_CLAIM = re.compile(r"assertion\.([A-Za-z0-9_]+)")
_NAME = re.compile(r"projects/([^/]+)/locations/global/workloadIdentityPools/([^/]+)/providers/([^/]+)")
_SHARED_ISSUERS = frozenset({"https://token.actions.githubusercontent.com"})
"""Issuers of more than one tenant: without a condition on it, a provider would take everybody's tokens. Google refuses
one (https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines#conditions)."""


def check(inputs: Mapping[str, Any]) -> None:
    """Refuse a provider that Google would refuse, or that this cloud cannot judge."""
    condition = str(inputs.get("attributeCondition") or "")
    issuer = str((inputs.get("oidc") or {}).get("issuerUri") or "")
    mapping = inputs.get("attributeMapping") or {}
    if "google.subject" not in mapping:
        raise invalid("The attribute mapping must map google.subject.")
    if issuer in _SHARED_ISSUERS and "assertion." not in condition:
        raise invalid("The attribute condition must reference one of the provider's claims.")
    if not all(_CLAIM.fullmatch(str(source)) for source in mapping.values()):
        raise _unread(str(dict(mapping)))
    if condition and not all(_TERM.fullmatch(term) for term in condition.split("&&")):
        raise _unread(condition)


class Federation:
    """The token exchange over what is stored. Every method raises Refusal."""

    def __init__(self, store: Store, organization: Organization, iam: Iam) -> None:
        self._store = store
        self._organization = organization
        self._iam = iam

    def subject(self, provider: str, claims: Mapping[str, Any], account: str | None) -> str:
        """The subject that somebody with these claims gets a token for: `account` (an e-mail), or its principal.

        `provider` is the full name, with the project's number or id.
        """
        inputs, number = self._provider(provider)
        issuer = str((inputs.get("oidc") or {}).get("issuerUri") or "")
        if claims.get("iss", issuer) != issuer:
            raise invalid(f"The issuer in ID Token {claims['iss']} does not match the expected ones.")
        for term in filter(None, str(inputs.get("attributeCondition") or "").split("&&")):
            match = _TERM.fullmatch(term)
            assert match is not None, term
            if str(claims.get(match[1], "")) != match[3]:
                raise Refusal(
                    401,
                    "UNAUTHENTICATED",
                    "The given credential is rejected by the attribute condition.",
                )
        pool = (
            f"iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/"
            f"{inputs['workloadIdentityPoolId']}"
        )
        members = list(_members(pool, inputs["attributeMapping"], claims))
        if account is None:
            return members[0]
        self._need("iamcredentials.googleapis.com", account.partition("@")[2].partition(".")[0])
        if not self._iam.usable(account) or not self._iam.may_act_as(members, account):
            raise denied(
                "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
                "iam.serviceAccounts.getAccessToken",
                account,
            )
        return account

    def _provider(self, name: str) -> tuple[Mapping[str, Any], str]:
        match = _NAME.fullmatch(name.removeprefix("//iam.googleapis.com/"))
        if match is None:
            raise invalid(f"Invalid value for audience: {name}")
        project = self._organization.project(match[1])
        self._need("sts.googleapis.com", project.id)
        pool = f"projects/{project.id}/locations/global/workloadIdentityPools/{match[2]}"
        found = self._store.get(PROVIDER, f"{pool}/providers/{match[3]}")
        holder = self._store.get(POOL, pool)
        if found is None or holder is None:
            raise not_found(
                "The target service indicated by the audience parameters is invalid. This might either be because the "
                "pool or provider is disabled or deleted or because it doesn't exist."
            )
        if found.inputs.get("disabled") or holder.inputs.get("disabled"):
            raise invalid("The target service indicated by the audience parameters is disabled.")
        return found.inputs, project.number

    def _need(self, service: str, project: str) -> None:
        found = self._organization.project(project)
        if service not in found.apis | self._store.enabled(found.id):
            raise api_disabled(service, found.number)


def _members(pool: str, mapping: Mapping[str, Any], claims: Mapping[str, Any]) -> Iterator[str]:
    """The principal first, then the sets that it is in."""
    mapped = {
        attribute: str(claims.get(str(source).removeprefix("assertion."), ""))
        for attribute, source in mapping.items()
    }
    if not mapped["google.subject"]:
        raise invalid("The size of mapped attribute google.subject must be between 1 and 127 bytes.")
    yield f"principal://{pool}/subject/{mapped['google.subject']}"
    yield f"principalSet://{pool}/*"
    for attribute, value in mapped.items():
        if attribute.startswith("attribute.") and value:
            yield f"principalSet://{pool}/{attribute}/{value}"


def _unread(text: str) -> Refusal:
    return Refusal(
        501,
        "UNIMPLEMENTED",
        "The sandbox reads conditions of the form assertion.NAME == 'TEXT' joined by && and mappings to "
        "assertion.NAME; "
        f"not: {text}",
    )
