"""How many requests a minute a fleet sends through Connect Gateway while nothing happens.

Owns the prediction and the limit. Does not own what is really sent: the sandbox's gateway counts that.

Measured, with Argo CD 3.5.7 and Kubernetes 1.36: a member at rest whose 53 kinds are watched costs one list and one
watch a kind whenever the watches are resynced, so 10.6 requests a minute at Argo CD's own 10 minutes. Without a resync
nothing was sent in 17 minutes: what is left is that the API server ends each watch after 30 to 60 minutes, 45 in the
mean.

Assumed: how many kinds an add-on's CustomResourceDefinitions have (`KINDS_OF_A_GROUP`); that the gateway lets a watch
live for as long as the API server does; that a cluster has no kinds but Kubernetes' own and the add-ons'. GKE brings
some of its own, and whatever is synced, opened or applied comes on top. So this is the least that a fleet costs.
"""

from __future__ import annotations

from model.argocd import is_watched
from model.catalogue import Catalogue
from model.cluster import Cluster
from model.fleet import Fleet
from model.stamping import Delivery, delivery
from model.vocabulary import Endpoint

LIMIT = 2400
"""Requests a minute that one fleet host project may send
(https://cloud.google.com/kubernetes-engine/enterprise/multicluster-management/gateway/quotas)."""

KINDS_OF_A_GROUP = 8
"""Kinds in an API group of CustomResourceDefinitions: an assumption. External Secrets has about twelve in each of its
groups, Kyverno eight, cert-manager three."""

_WATCH_MINUTES = 45.0

_GROUPS_OF_KUBERNETES = {
    "": "ConfigMap LimitRange Namespace Node PersistentVolume PersistentVolumeClaim Pod PodTemplate "
    "ReplicationController ResourceQuota Secret Service ServiceAccount",
    "admissionregistration.k8s.io": "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding "
    "MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding "
    "ValidatingWebhookConfiguration",
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "apps": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling": "HorizontalPodAutoscaler",
    "batch": "CronJob Job",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "networking.k8s.io": "IPAddress Ingress IngressClass NetworkPolicy ServiceCIDR",
    "node.k8s.io": "RuntimeClass",
    "policy": "PodDisruptionBudget",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "resource.k8s.io": "DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment VolumeAttributesClass",
}
"""Kubernetes' own kinds of 1.36 that can be watched, but for those that Argo CD never looks at: 53."""


def requests_per_minute(fleet: Fleet, catalogue: Catalogue) -> float:
    """The prediction for all members that Argo CD reaches through the gateway, to a tenth."""
    settings = fleet.argocd
    own = sum(
        is_watched(settings, f"{group}/{kind}" if group else kind)
        for group, kinds in _GROUPS_OF_KUBERNETES.items()
        for kind in kinds.split()
    )
    groups = {
        name: [group for group in addon.crds.groups if is_watched(settings, f"{group}/*")]
        for name, addon in catalogue.addons.items()
        if addon.crds is not None
    }

    def kinds_on(cluster: Cluster) -> int:
        # CRDs stay where an add-on is removed.
        brought = {
            group
            for name, found in groups.items()
            if found and delivery(cluster, name, catalogue.addons[name]) is not Delivery.NONE
            for group in found
        }
        return own + KINDS_OF_A_GROUP * len(brought)

    kinds = sum(kinds_on(cluster) for cluster in fleet.reached_by(Endpoint.GATEWAY))
    return round(kinds * _requests_of_a_kind(settings.watch_resync_seconds), 1)


def _requests_of_a_kind(resync_seconds: int) -> float:
    """Requests a minute for one watched kind: a list at each resync, a watch at each resync or whenever the old one has
    ended."""
    if resync_seconds == 0:
        return 1 / _WATCH_MINUTES
    minutes = resync_seconds / 60
    return 1 / minutes + 1 / min(minutes, _WATCH_MINUTES)
