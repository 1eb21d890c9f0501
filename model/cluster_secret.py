"""The Secret by which Argo CD knows a cluster. It holds no secret: Argo CD's own identity opens every way.

Labels are what ApplicationSets select by and templates read; a version is never among them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from model.cluster import Cluster
from model.fleet import Fleet

CLUSTER_SECRET_TYPE = {"argocd.argoproj.io/secret-type": "cluster"}


def secret_name(cluster: Cluster) -> str:
    """Name of a cluster's Secret in the namespace of Argo CD."""
    return f"cluster-{cluster.name}"


def fleet_labels(environment: str, cluster: Cluster) -> dict[str, str]:
    """The labels that templates and selectors can read: the program's own, then the cluster's. All keys are
    dot-safe."""
    return {
        "fleet_environment": environment,
        "fleet_cluster": cluster.name,
        "fleet_ring": cluster.ring,
        "fleet_role": cluster.role.value,
        "fleet_lifecycle": cluster.lifecycle.value,
        "fleet_project": cluster.project,
        "fleet_location": cluster.location,
        **cluster.labels,
    }


def fleet_metadata(environment: str, cluster: Cluster) -> dict[str, Mapping[str, str]]:
    """What templates can read of a cluster: its `labels` and its `annotations`."""
    return {"labels": fleet_labels(environment, cluster), "annotations": cluster.annotations}


def secret_labels(fleet: Fleet, cluster: Cluster) -> dict[str, str]:
    """Every label of the Secret."""
    return {**CLUSTER_SECRET_TYPE, **fleet_labels(fleet.name, cluster)}


def secret_content(fleet: Fleet, cluster: Cluster, server: str, ca: str | None = None) -> dict[str, str]:
    """What the Secret says, as plain text: name, server and how to log in.

    `server` is the https URL, `server_url` where that is known; `ca` is base64 of a PEM certificate, needed for a
    private address alone: gateway and DNS endpoint are publicly trusted, and of the hub Argo CD knows it.

    `argocd-k8s-auth gcp` is part of Argo CD's image; it asks the metadata server for a token of the account
    that the calling ServiceAccount is bound to. On the hub itself Argo CD uses its ServiceAccount.
    """
    tls: dict[str, object] = {"insecure": False}
    if ca is not None:
        tls["caData"] = ca
    config: dict[str, object] = {"tlsClientConfig": tls}
    if not cluster.is_hub:
        config["execProviderConfig"] = {
            "command": "argocd-k8s-auth",
            "args": ["gcp"],
            "apiVersion": "client.authentication.k8s.io/v1beta1",
        }
    return {"name": cluster.name, "server": server, "config": json.dumps(config, sort_keys=True)}
