"""The Secret that tells Argo CD of one cluster. It holds no secret value.

It comes after the ApplicationSets on purpose: a change of the Secret's labels moves a cluster between their
generators, so these have to be there first, or an Application would be deleted and made again in between.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.joined_cluster import JoinedCluster
from model.cluster import Cluster
from model.cluster_secret import secret_content, secret_labels, secret_name
from model.fleet import Fleet
from model.stamping import ARGOCD


@dataclass(frozen=True, kw_only=True)
class ClusterSecretArgs:
    """`before`: what has to be there before Argo CD may hear of the cluster."""

    fleet: Fleet
    cluster: Cluster
    hub: JoinedCluster
    before: list[pulumi.Resource]


class ClusterSecret(pulumi.ComponentResource):
    """One cluster, as Argo CD knows it."""

    def __init__(
        self, name: str, args: ClusterSecretArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("gke-fleet:index:ClusterSecret", name, None, opts)
        content = secret_content(args.fleet, args.cluster)
        kubernetes.core.v1.Secret(
            secret_name(args.cluster),
            metadata={
                "name": secret_name(args.cluster),
                "namespace": ARGOCD,
                "labels": secret_labels(args.fleet, args.cluster),
            },
            type="Opaque",
            data={key: base64.b64encode(value.encode()).decode() for key, value in content.items()},
            opts=args.hub.inside(self, args.before, protect=args.fleet.protects(args.cluster)),
        )
        self.register_outputs({})
