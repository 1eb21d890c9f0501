"""Ranges of addresses: how great they have to be, and that no two of one network overlap.

Owns the limits: those of VPC-native clusters with the usual 110 pods a node
(https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips). They were not tried against Google, which has
the last word. A project has one created network, so every range of its clusters has to be apart; networks of two
projects are two worlds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network

from model.cluster import Cluster
from model.document import Document, Step, Told
from model.node_pool import ZONES
from model.problems import Problem
from model.vocabulary import Endpoint, Mode

Path = tuple[Step, ...]

_SIZES = {"nodes": (9, 28), "pods": (9, 21), "services": (16, 27)}
"""Shortest and longest prefix of each range."""

_NODE_PODS = 24
"""Prefix of the range that a node of a Standard cluster takes for its pods (110 at most)."""

_RESERVED = 4
"""Addresses of every subnetwork that Google keeps."""


def subnetwork_problems(told: Told, cluster: Cluster) -> Iterator[Problem]:
    """What is wrong with the network of one cluster; `told` makes a problem of a path inside its entry."""
    if not cluster.is_created:
        return
    network, new = cluster.network, cluster.new_subnetwork
    if network is not None and new is not None:
        why = "the cluster is in the existing network already"
        yield told(("newSubnetwork",), None, why, "keep one of `network` and `newSubnetwork`")
    if network is not None:
        yield from _existing(told, cluster)
    if new is None:
        return
    for name, (shortest, longest) in _SIZES.items():
        text = getattr(new, name)
        length = IPv4Network(text).prefixlen
        if not shortest <= length <= longest:
            why = f"a range of {name} is between /{shortest} and /{longest}"
            size = "small" if length > longest else "great"
            yield told(
                ("newSubnetwork", name),
                text,
                f"it is too {size}: {why}",
                f"write a /{longest} or greater" if length > longest else f"write a /{shortest} or smaller",
            )
    if cluster.mode is Mode.STANDARD and cluster.node_pools:
        wanted = ZONES * sum(pool.max_nodes for pool in cluster.node_pools)
        rooms = (
            {
                "nodes": IPv4Network(new.nodes).num_addresses - _RESERVED,
                "pods": max(0, 2 ** (_NODE_PODS - IPv4Network(new.pods).prefixlen)),
            }
            if IPv4Network(new.pods).prefixlen <= _NODE_PODS
            else {}
        )
        for name, room in rooms.items():
            if wanted > room:
                why = (
                    f"the node pools may grow to {wanted} nodes in {ZONES} zones, and it has room for {room}"
                )
                remedy = "write a greater range, or a smaller `maxNodes`"
                yield told(("newSubnetwork", name), getattr(new, name), why, remedy)


def _existing(told: Told, cluster: Cluster) -> Iterator[Problem]:
    network = cluster.network
    assert network is not None
    path = network.subnetwork.split("/")
    if len(path) > 1 and path[3] != cluster.location:
        why = f"the subnetwork is in {path[3]}, and the cluster in {cluster.location}"
        yield told(
            ("network", "subnetwork"), network.subnetwork, why, f"name a subnetwork of {cluster.location}"
        )
    owner = network.network.split("/")[1] if "/" in network.network else cluster.project
    subnetwork_owner = path[1] if len(path) > 1 else cluster.project
    if owner != subnetwork_owner:
        why = f"the network is of project {owner}, and the subnetwork of {subnetwork_owner}"
        remedy = "name both in full, of one project"
        yield told(("network", "subnetwork"), network.subnetwork, why, remedy)
    elif owner != cluster.project:
        for name in ("pods", "services"):
            if getattr(network, name) is None:
                why = "in a network of another project GKE makes no ranges by itself"
                remedy = f"add `{name}:` and the name of the subnetwork's secondary range for them"
                yield told(("network", name), None, why, remedy)


def range_problems(document: Document, clusters: Mapping[int, Cluster]) -> list[Problem]:
    """What overlaps between the ranges of a project; and members that do not let the hub in."""
    return [*_overlaps(document, clusters), *_shut_out(document, clusters)]


def _overlaps(document: Document, clusters: Mapping[int, Cluster]) -> Iterator[Problem]:
    projects: dict[str, list[tuple[IPv4Network, int, str]]] = {}
    for index, cluster in clusters.items():
        if cluster.new_subnetwork is None or not cluster.is_created:
            continue
        for name in _SIZES:
            found = (IPv4Network(getattr(cluster.new_subnetwork, name)), index, name)
            projects.setdefault(cluster.project, []).append(found)
    for ranges in projects.values():
        # Sorted by where they begin, a range can overlap only with the one that reaches furthest before it.
        ranges.sort(key=lambda entry: (entry[0].network_address, entry[0].prefixlen, entry[1]))
        furthest: tuple[IPv4Network, int, str] | None = None
        for entry in ranges:
            if furthest is not None and furthest[0].overlaps(entry[0]):
                # Told at the entry that stands later in the file.
                earlier, later = sorted(
                    (furthest, entry), key=lambda one: (one[1], list(_SIZES).index(one[2]))
                )
                whose = "its own" if earlier[1] == later[1] else f"cluster {clusters[earlier[1]].name}'s"
                why = f"it overlaps with {whose} {earlier[2]}, {earlier[0]}"
                remedy = "choose ranges that share no address: they are in one network"
                yield document.problem(
                    ("clusters", later[1], "newSubnetwork", later[2]), str(later[0]), why, remedy
                )
            if furthest is None or entry[0].broadcast_address > furthest[0].broadcast_address:
                furthest = entry


def _shut_out(document: Document, clusters: Mapping[int, Cluster]) -> Iterator[Problem]:
    hub = next((cluster for cluster in clusters.values() if cluster.is_hub), None)
    if hub is None or hub.new_subnetwork is None:
        return
    pods = IPv4Network(hub.new_subnetwork.pods)
    for index, cluster in clusters.items():
        let_in = [IPv4Network(text) for text in cluster.authorized_networks.values()]
        private = cluster.endpoint is Endpoint.PRIVATE and cluster.is_created and not cluster.is_hub
        if private and let_in and not any(pods.subnet_of(network) for network in let_in):
            why = f"Argo CD calls from the hub's pods, {pods}, and no network here holds them"
            remedy = f"add `hub: {pods}`"
            yield document.problem(("clusters", index, "authorizedNetworks"), None, why, remedy)
