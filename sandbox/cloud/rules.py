"""What each type asks before it can be made: its API, the deployer's permission, its names and references.

Owns the tables and the wordings per type. Names and limits are those of Google's API reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from plugins.gcp.types import TYPES
from sandbox.cloud.bootstrap import Bootstrap
from sandbox.cloud.iam import ACCOUNT, ACCOUNT_MEMBER, PROJECT_MEMBER, SERVICE_IDENTITY, Iam
from sandbox.cloud.memberships import CLUSTER, MEMBERSHIP, gke_cluster
from sandbox.cloud.refusal import Refusal, api_disabled, denied, invalid, not_found
from sandbox.cloud.store import Store

SERVICE = "gcp:projects/service:Service"
FLEET = "gcp:gkehub/fleet:Fleet"

Verb = Literal["create", "get", "update", "delete"]

_APIS = {
    SERVICE: "serviceusage.googleapis.com",
    SERVICE_IDENTITY: "serviceusage.googleapis.com",
    PROJECT_MEMBER: "cloudresourcemanager.googleapis.com",
    ACCOUNT: "iam.googleapis.com",
    ACCOUNT_MEMBER: "iam.googleapis.com",
    FLEET: "gkehub.googleapis.com",
    MEMBERSHIP: "gkehub.googleapis.com",
    CLUSTER: "container.googleapis.com",
}
_ENABLE, _SET_POLICY, _SET_ACCOUNT_POLICY = (
    "serviceusage.services.enable",
    "resourcemanager.projects.setIamPolicy",
    "iam.serviceAccounts.setIamPolicy",
)
_PERMISSIONS: dict[str, dict[Verb, str]] = {
    SERVICE: {
        "create": _ENABLE,
        "get": "serviceusage.services.get",
        "update": _ENABLE,
        "delete": "serviceusage.services.disable",
    },
    SERVICE_IDENTITY: {
        "create": _ENABLE,
        "get": "serviceusage.services.get",
        "update": _ENABLE,
        "delete": _ENABLE,
    },
    PROJECT_MEMBER: {
        "create": _SET_POLICY,
        "get": "resourcemanager.projects.getIamPolicy",
        "update": _SET_POLICY,
        "delete": _SET_POLICY,
    },
    ACCOUNT_MEMBER: {
        "create": _SET_ACCOUNT_POLICY,
        "get": "iam.serviceAccounts.getIamPolicy",
        "update": _SET_ACCOUNT_POLICY,
        "delete": _SET_ACCOUNT_POLICY,
    },
    ACCOUNT: {verb: f"iam.serviceAccounts.{verb}" for verb in ("create", "get", "update", "delete")},
    FLEET: {verb: f"gkehub.fleet.{verb}" for verb in ("create", "get", "update", "delete")},
    MEMBERSHIP: {verb: f"gkehub.memberships.{verb}" for verb in ("create", "get", "update", "delete")},
    CLUSTER: {verb: f"container.clusters.{verb}" for verb in ("create", "get", "update", "delete")},
}
_POOL_MEMBER = re.compile(r"serviceAccount:([^\[\]]+)\.svc\.id\.goog\[([^/\[\]]+)/([^/\[\]]+)\]")


class Rules:
    """The checks, against what is stored. Every method raises Refusal."""

    def __init__(self, store: Store, bootstrap: Bootstrap, iam: Iam) -> None:
        self._store = store
        self._bootstrap = bootstrap
        self._iam = iam

    def project(self, type_: str, inputs: Mapping[str, Any]) -> str:
        """The id of the project in which a resource lies."""
        if type_ == ACCOUNT_MEMBER:
            name = str(inputs.get("serviceAccountId", ""))
            parts = name.split("/")
            if len(parts) != 4 or parts[0] != "projects" or parts[2] != "serviceAccounts":
                raise invalid(
                    f'"service_account_id" ("{name}") doesn\'t match projects/PROJECT/serviceAccounts/EMAIL'
                )
            if parts[1] == "-":
                account = self._iam.account(parts[3])
                return self._bootstrap.project(
                    parts[3].partition("@")[2].partition(".")[0]
                    if account is None
                    else account.id.split("/")[1]
                ).id
            return self._bootstrap.project(parts[1]).id
        name = str(inputs.get("project") or "")
        if not name:
            raise invalid("project: required field is not set")
        return self._bootstrap.project(name.removeprefix("projects/")).id

    def admit(self, type_: str, verb: Verb, inputs: Mapping[str, Any]) -> None:
        """The API must be enabled in the project, and the deployer must hold the permission there."""
        if type_ not in TYPES or type_ not in _APIS:
            raise unknown_type(type_)
        project = self._bootstrap.project(self.project(type_, inputs))
        if _APIS[type_] not in project.apis | self._store.enabled(project.id):
            raise api_disabled(_APIS[type_], project.number)
        permission = _PERMISSIONS[type_][verb]
        if not self._iam.may(self._bootstrap.deployer, permission, project.id):
            raise _not_permitted(type_, permission, project.id, inputs)

    def check(self, type_: str, inputs: Mapping[str, Any]) -> None:
        """Names, and what the resource refers to."""
        for name, problem in TYPES[type_].problems(inputs):
            raise invalid(f'Invalid value for field "{name}": it {problem}.')
        if type_ == CLUSTER:
            self._check_cluster(inputs)
        elif type_ == MEMBERSHIP:
            cluster = gke_cluster(inputs)
            if cluster and self._store.get(CLUSTER, cluster) is None:
                raise not_found(f"Not found: {cluster}.")
        elif type_ in (PROJECT_MEMBER, ACCOUNT_MEMBER):
            self._check_grant(type_, inputs)
        elif type_ in (SERVICE, SERVICE_IDENTITY) and not str(inputs["service"]).endswith(".googleapis.com"):
            raise invalid(f"Service '{inputs['service']}' not found or permission denied.")

    def _check_cluster(self, inputs: Mapping[str, Any]) -> None:
        pool = (inputs.get("workloadIdentityConfig") or {}).get("workloadPool")
        own = f"{self.project(CLUSTER, inputs)}.svc.id.goog"
        if pool and pool != own:
            raise invalid(
                f'Workload pool "{pool}" is not supported: the only one of this project is "{own}".'
            )
        if fleet_project(inputs):
            self._bootstrap.project(fleet_project(inputs))

    def _check_grant(self, type_: str, inputs: Mapping[str, Any]) -> None:
        member = str(inputs["member"])
        if inputs.get("condition"):
            raise Refusal(
                501,
                "UNIMPLEMENTED",
                "The sandbox does not evaluate IAM conditions; a conditional grant "
                "would permit either too much or nothing here.",
            )
        if type_ == ACCOUNT_MEMBER:
            email = str(inputs["serviceAccountId"]).rpartition("/")[2]
            if not self._iam.exists(email):
                raise not_found(f"Service account {inputs['serviceAccountId']} does not exist.")
        pool = _POOL_MEMBER.fullmatch(member)
        if pool:
            self._check_pool(f"{pool[1]}.svc.id.goog", pool[1])
        elif member.startswith("serviceAccount:") and not self._iam.exists(
            member.removeprefix("serviceAccount:")
        ):
            raise invalid(f"Service account {member.removeprefix('serviceAccount:')} does not exist.")

    def _check_pool(self, name: str, project: str) -> None:
        """The workload identity pool of a project begins with its first cluster that asks for it."""
        for record in self._store.of(CLUSTER):
            pool = (record.inputs.get("workloadIdentityConfig") or {}).get("workloadPool")
            if record.inputs["project"] == project and (pool == name or record.inputs.get("enableAutopilot")):
                return
        raise invalid(
            f"Identity Pool does not exist ({name}). Please check that you specified a valid resource name "
            "as returned in the `name` attribute in the configuration API."
        )


def fleet_project(inputs: Mapping[str, Any]) -> str:
    """The fleet host project that a cluster joins (its own, if it names none), "" if it joins no fleet."""
    fleet = inputs.get("fleet")
    return str(fleet.get("project") or inputs["project"]) if fleet else ""


def unknown_type(type_: str) -> Refusal:
    """The sandbox has no such type."""
    return Refusal(
        501,
        "UNIMPLEMENTED",
        f"{type_}: the sandbox's cloud does not have this type. It has {', '.join(sorted(_APIS))}.",
    )


def already_exists(type_: str, id_: str, inputs: Mapping[str, Any]) -> str:
    """Google's words for a 409."""
    if type_ == CLUSTER:
        return f"Already exists: {id_}."
    if type_ == ACCOUNT:
        return f"Service account {inputs['accountId']} already exists within project projects/{inputs['project']}."
    return f"Resource '{id_}' already exists"


def missing(type_: str, id_: str) -> str:
    """Google's words for a 404."""
    if type_ == CLUSTER:
        return f"Not found: {id_}."
    return f"Resource '{id_}' was not found"


def _not_permitted(type_: str, permission: str, project: str, inputs: Mapping[str, Any]) -> Refusal:
    if type_ == CLUSTER:
        text = f'Required "{permission}" permission(s) for "projects/{project}".'
    elif permission == _ENABLE:
        text = f"Permission denied to enable service [{inputs.get('service', '')}]"
    elif type_ in (FLEET, MEMBERSHIP):
        text = f"Permission '{permission}' denied on 'projects/{project}/locations/{inputs.get('location', 'global')}'"
    else:
        text = f"Permission '{permission}' denied on resource 'projects/{project}' (or it may not exist)."
    return denied(text, permission, f"projects/{project}")
