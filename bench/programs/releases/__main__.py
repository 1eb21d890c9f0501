"""A fleet without Argo CD: a cluster, its Provider, and a Helm release for each add-on, as one would write it first.
The first add-on is at the configuration's `version`."""

import json

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes


def kubeconfig(name: str) -> str:
    """A way into a cluster of this name."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example.org"}}],
            "users": [{"name": name, "user": {"token": "none"}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )


config = pulumi.Config()
addons = config.require_int("addons")
for number in range(config.require_int("clusters")):
    cluster = gcp.container.Cluster(
        f"member-{number:04}",
        name=f"member-{number:04}",
        project="acme-bench",
        location="asia-northeast1",
        enable_autopilot=True,
    )
    provider = kubernetes.Provider(
        f"member-{number:04}",
        kubeconfig=kubeconfig(f"member-{number:04}"),
        opts=pulumi.ResourceOptions(depends_on=[cluster]),
    )
    for addon in range(addons):
        name = f"addon-{addon:02}"
        kubernetes.helm.v3.Release(
            f"{name}-{number:04}",
            name=name,
            chart=name,
            version=config.require("version") if addon == 0 else "1.4.0",
            repository_opts={"repo": "https://charts.example.org"},
            namespace=name,
            create_namespace=True,
            values={"cluster": f"member-{number:04}", "replicas": 2},
            opts=pulumi.ResourceOptions(provider=provider),
        )
