"""Argo CD itself: values of the official chart, the Application that manages it, and the AppProjects.

Owns what is the same in every environment; what differs is `ArgocdSettings` in the fleet file. The chart has
no schema, so a misspelt key is ignored in silence: every key here is known from its templates. A name with
dots is one key.
"""

from __future__ import annotations

from typing import Any

import yaml

from model.catalogue import Catalogue
from model.fleet import Fleet
from model.gateway import IN_CLUSTER, server_url
from model.identity import argocd_account
from model.stamping import ARGOCD

_EXCLUDED = (
    ("", ("Endpoints", "Event")),
    ("discovery.k8s.io", ("EndpointSlice",)),
    ("events.k8s.io", ("Event",)),
    ("coordination.k8s.io", ("Lease",)),
    ("authentication.k8s.io", ("SelfSubjectReview", "TokenReview")),
    (
        "authorization.k8s.io",
        (
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        ),
    ),
    ("certificates.k8s.io", ("CertificateSigningRequest",)),
    ("cert-manager.io", ("CertificateRequest",)),
    ("cilium.io", ("CiliumEndpoint", "CiliumEndpointSlice", "CiliumIdentity")),
    ("metrics.k8s.io", ("*",)),
)
"""Kinds that Argo CD does not watch: they change all the time or cannot be listed, and each costs requests at
the gateway."""

_KINDS_OF_ARGOCD = {
    "cluster": (
        "apiextensions.k8s.io/CustomResourceDefinition",
        "rbac.authorization.k8s.io/ClusterRole",
        "rbac.authorization.k8s.io/ClusterRoleBinding",
    ),
    "namespaced": (
        "ConfigMap",
        "Secret",
        "Service",
        "ServiceAccount",
        "apps/Deployment",
        "apps/StatefulSet",
        "autoscaling/HorizontalPodAutoscaler",
        "batch/Job",
        "networking.k8s.io/NetworkPolicy",
        "policy/PodDisruptionBudget",
        "rbac.authorization.k8s.io/Role",
        "rbac.authorization.k8s.io/RoleBinding",
    ),
}


def resource_exclusions() -> str:
    """The setting `resource.exclusions` as the YAML text that Argo CD wants. It replaces the chart's own."""
    entries = [{"apiGroups": [group], "kinds": list(kinds), "clusters": ["*"]} for group, kinds in _EXCLUDED]
    return yaml.safe_dump(entries, sort_keys=False)


def chart_values(fleet: Fleet) -> dict[str, Any]:
    """Values of the argo-cd chart for a fleet: the Release and the Application `argocd` get the same."""
    settings = fleet.argocd
    replicas = settings.replicas
    account = {"serviceAccount": {"annotations": {"iam.gke.io/gcp-service-account": argocd_account(fleet)}}}
    values: dict[str, Any] = {
        "global": {"networkPolicy": {"create": True}},
        "crds": {"install": True, "keep": True},
        "configs": {
            "cm": {
                "admin.enabled": settings.admin,
                "application.resourceTrackingMethod": "annotation",
                "exec.enabled": False,
                "resource.exclusions": resource_exclusions(),
                "timeout.reconciliation": f"{settings.reconciliation_seconds}s",
                "timeout.reconciliation.jitter": f"{settings.reconciliation_jitter_seconds}s",
            },
            "params": {"controller.self.heal.backoff.cap.seconds": str(settings.self_heal_pause_seconds)},
        },
        "controller": {
            "replicas": replicas.controller,
            # No key of the chart sets this one.
            "env": [
                {
                    "name": "ARGOCD_CLUSTER_CACHE_WATCH_RESYNC_DURATION",
                    "value": f"{settings.watch_resync_seconds}s",
                }
            ],
            **account,
        },
        "server": {"replicas": replicas.server, **account},
        "repoServer": {"replicas": replicas.repo_server},
        "applicationSet": {"replicas": replicas.application_set},
        "redis": {"enabled": True},
        "dex": {"enabled": False},
        "notifications": {"enabled": False},
    }
    if settings.domain is not None:
        values["global"]["domain"] = settings.domain
    return values


def self_application_spec(fleet: Fleet, catalogue: Catalogue) -> dict[str, Any]:
    """The `spec` of the Application by which Argo CD manages itself.

    It does not prune: a mistake in values then leaves something behind instead of taking Argo CD apart.
    Server-side apply is a must, for the ApplicationSet CRD is larger than a last-applied annotation can be.
    `argocd-secret` is filled by the server.

    Nothing here is written that Argo CD drops when it writes the object (an empty string, say): it would then own
    the field around it, and the next change from here would meet a conflict of server-side apply.
    """
    return {
        "project": ARGOCD,
        "source": {
            "repoURL": catalogue.argocd.repository,
            "chart": catalogue.argocd.chart,
            "targetRevision": catalogue.argocd.version,
            "helm": {"releaseName": ARGOCD, "valuesObject": chart_values(fleet)},
        },
        "destination": {"server": IN_CLUSTER, "namespace": ARGOCD},
        "syncPolicy": {
            "automated": {"prune": False, "selfHeal": True},
            "syncOptions": ["ServerSideApply=true", "RespectIgnoreDifferences=true"],
        },
        "ignoreDifferences": [
            {"kind": "Secret", "name": name, "jsonPointers": ["/data"]}
            for name in ("argocd-secret", "argocd-redis")
        ],
    }


def argocd_project_spec(catalogue: Catalogue) -> dict[str, Any]:
    """The `spec` of the AppProject that holds Argo CD itself."""
    return _project(
        "Argo CD itself",
        sources=[catalogue.argocd.repository],
        destinations=[(IN_CLUSTER, ARGOCD)],
        cluster_kinds=_KINDS_OF_ARGOCD["cluster"],
        namespaced_kinds=_KINDS_OF_ARGOCD["namespaced"],
    )


def addons_project_spec(fleet: Fleet, catalogue: Catalogue) -> dict[str, Any]:
    """The `spec` of the AppProject of all add-ons: their repositories, namespaces, clusters and kinds,
    nothing else."""
    addons = catalogue.addons.values()
    sources = {addon.repository for addon in addons} | {catalogue.empty_source.repository}
    namespaces = sorted({addon.namespace for addon in addons})
    return _project(
        "Add-ons that every cluster gets",
        sources=sorted(sources),
        destinations=[
            (server_url(fleet, cluster), namespace) for cluster in fleet.clusters for namespace in namespaces
        ],
        cluster_kinds=("Namespace", *(kind for addon in addons for kind in addon.kinds.cluster)),
        namespaced_kinds=tuple(kind for addon in addons for kind in addon.kinds.namespaced),
    )


def _project(
    description: str,
    *,
    sources: list[str],
    destinations: list[tuple[str, str]],
    cluster_kinds: tuple[str, ...],
    namespaced_kinds: tuple[str, ...],
) -> dict[str, Any]:
    return {
        "description": description,
        "sourceRepos": sources,
        # Sorted, so that the order of entries in a fleet file means nothing.
        "destinations": [
            {"server": server, "namespace": namespace} for server, namespace in sorted(destinations)
        ],
        "clusterResourceWhitelist": [_group_kind(kind) for kind in sorted(set(cluster_kinds))],
        "namespaceResourceWhitelist": [_group_kind(kind) for kind in sorted(set(namespaced_kinds))],
    }


def _group_kind(kind: str) -> dict[str, str]:
    group, _, name = kind.rpartition("/")
    return {"group": group, "kind": name}
