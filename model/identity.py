"""Who acts in the fleet: accounts, principals, service agents, groups, and the roles that each needs.

Names and lists, no resources. A role is here only if something fails without it. Argo CD has no role on any
project of a member that would pass where RBAC does not: GKE asks IAM too, so `container.developer` there would
be a right that no ClusterRole shows.
"""

from __future__ import annotations

from dataclasses import dataclass

from model.argocd_settings import Identity
from model.cluster import Cluster
from model.fleet import Fleet
from model.naming import node_account_id
from model.vocabulary import Access, Endpoint

ARGOCD_ACCOUNT = "argocd-hub"
"""Id of the service account that Argo CD calls members with, in the hub's project."""

SERVER_ACCOUNT = "argocd-server-hub"
"""Id of the account of argocd-server where people may open terminals: the others must not be able to."""

CONTROLLER = "argocd-application-controller"
SERVER = "argocd-server"
"""The ServiceAccounts of Argo CD that call members; the others never leave the hub."""

GATEWAY_EDITOR = "roles/gkehub.gatewayEditor"
"""The Reader role is not enough even to look: access reviews are POSTs."""
GATEWAY_ADMIN = "roles/gkehub.gatewayAdmin"
"""Editor, and the streams of terminals."""

AGENT_ROLE = "roles/gkehub.serviceAgent"
AGENT_ROLE_ELSEWHERE = "roles/gkehub.crossProjectServiceAgent"
"""What the fleet's service agent needs on a project that is not the fleet host's, besides AGENT_ROLE."""
NODE_ROLE = "roles/container.defaultNodeServiceAccount"
"""What the account of a node needs on its project: to write logs and metrics, to pull images."""

SECRET_ROLE = "roles/secretmanager.secretAccessor"  # noqa: S105 (a role's name)
SECRETS_ADDON = "external-secrets"
"""The add-on that reads secrets: its name in the catalogue, its namespace and its ServiceAccount."""

DNS_ROLE_ID = "fleetDnsEndpoint"
DNS_PERMISSIONS = ("container.clusters.connect",)
"""A custom role on the project of a member that is reached by its DNS endpoint. The predefined roles that hold
this permission hold others too, with which IAM would pass what RBAC does not."""

OPERATOR_ROLES = {
    Access.READER: "roles/gkehub.gatewayReader",
    Access.EDITOR: GATEWAY_EDITOR,
    Access.ADMIN: GATEWAY_ADMIN,
}
OPERATOR_VIEWER = "roles/gkehub.viewer"
"""`gcloud container fleet memberships get-credentials` lists memberships first."""

_HOST_APIS = (
    *(
        "cloudresourcemanager",
        "compute",
        "connectgateway",
        "container",
        "gkehub",
        "iam",
        "iamcredentials",
        "sts",
    ),
)
_CLUSTER_APIS = (*("cloudresourcemanager", "compute", "container", "gkehub", "iam"),)


@dataclass(frozen=True)
class Caller:
    """A ServiceAccount of Argo CD that calls members."""

    service_account: str
    """Its name, in the namespace `argocd` on the hub."""
    account_id: str | None
    """Id of the Google service account that it acts as; None where it acts as the principal that it is."""
    roles: tuple[str, ...]
    """Its roles on the fleet host project; none where no member is reached through the gateway."""


def callers(fleet: Fleet) -> tuple[Caller, ...]:
    """Those who call members: the controller and the API server (live manifests, logs, terminals)."""
    apart = fleet.argocd.exec
    through_gateway = bool(fleet.reached_by(Endpoint.GATEWAY))

    def caller(service_account: str, account_id: str, role: str) -> Caller:
        return Caller(
            service_account,
            account_id if fleet.argocd.identity is Identity.ACCOUNT else None,
            (role,) if through_gateway else (),
        )

    return (
        caller(CONTROLLER, ARGOCD_ACCOUNT, GATEWAY_EDITOR),
        caller(
            SERVER,
            SERVER_ACCOUNT if apart else ARGOCD_ACCOUNT,
            GATEWAY_ADMIN if apart else GATEWAY_EDITOR,
        ),
    )


def account_email(fleet: Fleet, account_id: str) -> str:
    """E-mail of an account in the hub's project."""
    return f"{account_id}@{fleet.hub.project}.iam.gserviceaccount.com"


def argocd_account(fleet: Fleet) -> str:
    """E-mail of Argo CD's service account."""
    return account_email(fleet, ARGOCD_ACCOUNT)


def caller_account(fleet: Fleet, caller: Caller) -> str | None:
    """E-mail of the account that a caller acts as, for the annotation of its ServiceAccount; None for a
    principal."""
    return account_email(fleet, caller.account_id) if caller.account_id is not None else None


def caller_user(fleet: Fleet, caller: Caller) -> str:
    """The user that a caller is in a member's RBAC.

    For a principal that this is its whole URI is an assumption: Google documents the user's name for an account
    only.
    """
    return caller_account(fleet, caller) or _hub_principal(fleet, caller.service_account)


def caller_member(fleet: Fleet, caller: Caller) -> str:
    """The IAM member that a caller is."""
    account = caller_account(fleet, caller)
    return f"serviceAccount:{account}" if account else _hub_principal(fleet, caller.service_account)


def caller_grants(fleet: Fleet) -> tuple[tuple[str, str], ...]:
    """(member, role) pairs of Argo CD on the fleet host project, each once."""
    return tuple(
        dict.fromkeys(
            (caller_member(fleet, caller), role) for caller in callers(fleet) for role in caller.roles
        )
    )


def workload_member(fleet: Fleet, service_account: str) -> str:
    """The IAM member that a ServiceAccount in Argo CD's namespace on the hub is, as one who may act as an account.

    Workload Identity names are shared by all clusters of a project, hence the hub has a project of its own.
    """
    return f"serviceAccount:{fleet.hub.project}.svc.id.goog[argocd/{service_account}]"


def principal(project: str, number: str, namespace: str, service_account: str) -> str:
    """The principal that a ServiceAccount of any cluster of a project is, by the project's id and number."""
    pool = f"projects/{number}/locations/global/workloadIdentityPools/{project}.svc.id.goog"
    return f"principal://iam.googleapis.com/{pool}/subject/ns/{namespace}/sa/{service_account}"


def _hub_principal(fleet: Fleet, service_account: str) -> str:
    return principal(fleet.hub.project, fleet.projects[fleet.hub.project], "argocd", service_account)


def secrets_member(fleet: Fleet, cluster: Cluster) -> str:
    """The principal that External Secrets is on a cluster, and on every other one of its project."""
    return principal(cluster.project, fleet.projects[cluster.project], SECRETS_ADDON, SECRETS_ADDON)


def secret_grants(fleet: Fleet, project: str) -> tuple[tuple[str, str], ...]:
    """(secret id, member) pairs of a project: which of its secrets External Secrets may read there, each once."""
    return tuple(
        dict.fromkeys(
            (secret, secrets_member(fleet, cluster))
            for cluster in fleet.clusters
            if cluster.project == project
            for secret in cluster.secrets
        )
    )


def dns_members(fleet: Fleet, project: str) -> tuple[str, ...]:
    """The IAM members that need the custom role `fleetDnsEndpoint` on a project; none where no member of that
    project is reached by its DNS endpoint."""
    if not any(cluster.project == project for cluster in fleet.reached_by(Endpoint.DNS)):
        return ()
    return tuple(dict.fromkeys(caller_member(fleet, caller) for caller in callers(fleet)))


def node_account(cluster: Cluster) -> str:
    """E-mail of the account that the nodes of a created cluster run as."""
    return f"{node_account_id(cluster)}@{cluster.project}.iam.gserviceaccount.com"


def operator_grants(fleet: Fleet) -> tuple[tuple[str, str], ...]:
    """(group, role) pairs of the operators on the fleet host project; groups are plain e-mails."""
    groups = fleet.access.groups if fleet.access else {}
    return tuple(
        (group, role)
        for group, access in groups.items()
        for role in (OPERATOR_ROLES[access], OPERATOR_VIEWER)
    )


def fleet_agent(fleet: Fleet) -> str:
    """The IAM member that registers clusters: the host project's gkehub service agent."""
    return f"serviceAccount:service-{fleet.host_number}@gcp-sa-gkehub.iam.gserviceaccount.com"


def fleet_agent_grants(fleet: Fleet) -> tuple[tuple[str, str], ...]:
    """(project, role) pairs that the gkehub service agent needs before a cluster can join.

    On the projects of clusters it needs a second role, which lets it set their IAM policy: Google asks for
    it.
    """
    host = [(fleet.host_project, AGENT_ROLE)]
    others = [
        (project, role)
        for project in fleet.cluster_projects
        if project != fleet.host_project
        for role in (AGENT_ROLE, AGENT_ROLE_ELSEWHERE)
    ]
    return tuple(host + others)


def apis(fleet: Fleet) -> tuple[tuple[str, str], ...]:
    """(project, API) pairs to be enabled. `anthos` is never among them: it is a billing switch."""
    needed = {fleet.host_project: set(_HOST_APIS)}
    for project in fleet.cluster_projects:
        needed.setdefault(project, set()).update(_CLUSTER_APIS)
    for cluster in fleet.clusters:
        if cluster.secrets:
            needed[cluster.project].add("secretmanager")
    if any(cluster.has_agent for cluster in fleet.clusters):
        needed[fleet.host_project].add("gkeconnect")
    return tuple(
        (project, f"{api}.googleapis.com") for project, names in needed.items() for api in sorted(names)
    )
