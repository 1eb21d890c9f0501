"""Service accounts, custom roles, audit settings and workload identity pools."""

from __future__ import annotations

from typing import Any

from plugins.gcp.types.derived import PROJECT_RULE, digits, etag
from plugins.gcp.types.kind import GcpType, Inputs, Numbers, Rule

ACCOUNT = "gcp:serviceaccount/account:Account"
CUSTOM_ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
AUDIT_CONFIG = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
POOL_PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"

_POOL_ID_RULE = Rule(
    r"(?!gcp-)[a-z0-9-]{4,32}", "be 4 to 32 lower-case letters, digits and hyphens, not beginning with gcp-"
)


def _account_email(inputs: Inputs) -> str:
    return f"{inputs['accountId']}@{inputs['project']}.iam.gserviceaccount.com"


def _account_name(inputs: Inputs) -> str:
    return f"projects/{inputs['project']}/serviceAccounts/{_account_email(inputs)}"


def _account(inputs: Inputs, _: Numbers) -> dict[str, Any]:
    email = _account_email(inputs)
    return {
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": _account_name(inputs),
        "uniqueId": digits(21, "account", email),
        "disabled": bool(inputs.get("disabled", False)),
    }


def _role_name(inputs: Inputs) -> str:
    return f"projects/{inputs['project']}/roles/{inputs['roleId']}"


def _role(inputs: Inputs, _: Numbers) -> dict[str, Any]:
    return {"name": _role_name(inputs), "deleted": False}


def _audit_id(inputs: Inputs) -> str:
    return f"{inputs['project']}/audit_config/{inputs['service']}"


def _audit(inputs: Inputs, _: Numbers) -> dict[str, Any]:
    return {"etag": etag(_audit_id(inputs))}


def _pool_id(inputs: Inputs) -> str:
    return f"projects/{inputs['project']}/locations/global/workloadIdentityPools/{inputs['workloadIdentityPoolId']}"


def _provider_id(inputs: Inputs) -> str:
    return f"{_pool_id(inputs)}/providers/{inputs['workloadIdentityPoolProviderId']}"


def _pool(inputs: Inputs, numbers: Numbers) -> dict[str, Any]:
    """Google says the name of a pool with the project's number, which is how principals name it too."""
    return {"name": _pool_id({**inputs, "project": numbers(inputs["project"])}), "state": "ACTIVE"}


def _provider(inputs: Inputs, numbers: Numbers) -> dict[str, Any]:
    return {"name": _provider_id({**inputs, "project": numbers(inputs["project"])}), "state": "ACTIVE"}


_POOL_FORM = (
    r"projects/(?P<project>[^/]+)/locations/global/workloadIdentityPools/(?P<workloadIdentityPoolId>[^/]+)"
)

TYPES = (
    GcpType(
        token=ACCOUNT,
        id_form=r"projects/(?P<project>[^/]+)/serviceAccounts/(?P<accountId>[^@/]+)@[^/]+",
        id_of=_account_name,
        fill=_account,
        required=("accountId",),
        rules={
            "project": PROJECT_RULE,
            "accountId": Rule(
                r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
                "be 6 to 30 lower-case letters, digits and hyphens, starting with a letter",
            ),
        },
        computed=frozenset({"email", "member", "name", "uniqueId"}),
    ),
    GcpType(
        token=CUSTOM_ROLE,
        id_form=r"projects/(?P<project>[^/]+)/roles/(?P<roleId>[^/]+)",
        id_of=_role_name,
        fill=_role,
        required=("permissions", "roleId", "title"),
        defaults={"stage": "GA"},
        autoname="roleId",
        rules={
            "project": PROJECT_RULE,
            "roleId": Rule(r"[A-Za-z0-9_.]{3,64}", "be 3 to 64 letters, digits, dots and underscores"),
        },
        computed=frozenset({"deleted", "name"}),
    ),
    GcpType(
        token=AUDIT_CONFIG,
        id_form=r"(?P<project>[^/ ]+)(?:/audit_config/| )(?P<service>[^/ ]+)",
        exclusive=False,
        id_of=_audit_id,
        fill=_audit,
        required=("auditLogConfigs", "project", "service"),
        rules={
            "project": PROJECT_RULE,
            "service": Rule(
                r"allServices|[a-z0-9-]+(?:\.[a-z0-9-]+)+", "be the full name of an API or allServices"
            ),
        },
        computed=frozenset({"etag"}),
    ),
    GcpType(
        token=POOL,
        id_form=_POOL_FORM,
        id_of=_pool_id,
        fill=_pool,
        required=("workloadIdentityPoolId",),
        rules={"project": PROJECT_RULE, "workloadIdentityPoolId": _POOL_ID_RULE},
        computed=frozenset({"name", "state"}),
    ),
    GcpType(
        token=POOL_PROVIDER,
        id_form=rf"{_POOL_FORM}/providers/(?P<workloadIdentityPoolProviderId>[^/]+)",
        id_of=_provider_id,
        fill=_provider,
        required=("workloadIdentityPoolId", "workloadIdentityPoolProviderId"),
        rules={
            "project": PROJECT_RULE,
            "workloadIdentityPoolId": _POOL_ID_RULE,
            "workloadIdentityPoolProviderId": _POOL_ID_RULE,
        },
        computed=frozenset({"name", "state"}),
    ),
)
