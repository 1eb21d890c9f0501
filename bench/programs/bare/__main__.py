"""Plain resources, as many as the stack's configuration says: ServiceAccounts of Google Cloud and ConfigMaps in turn,
as cheap as resources are. One of them holds the configuration's `version`."""

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
cluster = kubernetes.Provider("one", kubeconfig=kubeconfig("one"))
for number in range(config.require_int("resources") - 1):
    if number % 2:
        gcp.serviceaccount.Account(
            f"account-{number}",
            account_id=f"account-{number:05}",
            project="acme-bench",
            display_name="An account",
        )
    else:
        kubernetes.core.v1.ConfigMap(
            f"settings-{number}",
            metadata={"name": f"settings-{number}", "namespace": "default"},
            data={"number": str(number), "version": config.require("version") if number == 0 else "any"},
            opts=pulumi.ResourceOptions(provider=cluster),
        )
