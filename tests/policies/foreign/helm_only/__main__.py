"""Charts and manifests on a cluster that exists already; a program of somebody else.

`planted` in its configuration: whether there is one fault for each group of rules.
"""

import json

import pulumi
import pulumi_kubernetes as kubernetes

planted = pulumi.Config().get_bool("planted") or False
user = (
    {"token": "abc"}
    if planted
    else {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "gke-gcloud-auth-plugin"}}
)
inside = kubernetes.Provider(
    "existing",
    kubeconfig=json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "one", "cluster": {"server": "https://one.example.com"}}],
            "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
            "current-context": "one",
            "users": [{"name": "one", "user": user}],
        }
    ),
)
options = pulumi.ResourceOptions(provider=inside)
kubernetes.helm.v3.Release(
    "cert-manager",
    chart="cert-manager",
    version="1.19" if planted else "v1.19.1",
    repository_opts={"repo": "https://charts.jetstack.io"},
    namespace="cert-manager",
    dependency_update=planted,
    values={"crds": {"enabled": True}, "image": {"tag": "latest" if planted else "v1.19.1"}},
    opts=options,
)
kubernetes.rbac.v1.ClusterRoleBinding(
    "cert-manager",
    metadata={"name": "cert-manager"},
    role_ref={
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "cluster-admin" if planted else "cert-manager-edit",
    },
    subjects=[{"kind": "ServiceAccount", "name": "cert-manager", "namespace": "cert-manager"}],
    opts=options,
)
