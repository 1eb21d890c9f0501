"""Connect Gateway: the deployer's way to every cluster's API server, and the files that lead through it.

Everything about the gateway follows from configuration alone, so a preview knows it before the cluster exists,
and it is the same byte for byte wherever the program runs. The certificate of the gateway is publicly trusted: no
authority is named. Argo CD may reach a member by another way; only the address of that one can be unknown.
"""

from __future__ import annotations

import json

from model.cluster import Cluster
from model.fleet import Fleet
from model.vocabulary import Endpoint

IN_CLUSTER = "https://kubernetes.default.svc"
"""How Argo CD calls the cluster that it runs in."""


def gateway_url(fleet: Fleet, cluster: Cluster) -> str:
    """Address of a cluster's API behind Connect Gateway.

    The number is the fleet host project's, not the cluster's. A regional membership is served by its region's
    host. `gkeMemberships` is the form for GKE clusters, `memberships` the one for those behind a Connect agent
    (https://cloud.google.com/kubernetes-engine/enterprise/multicluster-management/gateway).
    """
    location = cluster.membership_location
    host = (
        "connectgateway.googleapis.com"
        if location == "global"
        else f"{location}-connectgateway.googleapis.com"
    )
    collection = "memberships" if cluster.has_agent else "gkeMemberships"
    membership = f"projects/{fleet.host_number}/locations/{location}/{collection}/{cluster.membership_id}"
    return f"https://{host}/v1/{membership}"


def server_url(fleet: Fleet, cluster: Cluster) -> str | None:
    """The address under which Argo CD knows a cluster.

    None where Google gives it: the DNS endpoint or private address of a cluster that this program creates.
    """
    if cluster.is_hub:
        return IN_CLUSTER
    if cluster.endpoint is Endpoint.GATEWAY:
        return gateway_url(fleet, cluster)
    if cluster.endpoint is Endpoint.DNS:
        return f"https://{cluster.dns_host}" if cluster.dns_host else None
    return f"https://{cluster.private_endpoint.address}" if cluster.private_endpoint else None


def kubeconfig(fleet: Fleet, cluster: Cluster) -> str:
    """The deployer's kubeconfig for a cluster, as JSON text. It holds no credential: a plugin fetches the
    token."""
    name = f"connectgateway_{fleet.host_project}_{cluster.membership_location}_{cluster.membership_id}"
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "gke-gcloud-auth-plugin",
        "installHint": "install gke-gcloud-auth-plugin where pulumi runs: "
        "https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin",
        "interactiveMode": "Never",
        "provideClusterInfo": True,
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": gateway_url(fleet, cluster)}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
        "users": [{"name": name, "user": {"exec": plugin}}],
    }
    return json.dumps(document, sort_keys=True)
