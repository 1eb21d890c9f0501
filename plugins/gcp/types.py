"""The types of Google Cloud that the program uses, and what is known of each without asking Google.

Owns one table: id, outputs, what only the server knows, what cannot change in place, and which names Google
accepts. Does not own resources themselves: a ground does. Everything here is a pure function of inputs, so
that paper, the sandbox's cloud and the tests agree. Inputs and outputs are plain dictionaries with Pulumi's
camelCase keys, without unknowns and secrets.

Sources: ids and outputs are those of the Terraform provider that pulumi-gcp 10 is built from
(https://github.com/hashicorp/terraform-provider-google, `google/services/`); `replace_on` is its `ForceNew`
and the `customdiff.ForceNew...` of each resource; name rules are its `ValidateFunc` and the pages of the
API.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Inputs = Mapping[str, Any]
Numbers = Callable[[str], str]
"""Project id -> project number, both as strings."""

_PROJECT = r"(?:[a-z][a-z0-9.-]*:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"
_LOCATION = r"[a-z]+-[a-z]+\d+(?:-[a-z])?"
_CREATED = "2026-01-01T00:00:00.000000000Z"
_PROVISIONED = {"goog-pulumi-provisioned": "true"}


@dataclass(frozen=True)
class Rule:
    """`pattern` must match the whole value; `says` ends the sentence "must ..."."""

    pattern: str
    says: str

    def refuses(self, value: str) -> bool:
        """Whether Google would not take `value`."""
        return re.fullmatch(self.pattern, value) is None


_PROJECT_RULE = Rule(
    _PROJECT, "be a project id: 6 to 30 lower-case letters, digits and hyphens, starting with a letter"
)
_ROLE = r"(?:roles|(?:projects|organizations)/[^/ ]+/roles)/[A-Za-z0-9_.]+"
_ROLE_RULE = Rule(_ROLE, "be a role, such as roles/gkehub.viewer")
_MEMBER_RULE = Rule(
    r"allUsers|allAuthenticatedUsers|(?:deleted:)?(?:user|serviceAccount|group|domain|projectOwner|projectEditor|projectViewer"
    r"|principal|principalSet):.+",
    "be an IAM member, such as serviceAccount:NAME@PROJECT.iam.gserviceaccount.com",
)
_SERVICE_RULE = Rule(
    r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", "be the full name of an API, such as container.googleapis.com"
)


@dataclass(frozen=True, kw_only=True)
class GcpType:
    """One type. Paths are dotted camelCase without indexes and mean everything below them too.

    `required`: inputs without which Google answers with an error. `defaults`: what the provider fills in.
    `autoname`: the input that takes a generated name. `computed`: outputs that only the server knows.
    `replace_on`: inputs that cannot change in place. `updates`: inputs known to change in place; a change
    of an input in neither may replace. `secret_outputs`: as the provider marks. `id_form`: a pattern whose
    named groups are the inputs that an id says. `exclusive`: creating it twice is an error, as against
    enabling an API or granting a role.
    """

    token: str
    id_of: Callable[[Inputs], str]
    fill: Callable[[Inputs, Numbers], dict[str, Any]] = lambda inputs, numbers: {}
    required: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    autoname: str | None = None
    rules: Mapping[str, Rule] = field(default_factory=dict)
    computed: frozenset[str] = frozenset()
    replace_on: frozenset[str] = frozenset()
    updates: frozenset[str] = frozenset()
    secret_outputs: frozenset[str] = frozenset()
    takes_project: bool = True
    id_form: str = ""
    exclusive: bool = True

    def identify(self, inputs: Inputs) -> str:
        """The id that a resource with `inputs` has.

        Raises KeyError where an input that it is made of is missing.
        """
        return self.id_of(inputs)

    def from_id(self, id_: str) -> dict[str, str]:
        """The inputs that an id says, for an import. Raises ValueError where it has not this type's form."""
        match = re.fullmatch(self.id_form, id_)
        if match is None:
            raise ValueError(f"{id_!r} is no id of {self.token}")
        return {name: value for name, value in match.groupdict().items() if value is not None}

    def outputs(self, inputs: Inputs, project_number: Numbers) -> dict[str, Any]:
        """All outputs of a resource with `inputs`: these, defaults, and stable values for what Google computes."""
        known = {**copy.deepcopy(dict(self.defaults)), **copy.deepcopy(dict(inputs))}
        known.pop("__defaults", None)
        return known | self.fill(known, project_number)

    def replaces(self, path: str) -> bool:
        """Whether a change at `path` (dotted, without indexes) means a new resource."""
        return any(_touches(path, entry) for entry in self.replace_on)

    def may_replace(self, path: str) -> bool:
        """Whether the table does not say what a change at `path` means."""
        return not self.replaces(path) and path.partition(".")[0] not in self.updates

    def problems(self, inputs: Inputs) -> list[tuple[str, str]]:
        """(input, why Google would refuse it) for missing inputs and values against the rules.

        Only strings are judged.
        """
        found = [(name, "is required") for name in self.required if inputs.get(name) in (None, "")]
        for name, rule in self.rules.items():
            value = _at(inputs, name)
            if isinstance(value, str) and value and rule.refuses(value):
                found.append((name, f"is {value!r} and must {rule.says}"))
        return found

    def refuses_delete(self, outputs: Inputs) -> str | None:
        """The provider's own refusal to delete, where a protection of Google is on."""
        if self.token == CLUSTER and outputs.get("deletionProtection") is True:
            return (
                "Cannot destroy cluster because deletion_protection is set to true. "
                "Set it to false to proceed with cluster deletion."
            )
        if outputs.get("deletionPolicy") == "PREVENT":
            return f"Cannot destroy {self.token} because deletion_policy is set to PREVENT."
        return None


def _touches(path: str, entry: str) -> bool:
    return path == entry or path.startswith(f"{entry}.") or entry.startswith(f"{path}.")


def _at(inputs: Inputs, path: str) -> Any:
    value: Any = inputs
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _digits(count: int, *parts: str) -> str:
    return "1" + str(int(_digest(*parts), 16))[-(count - 1) :]


def paper_number(project: str) -> str:
    """A stable number for a project that nobody has asked Google about."""
    return _digits(12, "project", project)


def _uuid(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "\0".join(parts)))


def _labels(name: str, inputs: Inputs) -> dict[str, Any]:
    effective = {**_PROVISIONED, **(inputs.get(name) or {})}
    return {"effectiveLabels": effective, "pulumiLabels": dict(effective)}


def _merged(inputs: Inputs, name: str, more: Inputs) -> dict[str, Any]:
    return {**(inputs.get(name) or {}), **more}


def _etag(*parts: str) -> str:
    return base64.b64encode(bytes.fromhex(_digest(*parts)[:16])).decode()


SERVICE = "gcp:projects/service:Service"


SERVICE_IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"

_AGENTS = {
    "gkehub.googleapis.com": "gcp-sa-gkehub",
    "container.googleapis.com": "container-engine-robot",
    "mesh.googleapis.com": "gcp-sa-servicemesh",
}


def service_agent(service: str, number: str) -> str:
    """E-mail of Google's service agent for `service` (full API name) in the project with `number`."""
    domain = _AGENTS.get(service, "gcp-sa-" + service.removesuffix(".googleapis.com").replace(".", "-"))
    return f"service-{number}@{domain}.iam.gserviceaccount.com"


def _service_identity(inputs: Inputs, numbers: Numbers) -> dict[str, Any]:
    email = service_agent(inputs["service"], numbers(inputs["project"]))
    return {"email": email, "member": f"serviceAccount:{email}"}


PROJECT_IAM_MEMBER = "gcp:projects/iAMMember:IAMMember"
ACCOUNT_IAM_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"


def _grant_id(holder: str) -> Callable[[Inputs], str]:
    def identify(inputs: Inputs) -> str:
        parts = [inputs[holder], inputs["role"], inputs["member"]]
        title = _at(inputs, "condition.title")
        return "/".join([*parts, title] if title else parts)

    return identify


def _grant(holder: str) -> Callable[[Inputs, Numbers], dict[str, Any]]:
    return lambda inputs, _: {"etag": _etag(inputs[holder], inputs["role"], inputs["member"])}


ACCOUNT = "gcp:serviceaccount/account:Account"


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
        "uniqueId": _digits(21, "account", email),
        "disabled": bool(inputs.get("disabled", False)),
    }


FLEET = "gcp:gkehub/fleet:Fleet"
MEMBERSHIP = "gcp:gkehub/membership:Membership"


def _fleet_id(inputs: Inputs) -> str:
    return f"projects/{inputs['project']}/locations/global/fleets/default"


def _fleet(inputs: Inputs, _: Numbers) -> dict[str, Any]:
    return {
        "uid": _uuid(_fleet_id(inputs)),
        "states": [{"code": "READY"}],
        "createTime": _CREATED,
        "updateTime": _CREATED,
        "deleteTime": "",
        **_labels("labels", inputs),
    }


def _membership_id(inputs: Inputs) -> str:
    location = inputs.get("location") or "global"
    return f"projects/{inputs['project']}/locations/{location}/memberships/{inputs['membershipId']}"


def _membership(inputs: Inputs, _: Numbers) -> dict[str, Any]:
    return {"name": _membership_id(inputs), **_labels("labels", inputs)}


CLUSTER = "gcp:container/cluster:Cluster"


def _cluster_id(inputs: Inputs) -> str:
    return f"projects/{inputs['project']}/locations/{inputs['location']}/clusters/{inputs['name']}"


def region_of(location: str) -> str:
    """Region of a region or zone: asia-northeast1-b -> asia-northeast1."""
    return re.sub(r"-[a-z]$", "", location)


def master_version(minimum: str | None) -> str:
    """The GKE version that a cluster runs whose minMasterVersion is `minimum` ("1.36" or full)."""
    minimum = minimum or "1.36"
    if "-gke." in minimum:
        return minimum
    return f"{minimum if minimum.count('.') == 2 else minimum + '.3'}-gke.1000000"


def _cluster(inputs: Inputs, numbers: Numbers) -> dict[str, Any]:
    path, region = _cluster_id(inputs), region_of(inputs["location"])
    digest = _digest(path)
    host = ".".join(["10", *(str(int(digest[at : at + 2], 16)) for at in (0, 2, 4))])
    version = master_version(inputs.get("minMasterVersion"))
    dns = f"gke-{digest[:30]}-{numbers(inputs['project'])}.{region}.gke.goog"
    endpoints = inputs.get("controlPlaneEndpointsConfig") or {}
    body = base64.b64encode(digest.encode()).decode()
    certificate = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
    found: dict[str, Any] = {
        "endpoint": host,
        "selfLink": f"https://container.googleapis.com/v1/{path}",
        "masterVersion": version,
        "nodeVersion": inputs.get("nodeVersion") or version,
        "emulatedVersion": "",
        "labelFingerprint": digest[:8],
        "operation": "",
        "servicesIpv4Cidr": "34.118.224.0/20",
        "tpuIpv4CidrBlock": "",
        "network": inputs.get("network") or f"projects/{inputs['project']}/global/networks/default",
        "subnetwork": inputs.get("subnetwork")
        or f"projects/{inputs['project']}/regions/{region}/subnetworks/default",
        "controlPlaneEndpointsConfig": {
            **endpoints,
            "dnsEndpointConfig": {**(endpoints.get("dnsEndpointConfig") or {}), "endpoint": dns},
        },
        "masterAuth": _merged(
            inputs, "masterAuth", {"clusterCaCertificate": base64.b64encode(certificate.encode()).decode()}
        ),
        "privateClusterConfig": _merged(
            inputs, "privateClusterConfig", {"privateEndpoint": host, "publicEndpoint": "", "peeringName": ""}
        ),
        **_labels("resourceLabels", inputs),
    }
    if inputs.get("fleet"):
        fleet_host = inputs["fleet"].get("project") or inputs["project"]
        membership = (
            f"//gkehub.googleapis.com/projects/{fleet_host}/locations/{region}/memberships/{inputs['name']}"
        )
        found["fleet"] = _merged(
            inputs,
            "fleet",
            {
                "membership": membership,
                "membershipId": inputs["name"],
                "membershipLocation": region,
                "preRegistered": False,
            },
        )
    return found


_CLUSTER_REPLACES = frozenset(
    {
        "clusterAutoscaling.autoProvisioningDefaults.bootDiskKmsKey",
        "clusterIpv4Cidr",
        "confidentialNodes",
        "datapathProvider",
        "defaultMaxPodsPerNode",
        "description",
        "enableAutopilot",
        "enableKubernetesAlpha",
        "enableMultiNetworking",
        "enableTpu",
        "fleet.project",
        "initialNodeCount",
        "ipAllocationPolicy.clusterIpv4CidrBlock",
        "ipAllocationPolicy.clusterSecondaryRangeName",
        "ipAllocationPolicy.podCidrOverprovisionConfig",
        "ipAllocationPolicy.servicesIpv4CidrBlock",
        "ipAllocationPolicy.servicesSecondaryRangeName",
        "ipAllocationPolicy.stackType",
        "location",
        "masterAuth.clientCertificateConfig",
        "name",
        "network",
        "networkingMode",
        "nodeConfig",
        "privateClusterConfig.enablePrivateNodes",
        "privateClusterConfig.masterIpv4CidrBlock",
        "privateClusterConfig.privateEndpointSubnetwork",
        "project",
        "subnetwork",
        "userManagedKeysConfig",
    }
)
_CLUSTER_UPDATES = frozenset(
    {
        "addonsConfig",
        "allowNetAdmin",
        "anonymousAuthenticationConfig",
        "authenticatorGroupsConfig",
        "binaryAuthorization",
        "clusterAutoscaling",
        "controlPlaneEndpointsConfig",
        "costManagementConfig",
        "databaseEncryption",
        "defaultSnatStatus",
        "deletionPolicy",
        "deletionProtection",
        "enableCiliumClusterwideNetworkPolicy",
        "enableFqdnNetworkPolicy",
        "enableIntranodeVisibility",
        "enableLegacyAbac",
        "enableShieldedNodes",
        "enterpriseConfig",
        "fleet",
        "gatewayApiConfig",
        "identityServiceConfig",
        "ipAllocationPolicy",
        "loggingConfig",
        "loggingService",
        "maintenancePolicy",
        "masterAuth",
        "masterAuthorizedNetworksConfig",
        "meshCertificates",
        "minMasterVersion",
        "monitoringConfig",
        "monitoringService",
        "networkPolicy",
        "nodeLocations",
        "nodePoolAutoConfig",
        "nodePoolDefaults",
        "nodeVersion",
        "notificationConfig",
        "privateClusterConfig",
        "privateIpv6GoogleAccess",
        "rbacBindingConfig",
        "releaseChannel",
        "removeDefaultNodePool",
        "resourceLabels",
        "resourceUsageExportConfig",
        "secretManagerConfig",
        "securityPostureConfig",
        "serviceExternalIpsConfig",
        "verticalPodAutoscaling",
        "workloadIdentityConfig",
    }
)

TYPES: dict[str, GcpType] = {
    each.token: each
    for each in (
        GcpType(
            token=SERVICE,
            id_form=r"(?P<project>[^/]+)/(?P<service>[^/]+)",
            exclusive=False,
            id_of=lambda inputs: f"{inputs['project']}/{inputs['service']}",
            required=("service",),
            rules={"project": _PROJECT_RULE, "service": _SERVICE_RULE},
            replace_on=frozenset({"project", "service"}),
            updates=frozenset(
                {
                    "checkIfServiceHasUsageOnDestroy",
                    "deletionPolicy",
                    "disableDependentServices",
                    "disableOnDestroy",
                }
            ),
        ),
        GcpType(
            token=SERVICE_IDENTITY,
            id_form=r"projects/(?P<project>[^/]+)/services/(?P<service>[^/]+)",
            exclusive=False,
            id_of=lambda inputs: f"projects/{inputs['project']}/services/{inputs['service']}",
            fill=_service_identity,
            required=("service",),
            rules={"project": _PROJECT_RULE, "service": _SERVICE_RULE},
            computed=frozenset({"email", "member"}),
            replace_on=frozenset({"project", "service"}),
        ),
        GcpType(
            token=PROJECT_IAM_MEMBER,
            id_form=rf"(?P<project>[^/ ]+)[/ ](?P<role>{_ROLE})[/ ](?P<member>.+)",
            exclusive=False,
            id_of=_grant_id("project"),
            fill=_grant("project"),
            required=("project", "role", "member"),
            rules={"project": _PROJECT_RULE, "role": _ROLE_RULE, "member": _MEMBER_RULE},
            computed=frozenset({"etag"}),
            replace_on=frozenset({"condition", "member", "project", "role"}),
        ),
        GcpType(
            token=ACCOUNT,
            id_form=r"projects/(?P<project>[^/]+)/serviceAccounts/(?P<accountId>[^@/]+)@[^/]+",
            id_of=_account_name,
            fill=_account,
            required=("accountId",),
            rules={
                "project": _PROJECT_RULE,
                "accountId": Rule(
                    r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
                    "be 6 to 30 lower-case letters, digits and hyphens, starting with a letter",
                ),
            },
            computed=frozenset({"email", "member", "name", "uniqueId"}),
            replace_on=frozenset({"accountId", "project"}),
            updates=frozenset(
                {"createIgnoreAlreadyExists", "deletionPolicy", "description", "disabled", "displayName"}
            ),
        ),
        GcpType(
            token=ACCOUNT_IAM_MEMBER,
            id_form=rf"(?P<serviceAccountId>projects/[^/]+/serviceAccounts/[^/ ]+)[/ ]"
            rf"(?P<role>{_ROLE})[/ ](?P<member>.+)",
            exclusive=False,
            id_of=_grant_id("serviceAccountId"),
            fill=_grant("serviceAccountId"),
            required=("serviceAccountId", "role", "member"),
            rules={
                "serviceAccountId": Rule(
                    r"projects/[^/]+/serviceAccounts/[^/@]+@[^/@]+",
                    "be the full name of an account: projects/PROJECT/serviceAccounts/EMAIL",
                ),
                "role": _ROLE_RULE,
                "member": _MEMBER_RULE,
            },
            computed=frozenset({"etag"}),
            replace_on=frozenset({"condition", "member", "role", "serviceAccountId"}),
            takes_project=False,
        ),
        GcpType(
            token=FLEET,
            id_form=r"projects/(?P<project>[^/]+)/locations/global/fleets/default",
            id_of=_fleet_id,
            fill=_fleet,
            rules={
                "project": _PROJECT_RULE,
                "displayName": Rule(
                    r"[A-Za-z0-9'\"\s!-]{4,30}",
                    "be 4 to 30 letters, digits, spaces, hyphens, quotes and exclamation marks",
                ),
            },
            computed=frozenset(
                {"createTime", "deleteTime", "effectiveLabels", "pulumiLabels", "states", "uid", "updateTime"}
            ),
            replace_on=frozenset({"project"}),
            updates=frozenset({"defaultClusterConfig", "deletionPolicy", "displayName", "labels"}),
            secret_outputs=frozenset({"effectiveLabels", "pulumiLabels"}),
        ),
        GcpType(
            token=MEMBERSHIP,
            id_form=r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/memberships/(?P<membershipId>[^/]+)",
            id_of=_membership_id,
            fill=_membership,
            required=("membershipId",),
            defaults={"location": "global"},
            rules={
                "project": _PROJECT_RULE,
                "location": Rule(rf"global|{_LOCATION}", "be a region or global"),
                "membershipId": Rule(
                    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?",
                    "be 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends",
                ),
                "endpoint.gkeCluster.resourceLink": Rule(
                    r"(?://container\.googleapis\.com/)?projects/[^/]+/(?:locations|zones)/[^/]+/clusters/[^/]+",
                    "be a cluster: //container.googleapis.com/projects/PROJECT/locations/LOCATION/clusters/NAME",
                ),
            },
            computed=frozenset({"effectiveLabels", "name", "pulumiLabels"}),
            replace_on=frozenset({"endpoint", "location", "membershipId", "project"}),
            updates=frozenset({"authority", "deletionPolicy", "labels"}),
            secret_outputs=frozenset({"effectiveLabels", "pulumiLabels"}),
        ),
        GcpType(
            token=CLUSTER,
            id_form=r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/clusters/(?P<name>[^/]+)",
            id_of=_cluster_id,
            fill=_cluster,
            defaults={"deletionProtection": True},
            autoname="name",
            rules={
                "project": _PROJECT_RULE,
                "name": Rule(
                    r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?",
                    "be 1 to 40 lower-case letters, digits and hyphens, starting with a letter, not ending in a hyphen",
                ),
                "location": Rule(_LOCATION, "be a region or zone, such as asia-northeast1"),
                "fleet.project": _PROJECT_RULE,
            },
            computed=frozenset(
                {
                    "controlPlaneEndpointsConfig.dnsEndpointConfig.endpoint",
                    "effectiveLabels",
                    "emulatedVersion",
                    "endpoint",
                    "fleet.membership",
                    "fleet.membershipId",
                    "fleet.membershipLocation",
                    "fleet.preRegistered",
                    "labelFingerprint",
                    "masterAuth.clusterCaCertificate",
                    "masterVersion",
                    "network",
                    "nodeVersion",
                    "operation",
                    "privateClusterConfig.peeringName",
                    "privateClusterConfig.privateEndpoint",
                    "privateClusterConfig.publicEndpoint",
                    "pulumiLabels",
                    "selfLink",
                    "servicesIpv4Cidr",
                    "subnetwork",
                    "tpuIpv4CidrBlock",
                }
            ),
            replace_on=_CLUSTER_REPLACES,
            updates=_CLUSTER_UPDATES,
            secret_outputs=frozenset({"effectiveLabels", "pulumiLabels"}),
        ),
    )
}
