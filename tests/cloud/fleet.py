"""A fleet as the program would make it, one call to the control API after the other."""

from __future__ import annotations

from typing import Any

from tests.cloud.client import (
    ACCOUNT,
    ACCOUNT_GRANT,
    AGENT,
    ARGOCD,
    CLUSTER,
    FLEET,
    GRANT,
    HUB,
    IDENTITY,
    SERVICE,
    SHOP,
    Client,
)
from tests.cloud.doors import granted


def enable(client: Client, project: str, *apis: str) -> None:
    for api in apis:
        client.made(SERVICE, project=project, service=f"{api}.googleapis.com", disableOnDestroy=True)


def host(client: Client) -> None:
    """The fleet host project with its APIs, fleet and service agent."""
    enable(client, HUB, "compute", "container", "gkehub", "connectgateway")
    client.made(FLEET, project=HUB, displayName="acme sandbox")
    client.made(IDENTITY, project=HUB, service="gkehub.googleapis.com")
    client.made(GRANT, project=HUB, role="roles/gkehub.serviceAgent", member=AGENT)


def admit(client: Client, project: str = SHOP) -> None:
    """What a member project needs."""
    enable(client, project, "compute", "container", "gkehub")
    for role in ("roles/gkehub.serviceAgent", "roles/gkehub.crossProjectServiceAgent"):
        client.made(GRANT, project=project, role=role, member=AGENT)


def cluster(name: str = "hub", project: str = HUB, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "project": project,
        "location": "asia-northeast1",
        "enableAutopilot": True,
        "fleet": {"project": HUB},
        "deletionProtection": False,
    } | more


def hub(client: Client) -> None:
    """The host and the hub cluster."""
    host(client)
    client.made(CLUSTER, **cluster())


def argocd(client: Client, *roles: str) -> None:
    """Argo CD's account, bound to argocd/argocd-server, with these roles on the host project."""
    client.made(ACCOUNT, project=HUB, accountId="argocd-hub")
    client.made(
        ACCOUNT_GRANT,
        serviceAccountId=f"projects/{HUB}/serviceAccounts/{ARGOCD}",
        role="roles/iam.workloadIdentityUser",
        member=f"serviceAccount:{HUB}.svc.id.goog[argocd/argocd-server]",
    )
    for role in roles:
        grant(client, role)


def argocd_server() -> list[dict[str, Any]]:
    """The ServiceAccount on the hub that may act as Argo CD's account, and its namespace, as manifests."""
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": "argocd-server",
            "namespace": "argocd",
            "annotations": {"iam.gke.io/gcp-service-account": ARGOCD},
        },
    }
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}, account]


def grant(client: Client, role: str, project: str = HUB) -> str:
    """Give Argo CD's account a role; returns the grant's id."""
    return granted(client, project, role, f"serviceAccount:{ARGOCD}")
