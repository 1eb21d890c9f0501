"""Who acts in the fleet: accounts, service agents and the roles that each needs. Names and lists, no
resources."""

from __future__ import annotations

from model.fleet import Fleet

ACCOUNT_ID = "argocd-hub"
"""Argo CD's service account, in the hub's project."""

CALLERS = ("argocd-application-controller", "argocd-server")
"""The ServiceAccounts of Argo CD that call members; the others never leave the hub."""

ARGOCD_ROLES = ("roles/gkehub.gatewayEditor", "roles/gkehub.viewer")
"""Argo CD's roles on the fleet host project. The Reader role is not enough even to look: access reviews are
POSTs. The Admin role would add exec, which is off."""

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
_CLUSTER_APIS = (
    *("cloudresourcemanager", "compute", "container", "gkehub", "iam", "iamcredentials", "secretmanager"),
)


def argocd_account(fleet: Fleet) -> str:
    """E-mail of Argo CD's service account."""
    return f"{ACCOUNT_ID}@{fleet.hub.project}.iam.gserviceaccount.com"


def workload_member(fleet: Fleet, service_account: str) -> str:
    """The IAM member that a ServiceAccount in Argo CD's namespace on the hub is.

    Workload Identity names are shared by all clusters of a project, hence the hub has a project of its own.
    """
    return f"serviceAccount:{fleet.hub.project}.svc.id.goog[argocd/{service_account}]"


def fleet_agent(fleet: Fleet) -> str:
    """The IAM member that registers clusters: the host project's gkehub service agent."""
    return f"serviceAccount:service-{fleet.host_number}@gcp-sa-gkehub.iam.gserviceaccount.com"


def fleet_agent_grants(fleet: Fleet) -> tuple[tuple[str, str], ...]:
    """(project, role) pairs that the gkehub service agent needs before a cluster can join.

    On the projects of clusters it needs a second role, which lets it set their IAM policy: Google asks for
    it.
    """
    host = [(fleet.host_project, "roles/gkehub.serviceAgent")]
    others = [
        (project, role)
        for project in fleet.cluster_projects
        if project != fleet.host_project
        for role in ("roles/gkehub.serviceAgent", "roles/gkehub.crossProjectServiceAgent")
    ]
    return tuple(host + others)


def apis(fleet: Fleet) -> tuple[tuple[str, str], ...]:
    """(project, API) pairs to be enabled. `anthos` is never among them: it is a billing switch."""
    needed = {fleet.host_project: set(_HOST_APIS)}
    for project in fleet.cluster_projects:
        needed.setdefault(project, set()).update(_CLUSTER_APIS)
    return tuple(
        (project, f"{api}.googleapis.com") for project, names in needed.items() for api in sorted(names)
    )
