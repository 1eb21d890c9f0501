"""Google's predefined roles and the permissions in them, as far as this cloud asks for them.

Owns the tables; who holds a role where is `iam`'s. The gkehub rows are those of the IAM reference
(https://cloud.google.com/iam/docs/roles-permissions/gkehub), the others hold just the permissions that some
operation here needs. A role that is missing here cannot be granted: nobody could see what it is for.
"""

from __future__ import annotations

_GATEWAY_READER = frozenset(
    {
        "gkehub.gateway.generateCredentials",
        "gkehub.gateway.get",
        "gkehub.memberships.get",
        "serviceusage.services.get",
    }
)
_GATEWAY_EDITOR = _GATEWAY_READER | {
    "gkehub.gateway.post",
    "gkehub.gateway.put",
    "gkehub.gateway.patch",
    "gkehub.gateway.delete",
}
_GKEHUB_VIEWER = frozenset(
    {
        "gkehub.fleet.get",
        "gkehub.memberships.get",
        "gkehub.memberships.list",
        "resourcemanager.projects.get",
    }
)
_GKEHUB_EDITOR = _GKEHUB_VIEWER | {
    "gkehub.fleet.create",
    "gkehub.fleet.update",
    "gkehub.fleet.delete",
    "gkehub.memberships.create",
    "gkehub.memberships.update",
    "gkehub.memberships.delete",
}
_NETWORK_VIEWER = frozenset({"compute.networks.get", "compute.subnetworks.get", "compute.routers.get"})
_NETWORK_ADMIN = (
    _NETWORK_VIEWER
    | {
        f"compute.{kind}.{verb}"
        for kind in ("networks", "subnetworks", "routers")
        for verb in ("create", "update", "delete")
    }
    | {"compute.networks.updatePolicy"}
)
_NODE = frozenset({"autoscaling.sites.writeMetrics", "logging.logEntries.create"})
_ROLE_VIEWER = frozenset({"iam.roles.get", "iam.roles.list"})
_ROLE_ADMIN = _ROLE_VIEWER | {"iam.roles.create", "iam.roles.update", "iam.roles.delete"}
_POOL_VIEWER = frozenset({"iam.workloadIdentityPools.get", "iam.workloadIdentityPoolProviders.get"})
_OBJECT_VIEWER = frozenset({"storage.objects.get", "storage.objects.list"})
_OBJECT_USER = _OBJECT_VIEWER | {
    "storage.objects.create",
    "storage.objects.update",
    "storage.objects.delete",
}
_ENCRYPT, _DECRYPT = "cloudkms.cryptoKeyVersions.useToEncrypt", "cloudkms.cryptoKeyVersions.useToDecrypt"
_SECRET_ADMIN = frozenset(
    {
        "secretmanager.secrets.get",
        "secretmanager.secrets.getIamPolicy",
        "secretmanager.secrets.setIamPolicy",
        "secretmanager.versions.access",
    }
)
_CLUSTER_VIEWER = frozenset(
    {"container.clusters.get", "container.clusters.list", "container.clusters.connect"}
)
_CLUSTER_ADMIN = _CLUSTER_VIEWER | {
    "container.clusters.create",
    "container.clusters.update",
    "container.clusters.delete",
}
_SERVICE_USAGE_VIEWER = frozenset({"serviceusage.services.get", "serviceusage.services.list"})
_SERVICE_USAGE_ADMIN = _SERVICE_USAGE_VIEWER | {
    "serviceusage.services.enable",
    "serviceusage.services.disable",
}
_PROJECT_IAM_ADMIN = frozenset(
    {
        "resourcemanager.projects.get",
        "resourcemanager.projects.getIamPolicy",
        "resourcemanager.projects.setIamPolicy",
    }
)
_ACCOUNT_VIEWER = frozenset({"iam.serviceAccounts.get", "iam.serviceAccounts.list"})
_ACCOUNT_CREATOR = _ACCOUNT_VIEWER | {"iam.serviceAccounts.create"}
_ACCOUNT_ADMIN = _ACCOUNT_CREATOR | {
    "iam.serviceAccounts.update",
    "iam.serviceAccounts.delete",
    "iam.serviceAccounts.getIamPolicy",
    "iam.serviceAccounts.setIamPolicy",
}
_SECURITY_REVIEWER = frozenset(
    {
        "gkehub.memberships.list",
        "cloudkms.cryptoKeys.getIamPolicy",
        "iam.roles.get",
        "iam.roles.list",
        "iam.serviceAccounts.getIamPolicy",
        "iam.serviceAccounts.list",
        "resourcemanager.projects.getIamPolicy",
        "secretmanager.secrets.getIamPolicy",
        "storage.buckets.getIamPolicy",
    }
)
_VIEWER = (
    _GKEHUB_VIEWER
    | _CLUSTER_VIEWER
    | _SERVICE_USAGE_VIEWER
    | _ACCOUNT_VIEWER
    | _NETWORK_VIEWER
    | _POOL_VIEWER
    | _ROLE_VIEWER
    | {"resourcemanager.projects.getIamPolicy", "iam.serviceAccounts.getIamPolicy"}
)
_EDITOR = (
    _VIEWER
    | _GKEHUB_EDITOR
    | _CLUSTER_ADMIN
    | _SERVICE_USAGE_ADMIN
    | _ACCOUNT_CREATOR
    | _NETWORK_ADMIN
    | _NODE
    | {"iam.serviceAccounts.update", "iam.serviceAccounts.delete"}
)

PERMISSIONS: dict[str, frozenset[str]] = {
    "roles/gkehub.gatewayReader": _GATEWAY_READER,
    "roles/gkehub.gatewayEditor": _GATEWAY_EDITOR,
    "roles/gkehub.gatewayAdmin": _GATEWAY_EDITOR | {"gkehub.gateway.stream"},
    "roles/gkehub.scopeViewerProjectLevel": _GATEWAY_READER,
    "roles/gkehub.scopeEditorProjectLevel": _GATEWAY_EDITOR,
    "roles/gkehub.viewer": _GKEHUB_VIEWER,
    "roles/gkehub.editor": _GKEHUB_EDITOR,
    "roles/gkehub.admin": _GKEHUB_EDITOR,
    "roles/gkehub.connect": frozenset({"gkehub.endpoints.connect"}),
    "roles/gkehub.serviceAgent": frozenset({"container.clusters.connect", "container.clusters.get"}),
    "roles/gkehub.crossProjectServiceAgent": frozenset(
        {
            "resourcemanager.projects.getIamPolicy",
            "resourcemanager.projects.setIamPolicy",
        }
    ),
    "roles/container.defaultNodeServiceAccount": _NODE,
    "roles/container.clusterViewer": _CLUSTER_VIEWER,
    "roles/container.viewer": _CLUSTER_VIEWER,
    "roles/container.developer": _CLUSTER_VIEWER,
    "roles/container.clusterAdmin": _CLUSTER_ADMIN,
    "roles/container.admin": _CLUSTER_ADMIN,
    "roles/compute.networkViewer": _NETWORK_VIEWER,
    "roles/compute.networkAdmin": _NETWORK_ADMIN,
    "roles/serviceusage.serviceUsageViewer": _SERVICE_USAGE_VIEWER,
    "roles/serviceusage.serviceUsageAdmin": _SERVICE_USAGE_ADMIN,
    "roles/resourcemanager.projectIamAdmin": _PROJECT_IAM_ADMIN,
    "roles/iam.roleViewer": _ROLE_VIEWER,
    "roles/iam.roleAdmin": _ROLE_ADMIN,
    "roles/iam.workloadIdentityPoolViewer": _POOL_VIEWER,
    "roles/storage.objectViewer": _OBJECT_VIEWER,
    "roles/storage.objectUser": _OBJECT_USER,
    "roles/storage.objectAdmin": _OBJECT_USER,
    "roles/cloudkms.cryptoKeyEncrypter": frozenset({_ENCRYPT}),
    "roles/cloudkms.cryptoKeyDecrypter": frozenset({_DECRYPT}),
    "roles/cloudkms.cryptoKeyEncrypterDecrypter": frozenset({_ENCRYPT, _DECRYPT}),
    "roles/secretmanager.secretAccessor": frozenset({"secretmanager.versions.access"}),
    "roles/secretmanager.viewer": frozenset(
        {"secretmanager.secrets.get", "secretmanager.secrets.getIamPolicy"}
    ),
    "roles/secretmanager.admin": _SECRET_ADMIN,
    "roles/iam.serviceAccountViewer": _ACCOUNT_VIEWER,
    "roles/iam.serviceAccountCreator": _ACCOUNT_CREATOR,
    "roles/iam.serviceAccountAdmin": _ACCOUNT_ADMIN,
    "roles/iam.serviceAccountUser": _ACCOUNT_VIEWER | {"iam.serviceAccounts.actAs"},
    "roles/iam.serviceAccountTokenCreator": _ACCOUNT_VIEWER | {"iam.serviceAccounts.getAccessToken"},
    "roles/iam.workloadIdentityUser": _ACCOUNT_VIEWER | {"iam.serviceAccounts.getAccessToken"},
    "roles/iam.securityReviewer": _SECURITY_REVIEWER,
    "roles/viewer": _VIEWER,
    "roles/editor": _EDITOR,
    "roles/owner": _EDITOR | _PROJECT_IAM_ADMIN | _ACCOUNT_ADMIN | _ROLE_ADMIN,
}

# GKE's second authorizer: the Kubernetes group that stands for a role on the cluster's project (see
# authorizer.py).
KUBERNETES_GROUPS: dict[str, str] = {
    "roles/container.admin": "iam:container.admin",
    "roles/owner": "iam:container.admin",
    "roles/container.developer": "iam:container.developer",
    "roles/editor": "iam:container.developer",
    "roles/container.viewer": "iam:container.viewer",
    "roles/viewer": "iam:container.viewer",
}
