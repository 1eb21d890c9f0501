"""Who acts, and with which roles: nobody has one that the fleet file does not call for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from model import load_stack
from model.fleet import Fleet
from model.identity import (
    CONTROLLER,
    DNS_PERMISSIONS,
    SERVER,
    apis,
    caller_account,
    caller_grants,
    caller_member,
    caller_user,
    callers,
    dns_members,
    fleet_agent_grants,
    node_account,
    operator_grants,
    principal,
    secret_grants,
    secrets_member,
)
from model.part import Part
from model.rights import (
    CLUSTER_ROLE,
    EXEC_ROLE,
    IMPERSONATION_ROLE,
    Right,
    Subject,
    cluster_rights,
    cluster_role_rules,
)
from model.vocabulary import Endpoint
from tests.model.conftest import FLEET

HUB, TOKYO, OSAKA = "  - name: hub\n", "  - name: tokyo\n", "  - name: osaka\n"
ACCOUNT = "argocd-hub@acme-host.iam.gserviceaccount.com"
SERVER_ACCOUNT = "argocd-server-hub@acme-host.iam.gserviceaccount.com"
POOL = "principal://iam.googleapis.com/projects/100000000001/locations/global/workloadIdentityPools/"
CONTROLLER_URI = f"{POOL}acme-host.svc.id.goog/subject/ns/argocd/sa/argocd-application-controller"
SERVER_URI = f"{POOL}acme-host.svc.id.goog/subject/ns/argocd/sa/argocd-server"
AGENT = "    join: registered\n    membership: {id: old, location: global, agent: true}\n"
ACCESS = (
    "access:\n  securityGroup: gke-security-groups@acme.example\n  groups:\n"
    "    platform@acme.example: admin\n    oncall@acme.example: editor\n"
    "    developers@acme.example: reader\n    auditors@acme.example: reader\n"
)


@pytest.fixture
def made(folder: Callable[..., Path]) -> Callable[..., Fleet]:
    """Makes the small fleet with lines in its head, under `argocd` and under its clusters."""

    def make(head: str = "", argocd: str = "", tokyo: str = "", osaka: str = "", hub: str = "") -> Fleet:
        text = FLEET.replace("protect: true\n", f"protect: true\n{head}")
        text = text.replace("argocd:\n", f"argocd:\n{argocd}")
        for at, lines in ((HUB, hub), (TOKYO, tokyo), (OSAKA, osaka)):
            text = text.replace(at, at + lines)
        return load_stack(folder(fleet=text), "acme").fleet

    return make


def test_both_callers_share_one_account(made: Callable[..., Fleet]) -> None:
    fleet = made()
    assert [caller.service_account for caller in callers(fleet)] == [CONTROLLER, SERVER]
    assert {caller_account(fleet, caller) for caller in callers(fleet)} == {ACCOUNT}
    assert {caller_user(fleet, caller) for caller in callers(fleet)} == {ACCOUNT}
    assert caller_grants(fleet) == ((f"serviceAccount:{ACCOUNT}", "roles/gkehub.gatewayEditor"),)


def test_terminals_give_the_server_alone_the_streams(made: Callable[..., Fleet]) -> None:
    fleet = made(argocd="  exec: true\n")
    controller, server = callers(fleet)
    assert (caller_account(fleet, controller), caller_account(fleet, server)) == (ACCOUNT, SERVER_ACCOUNT)
    assert caller_grants(fleet) == (
        (f"serviceAccount:{ACCOUNT}", "roles/gkehub.gatewayEditor"),
        (f"serviceAccount:{SERVER_ACCOUNT}", "roles/gkehub.gatewayAdmin"),
    )


def test_principals_have_no_account(made: Callable[..., Fleet]) -> None:
    fleet = made(argocd="  identity: principal\n  exec: true\n")
    assert all(caller.account_id is None for caller in callers(fleet))
    assert [caller_account(fleet, caller) for caller in callers(fleet)] == [None, None]
    assert [caller_member(fleet, caller) for caller in callers(fleet)] == [CONTROLLER_URI, SERVER_URI]
    assert [caller_user(fleet, caller) for caller in callers(fleet)] == [CONTROLLER_URI, SERVER_URI]
    assert dict(caller_grants(fleet)) == {
        CONTROLLER_URI: "roles/gkehub.gatewayEditor",
        SERVER_URI: "roles/gkehub.gatewayAdmin",
    }


def test_nobody_may_use_the_gateway_where_nobody_has_to(made: Callable[..., Fleet]) -> None:
    private = "    endpoint: private\n    authorizedNetworks: {hub: 10.0.0.0/8}\n"
    fleet = made(tokyo=private, osaka="    endpoint: dns\n")
    assert caller_grants(fleet) == ()
    assert caller_grants(made(tokyo=private)) != ()


def test_dns_endpoint_is_opened_in_its_project_alone(made: Callable[..., Fleet]) -> None:
    fleet = made(osaka="    endpoint: dns\n", argocd="  exec: true\n")
    assert DNS_PERMISSIONS == ("container.clusters.connect",)
    assert dns_members(fleet, "acme-shop") == dns_members(fleet, "acme-host") == ()
    assert dns_members(fleet, "acme-data") == (
        f"serviceAccount:{ACCOUNT}",
        f"serviceAccount:{SERVER_ACCOUNT}",
    )
    assert dns_members(made(osaka="    endpoint: dns\n"), "acme-data") == (f"serviceAccount:{ACCOUNT}",)
    assert [cluster.name for cluster in fleet.reached_by(Endpoint.DNS)] == ["osaka"]


def test_no_role_of_argocd_passes_where_rbac_does_not(made: Callable[..., Fleet]) -> None:
    fleet = made(argocd="  exec: true\n", osaka="    endpoint: dns\n")
    assert not any("container." in role for _, role in caller_grants(fleet))


def test_secrets_are_opened_one_by_one_and_once(made: Callable[..., Fleet]) -> None:
    fleet = made(tokyo="    secrets: [database, payments]\n", osaka="    secrets: [warehouse]\n")
    reader = (
        "principal://iam.googleapis.com/projects/100000000002/locations/global/workloadIdentityPools/"
        "acme-shop.svc.id.goog/subject/ns/external-secrets/sa/external-secrets"
    )
    assert secret_grants(fleet, "acme-shop") == (("database", reader), ("payments", reader))
    assert [secret for secret, _ in secret_grants(fleet, "acme-data")] == ["warehouse"]
    assert secret_grants(fleet, "acme-host") == ()
    assert secrets_member(fleet, fleet.hub) == principal(
        "acme-host", "100000000001", "external-secrets", "external-secrets"
    )


def test_two_clusters_of_a_project_share_what_their_workloads_may(folder: Callable[..., Path]) -> None:
    text = FLEET.replace("project: acme-data", "project: acme-shop")
    text = text.replace(TOKYO, f"{TOKYO}    secrets: [a, b]\n").replace(
        OSAKA, f"{OSAKA}    secrets: [b, c]\n"
    )
    fleet = load_stack(folder(fleet=text), "acme").fleet
    assert [secret for secret, _ in secret_grants(fleet, "acme-shop")] == ["a", "b", "c"]


def test_operators_come_through_the_gateway(made: Callable[..., Fleet]) -> None:
    grants = operator_grants(made(head=ACCESS))
    assert {(group, role) for group, role in grants if role != "roles/gkehub.viewer"} == {
        ("platform@acme.example", "roles/gkehub.gatewayAdmin"),
        ("oncall@acme.example", "roles/gkehub.gatewayEditor"),
        ("developers@acme.example", "roles/gkehub.gatewayReader"),
        ("auditors@acme.example", "roles/gkehub.gatewayReader"),
    }
    assert [role for _, role in grants].count("roles/gkehub.viewer") == 4
    assert operator_grants(made()) == ()


def test_nodes_have_an_account_of_their_own(made: Callable[..., Fleet]) -> None:
    fleet = made()
    assert node_account(fleet.members[0]) == "nodes-tokyo@acme-shop.iam.gserviceaccount.com"


def test_agent_needs_one_more_api_on_the_host(made: Callable[..., Fleet]) -> None:
    api = ("acme-host", "gkeconnect.googleapis.com")
    assert api in apis(made(tokyo=AGENT)) and api not in apis(made())


def test_nothing_is_set_up_in_the_project_of_a_cluster_outside_gke(made: Callable[..., Fleet]) -> None:
    fleet = made(tokyo=AGENT)
    assert fleet.cluster_projects == ("acme-host", "acme-data") and Part().projects(fleet) == ("acme-data",)
    assert not any(project == "acme-shop" for project, _ in (*apis(fleet), *fleet_agent_grants(fleet)))


def rights(fleet: Fleet, index: int = 1) -> dict[str, Right]:
    return {right.name: right for right in cluster_rights(fleet, fleet.clusters[index])}


def test_argocd_has_one_right_on_a_member_and_none_on_the_hub(made: Callable[..., Fleet]) -> None:
    fleet = made()
    assert rights(fleet, 0) == {}
    assert rights(fleet) == {
        CLUSTER_ROLE: Right(CLUSTER_ROLE, CLUSTER_ROLE, cluster_role_rules(), (Subject("User", ACCOUNT),))
    }


def test_terminals_are_a_right_apart(made: Callable[..., Fleet]) -> None:
    found = rights(made(argocd="  exec: true\n"))
    assert found[EXEC_ROLE].subjects == (Subject("User", SERVER_ACCOUNT),)
    assert found[EXEC_ROLE].rules == [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}]
    assert found[CLUSTER_ROLE].subjects == (Subject("User", ACCOUNT), Subject("User", SERVER_ACCOUNT))
    for rule in found[CLUSTER_ROLE].rules or []:
        assert "create" not in rule["verbs"] or not {"pods/exec", "*"} & set(rule["resources"])


def test_operators_have_the_rights_of_kubernetes_everywhere(made: Callable[..., Fleet]) -> None:
    fleet = made(head=ACCESS)
    for index in range(3):
        found = rights(fleet, index)
        assert {name: right.role for name, right in found.items() if name != CLUSTER_ROLE} == {
            "fleet-operators-reader": "view",
            "fleet-operators-editor": "edit",
            "fleet-operators-admin": "cluster-admin",
        }
        assert found["fleet-operators-reader"].rules is None
        assert found["fleet-operators-reader"].subjects == (
            Subject("Group", "developers@acme.example"),
            Subject("Group", "auditors@acme.example"),
        )


def test_agent_may_speak_for_argocd_and_nobody_else(made: Callable[..., Fleet]) -> None:
    found = rights(made(head=ACCESS, argocd="  exec: true\n", tokyo=AGENT))
    assert set(found) == {IMPERSONATION_ROLE, CLUSTER_ROLE, EXEC_ROLE}
    assert found[IMPERSONATION_ROLE].rules == [
        {
            "apiGroups": [""],
            "resources": ["users"],
            "resourceNames": [ACCOUNT, SERVER_ACCOUNT],
            "verbs": ["impersonate"],
        }
    ]
    assert found[IMPERSONATION_ROLE].subjects == (
        Subject("ServiceAccount", "connect-agent-sa", "gke-connect"),
    )
    assert IMPERSONATION_ROLE not in rights(made())


def test_subjects_are_written_as_kubernetes_does() -> None:
    assert Subject("User", "a").manifest() == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "User",
        "name": "a",
    }
    assert Subject("ServiceAccount", "a", "b").manifest() == {
        "kind": "ServiceAccount",
        "name": "a",
        "namespace": "b",
    }
