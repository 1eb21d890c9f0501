"""Argo CD on the hub: installed once, from then on its own keeper.

Owns the namespace, the one installation by Helm, the AppProjects, and the Application by which Argo CD
manages itself. A change of version or values reaches that Application alone: the Release ignores both, since
two owners of the same objects would undo each other for ever.

Deleting: with a created hub every object here goes with the cluster (`deleted_with`). Taking Argo CD apart
first would hang: it would put back what is being deleted, its namespace would wait for Applications that
nobody finishes, and deleting its CRDs deletes every Application. Where the hub is not this program's,
namespace and Release stay (`retain_on_delete`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.joined_cluster import JoinedCluster
from model.application_set import ADDONS_PROJECT
from model.argocd import addons_project_spec, argocd_project_spec, chart_values, self_application_spec
from model.load import Configuration
from model.stamping import ARGOCD

API_VERSION = "argoproj.io/v1alpha1"
HELM_HANDS_OVER = "argocd.argoproj.io/client-side-apply-migration-manager"
"""Argo CD takes over the fields that this manager set. Without it, what the first installation set and a later
change of values drops would stay for ever: server-side apply removes no field that somebody else owns too."""
OURS = {"pulumi.com/patchForce": "true"}
"""Annotation of an object whose fields are this program's, whoever wrote them last: a person by hand, the Helm or
kubectl that made an Argo CD which was taken over, or Argo CD as it writes its own Application back."""
_INSTALL_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class ArgocdArgs:
    """`git_token`: a secret, only where the fleet file has `gitCredentials`. `before`: what Argo CD needs to
    call members."""

    configuration: Configuration
    hub: JoinedCluster
    git_token: pulumi.Input[str] | None
    before: list[pulumi.Resource]


class Argocd(pulumi.ComponentResource):
    """`ready`: from here on Argo CD takes ApplicationSets and cluster Secrets."""

    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: ArgocdArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gke-fleet:index:Argocd", name, None, opts)
        fleet, catalogue, hub = args.configuration.fleet, args.configuration.catalogue, args.hub
        namespace = kubernetes.core.v1.Namespace(
            ARGOCD, metadata={"name": ARGOCD}, opts=hub.inside(self, args.before, retain_on_delete=True)
        )
        release = kubernetes.helm.v3.Release(
            ARGOCD,
            name=ARGOCD,
            namespace=ARGOCD,
            chart=catalogue.argocd.chart,
            version=catalogue.argocd.version,
            repository_opts={"repo": catalogue.argocd.repository},
            values=chart_values(fleet, catalogue),
            # Read by the installation alone. CRDs are kept when Argo CD goes, and by then are not Helm's any more.
            take_ownership=fleet.argocd.take_over or None,
            timeout=_INSTALL_SECONDS,
            opts=pulumi.ResourceOptions.merge(
                hub.inside(self, [namespace], retain_on_delete=True),
                pulumi.ResourceOptions(
                    ignore_changes=["chart", "repositoryOpts", "takeOwnership", "values", "version"]
                ),
            ),
        )
        project_specs = {
            ARGOCD: argocd_project_spec(catalogue),
            ADDONS_PROJECT: addons_project_spec(fleet, catalogue),
        }
        projects = {
            project: self._custom("AppProject", project, spec, hub, [release])
            for project, spec in project_specs.items()
        }
        itself = self._custom(
            "Application",
            ARGOCD,
            self_application_spec(fleet, catalogue),
            hub,
            [projects[ARGOCD]],
            annotations={HELM_HANDS_OVER: "helm"},
        )
        self.ready = [release, projects[ADDONS_PROJECT], itself]
        credentials = fleet.argocd.git_credentials
        if credentials is not None and args.git_token is not None:
            self.ready.append(
                kubernetes.core.v1.Secret(
                    "git-credentials",
                    metadata={
                        "name": "git-credentials",
                        "namespace": ARGOCD,
                        "labels": {"argocd.argoproj.io/secret-type": "repo-creds"},
                    },
                    string_data={
                        "type": "git",
                        "url": credentials.url,
                        "username": credentials.username,
                        "password": args.git_token,
                    },
                    opts=hub.inside(self, [release]),
                )
            )
        self.register_outputs({})

    def _custom(
        self,
        kind: str,
        name: str,
        spec: dict[str, Any],
        hub: JoinedCluster,
        after: list[pulumi.Resource],
        annotations: dict[str, str] | None = None,
    ) -> pulumi.Resource:
        resource: pulumi.Resource = kubernetes.apiextensions.CustomResource(
            name,
            api_version=API_VERSION,
            kind=kind,
            metadata={
                "name": name,
                "namespace": ARGOCD,
                "annotations": {**OURS, **(annotations or {})},
            },
            spec=spec,
            opts=hub.inside(self, after),
        )
        return resource
