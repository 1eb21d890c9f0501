"""The types of Google Cloud that the program and bootstrap/ use, and what is known of each without asking Google.

Owns one table: id, outputs, what only the server knows, and which names Google accepts. Does not own
resources themselves: a ground does. Everything here is a pure function of inputs, so that paper, the
sandbox's cloud and the tests agree. Inputs and outputs are plain dictionaries with Pulumi's camelCase keys,
without unknowns and secrets.

Sources: ids and outputs are those of the Terraform provider that pulumi-gcp 10 is built from
(https://github.com/hashicorp/terraform-provider-google-beta, `google-beta/services/`); name rules are its
`ValidateFunc` and the pages of the API. What a change means has a table and a source of its own:
plugins/gcp/replacement.json.
"""

from __future__ import annotations

from plugins.gcp.types import (
    compute,
    container,
    gkehub,
    grants,
    iam,
    kms,
    organizations,
    services,
    storage,
)
from plugins.gcp.types.compute import NETWORK, ROUTER, ROUTER_NAT, SUBNETWORK
from plugins.gcp.types.container import CLUSTER, NODE_POOL, master_version
from plugins.gcp.types.derived import paper_number, region_of
from plugins.gcp.types.gkehub import FLEET, MEMBERSHIP
from plugins.gcp.types.grants import (
    ACCOUNT_IAM_MEMBER,
    BUCKET_IAM_MEMBER,
    KEY_IAM_MEMBER,
    PROJECT_IAM_MEMBER,
    SECRET_IAM_MEMBER,
    secret_path,
)
from plugins.gcp.types.iam import ACCOUNT, AUDIT_CONFIG, CUSTOM_ROLE, POOL, POOL_PROVIDER
from plugins.gcp.types.kind import GcpType, Inputs, Numbers, Rule
from plugins.gcp.types.kms import CRYPTO_KEY, KEY_RING
from plugins.gcp.types.organizations import PROJECT
from plugins.gcp.types.services import SERVICE, SERVICE_IDENTITY, service_agent
from plugins.gcp.types.storage import BUCKET

TYPES: dict[str, GcpType] = {
    each.token: each
    for area in (compute, container, gkehub, grants, iam, kms, organizations, services, storage)
    for each in area.TYPES
}

__all__ = [
    "ACCOUNT",
    "ACCOUNT_IAM_MEMBER",
    "AUDIT_CONFIG",
    "BUCKET",
    "BUCKET_IAM_MEMBER",
    "CLUSTER",
    "CRYPTO_KEY",
    "CUSTOM_ROLE",
    "FLEET",
    "KEY_IAM_MEMBER",
    "KEY_RING",
    "MEMBERSHIP",
    "NETWORK",
    "NODE_POOL",
    "POOL",
    "POOL_PROVIDER",
    "PROJECT",
    "PROJECT_IAM_MEMBER",
    "ROUTER",
    "ROUTER_NAT",
    "SECRET_IAM_MEMBER",
    "SERVICE",
    "SERVICE_IDENTITY",
    "SUBNETWORK",
    "TYPES",
    "GcpType",
    "Inputs",
    "Numbers",
    "Rule",
    "master_version",
    "paper_number",
    "region_of",
    "secret_path",
    "service_agent",
]
