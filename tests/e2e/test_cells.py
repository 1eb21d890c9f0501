"""One fleet in one stack, then in a hub stack and a members stack, and back: nothing is made again on the way."""

import json
from collections.abc import Iterator

import pytest
import yaml

from tests.e2e.conftest import Sandbox
from tests.e2e.test_adoption import cluster_ids, identities, pulumi
from tests.e2e.test_fleet import FLEET, healthy

pytestmark = [pytest.mark.sandbox, pytest.mark.e2e]

WHOLE, MEMBERS = "stacks/Pulumi.sandbox.yaml", "stacks/Pulumi.sandbox-one.yaml"
PART = "gke-fleet:part"


def moved(sandbox: Sandbox) -> str:
    done = sandbox.fleet("move", "sandbox", "sandbox-one")
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture
def whole_again(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.restore(WHOLE)
    sandbox.restore(FLEET)
    (sandbox.root / MEMBERS).unlink(missing_ok=True)


def clusters_of(sandbox: Sandbox, stack: str) -> set[str]:
    return set(json.loads(pulumi(sandbox, "stack", "output", "clusters", "--stack", stack, "--json")))


def test_a_fleet_is_split_and_joined_again(sandbox: Sandbox, whole_again: None) -> None:
    before, clusters_before = identities(sandbox), cluster_ids(sandbox)
    document = yaml.safe_load((sandbox.root / WHOLE).read_text())
    document["config"][PART] = "members/one"
    (sandbox.root / MEMBERS).write_text(yaml.safe_dump(document))
    sandbox.change(WHOLE, lambda stack: stack["config"].update({PART: "hub"}))

    moved(sandbox)
    for stack in ("sandbox", "sandbox-one"):
        sandbox.up(stack)
        pulumi(sandbox, "preview", "--stack", stack, "--expect-no-changes")
    assert clusters_of(sandbox, "sandbox") == {"hub"}
    assert clusters_of(sandbox, "sandbox-one") == {"tokyo-shop", "osaka-data"}
    assert (identities(sandbox), cluster_ids(sandbox)) == (before, clusters_before)

    # A member's stack lives by itself: a label of a member reaches its cluster and its Secret on the hub.
    sandbox.change(FLEET, lambda fleet: fleet["clusters"][1]["labels"].update(tier="1"))
    sandbox.up("sandbox-one")
    secret = sandbox.kubectl("hub", "-n", "argocd", "get", "secret", "cluster-tokyo-shop")
    assert secret["metadata"]["labels"]["tier"] == "1"

    sandbox.restore(WHOLE)
    moved(sandbox)
    pulumi(sandbox, "stack", "rm", "sandbox-one", "--yes", "--force", "--preserve-config")
    (sandbox.root / MEMBERS).unlink()
    sandbox.restore(FLEET)
    sandbox.up()
    pulumi(sandbox, "preview", "--stack", "sandbox", "--expect-no-changes")
    assert (identities(sandbox), cluster_ids(sandbox)) == (before, clusters_before)
    assert healthy(sandbox)
