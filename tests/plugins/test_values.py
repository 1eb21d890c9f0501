"""Unknowns, secrets, drift: what previews know and what states keep, through the real CLI on paper."""

from __future__ import annotations

import json

import pytest

from tests.plugins.conftest import Program
from tests.plugins.test_resource_options import KUBERNETES

pytestmark = pytest.mark.engine


def test_a_preview_knows_what_a_real_one_would_and_no_more(program: Program) -> None:
    program.write(
        KUBERNETES
        + """
import pulumi_gcp as gcp
account = gcp.serviceaccount.Account("a", project="acme-prod", account_id="robot-1")
cluster = gcp.container.Cluster("c", name="c", project="acme-prod", location="asia-northeast1",
                                fleet={"project": "acme-host"}, deletion_protection=False)
provider = k8s.Provider("p", kubeconfig=KUBECONFIG, cluster_identifier="one")
opts = Options(provider=provider)
space = k8s.core.v1.Namespace("n", metadata={"name": "n"}, opts=opts)
k8s.core.v1.ConfigMap("m", metadata={"name": "m", "namespace": space.metadata.name},
                      data={"email": account.email}, opts=opts)
pulumi.export("name", cluster.name)
pulumi.export("fleet_project", cluster.fleet.project)
pulumi.export("membership", cluster.fleet.membership_id)
pulumi.export("namespace", space.metadata.name)
pulumi.export("uid", space.metadata.uid)
pulumi.export("status", space.status)
pulumi.export("id", account.id)
"""
    )
    shown = program.preview()
    assert shown.code == 0, shown.text
    outputs = {
        line.split(":")[0].strip(): line.split(":", 1)[1].strip()
        for line in shown.text.splitlines()
        if ":" in line
    }
    unknown = {name: outputs[name] for name in ("membership", "uid", "status", "id")}
    assert unknown == dict.fromkeys(unknown, "[unknown]")
    known = [outputs["name"], outputs["fleet_project"], outputs["namespace"]]
    assert known == ['"c"', '"acme-host"', '"n"']
    program.up()
    outputs = program.state()["program-dev"]["outputs"]
    assert outputs["membership"] == "c"
    assert outputs["id"] == "projects/acme-prod/serviceAccounts/robot-1@acme-prod.iam.gserviceaccount.com"
    assert program.state()["m"]["outputs"]["data"] == {"email": "robot-1@acme-prod.iam.gserviceaccount.com"}
    # Refresh, and once more: nothing drifts, nothing changes.
    assert program.run("refresh", "--yes", "--skip-preview").ops == {}
    assert program.preview().ops == {}
    assert program.run("destroy", "--yes", "--skip-preview").code == 0
    assert program.state() == {}


def test_secrets_stay_secret_in_states_and_previews(program: Program) -> None:
    program.write(
        KUBERNETES
        + """
import pulumi_gcp as gcp
hidden = pulumi.Output.secret("hunter2-" + step)
gcp.serviceaccount.Account("a", project="acme-prod", account_id="robot-1", description=hidden)
provider = k8s.Provider("p", kubeconfig=pulumi.Output.secret(KUBECONFIG), cluster_identifier="one")
opts = Options(provider=provider)
k8s.core.v1.Secret("s", metadata={"name": "s"}, string_data={"password": "hunter2-" + step}, opts=opts)
k8s.apiextensions.CustomResource("w", api_version="acme.example/v1", kind="Widget", metadata={"name": "w"},
    spec={"deep": [{"password": hidden}], "plain": "seen"}, opts=opts)
k8s.helm.v3.Release("r", name="r", chart="c", values={"password": hidden}, opts=opts)
"""
    )
    shown = program.preview()
    assert "hunter2" not in shown.text + json.dumps(shown.events)
    program.up()
    assert "hunter2" not in json.dumps(program.deployment())
    assert "seen" in json.dumps(program.state()["w"]["outputs"])
    # Encryption gives another text each time; what is equal is still equal.
    assert program.up().ops == {}
    changed = program.run("preview", "--diff", step=2)
    assert changed.ops == {"a": ["update"], "s": ["update"], "w": ["update"], "r": ["update"]}
    assert "hunter2" not in changed.text
    assert program.run("refresh", "--yes", "--skip-preview").ops == {}


def test_defaults_of_a_real_state_are_carried_over(program: Program) -> None:
    """A state of the official provider names what it filled in; a program that does not must not show changes."""
    program.write(
        """
        import pulumi_gcp as gcp
        gcp.container.Cluster("c", name="c", project="acme-prod", location="asia-northeast1",
                              fleet={"project": "acme-host"}, release_channel={"channel": "REGULAR"})
        """
    )
    program.up()
    backend = program.environment["PULUMI_BACKEND_URL"].removeprefix("file://")
    path = f"{backend}/.pulumi/stacks/program/dev.json"
    with open(path) as file:  # noqa: PTH123
        stored = json.load(file)
    cluster = next(
        each for each in stored["checkpoint"]["latest"]["resources"] if each["type"].endswith(":Cluster")
    )
    cluster["inputs"]["fleet"] |= {"__defaults": []}
    cluster["inputs"]["releaseChannel"] |= {"__defaults": []}
    cluster["inputs"]["enableLegacyAbac"] = False
    cluster["inputs"]["__defaults"] = ["deletionProtection", "enableLegacyAbac"]
    with open(path, "w") as file:  # noqa: PTH123
        json.dump(stored, file)
    assert program.preview().ops == {}


def test_two_previews_are_the_same(program: Program) -> None:
    program.write(
        """
        import pulumi_gcp as gcp
        for at in range(5):
            gcp.projects.Service(f"s{at}", project="acme-prod", service=f"api{at}.googleapis.com")
        """
    )

    def inputs() -> list[str]:
        found = [
            event["resourcePreEvent"]["metadata"]
            for event in program.preview().events
            if "resourcePreEvent" in event
        ]
        return sorted(json.dumps([each["urn"], each["new"]["inputs"]], sort_keys=True) for each in found)

    assert inputs() == inputs()
