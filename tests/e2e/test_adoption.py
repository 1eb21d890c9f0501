"""Taking over what exists: the cloud and the clusters hold everything, and the stack knows nothing of it.

The objects were made by this very program, then forgotten, and two of them changed by hand; the CLI's own import takes
them in. What the official plugins read back of a real cluster is not proven here.
"""

import json
from typing import Any

import pytest

from tests.e2e.conftest import OWNER, Sandbox, until
from tests.e2e.test_fleet import DEPLOYMENT, MEMBERS, healthy

pytestmark = [pytest.mark.sandbox, pytest.mark.e2e]

ADDITIVE = {
    "gcp:projects/service:Service",
    "gcp:projects/serviceIdentity:ServiceIdentity",
    "gcp:projects/iAMMember:IAMMember",
    "gcp:serviceaccount/iAMMember:IAMMember",
    "gcp:secretmanager/secretIamMember:SecretIamMember",
}
"""What may be made again: enabling an API or granting a role that is there changes nothing."""


def identities(sandbox: Sandbox) -> dict[str, str]:
    """UIDs of what would be lost: Argo CD, its Applications, and the workloads on the members."""
    found = {
        f"deployment on {cluster}": sandbox.kubectl(cluster, *DEPLOYMENT)["metadata"]["uid"]
        for cluster in ("hub", *MEMBERS)
    }
    server = sandbox.kubectl("hub", "-n", "argocd", "get", "deployment", "argocd-server")
    found["argocd-server"] = server["metadata"]["uid"]
    for item in sandbox.kubectl("hub", "-n", "argocd", "get", "applications")["items"]:
        found[f"application {item['metadata']['name']}"] = item["metadata"]["uid"]
    return found


def cluster_ids(sandbox: Sandbox) -> set[str]:
    return {f"{one['project']}/{one['name']}" for one in sandbox.cloud("GET", "/v1/clusters")}


def pulumi(sandbox: Sandbox, *arguments: str) -> str:
    done = sandbox.shell("pulumi", *arguments)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def change_by_hand(sandbox: Sandbox) -> None:
    """A label of a cluster, and a description on the hub, as somebody's own tools left them."""
    kind = "gcp:container/cluster:Cluster"
    name = "projects/acme-sandbox-data/locations/asia-northeast2/clusters/osaka-data"
    inputs = sandbox.cloud("POST", "/v1/read", {"type": kind, "id": name})["inputs"]
    inputs["resourceLabels"] = {"made": "by-hand"}
    sandbox.cloud("POST", "/v1/update", {"type": kind, "id": name, "inputs": inputs, "as": OWNER})
    patched = sandbox.shell(
        "kubectl", "-n", "argocd", "patch", "appproject", "addons", "--type=merge",
        "--patch", json.dumps({"spec": {"description": "by hand"}}),
    )  # fmt: skip
    assert patched.returncode == 0, patched.stderr


def test_up_takes_over_what_exists_and_replaces_nothing(sandbox: Sandbox) -> None:
    before, clusters_before = identities(sandbox), cluster_ids(sandbox)
    change_by_hand(sandbox)
    pulumi(sandbox, "stack", "rm", "sandbox", "--force", "--yes", "--preserve-config")

    written = sandbox.fleet("adopt", "sandbox")
    assert written.returncode == 0, written.stderr
    for file, more in (("1-components.json", ["--protect=false"]), ("2-resources.json", ["--protect=false"])):
        pulumi(
            sandbox, "import", "--stack", "sandbox", "--file", f"adoption/{file}", "--generate-code=false",
            "--yes", *more,
        )  # fmt: skip

    digest: Any = json.loads(pulumi(sandbox, "preview", "--stack", "sandbox", "--json"))
    for step in digest["steps"]:
        state = step.get("newState") or step.get("oldState")
        if state["custom"] and step["op"] not in ("same", "update", "read"):
            assert (step["op"], state["type"] in ADDITIVE) == ("create", True), step["urn"]
    updated = {step["urn"].rpartition("::")[2] for step in digest["steps"] if step["op"] == "update"}
    assert {"osaka-data", "addons"} <= updated

    sandbox.up()
    pulumi(sandbox, "preview", "--stack", "sandbox", "--expect-no-changes")
    assert cluster_ids(sandbox) == clusters_before
    assert identities(sandbox) == before
    project = sandbox.kubectl("hub", "-n", "argocd", "get", "appproject", "addons")
    assert project["spec"]["description"] != "by hand"
    until("all is well", lambda: healthy(sandbox))
