"""`pulumi import` with the real CLI: what exists comes into a state, and the program's next preview replaces nothing.

The ground is one that was there before the program (tests/program/standing.py). Not proven here: what the official
plugins read from Google Cloud and from a cluster.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.conftest import Program, kubeconfig
from tests.program.attached import attached

pytestmark = pytest.mark.engine

PLACE = "projects/acme-prod/locations/asia-northeast1"
GRANT = "acme-prod/roles/gkehub.viewer/user:a@acme.example"
MEMBER = f"//container.googleapis.com/{PLACE}/clusters/one"
CLOUD: dict[str, Any] = {
    "gcp": {
        f"gcp:container/cluster:Cluster {PLACE}/clusters/one": {
            "project": "acme-prod",
            "location": "asia-northeast1",
            "name": "one",
            "network": "projects/acme-prod/global/networks/fleet",
            "subnetwork": "projects/acme-prod/regions/asia-northeast1/subnetworks/one",
            "enableAutopilot": True,
            "clusterIpv4Cidr": "10.4.0.0/14",
            "nodeConfig": {"machineType": "e2-medium", "spot": False},
            "nodePools": [{"name": "default-pool", "initialNodeCount": 1}],
            "releaseChannel": {"channel": "STABLE"},
            "minMasterVersion": "1.35",
            "deletionProtection": False,
        },
        f"gcp:gkehub/membership:Membership {PLACE}/memberships/one": {
            "project": "acme-prod",
            "location": "asia-northeast1",
            "membershipId": "one",
            "endpoint": {"gkeCluster": {"resourceLink": MEMBER}},
            "authority": {"issuer": f"https://container.googleapis.com/v1/{PLACE}/clusters/one"},
        },
        f"gcp:projects/iAMMember:IAMMember {GRANT}": {
            "project": "acme-prod",
            "role": "roles/gkehub.viewer",
            "member": "user:a@acme.example",
        },
        "gcp:projects/service:Service acme-prod/gkehub.googleapis.com": {
            "project": "acme-prod",
            "service": "gkehub.googleapis.com",
            "disableOnDestroy": True,
        },
    },
    "clusters": {
        "cluster.example": {
            "objects": [
                {
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": {
                        "name": "argocd",
                        "uid": "1",
                        "resourceVersion": "7",
                        "labels": {"kubernetes.io/metadata.name": "argocd", "team": "platform"},
                    },
                    "spec": {"finalizers": ["kubernetes"]},
                    "status": {"phase": "Active"},
                },
                {
                    "apiVersion": "argoproj.io/v1alpha1",
                    "kind": "AppProject",
                    "metadata": {"name": "addons", "namespace": "argocd", "uid": "2"},
                    "spec": {"sourceRepos": ["*"], "description": "by hand"},
                },
            ],
            "releases": {
                "argocd/argocd": {
                    "name": "argocd",
                    "namespace": "argocd",
                    "chart": "argo-cd",
                    "version": "9.1.0",
                }
            },
        }
    },
}
PROGRAM = (
    """
import pulumi_gcp as gcp
import pulumi_kubernetes as k8s
provider = k8s.Provider("p", kubeconfig=KUBECONFIG, cluster_identifier="one")
if step == "2":
    there = Options(provider=provider)
    gcp.container.Cluster("cluster", name="one", project="acme-prod", location="asia-northeast1", network="fleet",
                          subnetwork="https://www.googleapis.com/compute/v1/projects/acme-prod/regions/asia-northeast1"
                          "/subnetworks/one", enable_autopilot=True, min_master_version="1.36",
                          release_channel={"channel": "REGULAR"})
    gcp.gkehub.Membership("membership", project="acme-prod", location="asia-northeast1", membership_id="one",
                          endpoint={"gke_cluster": {"resource_link": "LINK"}},
                          authority={"issuer": "https://container.googleapis.com/v1/PLACE/clusters/one"})
    gcp.projects.IAMMember("grant", project="acme-prod", role="roles/gkehub.viewer", member="user:a@acme.example")
    gcp.projects.Service("api", project="acme-prod", service="gkehub.googleapis.com", disable_on_destroy=False)
    k8s.core.v1.Namespace("namespace", metadata={"name": "argocd"}, opts=there)
    k8s.apiextensions.CustomResource("addons", api_version="argoproj.io/v1alpha1", kind="AppProject",
                                     metadata={"name": "addons", "namespace": "argocd"},
                                     spec={"sourceRepos": ["https://charts.acme.example"]}, opts=there)
    k8s.helm.v3.Release("release", name="argocd", namespace="argocd", chart="argo-cd", version="9.1.0", opts=there)
""".replace("KUBECONFIG", repr(kubeconfig()))
    .replace("LINK", MEMBER)
    .replace("PLACE", PLACE)
)
GCP = {
    "cluster": ("gcp:container/cluster:Cluster", f"{PLACE}/clusters/one"),
    "membership": ("gcp:gkehub/membership:Membership", f"{PLACE}/memberships/one"),
    "grant": ("gcp:projects/iAMMember:IAMMember", "acme-prod roles/gkehub.viewer user:a@acme.example"),
    "api": ("gcp:projects/service:Service", "acme-prod/gkehub.googleapis.com"),
}
KUBERNETES = {
    "namespace": ("kubernetes:core/v1:Namespace", "argocd"),
    "addons": ("kubernetes:argoproj.io/v1alpha1:AppProject", "argocd/addons"),
    "release": ("kubernetes:helm.sh/v3:Release", "argocd/argocd"),
}


@pytest.fixture
def there(program: Program, tmp_path: Path) -> Iterator[Program]:
    """The program whose stack has only the Provider, on a cloud that has everything else."""
    cloud, log = tmp_path / "cloud.json", tmp_path / "log"
    cloud.write_text(json.dumps(CLOUD))
    log.touch()
    with attached(program.environment, cloud, log) as variables:
        program.environment.update(variables)
        program.write(PROGRAM)
        program.up()
        yield program
    assert log.read_text() == "", "nothing was made and nothing was deleted"


def imported(program: Program) -> dict[str, Any]:
    """The state after an import of everything: name -> resource."""
    urn = "urn:pulumi:dev::program::pulumi:providers:kubernetes::p"
    resources = [
        {"type": type_, "name": name, "id": id_} | ({"provider": "p"} if name in KUBERNETES else {})
        for name, (type_, id_) in (GCP | KUBERNETES).items()
    ]
    file = program.folder / "import.json"
    file.write_text(json.dumps({"nameTable": {"p": urn}, "resources": resources}))
    words = ("--file", str(file), "--generate-code=false", "--protect=false", "--yes")
    result = program.run("import", *words, "--skip-preview")
    assert result.code == 0, result.text
    return program.state()


def test_what_exists_is_taken_over_and_nothing_is_replaced(there: Program) -> None:
    state = imported(there)
    assert state["grant"]["id"] == GRANT
    assert {name for name in state if name in GCP | KUBERNETES} == set(GCP | KUBERNETES)
    cluster, api = state["cluster"]["inputs"], state["api"]["inputs"]
    assert cluster["nodePools"] == [{"name": "default-pool", "initialNodeCount": 1}]
    assert cluster["deletionProtection"] is True, "as the provider's own import says"
    assert "minMasterVersion" not in cluster
    assert "disableOnDestroy" not in api
    namespace = state["namespace"]["inputs"]
    assert namespace["metadata"]["labels"]["team"] == "platform"
    assert not {"uid", "resourceVersion"} & namespace["metadata"].keys()
    assert "status" not in namespace
    assert state["addons"]["inputs"]["spec"]["description"] == "by hand"

    preview = there.preview(step=2)
    assert preview.code == 0, preview.text
    assert preview.ops == {
        "cluster": ["update"],  # another channel, a version that is not read back
        "api": ["update"],  # what the provider keeps to itself
        "addons": ["update"],
        "namespace": ["update"],
        "release": ["update"],
    }


def test_what_cannot_be_imported(there: Program) -> None:
    refused = {
        ("gcp:container/cluster:Cluster", f"{PLACE}/clusters/two"): "does not exist",
        ("gcp:container/cluster:Cluster", "clusters/one"): "is no id of gcp:container/cluster:Cluster",
        ("gcp:projects/iAMMember:IAMMember", GRANT): "expected 'resource_name role member [condition_title]'",
    }
    for (type_, id_), said in refused.items():
        file = there.folder / "import.json"
        file.write_text(json.dumps({"resources": [{"type": type_, "name": "c", "id": id_}]}))
        result = there.run("import", "--file", str(file), "--generate-code=false", "--yes", "--skip-preview")
        assert result.code != 0
        assert said in result.text
    assert "c" not in there.state()
