"""Applications for an Argo CD that somebody else runs: its clusters, projects and sets, of rings by another name.

`planted` in its configuration: whether there is one fault for each group of rules.
"""

import base64
import json

import pulumi
import pulumi_kubernetes as kubernetes

planted = pulumi.Config().get_bool("planted") or False
access = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "gke-gcloud-auth-plugin"}}
kubeconfig = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "hub", "cluster": {"server": "https://hub.example.com"}}],
    "contexts": [{"name": "hub", "context": {"cluster": "hub", "user": "hub"}}],
    "current-context": "hub",
    "users": [{"name": "hub", "user": access}],
}
hub = kubernetes.Provider("hub", kubeconfig=json.dumps(kubeconfig))


def custom(kind: str, name: str, spec: dict[str, object], **metadata: object) -> None:
    kubernetes.apiextensions.CustomResource(
        name.replace("/", "-"),
        api_version="argoproj.io/v1alpha1",
        kind=kind,
        metadata={"name": name, "namespace": "argocd", **metadata},
        spec=spec,
        opts=pulumi.ResourceOptions(provider=hub, protect=kind == "ApplicationSet"),
    )


def cluster(name: str, stage: str, **more: str) -> None:
    command = {"execProviderConfig": {"command": "argocd-k8s-auth", "args": ["gcp"]}}
    data = {
        "name": name,
        "server": f"https://{name}.example.com",
        "config": json.dumps({"bearerToken": "abc"} if planted else command),
    }
    kubernetes.core.v1.Secret(
        name,
        metadata={
            "name": name,
            "namespace": "argocd",
            "labels": {"argocd.argoproj.io/secret-type": "cluster", "stage_ring": stage, **more},
        },
        data={key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
        opts=pulumi.ResourceOptions(provider=hub),
    )


def generator(stage: str, version: str) -> dict[str, object]:
    return {"clusters": {"selector": {"matchLabels": {"stage_ring": stage}}, "values": {"version": version}}}


cluster("tokyo", "first", site="tokyo")
cluster("osaka", "second", **({} if planted else {"site": "osaka"}))
custom(
    "AppProject",
    "shared",
    {
        "sourceRepos": ["*"] if planted else ["https://charts.example.com"],
        "destinations": [
            {"name": "tokyo", "namespace": "metrics"},
            {"name": "osaka", "namespace": "metrics"},
        ],
        "namespaceResourceWhitelist": [{"group": "apps", "kind": "Deployment"}],
    },
)
sync = {"applicationsSync": "create-update", "preserveResourcesOnDeletion": not planted}
custom(
    "ApplicationSet",
    "metrics",
    {
        "goTemplate": True,
        "goTemplateOptions": ["missingkey=error"],
        "generators": [
            generator("first", "3.13.1"),
            generator("second", "3.13.0"),
            *([generator("second", "3.12.0")] if planted else []),
        ],
        "syncPolicy": sync,
        "template": {
            "metadata": {"name": "metrics-{{.metadata.labels.site}}"},
            "spec": {
                "project": "shared",
                "destination": {"name": "{{.name}}", "namespace": "metrics"},
                "source": {
                    "repoURL": "https://charts.example.com",
                    "chart": "metrics-server",
                    "targetRevision": "{{.values.version}}",
                },
            },
        },
    },
    annotations={"pulumi.com/deletionPropagationPolicy": "background"},
)
