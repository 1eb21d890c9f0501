"""What an owner prepared is what the fleet's program needs: the graph of one held against the settings of the other.

It holds projects, roles that are granted and kinds of resources against each other. That each right is needed, and
lets through what it is for, is shown in the sandbox's cloud.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bootstrap.load import load
from bootstrap.rights import DNS_ENDPOINT, Account, Where, grantable, rights, role_name
from bootstrap.settings import Settings
from model import load_stack
from model.identity import DNS_ROLE_ID
from tests.bootstrap.paper import STACKS
from tests.program.graph import CHECKOUT, Graph, copy_of_the_program, new_stack, preview

pytestmark = pytest.mark.engine

GRANT = "gcp:projects/iAMMember:IAMMember"
NEEDS = {
    "gcp:projects/service:Service": "roles/serviceusage.serviceUsageAdmin",
    "gcp:projects/serviceIdentity:ServiceIdentity": "roles/serviceusage.serviceUsageAdmin",
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": "roles/resourcemanager.projectIamAdmin",
    GRANT: "roles/resourcemanager.projectIamAdmin",
    "gcp:gkehub/fleet:Fleet": "roles/gkehub.editor",
    "gcp:gkehub/membership:Membership": "roles/gkehub.editor",
    "gcp:container/cluster:Cluster": "roles/container.admin",
    "gcp:container/nodePool:NodePool": "roles/container.admin",
    "gcp:compute/network:Network": "roles/compute.networkAdmin",
    "gcp:compute/subnetwork:Subnetwork": "roles/compute.networkAdmin",
    "gcp:compute/router:Router": "roles/compute.networkAdmin",
    "gcp:compute/routerNat:RouterNat": "roles/compute.networkAdmin",
    "gcp:secretmanager/secretIamMember:SecretIamMember": "fleetSecretGrants",
    "gcp:serviceaccount/iAMMember:IAMMember": "roles/iam.serviceAccountAdmin",
    "gcp:serviceaccount/account:Account": "roles/iam.serviceAccountAdmin or fleetNodeAccounts",
}
"""Type of resource -> the role that makes it."""


@pytest.fixture(scope="module")
def fleets(paper: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Graph]:
    """The graph of the fleet of each environment."""
    folder = copy_of_the_program(tmp_path_factory.mktemp("fleet-program"))
    for stack in STACKS:
        new_stack(folder, paper, stack)
    return {stack: preview(folder, paper, stack) for stack in STACKS}


def project_of(inputs: Mapping[str, object]) -> str:
    """The project of a resource; some have it in a full name."""
    account = str(inputs.get("serviceAccountId", ""))
    return account.split("/")[1] if account else str(inputs["project"])


def deployers_roles(settings: Settings, project: str) -> set[str]:
    return {right.role for right in rights(settings, project) if right.account is Account.DEPLOYER}


@pytest.mark.parametrize("stack", STACKS)
def test_every_project_of_the_fleet_is_prepared_and_no_other(stack: str) -> None:
    fleet = load_stack(CHECKOUT / "stacks", stack).fleet
    settings = load(CHECKOUT / "bootstrap", stack)
    assert settings.projects.keys() == fleet.projects.keys()
    assert settings.host_project == fleet.host_project
    assert settings.hub == fleet.hub.project
    known = {project: entry.number for project, entry in settings.projects.items() if entry.number}
    assert known.items() <= fleet.projects.items()


@pytest.mark.parametrize("stack", STACKS)
def test_the_deployer_may_make_every_resource_of_the_fleet(fleets: dict[str, Graph], stack: str) -> None:
    settings = load(CHECKOUT / "bootstrap", stack)
    made = [resource for resource in fleets[stack] if resource.is_custom and resource.type.startswith("gcp:")]
    assert len(made) > 20
    for resource in made:
        project = project_of(resource.inputs)
        assert resource.type in NEEDS, (
            f"{resource.type}: say here which role makes it, and give it to the deployer"
        )
        needed = set(NEEDS[resource.type].split(" or "))
        assert needed & deployers_roles(settings, project), f"{resource.name} in {project} needs {needed}"


@pytest.mark.parametrize("stack", STACKS)
def test_the_deployer_may_grant_every_role_that_the_fleet_grants(
    fleets: dict[str, Graph], stack: str
) -> None:
    settings = load(CHECKOUT / "bootstrap", stack)
    for grant in fleets[stack].of_type(GRANT):
        assert grant.inputs["role"] in grantable(settings, grant.inputs["project"]), grant.name


def test_in_production_nothing_is_listed_or_given_that_the_fleet_does_not_use(
    fleets: dict[str, Graph],
) -> None:
    graph, settings = fleets["prod"], load(CHECKOUT / "bootstrap", "prod")
    granted = {(g.inputs["project"], g.inputs["role"]) for g in graph.of_type(GRANT)}
    listed = {(project, role) for project in settings.projects for role in grantable(settings, project)}
    # The nodes of a project whose clusters all existed before have their account already.
    nodes = "roles/container.defaultNodeServiceAccount"
    assert {(p, role) for p, role in listed - granted if role != nodes} == set()
    used = {(project_of(r.inputs), NEEDS[r.type]) for r in graph if r.type in NEEDS}
    for project in settings.projects:
        for right in rights(settings, project):
            if right.where in (Where.NETWORKS, Where.SECRETS) and right.account is Account.DEPLOYER:
                assert (project, right.role) in used, f"{project} has {right.role} and no use for it"


def test_the_role_for_dns_endpoints_is_the_one_that_the_fleet_binds() -> None:
    assert DNS_ENDPOINT.id == DNS_ROLE_ID
    assert role_name("acme-shop", DNS_ENDPOINT.id) == f"projects/acme-shop/roles/{DNS_ROLE_ID}"
