"""The tables of docs/clusters.md say what the graph has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

import pytest

from tests.program.graph import CHECKOUT, Graph, Resource

pytestmark = pytest.mark.engine

PAGE = CHECKOUT / "docs" / "clusters.md"
MEMBERS = {
    "create, Autopilot, existing network": "create-gateway",
    "create, Standard with one pool, existing network, dns": "create-dns",
    "create, Autopilot, created subnetwork with NAT": "create-own-network",
    "create, Autopilot, created subnetwork without NAT, private": "create-private",
    "register, gateway": "register-gateway",
    "register, dns": "register-dns",
    "register, private": "register-private",
    "registered, gateway": "registered-gateway",
    "registered, dns": "registered-dns",
    "registered, private": "registered-private",
    "registered, agent": "registered-agent",
}
"""Row -> a cluster of everything.fleet.yaml that is so."""


def by_component(graph: Graph) -> dict[tuple[str, str], list[Resource]]:
    """Custom resources by (type, name) of the component under `Fleet` that they belong to."""
    found: dict[tuple[str, str], list[Resource]] = {}
    for resource in graph:
        if not resource.is_custom:
            continue
        top = resource
        while (parent := graph.resources.get(str(top.state.get("parent", "")))) is not None:
            if parent.type in ("gke-fleet:index:Fleet", "pulumi:pulumi:Stack"):
                break
            top = parent
        found.setdefault((top.type.rpartition(":")[2], top.name), []).append(resource)
    return found


def members_table(graph: Graph) -> str:
    components = by_component(graph)
    rows = [
        "| member | at Google Cloud | in the member | Provider | on the hub | all |",
        "|---|---|---|---|---|---|",
    ]
    for row, name in MEMBERS.items():
        own = Counter(found.type.partition(":")[0] for found in components["MemberCluster", name])
        hub = len(components["ClusterSecret", name])
        counts = (own["gcp"], own["kubernetes"], own["pulumi"], hub, sum(own.values()) + hub)
        rows.append(f"| {row} | {' | '.join(map(str, counts))} |")
    return "\n".join(rows)


def more_table(fleets: Mapping[str, Graph]) -> str:
    plain, rich = by_component(fleets["one-account"]), by_component(fleets["everything"])
    network = Counter(found.type.rpartition(":")[2] for found in plain["Network", "acme-all-shop"])
    added = [found.name for found in rich["MemberCluster", "create-gateway"]]
    terminals = [name for name in added if name.endswith("-exec")]
    operators = [name for name in added if "-operators-" in name]
    assert len(added) == len(plain["MemberCluster", "create-gateway"]) + len(terminals) + len(operators)
    rows = {
        "each project of clusters": len(plain["ClusterProject", "acme-all-shop"]),
        "each project with a member that is reached by dns": len(plain["DnsEndpoint", "acme-all-old"]),
        "each project with a created network": network["Network"],
        "each region of such a project with NAT": network["Router"],
        "each secret that External Secrets may read": len(plain["SecretAccess", "acme-all-data"]),
        "each cluster, where people open terminals (`argocd.exec`)": len(terminals),
        "each cluster that is no agent's, per kind of operators' access in use": len(operators) // 3,
        "each members stack of a fleet in parts: a way to the hub": len(
            by_component(fleets["everything-one"])["HubCluster", "all-hub"]
        ),
    }
    return "\n".join(
        ["| for | resources |", "|---|---|", *(f"| {row} | {count} |" for row, count in rows.items())]
    )


def written(name: str) -> str:
    """The table of the page between two markers."""
    found = re.search(
        rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found is not None, name
    return found[1]


def test_resources_of_a_member(fleets: Mapping[str, Graph]) -> None:
    assert written("members") == members_table(fleets["one-account"])


def test_resources_of_everything_else(fleets: Mapping[str, Graph]) -> None:
    assert written("more") == more_table(fleets)


def test_every_way_in_the_page_is_counted(fleets: Mapping[str, Graph]) -> None:
    members = {found.name for found in fleets["one-account"].of_type("gke-fleet:index:MemberCluster")}
    assert members == set(MEMBERS.values())
