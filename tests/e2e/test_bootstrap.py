"""The deployer has exactly the roles that bootstrap/ gives him: without one of them `up` fails, and with it goes on.

The real CLI runs both programs. That each single role is needed is shown faster in tests/bootstrap, on the cloud alone.
"""

import json

import pytest

from tests.e2e.conftest import Sandbox
from tests.e2e.test_fleet import DEPLOYMENT, FLEET, LAB, add_lab, files_as_they_were, healthy

pytestmark = [pytest.mark.sandbox, pytest.mark.e2e]
__all__ = ["files_as_they_were"]

RIGHTS = "bootstrap/rights.py"


def test_without_a_role_up_fails_and_with_it_goes_on(sandbox: Sandbox, files_as_they_were: None) -> None:
    sandbox.edit(RIGHTS, 'role="roles/iam.serviceAccountUser"', 'role="roles/iam.serviceAccountViewer"')
    sandbox.change(FLEET, add_lab)
    try:
        done = sandbox.fleet("up")
    finally:
        sandbox.restore(RIGHTS)
    assert done.returncode == 1, done.stderr
    assert "iam.serviceAccountUser role on the service account" in " ".join(done.stderr.split())
    assert LAB["name"] not in {one["name"] for one in sandbox.cloud("GET", "/v1/clusters")}

    sandbox.up()
    healthy(sandbox)
    assert sandbox.kubectl(LAB["name"], *DEPLOYMENT) is not None


def test_the_owner_made_what_the_fleet_stands_on(sandbox: Sandbox) -> None:
    exported = sandbox.fleet(
        "shell", "--", "pulumi", "stack", "output", "--stack", "sandbox", "--cwd", "bootstrap", "--json"
    )
    assert exported.returncode == 0, exported.stderr
    outputs = json.loads(exported.stdout)
    assert outputs["deployer"] == "deployer@acme-sandbox-hub.iam.gserviceaccount.com"
    assert outputs["projects"]["acme-sandbox-lab"] == "100000000004"
