"""Argo CD itself: values of the official chart, the Application that manages it, and the AppProjects.

Owns what is the same in every environment; what differs is `ArgocdSettings` in the fleet file. The chart has
no schema, so a misspelt key is ignored in silence: every key here is known from its templates. A name with
dots is one key.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import yaml

from model.argocd_settings import ArgocdSettings, DefaultAccess, Kinds, Sso
from model.catalogue import Catalogue
from model.fleet import Fleet
from model.gateway import IN_CLUSTER
from model.identity import CONTROLLER, SERVER, caller_account, callers
from model.stamping import ARGOCD

_KYVERNO_REPORTS = (
    "AdmissionReport",
    "BackgroundScanReport",
    "ClusterAdmissionReport",
    "ClusterBackgroundScanReport",
    "ClusterEphemeralReport",
    "ClusterPolicyReport",
    "EphemeralReport",
    "PolicyReport",
    "UpdateRequest",
)

_EXCLUDED: tuple[tuple[str, tuple[str, ...]], ...] = (
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
    *((group, _KYVERNO_REPORTS) for group in ("kyverno.io", "reports.kyverno.io", "wgpolicyk8s.io")),
    ("metrics.k8s.io", ("*",)),
)
"""Kinds that Argo CD does not watch: they change all the time or cannot be listed, and each costs requests at
the gateway. All of Argo CD's own defaults are among them, for this setting replaces those."""

KINDS_OF_ARGOCD = {
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
"""What the chart makes: Argo CD manages itself with these and no others."""


def resource_exclusions(settings: ArgocdSettings) -> str:
    """The setting `resource.exclusions` as the YAML text that Argo CD wants. It replaces the chart's own."""
    return _filter([*_EXCLUDED, *_pairs(settings.resource_exclusions)])


def _filter(entries: Iterable[tuple[str, tuple[str, ...]]]) -> str:
    documents = [{"apiGroups": [group], "kinds": list(kinds), "clusters": ["*"]} for group, kinds in entries]
    return yaml.safe_dump(documents, sort_keys=False)


def is_watched(settings: ArgocdSettings, kind: str) -> bool:
    """Whether Argo CD looks at a kind (`GROUP/Kind`, or `Kind` alone), and so can deliver it: it is not excluded,
    and included where there are inclusions. Argo CD's rules: `*` in a group stands for any part, a kind is
    itself or `*`."""
    group, _, name = kind.rpartition("/")

    def holds(entries: Iterable[tuple[str, tuple[str, ...]]]) -> bool:
        return any(
            fnmatchcase(group, pattern) and ("*" in kinds or name in kinds) for pattern, kinds in entries
        )

    excluded = [*_EXCLUDED, *_pairs(settings.resource_exclusions)]
    included = _pairs(settings.resource_inclusions)
    return not holds(excluded) and (not included or holds(included))


def _pairs(entries: Iterable[Kinds]) -> list[tuple[str, tuple[str, ...]]]:
    return [(group, one.kinds) for one in entries for group in one.api_groups]


def chart_values(fleet: Fleet, catalogue: Catalogue) -> dict[str, Any]:
    """Values of the argo-cd chart for a fleet: the Release and the Application `argocd` get the same."""
    settings = fleet.argocd
    replicas = settings.replicas
    values: dict[str, Any] = {
        "global": {
            "networkPolicy": {"create": True},
            # The chart fills in each workload's own labelSelector. Three zones, where a regional hub has them.
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": "topology.kubernetes.io/zone",
                    "whenUnsatisfiable": "ScheduleAnyway",
                }
            ],
        },
        "crds": {"install": True, "keep": True},
        "configs": {"cm": _cm(settings), "params": _params(settings, catalogue), "rbac": _rbac(settings.sso)},
        "controller": {**_scaled(replicas.controller), "env": _controller_environment(settings)},
        "server": _scaled(replicas.server),
        "repoServer": _scaled(replicas.repo_server),
        "applicationSet": _scaled(replicas.application_set),
        "redis": {"enabled": True},
        "dex": {"enabled": False},
        "notifications": {"enabled": False},
    }
    for component, account in _accounts(fleet).items():
        values[component]["serviceAccount"] = {"annotations": {"iam.gke.io/gcp-service-account": account}}
    if settings.domain is not None:
        values["global"]["domain"] = settings.domain
    if settings.redis_ha:
        # It replaces the one Redis, and its Service is what the chart then writes into redis.server. What is
        # global in the chart does not reach it, so it has its own.
        values["redis-ha"] = {
            "enabled": True,
            "podDisruptionBudget": dict(_ONE_AT_A_TIME),
            "topologySpreadConstraints": {"enabled": True},
            "haproxy": {"podDisruptionBudget": dict(_ONE_AT_A_TIME)},
        }
    return values


_CALLING = {CONTROLLER: "controller", SERVER: "server"}
"""ServiceAccount that calls members -> its component in the chart."""

_ONE_AT_A_TIME = {"maxUnavailable": 1}


def _scaled(replicas: int) -> dict[str, Any]:
    """A component with so many replicas. One alone has no disruption budget: one that lets it go says nothing, and
    one that does not would keep its node from ever being drained."""
    budget = {"pdb": {"enabled": True, **_ONE_AT_A_TIME}} if replicas > 1 else {}
    return {"replicas": replicas, **budget}


def _accounts(fleet: Fleet) -> dict[str, str]:
    """Component -> e-mail of the service account that its ServiceAccount acts as; empty for direct principals."""
    found = {_CALLING[caller.service_account]: caller_account(fleet, caller) for caller in callers(fleet)}
    return {component: account for component, account in found.items() if account is not None}


def _cm(settings: ArgocdSettings) -> dict[str, Any]:
    """ConfigMap argocd-cm. A list or map has to be YAML text here."""
    made: dict[str, Any] = {
        "admin.enabled": settings.admin,
        "application.resourceTrackingMethod": "annotation",
        "exec.enabled": settings.exec,
        "resource.exclusions": resource_exclusions(settings),
        "timeout.reconciliation": f"{settings.reconciliation_seconds}s",
        "timeout.reconciliation.jitter": f"{settings.reconciliation_jitter_seconds}s",
    }
    if settings.resource_inclusions:
        made["resource.inclusions"] = _filter(_pairs(settings.resource_inclusions))
    if settings.sso is not None:
        made["oidc.config"] = _oidc(settings.sso)
    return made


def _oidc(sso: Sso) -> str:
    """The login at an issuer. Argo CD replaces `$SECRET:KEY` by what that Secret holds, if it is labelled
    `app.kubernetes.io/part-of: argocd` (https://argo-cd.readthedocs.io/en/stable/operator-manual/user-management/)."""
    config = {
        "name": sso.name,
        "issuer": sso.issuer,
        "clientID": sso.client_id,
        "clientSecret": sso.client_secret,
        "requestedScopes": list(sso.scopes),
    }
    return yaml.safe_dump(config, sort_keys=False)


def _rbac(sso: Sso | None) -> dict[str, str]:
    """ConfigMap argocd-rbac-cm: who may what once logged in. Without a rule nobody but the admin may anything."""
    if sso is None:
        return {"policy.default": "", "policy.csv": "", "scopes": "[groups]"}
    lines = [f"g, {group}, role:{access.value}\n" for group, access in sorted(sso.groups.items())]
    default = "" if sso.default_access is DefaultAccess.NONE else f"role:{sso.default_access.value}"
    return {"policy.default": default, "policy.csv": "".join(lines), "scopes": f"[{sso.claim.value}]"}


def _params(settings: ArgocdSettings, catalogue: Catalogue) -> dict[str, str]:
    """ConfigMap argocd-cmd-params-cm. Without the last one the controller passes over an ApplicationSet's `strategy`
    in silence, and every ring would be synced at once."""
    rolls_out = any(addon.roll_out is not None for addon in catalogue.addons.values())
    return {
        "controller.self.heal.backoff.cap.seconds": str(settings.self_heal_pause_seconds),
        "controller.sharding.algorithm": settings.sharding.value,
        **({"applicationsetcontroller.enable.progressive.syncs": "true"} if rolls_out else {}),
    }


def _controller_environment(settings: ArgocdSettings) -> list[dict[str, str]]:
    """What no key of the chart sets (10.1.1 was read). Where a later chart has a key for one of these, the
    variable would stand twice, which server-side apply refuses: it then belongs among `_params`."""
    made = {"ARGOCD_CLUSTER_CACHE_WATCH_RESYNC_DURATION": f"{settings.watch_resync_seconds}s"}
    if settings.client_qps is not None:
        made["ARGOCD_K8S_CLIENT_QPS"] = str(settings.client_qps)
    if settings.client_burst is not None:
        made["ARGOCD_K8S_CLIENT_BURST"] = str(settings.client_burst)
    return [{"name": name, "value": value} for name, value in made.items()]


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
            "helm": {"releaseName": ARGOCD, "valuesObject": chart_values(fleet, catalogue)},
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
        destinations=[{"server": IN_CLUSTER, "namespace": ARGOCD}],
        cluster_kinds=KINDS_OF_ARGOCD["cluster"],
        namespaced_kinds=KINDS_OF_ARGOCD["namespaced"],
    )


def addons_project_spec(fleet: Fleet, catalogue: Catalogue) -> dict[str, Any]:
    """The `spec` of the AppProject of all add-ons: their repositories, namespaces, clusters and kinds,
    nothing else.

    Clusters are named, for the address of one that is still to be created may not be known. Argo CD lets an
    Application through whose destination has that name or that server, however it is written
    (`isDestinationMatched` of its type AppProject). Repositories stand as the Applications write them: those are
    compared as text.
    """
    addons = catalogue.addons.values()
    sources = {addon.repo_url for addon in addons} | {catalogue.empty_source.repository}
    namespaces = sorted({name for addon in addons for name in (addon.namespace, *addon.other_namespaces)})
    return _project(
        "Add-ons that every cluster gets",
        sources=sorted(sources),
        # Sorted, so that the order of entries in a fleet file means nothing.
        destinations=[
            {"name": cluster, "namespace": namespace}
            for cluster in sorted(cluster.name for cluster in fleet.clusters)
            for namespace in namespaces
        ],
        cluster_kinds=("Namespace", *(kind for addon in addons for kind in addon.kinds.cluster)),
        namespaced_kinds=tuple(kind for addon in addons for kind in addon.kinds.namespaced),
    )


def _project(
    description: str,
    *,
    sources: list[str],
    destinations: list[dict[str, str]],
    cluster_kinds: tuple[str, ...],
    namespaced_kinds: tuple[str, ...],
) -> dict[str, Any]:
    return {
        "description": description,
        "sourceRepos": sources,
        "destinations": destinations,
        "clusterResourceWhitelist": [_group_kind(kind) for kind in sorted(set(cluster_kinds))],
        "namespaceResourceWhitelist": [_group_kind(kind) for kind in sorted(set(namespaced_kinds))],
    }


def _group_kind(kind: str) -> dict[str, str]:
    group, _, name = kind.rpartition("/")
    return {"group": group, "kind": name}
