"""The Secret that tells Argo CD of one cluster. It holds no secret value.

It comes after the ApplicationSets on purpose: Argo CD hears of a cluster once everything that it is to get is there.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from components.argocd import OURS
from components.joined_cluster import JoinedCluster
from model.cluster import Cluster
from model.cluster_secret import secret_content, secret_labels, secret_name
from model.fleet import Fleet
from model.gateway import server_url
from model.stamping import ARGOCD
from model.vocabulary import Endpoint


@dataclass(frozen=True, kw_only=True)
class ClusterSecretArgs:
    """`created`: the cluster, where this program made it. `before`: what has to be there before Argo CD may
    hear of the cluster."""

    fleet: Fleet
    cluster: Cluster
    created: gcp.container.Cluster | None
    hub: JoinedCluster
    before: list[pulumi.Resource]


class ClusterSecret(pulumi.ComponentResource):
    """One cluster, as Argo CD knows it."""

    def __init__(
        self, name: str, args: ClusterSecretArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("gke-fleet:index:ClusterSecret", name, None, opts)
        kubernetes.core.v1.Secret(
            secret_name(args.cluster),
            metadata={
                "name": secret_name(args.cluster),
                "namespace": ARGOCD,
                "labels": secret_labels(args.fleet, args.cluster),
                "annotations": {**OURS, **args.cluster.annotations},
            },
            type="Opaque",
            data=_data(args),
            opts=args.hub.inside(self, args.before, protect=args.fleet.protects(args.cluster)),
        )
        self.register_outputs({})


def _data(args: ClusterSecretArgs) -> pulumi.Input[dict[str, str]]:
    """The Secret's data. It is known before the cluster is there, but for what Google chooses: the name of a
    DNS endpoint, a private address and its authority."""
    fleet, cluster = args.fleet, args.cluster
    server = server_url(fleet, cluster)
    if server is not None:
        given = cluster.private_endpoint
        return _encoded(
            secret_content(fleet, cluster, server, given.ca_certificate if given is not None else None)
        )
    if args.created is None:
        raise ValueError(f"cluster {cluster.name} is not created here, and its address is not given")
    created: Any = args.created
    if cluster.endpoint is Endpoint.DNS:
        host: pulumi.Output[str] = created.control_plane_endpoints_config.dns_endpoint_config.endpoint
        return host.apply(lambda name: _encoded(secret_content(fleet, cluster, f"https://{name}")))
    # One by one: `Output.all` makes plain dictionaries of the SDK's nested outputs.
    reached = pulumi.Output.all(
        created.private_cluster_config.private_endpoint, created.master_auth.cluster_ca_certificate
    )
    return reached.apply(lambda both: _encoded(secret_content(fleet, cluster, f"https://{both[0]}", both[1])))


def _encoded(content: Mapping[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in content.items()}
