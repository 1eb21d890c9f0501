"""The add-ons: one ApplicationSet each, whatever the number of clusters.

Owns nothing of what they deliver. An ApplicationSet is deleted in the background: the provider's default is
the foreground, for which Argo CD guarantees nothing about the Applications. In a protecting fleet it is protected
until the add-on is leaving, so that nobody removes an add-on by taking a few lines out of the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.argocd import API_VERSION, OURS
from components.joined_cluster import JoinedCluster
from model.application_set import application_set_spec
from model.catalogue import in_order
from model.load import Configuration
from model.stamping import ARGOCD


@dataclass(frozen=True, kw_only=True)
class AddonsArgs:
    """`before`: what Argo CD needs before it can take an ApplicationSet."""

    configuration: Configuration
    hub: JoinedCluster
    before: list[pulumi.Resource]


class Addons(pulumi.ComponentResource):
    """`application_sets`: in the order of the catalogue."""

    application_sets: list[pulumi.Resource]

    def __init__(self, name: str, args: AddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet:index:Addons", name, None, opts)
        fleet, catalogue = args.configuration.fleet, args.configuration.catalogue
        made: dict[str, pulumi.Resource] = {}
        for addon in in_order(catalogue):
            entry = catalogue.addons[addon]
            made[addon] = kubernetes.apiextensions.CustomResource(
                addon,
                api_version=API_VERSION,
                kind="ApplicationSet",
                metadata={
                    "name": addon,
                    "namespace": ARGOCD,
                    "annotations": {**OURS, "pulumi.com/deletionPropagationPolicy": "background"},
                },
                spec=application_set_spec(fleet, catalogue, addon),
                opts=args.hub.inside(
                    self,
                    [*args.before, *(made[other] for other in entry.after)],
                    protect=fleet.protects_addon(entry),
                ),
            )
        self.application_sets = [made[addon] for addon in catalogue.addons]
        self.register_outputs({})
