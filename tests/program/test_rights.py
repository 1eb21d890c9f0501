"""docs/rights.md is what the programs grant: nothing is left out, nothing unexplained, nothing that nobody may have.

Read from previews on paper. Not proven here: that a role permits at Google what the page says of it, nor that each
grant is needed (tests of the sandbox take them away one by one).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.tools import ensure
from tests.program.graph import CHECKOUT, Graph
from whatif.rights import (
    IDENTITIES,
    PAGE,
    PERMITS,
    STACK,
    WHY,
    Resource,
    Right,
    UnexplainedRight,
    made,
    page,
    rights,
)

HOST = "acme-host"
AGENT = "serviceAccount:service-1@gcp-sa-gkehub.iam.gserviceaccount.com"
ARGOCD = f"serviceAccount:argocd-hub@{HOST}.iam.gserviceaccount.com"
DEPLOYER = f"serviceAccount:deployer@{HOST}.iam.gserviceaccount.com"

SERVER_ITSELF = (
    "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/acme-hub.svc.id.goog"
    "/subject/ns/argocd/sa/argocd-server"
)


def resource(type_: str, inputs: Mapping[str, Any], name: str = "one") -> Resource:
    return {"urn": f"urn:pulumi:s::p::{type_}::{name}", "type": type_, "name": name, "inputs": inputs}


def grant(member: str, role: str, project: str = HOST) -> Resource:
    inputs = {"member": member, "role": role, "project": project}
    return resource("gcp:projects/iAMMember:IAMMember", inputs)


def of(graph: Graph) -> list[Resource]:
    return [
        {"urn": each.urn, "type": each.type, "name": each.name, "inputs": each.inputs}
        for each in graph
        if each.op != "delete"
    ]


@pytest.mark.engine
def test_the_page_is_fresh() -> None:
    tools = ensure("pulumi", lambda text: print(text, file=sys.stderr))
    assert PAGE.read_text(encoding="utf-8") == made(CHECKOUT, STACK, tools / "pulumi"), (
        "run: python -m whatif.rights"
    )


@pytest.mark.engine
def test_every_right_of_every_kind_of_fleet_is_explained(fleets: Mapping[str, Graph]) -> None:
    found: set[Right] = set()
    for graph in fleets.values():
        resources = of(graph)
        own = rights(resources)
        given = [each for each in resources if "member" in each["inputs"] or "subjects" in each["inputs"]]
        subjects = sum(len(each["inputs"].get("subjects", [1])) for each in given)
        assert len(own) == subjects > 0, "each grant is one line"
        found |= set(own)
    # A principal where nobody opens terminals: none of those fleets has that.
    found |= set(rights([grant(SERVER_ITSELF, "roles/gkehub.gatewayEditor")]))
    seen = {(right.who, right.role) for right in found}
    bootstraps = {"The deployer", "The preview account", "Workflows on GitHub"}
    assert {pair for pair in WHY if pair[0] not in bootstraps} == seen, "no reason outlives its grant"


def test_there_are_words_for_everything_and_no_more() -> None:
    assert {role for _, role in WHY} == set(PERMITS)
    assert {who for who, _ in WHY} == set(IDENTITIES)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (grant(AGENT, "roles/pubsub.admin"), "what roles/pubsub.admin permits"),
        (grant(AGENT, "roles/gkehub.editor"), "why The fleet's service agent needs roles/gkehub.editor"),
        (grant(DEPLOYER, "roles/owner"), "roles/owner on acme-host, which nobody may have"),
        (grant("user:somebody@acme.example", "roles/gkehub.viewer"), "no identity user:somebody"),
        (grant("allUsers", "roles/gkehub.viewer"), "no identity allUsers"),
        (grant("serviceAccount:ci@x.iam.gserviceaccount.com", "roles/gkehub.viewer"), "no identity"),
        (resource("gcp:pubsub/topicIAMMember:TopicIAMMember", {}), "cannot read grants of this type"),
        (resource("gcp:projects/iAMPolicy:IAMPolicy", {}), "cannot read grants of this type"),
        (resource("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", {}), "cannot read grants"),
        (resource("gcp:serviceaccount/key:Key", {}), "no account gets a key"),
    ],
)
def test_a_right_that_nobody_explained_is_refused(given: Resource, told: str) -> None:
    with pytest.raises(UnexplainedRight, match=told):
        rights([given])


def test_argo_cd_with_a_role_of_kubernetes_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PERMITS, "roles/container.developer", "work in clusters")
    monkeypatch.setitem(WHY, ("Argo CD", "roles/container.developer"), "to deliver")
    found = rights([grant(ARGOCD, "roles/container.developer"), grant(DEPLOYER, "roles/container.admin")])
    with pytest.raises(UnexplainedRight, match="passes what RBAC does not"):
        page(found, "s", {})


def test_nobody_but_the_deployer_passes_rbac() -> None:
    admin = Right("Argo CD's pods", "x", "roles/container.admin", "project", HOST)
    with pytest.raises(UnexplainedRight, match="the deployer's alone"):
        page([admin, *rights([grant(DEPLOYER, "roles/container.admin")])], "s", {})


def test_places_of_one_right_are_one_line() -> None:
    found = rights([grant(DEPLOYER, "roles/container.admin", project) for project in ("acme-a", "acme-b")])
    assert "| projects `acme-a`, `acme-b` |" in page(found, "s", {})
