"""What a resource refers to: it must exist, be in the right place, and be the caller's to use.

Owns the checks across resources, but those of networks. Wordings are Google's where they are known: the API reference
has none, so they are those that people report.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from plugins.gcp.types import service_agent
from sandbox.cloud import condition, federation
from sandbox.cloud.iam import (
    ACCOUNT_MEMBER,
    BUCKET_MEMBER,
    CUSTOM_ROLE,
    KEY_MEMBER,
    PROJECT_MEMBER,
    SECRET_MEMBER,
    SERVICE_IDENTITY,
    Iam,
    compute_account,
    holder,
)
from sandbox.cloud.memberships import CLUSTER, MEMBERSHIP, gke_cluster, region
from sandbox.cloud.networks import Networks
from sandbox.cloud.organization import PROJECT, Organization
from sandbox.cloud.refusal import Refusal, denied, invalid, not_found
from sandbox.cloud.roles import PERMISSIONS as ROLES
from sandbox.cloud.rules import (
    AUDIT,
    GRANTS,
    KEY,
    KEY_RING,
    NAT,
    NETWORK,
    NODE_POOL,
    POOL,
    PROVIDER,
    ROUTER,
    SERVICE,
    SUBNETWORK,
    Rules,
    fleet_project,
)
from sandbox.cloud.store import Record, Store

_POOL_MEMBER = re.compile(r"serviceAccount:([^\[\]]+)\.svc\.id\.goog\[([^/\[\]]+)/([^/\[\]]+)\]")
_PRINCIPAL = re.compile(
    r"principal(?:Set)?://iam\.googleapis\.com/projects/(?P<number>[^/]+)/locations/global/"
    r"workloadIdentityPools/(?P<pool>[^/]+)/.+"
)
_KEY_NAME = re.compile(r"projects/[^/]+/locations/([^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+")
_PERMISSION = re.compile(r"[a-z][A-Za-z0-9]*\.[A-Za-z0-9]+\.[A-Za-z0-9]+")
_USE_KEY = "cloudkms.cryptoKeyVersions.useToEncrypt"
_ACT_AS = "iam.serviceAccounts.actAs"
_PUBLIC = frozenset({"allUsers", "allAuthenticatedUsers"})


class References:
    """The checks, against what is stored. Every method raises Refusal."""

    def __init__(self, store: Store, organization: Organization, iam: Iam, rules: Rules) -> None:
        self._store = store
        self._organization = organization
        self._iam = iam
        self._rules = rules
        self.networks = Networks(store, organization)

    def check(self, caller: str, type_: str, inputs: Mapping[str, Any], before: Record | None = None) -> None:
        """Everything that a resource refers to. `before`: what it was, for an update."""
        if type_ in GRANTS:
            self._check_grant(type_, inputs)
        elif type_ == CLUSTER:
            self._check_cluster(caller, inputs)
        elif type_ == NODE_POOL:
            self._check_node_pool(caller, inputs)
        elif type_ == MEMBERSHIP:
            self._check_membership(inputs)
        elif type_ == PROJECT:
            self._check_project(inputs)
        elif type_ in (SERVICE, SERVICE_IDENTITY):
            self._check_service(type_, inputs)
        elif type_ == NETWORK and before is None:
            self.networks.check_network(inputs)
        elif type_ == SUBNETWORK:
            self.networks.check_subnetwork(inputs, before)
        elif type_ == ROUTER:
            self.networks.check_router(inputs)
        elif type_ == NAT:
            self.networks.check_nat(inputs)
        elif type_ == KEY and self._store.get(KEY_RING, str(inputs["keyRing"])) is None:
            raise not_found(f"KeyRing {inputs['keyRing']} not found.")
        elif type_ == CUSTOM_ROLE:
            self._check_custom_role(inputs)
        elif type_ == PROVIDER:
            self._check_provider(inputs)
        elif type_ == AUDIT and not (
            inputs["service"] == "allServices" or str(inputs["service"]).endswith(".googleapis.com")
        ):
            raise invalid(f"Service {inputs['service']} is not a service with audit configuration.")

    def pool_cluster(self, inputs: Mapping[str, Any]) -> Record:
        """The cluster of a node pool. Raises Refusal (404)."""
        name = str(inputs["cluster"])
        if not name.startswith("projects/"):
            name = f"projects/{inputs['project']}/locations/{inputs['location']}/clusters/{name}"
        record = self._store.get(CLUSTER, name)
        if record is None:
            raise not_found(f"Not found: {name}.")
        return record

    def node_account(self, inputs: Mapping[str, Any]) -> str:
        """E-mail of the account of a cluster's, or a node pool's, nodes."""
        provisioning = (inputs.get("clusterAutoscaling") or {}).get("autoProvisioningDefaults") or {}
        node = inputs.get("nodeConfig") or {}
        named = str(node.get("serviceAccount") or provisioning.get("serviceAccount") or "")
        if named and named != "default":
            return named
        return compute_account(self._organization.number(self._project_of(inputs)))

    def _project_of(self, inputs: Mapping[str, Any]) -> str:
        return self._rules.project(NODE_POOL if "cluster" in inputs else CLUSTER, inputs)

    def _check_project(self, inputs: Mapping[str, Any]) -> None:
        organization = self._organization
        if str(inputs.get("orgId", organization.id)) != organization.id:
            raise denied("The caller does not have permission", "resourcemanager.projects.create")
        account = inputs.get("billingAccount")
        if account and account != organization.billing_account:
            raise denied(
                "The caller does not have permission",
                "billing.resourceAssociations.create",
                f"billingAccounts/{account}",
            )

    def _check_service(self, type_: str, inputs: Mapping[str, Any]) -> None:
        if not str(inputs["service"]).endswith(".googleapis.com"):
            raise invalid(f"Service '{inputs['service']}' not found or permission denied.")
        if type_ == SERVICE:
            self._rules.need_billing(inputs)
        else:
            self._rules.need_api(str(inputs["service"]), self._rules.project(type_, inputs))

    def _check_cluster(self, caller: str, inputs: Mapping[str, Any]) -> None:
        project = self._rules.project(CLUSTER, inputs)
        # GKE works through Compute Engine: nodes and networks are its.
        self._rules.need_api("compute.googleapis.com", project)
        pool = (inputs.get("workloadIdentityConfig") or {}).get("workloadPool")
        own = f"{project}.svc.id.goog"
        if pool and pool != own:
            raise invalid(
                f'Workload pool "{pool}" is not supported: the only one of this project is "{own}".'
            )
        if fleet_project(inputs):
            self._organization.project(fleet_project(inputs))
        if not inputs.get("enableAutopilot") and not inputs.get("nodePools"):
            if not inputs.get("initialNodeCount"):
                raise invalid("Cluster.initial_node_count must be greater than zero.")
        elif inputs.get("enableAutopilot") and (
            inputs.get("initialNodeCount") or inputs.get("removeDefaultNodePool") or inputs.get("nodeConfig")
        ):
            raise invalid("Autopilot clusters do not have node pools of their own to configure.")
        self.networks.check_cluster(inputs)
        self._check_authorized_networks(inputs)
        self._check_nodes(caller, inputs, project)
        self._check_encryption(inputs, project)

    def _check_authorized_networks(self, inputs: Mapping[str, Any]) -> None:
        config = inputs.get("masterAuthorizedNetworksConfig") or {}
        for block in config.get("cidrBlocks") or ():
            try:
                ipaddress.IPv4Network(str(block["cidrBlock"]))
            except ValueError as error:
                raise invalid(
                    f"Invalid master authorized networks: {block['cidrBlock']} is not a CIDR block: {error}."
                ) from None

    def _check_nodes(self, caller: str, inputs: Mapping[str, Any], project: str) -> None:
        account = self.node_account(inputs)
        if not self._iam.exists(account):
            raise invalid(f'Service account "{account}" does not exist.')
        resource = f"projects/{project}/serviceAccounts/{account}"
        if not self._iam.may(caller, _ACT_AS, project, resource):
            raise denied(
                f'The user does not have access to service account "{account}". Ask a project owner to grant you the '
                "iam.serviceAccountUser role on the service account.",
                _ACT_AS,
                resource,
            )

    def _check_encryption(self, inputs: Mapping[str, Any], project: str) -> None:
        encryption = inputs.get("databaseEncryption") or {}
        name = str(encryption.get("keyName") or "")
        if encryption.get("state") != "ENCRYPTED":
            return
        match = _KEY_NAME.fullmatch(name)
        if match is None:
            raise invalid(f'Cloud KMS key "{name}" is not projects/P/locations/L/keyRings/R/cryptoKeys/K.')
        where = region(str(inputs["location"]))
        if match[1] != where:
            raise invalid(
                f'Cloud KMS key "{name}" must be in the same location as the cluster: "{where}", not "{match[1]}".'
            )
        if self._store.get(KEY, name) is None:
            raise not_found(f"Cloud KMS key {name} not found.")
        agent = service_agent("container.googleapis.com", self._organization.number(project))
        if not self._iam.may(agent, _USE_KEY, name.split("/")[1], name):
            raise denied(
                f"Permission '{_USE_KEY}' denied on resource '{name}' (or it may not exist): grant {agent} "
                "roles/cloudkms.cryptoKeyEncrypterDecrypter on it.",
                _USE_KEY,
                name,
            )

    def _check_node_pool(self, caller: str, inputs: Mapping[str, Any]) -> None:
        cluster = self.pool_cluster(inputs)
        if cluster.state != "RUNNING":
            raise Refusal(400, "FAILED_PRECONDITION", f"Cluster {cluster.id} is not running.")
        if cluster.inputs.get("enableAutopilot"):
            raise invalid("Autopilot clusters do not support mutating or creating node pools.")
        location = str(inputs.get("location") or cluster.inputs["location"])
        if location != cluster.inputs["location"]:
            here = cluster.id.replace(f"/locations/{cluster.inputs['location']}/", f"/locations/{location}/")
            raise not_found(f"Not found: {here}.")
        scaling = inputs.get("autoscaling") or {}
        low, high = scaling.get("minNodeCount"), scaling.get("maxNodeCount")
        if low is not None and high is not None and low > high:
            raise invalid(
                f"Autoscaling.min_node_count ({low}) is greater than Autoscaling.max_node_count ({high})."
            )
        self._check_nodes(caller, inputs, str(cluster.inputs["project"]))

    def _check_membership(self, inputs: Mapping[str, Any]) -> None:
        cluster = gke_cluster(inputs)
        if not cluster:
            return
        record = self._store.get(CLUSTER, cluster)
        if record is None:
            raise not_found(f"Not found: {cluster}.")
        location, own = str(inputs.get("location") or "global"), region(str(record.inputs["location"]))
        if location not in ("global", own):
            raise invalid(
                f'Membership location "{location}" is not supported for a GKE cluster in '
                f'"{record.inputs["location"]}": use "{own}" or "global".'
            )
        issuer = (inputs.get("authority") or {}).get("issuer")
        if issuer and issuer.removeprefix("https://container.googleapis.com/v1/") != cluster:
            raise invalid(
                f'authority.issuer "{issuer}" is not the issuer of the cluster: '
                f'"https://container.googleapis.com/v1/{cluster}".'
            )

    def _check_custom_role(self, inputs: Mapping[str, Any]) -> None:
        for permission in inputs["permissions"]:
            if _PERMISSION.fullmatch(str(permission)) is None:
                raise invalid(f"Permission {permission} is not valid.")

    def _check_provider(self, inputs: Mapping[str, Any]) -> None:
        pool = f"projects/{inputs['project']}/locations/global/workloadIdentityPools/{inputs['workloadIdentityPoolId']}"
        if self._store.get(POOL, pool) is None:
            raise not_found(f"Requested entity was not found: {pool}.")
        federation.check(inputs)

    def _check_grant(self, type_: str, inputs: Mapping[str, Any]) -> None:
        self._check_condition(type_, inputs)
        role = str(inputs["role"])
        if not self._iam.has_role(role):
            raise invalid(f"Role {role} does not exist in the resource's hierarchy.")
        if role.startswith("projects/") and type_ == PROJECT_MEMBER:
            owner = role.split("/")[1]
            if owner != str(inputs["project"]).removeprefix("projects/"):
                raise invalid(f"Role {role} does not exist in the resource's hierarchy.")
        if role.startswith("roles/") and role not in ROLES:
            raise Refusal(
                501,
                "UNIMPLEMENTED",
                f"The sandbox does not know what {role} permits; without that nobody could see whether the grant is "
                "needed. It knows "
                f"{', '.join(sorted(ROLES))}.",
            )
        self._check_holder(type_, inputs)
        self._check_member(str(inputs["member"]))

    def _check_condition(self, type_: str, inputs: Mapping[str, Any]) -> None:
        if not inputs.get("condition"):
            return
        expression = str(inputs["condition"].get("expression", ""))
        try:
            if type_ != PROJECT_MEMBER:
                raise ValueError(expression)
            condition.roles(expression)
        except ValueError:
            raise Refusal(
                501,
                "UNIMPLEMENTED",
                "The sandbox does not evaluate IAM conditions but the one that limits which roles somebody may "
                f"grant on a project; this one would permit either too much or nothing here: {expression}",
            ) from None

    def _check_holder(self, type_: str, inputs: Mapping[str, Any]) -> None:
        resource = holder(type_, dict(inputs))
        if type_ == ACCOUNT_MEMBER and not self._iam.exists(resource.rpartition("/")[2]):
            raise not_found(f"Service account {inputs['serviceAccountId']} does not exist.")
        if type_ == SECRET_MEMBER:
            _, project, _, secret = resource.split("/")
            if not self._organization.has_secret(project, secret):
                raise not_found(
                    f"Secret [projects/{self._organization.number(project)}/secrets/{secret}] not found."
                )
        if type_ == KEY_MEMBER and self._store.get(KEY, resource) is None:
            raise not_found(f"CryptoKey {resource} not found.")
        # A bucket was looked up for its project already.
        assert type_ in (PROJECT_MEMBER, ACCOUNT_MEMBER, SECRET_MEMBER, KEY_MEMBER, BUCKET_MEMBER)

    def _check_member(self, member: str) -> None:
        kind, _, name = member.partition(":")
        workload = _POOL_MEMBER.fullmatch(member)
        principal = _PRINCIPAL.fullmatch(member)
        if member in _PUBLIC:
            raise Refusal(
                400,
                "FAILED_PRECONDITION",
                "One or more users named in the policy do not belong to a permitted customer.",
            )
        if workload:
            self._check_pool(f"{workload[1]}.svc.id.goog", workload[1])
        elif principal:
            project = self._organization.project(principal["number"])
            if principal["number"] != project.number:
                raise invalid(f"Principal {member} must name its project by number.")
            self._check_pool(principal["pool"], project.id)
        elif kind == "serviceAccount" and not self._iam.exists(name):
            raise invalid(f"Service account {name} does not exist.")
        elif kind == "group" and not self._organization.is_group(name):
            raise invalid(f"Group {name} does not exist.")
        elif kind == "user" and name not in {*self._organization.people(), self._organization.owner}:
            raise invalid(f"User {name} does not exist.")
        elif kind in ("principal", "principalSet"):
            raise invalid(f"Invalid principal ({member}).")

    def _check_pool(self, name: str, project: str) -> None:
        """The workload identity pool of a project begins with its first cluster that asks for it."""
        if not name.endswith(".svc.id.goog"):
            there = self._store.get(POOL, f"projects/{project}/locations/global/workloadIdentityPools/{name}")
            if there is not None:
                return
        for record in self._store.of(CLUSTER):
            pool = (record.inputs.get("workloadIdentityConfig") or {}).get("workloadPool")
            asked = pool == name or record.inputs.get("enableAutopilot")
            if asked and record.inputs["project"] == project and name == f"{project}.svc.id.goog":
                return
        raise invalid(
            f"Identity Pool does not exist ({name}). Please check that you specified a valid resource name "
            "as returned in the `name` attribute in the configuration API."
        )
