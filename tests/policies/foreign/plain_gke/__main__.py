"""One private GKE cluster with a workload, no Argo CD; a program of somebody else.

`planted` in its configuration: whether there is one fault for each group of rules.
"""

import json

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

planted = pulumi.Config().get_bool("planted") or False
PROJECT = "somebody-elses"

nodes = gcp.serviceaccount.Account("nodes", account_id="gke-nodes", project=PROJECT)
gcp.projects.IAMMember(
    "nodes",
    project=PROJECT,
    role="roles/owner" if planted else "roles/container.defaultNodeServiceAccount",
    member=nodes.email.apply(lambda email: f"serviceAccount:{email}"),
)
cluster = gcp.container.Cluster(
    "one",
    name="one",
    project=PROJECT,
    location="asia-northeast1",
    enable_autopilot=True,
    deletion_protection=not planted,
    network="projects/somebody-elses/global/networks/main",
    subnetwork="projects/somebody-elses/regions/asia-northeast1/subnetworks/one",
    ip_allocation_policy={
        "cluster_secondary_range_name": "pods",
        "services_secondary_range_name": "services",
    },
    private_cluster_config={"enable_private_nodes": not planted, "enable_private_endpoint": True},
    master_authorized_networks_config={
        "cidr_blocks": [],
        "gcp_public_cidrs_access_enabled": False,
        "private_endpoint_enforcement_enabled": True,
    },
    master_auth={"client_certificate_config": {"issue_client_certificate": planted}},
    control_plane_endpoints_config={"dns_endpoint_config": {"allow_external_traffic": False}},
    anonymous_authentication_config={"mode": "LIMITED"},
    rbac_binding_config={
        "enable_insecure_binding_system_authenticated": False,
        "enable_insecure_binding_system_unauthenticated": False,
    },
    security_posture_config={"mode": "BASIC", "vulnerability_mode": "VULNERABILITY_DISABLED"},
    release_channel={"channel": "EXTENDED" if planted else "REGULAR"},
    cluster_autoscaling={
        "auto_provisioning_defaults": {
            "service_account": nodes.email,
            "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
        }
    },
    opts=pulumi.ResourceOptions(protect=True),
)


def kubeconfig(address: str) -> str:
    """The kubeconfig of whoever runs the program, for the cluster at an address."""
    access = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "gke-gcloud-auth-plugin"}}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "one", "cluster": {"server": f"https://{address}"}}],
            "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
            "current-context": "one",
            "users": [{"name": "one", "user": access}],
        }
    )


inside = kubernetes.Provider("one", kubeconfig=cluster.endpoint.apply(kubeconfig))
image = "nginx:latest" if planted else f"nginx:1.29.1@sha256:{'a' * 64}"
kubernetes.apps.v1.Deployment(
    "web",
    metadata={"name": "web", "namespace": "shop"},
    spec={
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": image}]},
        },
    },
    opts=pulumi.ResourceOptions(provider=inside),
)
