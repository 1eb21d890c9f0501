"""What the real CLI makes of a change: a replacement, a change in place, or a warning that it may replace."""

from __future__ import annotations

import pytest

from tests.plugins.conftest import Program

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi_gcp as gcp
first = step == "1"
project = "acme-prod"
gcp.container.Cluster("cluster", name="one", project=project, location="asia-northeast1", deletion_protection=False,
                      enable_autopilot=True, network="projects/acme-prod/global/networks/a" if first else "b",
                      release_channel={"channel": "REGULAR"})
gcp.container.Cluster("grown", name="two", project=project, location="asia-northeast1",
                      network="projects/acme-prod/global/networks/a" if first else "a",
                      release_channel={"channel": "REGULAR" if first else "STABLE"})
gcp.container.NodePool("pool", name="main", project=project, location="asia-northeast1", cluster="one",
                       node_config={"machine_type": "e2-standard-4", "spot": not first})
gcp.container.NodePool("bigger", name="more", project=project, location="asia-northeast1", cluster="one",
                       autoscaling={"max_node_count": 3 if first else 4},
                       node_config={"machine_type": "e2-standard-4" if first else "e2-standard-8"})
gcp.compute.Network("network", name="fleet", project=project, auto_create_subnetworks=first)
gcp.compute.Subnetwork("shrunk", name="a", project=project, region="asia-northeast1", network="fleet",
                       ip_cidr_range="10.0.0.0/20" if first else "10.0.0.0/21")
gcp.compute.Subnetwork("widened", name="b", project=project, region="asia-northeast1", network="fleet",
                       ip_cidr_range="10.0.16.0/20" if first else "10.0.0.0/19")
gcp.projects.IAMCustomRole("role", project=project, role_id="one" if first else "two", title="t", permissions=["a.b.c"])
gcp.gkehub.Membership("membership", project=project, membership_id="one",
                      location="global" if first else "asia-northeast1")
gcp.gkehub.Fleet("fleet", project=project, labels={} if first else {"a": "b"})
gcp.secretmanager.SecretIamMember("secret", project=project, secret_id="s", role="roles/x.y",
                                  member="user:a@acme.example" if first else "user:b@acme.example")
"""


def test_what_replaces_and_what_does_not(program: Program) -> None:
    program.write(PROGRAM)
    program.up()
    preview = program.preview(step=2)
    assert preview.code == 0, preview.text
    ops = {name: set(found) for name, found in preview.ops.items()}
    replacing = {"create-replacement", "replace", "delete-replaced"}
    replaced = {name for name, found in ops.items() if found & replacing}
    assert replaced == {"cluster", "pool", "network", "shrunk", "role", "membership", "secret"}
    assert {name for name, found in ops.items() if found == {"update"}} == {
        "grown",
        "bigger",
        "widened",
        "fleet",
    }
    said = [line for line in preview.said if "may replace" in line]
    assert len(said) == 1
    assert said[0].startswith("labels.a: the table of gcp:gkehub/fleet:Fleet does not say")


def test_a_replacement_is_done_and_names_stay_free_for_it(program: Program) -> None:
    program.write(PROGRAM)
    program.up()
    done = program.up(step=2)
    assert done.ops["network"] == ["delete-replaced", "replace", "create-replacement"]
    assert program.state()["membership"]["id"].endswith("/locations/asia-northeast1/memberships/one")
    assert program.preview(step=2).ops == {}
