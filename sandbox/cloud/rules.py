"""What each type asks before anything is looked at: its project, its API, the caller's permissions, its names.

Owns the tables and the wordings per type. Permissions are those of Google's API methods
(https://cloud.google.com/iam/docs/permissions-reference), as far as this cloud asks for them. What a resource refers to
is `references`'.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from plugins.gcp.types import TYPES
from sandbox.cloud.iam import (
    ACCOUNT,
    ACCOUNT_MEMBER,
    BUCKET_MEMBER,
    CUSTOM_ROLE,
    KEY_MEMBER,
    PROJECT_MEMBER,
    SECRET_MEMBER,
    SERVICE_IDENTITY,
    Iam,
    holder,
)
from sandbox.cloud.memberships import CLUSTER, MEMBERSHIP
from sandbox.cloud.organization import PROJECT, Organization
from sandbox.cloud.refusal import Refusal, api_disabled, denied, invalid, not_found
from sandbox.cloud.store import Store

SERVICE = "gcp:projects/service:Service"
FLEET = "gcp:gkehub/fleet:Fleet"
AUDIT = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
ROUTER = "gcp:compute/router:Router"
NAT = "gcp:compute/routerNat:RouterNat"
NODE_POOL = "gcp:container/nodePool:NodePool"
BUCKET = "gcp:storage/bucket:Bucket"
KEY_RING = "gcp:kms/keyRing:KeyRing"
KEY = "gcp:kms/cryptoKey:CryptoKey"
POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"

GRANTS = frozenset({PROJECT_MEMBER, ACCOUNT_MEMBER, SECRET_MEMBER, BUCKET_MEMBER, KEY_MEMBER})

Verb = Literal["create", "get", "update", "delete"]
_VERBS: tuple[Verb, ...] = ("create", "get", "update", "delete")
Permissions = Mapping[Verb, tuple[str, ...]]

APIS = {
    PROJECT: "cloudresourcemanager.googleapis.com",
    SERVICE: "serviceusage.googleapis.com",
    SERVICE_IDENTITY: "serviceusage.googleapis.com",
    PROJECT_MEMBER: "cloudresourcemanager.googleapis.com",
    AUDIT: "cloudresourcemanager.googleapis.com",
    ACCOUNT: "iam.googleapis.com",
    ACCOUNT_MEMBER: "iam.googleapis.com",
    CUSTOM_ROLE: "iam.googleapis.com",
    POOL: "iam.googleapis.com",
    PROVIDER: "iam.googleapis.com",
    FLEET: "gkehub.googleapis.com",
    MEMBERSHIP: "gkehub.googleapis.com",
    CLUSTER: "container.googleapis.com",
    NODE_POOL: "container.googleapis.com",
    NETWORK: "compute.googleapis.com",
    SUBNETWORK: "compute.googleapis.com",
    ROUTER: "compute.googleapis.com",
    NAT: "compute.googleapis.com",
    SECRET_MEMBER: "secretmanager.googleapis.com",
    BUCKET: "storage.googleapis.com",
    BUCKET_MEMBER: "storage.googleapis.com",
    KEY_RING: "cloudkms.googleapis.com",
    KEY: "cloudkms.googleapis.com",
    KEY_MEMBER: "cloudkms.googleapis.com",
}

_BILLED = frozenset(
    {
        "artifactregistry.googleapis.com",
        "cloudkms.googleapis.com",
        "compute.googleapis.com",
        "container.googleapis.com",
        "secretmanager.googleapis.com",
    }
)
"""APIs that Google enables only in a project that somebody pays for."""

_ENABLE = "serviceusage.services.enable"
_NETWORK_POLICY = "compute.networks.updatePolicy"


def _plain(prefix: str) -> Permissions:
    return {verb: (f"{prefix}.{verb}",) for verb in _VERBS}


def _policy(prefix: str) -> Permissions:
    change, see = (f"{prefix}.setIamPolicy",), (f"{prefix}.getIamPolicy",)
    return {"create": change, "get": see, "update": change, "delete": change}


def _through(change: tuple[str, ...], see: str) -> Permissions:
    return {"create": change, "get": (see,), "update": change, "delete": change}


def _in_network(prefix: str) -> Permissions:
    """Resources that change how a network routes."""
    return {
        verb: (f"{prefix}.{verb}",) if verb == "get" else (f"{prefix}.{verb}", _NETWORK_POLICY)
        for verb in _VERBS
    }


PERMISSIONS: Mapping[str, Permissions] = {
    PROJECT: _plain("resourcemanager.projects"),
    SERVICE: {
        "create": (_ENABLE,),
        "get": ("serviceusage.services.get",),
        "update": (_ENABLE,),
        "delete": ("serviceusage.services.disable",),
    },
    SERVICE_IDENTITY: _through((_ENABLE,), "serviceusage.services.get"),
    PROJECT_MEMBER: _policy("resourcemanager.projects"),
    AUDIT: _policy("resourcemanager.projects"),
    ACCOUNT: _plain("iam.serviceAccounts"),
    ACCOUNT_MEMBER: _policy("iam.serviceAccounts"),
    CUSTOM_ROLE: _plain("iam.roles"),
    POOL: _plain("iam.workloadIdentityPools"),
    PROVIDER: _plain("iam.workloadIdentityPoolProviders"),
    FLEET: _plain("gkehub.fleet"),
    MEMBERSHIP: _plain("gkehub.memberships"),
    CLUSTER: _plain("container.clusters"),
    NODE_POOL: _through(("container.clusters.update",), "container.clusters.get"),
    NETWORK: _plain("compute.networks"),
    SUBNETWORK: _in_network("compute.subnetworks"),
    ROUTER: _in_network("compute.routers"),
    NAT: _through(("compute.routers.update", _NETWORK_POLICY), "compute.routers.get"),
    SECRET_MEMBER: _policy("secretmanager.secrets"),
    BUCKET: _plain("storage.buckets"),
    BUCKET_MEMBER: _policy("storage.buckets"),
    KEY_RING: _plain("cloudkms.keyRings"),
    KEY: {
        "create": ("cloudkms.cryptoKeys.create",),
        "get": ("cloudkms.cryptoKeys.get",),
        "update": ("cloudkms.cryptoKeys.update",),
        "delete": ("cloudkms.cryptoKeyVersions.destroy",),
    },
    KEY_MEMBER: _policy("cloudkms.cryptoKeys"),
}

_PATH_INPUTS = {
    NODE_POOL: "cluster",
    SECRET_MEMBER: "secretId",
    KEY: "keyRing",
    KEY_MEMBER: "cryptoKeyId",
}
"""Inputs that may be a full name and then say the project."""


class Rules:
    """The checks, against what is stored. Every method raises Refusal."""

    def __init__(self, store: Store, organization: Organization, iam: Iam) -> None:
        self._store = store
        self._organization = organization
        self._iam = iam

    def project(self, type_: str, inputs: Mapping[str, Any]) -> str:
        """The id of the project in which a resource lies."""
        if type_ == PROJECT:
            return str(inputs.get("projectId", ""))
        if type_ == ACCOUNT_MEMBER:
            return self._project_of_account(str(inputs.get("serviceAccountId", "")))
        if type_ == BUCKET_MEMBER:
            return self._project_of_bucket(str(inputs.get("bucket", "")))
        name = str(inputs.get("project") or "")
        path = str(inputs.get(_PATH_INPUTS.get(type_, ""), ""))
        if path.startswith("projects/"):
            name = path.split("/")[1]
        if not name:
            raise invalid("project: required field is not set")
        return self._organization.project(name.removeprefix("projects/")).id

    def enabled(self, project: str) -> frozenset[str]:
        """The APIs that are enabled in a project (by id)."""
        return self._organization.project(project).apis | self._store.enabled(project)

    def need_api(self, service: str, project: str) -> None:
        """Refuse what needs an API that is not enabled in a project (by id)."""
        if service not in self.enabled(project):
            raise api_disabled(service, self._organization.number(project))

    def admit(self, caller: str, type_: str, verb: Verb, inputs: Mapping[str, Any]) -> None:
        """The API must be enabled in the project, and the caller must hold the permissions there."""
        if type_ not in TYPES or type_ not in APIS:
            raise unknown_type(type_)
        if type_ == PROJECT and verb == "create":
            # In an organization, not in a project: the owner's alone.
            if caller != self._organization.owner:
                raise denied(
                    "The caller does not have permission",
                    "resourcemanager.projects.create",
                    f"organizations/{self._organization.id}",
                )
            return
        project = self.project(type_, inputs)
        if type_ != PROJECT:
            self.need_api(APIS[type_], project)
        resource = holder(type_, dict(inputs)) if type_ in GRANTS else ""
        for permission in PERMISSIONS[type_][verb]:
            if not self._iam.may(caller, permission, project, resource):
                raise _not_permitted(type_, permission, project, inputs)
        if type_ == PROJECT_MEMBER and verb in ("create", "delete"):
            role = str(inputs.get("role", ""))
            if not self._iam.may_grant(caller, role, project):
                raise _not_permitted(type_, "resourcemanager.projects.setIamPolicy", project, inputs)

    def names(self, type_: str, inputs: Mapping[str, Any]) -> None:
        """The inputs, each by itself."""
        for name, problem in TYPES[type_].problems(inputs):
            raise invalid(f'Invalid value for field "{name}": it {problem}.')

    def need_billing(self, inputs: Mapping[str, Any]) -> None:
        """Refuse to enable an API that costs money in a project that nobody pays for."""
        project = self._organization.project(str(inputs["project"]))
        service = str(inputs["service"])
        if service in _BILLED and not project.billed:
            raise Refusal(
                400,
                "FAILED_PRECONDITION",
                f"Billing account for project '{project.number}' is not found. Billing must be enabled for activation "
                f"of service(s) '{service}' to proceed.",
                reason="UREQ_PROJECT_BILLING_NOT_FOUND",
                domain="serviceusage.googleapis.com",
            )

    def _project_of_account(self, name: str) -> str:
        parts = name.split("/")
        if len(parts) != 4 or parts[0] != "projects" or parts[2] != "serviceAccounts":
            raise invalid(
                f'"service_account_id" ("{name}") doesn\'t match projects/PROJECT/serviceAccounts/EMAIL'
            )
        if parts[1] != "-":
            return self._organization.project(parts[1]).id
        account = self._iam.account(parts[3])
        domain = parts[3].partition("@")[2].partition(".")[0]
        return self._organization.project(domain if account is None else account.id.split("/")[1]).id

    def _project_of_bucket(self, name: str) -> str:
        bucket = self._store.get(BUCKET, name.removeprefix("b/"))
        if bucket is None:
            raise not_found("The specified bucket does not exist.")
        return self.project(BUCKET, bucket.inputs)


def fleet_project(inputs: Mapping[str, Any]) -> str:
    """The fleet host project that a cluster joins (its own, if it names none), "" if it joins no fleet."""
    fleet = inputs.get("fleet")
    return str(fleet.get("project") or inputs["project"]) if fleet else ""


def unknown_type(type_: str) -> Refusal:
    """The sandbox has no such type."""
    return Refusal(
        501,
        "UNIMPLEMENTED",
        f"{type_}: the sandbox's cloud does not have this type. It has {', '.join(sorted(APIS))}.",
    )


def already_exists(type_: str, id_: str, inputs: Mapping[str, Any]) -> str:
    """Google's words for a 409, as far as they are known."""
    if type_ in (CLUSTER, NODE_POOL):
        return f"Already exists: {id_}."
    if type_ == ACCOUNT:
        return f"Service account {inputs['accountId']} already exists within project projects/{inputs['project']}."
    if type_ in (NETWORK, SUBNETWORK, ROUTER):
        return f"The resource '{id_}' already exists"
    if type_ == PROJECT:
        return f"Requested entity already exists: {id_}"
    if type_ == BUCKET:
        return "Your previous request to create the named bucket succeeded and you already own it."
    if type_ == CUSTOM_ROLE:
        return f"A role named {inputs['roleId']} in projects/{inputs['project']} already exists."
    if type_ == KEY_RING:
        return f"KeyRing {id_} already exists."
    if type_ == KEY:
        return f"CryptoKey {id_} already exists."
    return f"Resource '{id_}' already exists"


def missing(type_: str, id_: str) -> str:
    """Google's words for a 404, as far as they are known."""
    if type_ in (CLUSTER, NODE_POOL):
        return f"Not found: {id_}."
    if type_ in (NETWORK, SUBNETWORK, ROUTER):
        return f"The resource '{id_}' was not found"
    return f"Resource '{id_}' was not found"


def _not_permitted(type_: str, permission: str, project: str, inputs: Mapping[str, Any]) -> Refusal:
    if type_ in (CLUSTER, NODE_POOL):
        text = f'Required "{permission}" permission(s) for "projects/{project}".'
    elif permission == _ENABLE:
        text = f"Permission denied to enable service [{inputs.get('service', '')}]"
    elif type_ in (FLEET, MEMBERSHIP):
        text = f"Permission '{permission}' denied on 'projects/{project}/locations/{inputs.get('location', 'global')}'"
    elif permission.startswith("compute."):
        kind = permission.split(".")[1]
        name = inputs.get("name", "")
        where = f"regions/{inputs['region']}" if inputs.get("region") else "global"
        text = f"Required '{permission}' permission for 'projects/{project}/{where}/{kind}/{name}'"
    else:
        text = f"Permission '{permission}' denied on resource 'projects/{project}' (or it may not exist)."
    return denied(text, permission, f"projects/{project}")
