"""What is known of Kubernetes' own kinds without asking a server.

Owns which kinds are cluster-wide and which changes a server refuses. Source: the API reference of
Kubernetes 1.36 and, for what replaces, `provider/pkg/provider/diff.go` of pulumi-kubernetes
(`forceNewProperties`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CLUSTER_WIDE = frozenset(
    {
        "APIService",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ComponentStatus",
        "CSIDriver",
        "CSINode",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "IngressClass",
        "IPAddress",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "SelfSubjectAccessReview",
        "ServiceCIDR",
        "StorageClass",
        "StorageVersionMigration",
        "SubjectAccessReview",
        "TokenReview",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    }
)
_OWN_GROUPS = frozenset({"", "apps", "batch", "autoscaling", "policy", "extensions"})

_ALWAYS = ("apiVersion", "kind", "metadata.name", "metadata.namespace")
_REPLACES: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "ReplicaSet"): ("spec.selector",),
    (
        "apps",
        "StatefulSet",
    ): (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    (
        "batch",
        "Job",
    ): ("spec.completions", "spec.selector", "spec.template", "spec.podFailurePolicy", "spec.completionMode"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"),
    ("", "PersistentVolumeClaim"): (
        "spec.accessModes",
        "spec.dataSource",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeMode",
        "spec.volumeName",
    ),
    ("", "Pod"): ("spec",),
    ("", "Secret"): ("type",),
    ("", "Service"): ("spec.clusterIP",),
    ("scheduling.k8s.io", "PriorityClass"): ("value", "preemptionPolicy"),
}
_POD_UPDATES = (
    "spec.activeDeadlineSeconds",
    "spec.containers.image",
    "spec.initContainers.image",
    "spec.tolerations",
    "spec.terminationGracePeriodSeconds",
)


def group_of(api_version: str) -> str:
    """`apps/v1` -> `apps`, `v1` -> ``."""
    return api_version.rpartition("/")[0]


def is_own(api_version: str) -> bool:
    """Whether Kubernetes itself defines this group."""
    group = group_of(api_version)
    return group in _OWN_GROUPS or group.endswith(".k8s.io")


def is_namespaced(api_version: str, kind: str) -> bool | None:
    """Whether objects of this kind live in namespaces; None for kinds that are not Kubernetes' own."""
    return kind not in _CLUSTER_WIDE if is_own(api_version) else None


def replaces(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> bool:
    """Whether a change at `path` (dotted, without indexes) between two manifests needs a new object."""
    group, kind = group_of(str(new.get("apiVersion", ""))), str(new.get("kind", ""))
    if path == "apiVersion":
        # Another version of the same group is the same object.
        return group_of(str(old.get("apiVersion", ""))) != group
    entries = (*_ALWAYS, *_REPLACES.get((group, kind), ()))
    if (group, kind) == ("", "Pod") and any(_below(path, entry) for entry in _POD_UPDATES):
        return False
    if (group, kind) in (("", "Secret"), ("", "ConfigMap")) and old.get("immutable") is True:
        entries += ("data", "binaryData", "stringData", "immutable")
    if (group, kind) == ("", "Service") and "clusterIP" in path:
        # ExternalName services have none, and the server gives one to a service that names none.
        return bool((old.get("spec") or {}).get("clusterIP")) and bool(
            (new.get("spec") or {}).get("clusterIP")
        )
    return any(_below(path, entry) or entry.startswith(f"{path}.") for entry in entries)


def _below(path: str, entry: str) -> bool:
    return path == entry or path.startswith(f"{entry}.")
