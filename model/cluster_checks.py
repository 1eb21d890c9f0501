"""What holds inside one entry of `clusters`: which keys go together, by how the cluster joins and is reached.

Owns no form of a single value, and nothing between two clusters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from model.cluster import Cluster
from model.document import Document, Step, Told
from model.identity import SECRETS_ADDON
from model.network_checks import subnetwork_problems
from model.problems import Problem, did_you_mean
from model.vocabulary import Endpoint, Join, Mode

Path = tuple[Step, ...]

_OF_CREATED = (
    "mode",
    "node_pools",
    "channel",
    "maintenance",
    "encryption_key",
    "network",
    "new_subnetwork",
    "authorized_networks",
)
"""Keys that say how a cluster is created: of an existing one its owner has decided all that."""


def cluster_problems(
    document: Document, at: Path, cluster: Cluster, projects: Mapping[str, Any]
) -> Iterator[Problem]:
    """Every mistake in one entry that could be read; `at` is its path, `projects` those of the fleet."""

    told = document.below(at)
    if cluster.project not in projects:
        near = did_you_mean(cluster.project, projects)
        remedy = f'add `{cluster.project}: "NUMBER"` to projects, or: {near}'
        yield told(("project",), cluster.project, "that project is not among `projects`", remedy)
    yield from _leaving(told, cluster)
    yield from _joining(told, cluster)
    yield from _nodes(told, cluster)
    yield from subnetwork_problems(told, cluster)
    yield from _endpoint(told, cluster)
    yield from _agent(told, cluster)
    yield from _addons(told, cluster)
    yield from _secrets(told, cluster)
    if cluster.is_hub and "cell" in cluster.model_fields_set:
        yield told(
            ("cell",),
            cluster.cell,
            "a cell is a part of the members",
            "drop the line: the hub is a part alone",
        )


def _leaving(told: Told, cluster: Cluster) -> Iterator[Problem]:
    if cluster.is_leaving and cluster.workloads is None:
        why = "a leaving cluster has to say what becomes of what was delivered to it"
        yield told(("lifecycle",), "leaving", why, "add `workloads: keep` or `workloads: remove`")
    if not cluster.is_leaving and cluster.workloads is not None:
        remedy = "drop the line, or set `lifecycle: leaving`"
        why = "that means something only while a cluster is leaving"
        yield told(("workloads",), cluster.workloads.value, why, remedy)
    if cluster.is_leaving and cluster.is_hub:
        why = "the hub runs Argo CD; without it nothing delivers"
        yield told(("lifecycle",), "leaving", why, "end the whole fleet with `pulumi destroy` instead")


def _joining(told: Told, cluster: Cluster) -> Iterator[Problem]:
    if cluster.is_created:
        if cluster.membership is not None:
            why = "GKE registers a cluster that it creates as a regional membership of the same name"
            yield told(("membership",), cluster.membership.id, why, "drop it, or use `join: registered`")
        key = cluster.encryption_key
        if key is not None and key.split("/")[3] != cluster.location:
            why = f"the key is in {key.split('/')[3]}, and the cluster in {cluster.location}"
            yield told(("encryptionKey",), key, why, f"name a key of {cluster.location}: GKE takes no other")
        return
    for name in _OF_CREATED:
        if name in cluster.model_fields_set:
            key, value = type(cluster).model_fields[name].alias or name, getattr(cluster, name)
            why = "the cluster exists, and this says how to create one"
            shown = value if isinstance(value, str) else None
            yield told((key,), shown, why, "drop it, or use `join: create`")


def _nodes(told: Told, cluster: Cluster) -> Iterator[Problem]:
    if not cluster.is_created:
        return
    if cluster.mode is Mode.STANDARD and not cluster.node_pools:
        why = "a standard cluster has the nodes that it is given, and this one is given none"
        remedy = "add `nodePools:` with one entry at least, or drop `mode: standard`"
        yield told(("nodePools",), None, why, remedy)
    if cluster.mode is Mode.AUTOPILOT and cluster.node_pools:
        why = "Autopilot makes nodes as pods need them, and takes no pools"
        yield told(("nodePools",), None, why, "drop them, or write `mode: standard`")
    seen: dict[str, int] = {}
    for index, pool in enumerate(cluster.node_pools):
        if pool.name in seen:
            why = f"nodePools[{seen[pool.name]}] has that name already"
            yield told(("nodePools", index, "name"), pool.name, why, "give each pool a name of its own")
        seen.setdefault(pool.name, index)
        for taint, count in Counter((taint.key, taint.effect) for taint in pool.taints).items():
            if count > 1:
                why = f"the key {taint[0]} has the effect {taint[1].value} twice"
                yield told(("nodePools", index, "taints"), taint[0], why, "keep one of the two")


def _endpoint(told: Told, cluster: Cluster) -> Iterator[Problem]:
    dns, private = cluster.dns_host, cluster.private_endpoint
    if cluster.is_hub:
        why = "Argo CD runs on the hub and reaches it from inside"
        for name in ("endpoint", "dns_host", "private_endpoint"):
            if name in cluster.model_fields_set:
                key = type(cluster).model_fields[name].alias or name
                yield told(
                    (key,), cluster.endpoint.value if key == "endpoint" else None, why, "drop the line"
                )
        return
    way = cluster.endpoint
    known = "Google gives a new cluster its address, and this program reads it from there"
    if dns is not None and cluster.is_created:
        yield told(("dnsHost",), dns, known, "drop the line")
    elif dns is not None and way is not Endpoint.DNS:
        why = f"the cluster is reached by {way.value}"
        yield told(("dnsHost",), dns, why, "drop the line, or write `endpoint: dns`")
    elif dns is None and way is Endpoint.DNS and not cluster.is_created:
        why = "this program did not create the cluster and cannot know the host of its DNS endpoint"
        remedy = "add `dnsHost:` as `gcloud container clusters describe` prints it"
        yield told(("dnsHost",), None, why, remedy)
    elif dns is not None and dns.split(".")[1] != cluster.location:
        why = f"that endpoint is in {dns.split('.')[1]}, and the cluster in {cluster.location}"
        yield told(("dnsHost",), dns, why, "write the host of this cluster")
    if private is not None and cluster.is_created:
        yield told(("privateEndpoint",), private.address, known, "drop it")
    elif private is not None and way is not Endpoint.PRIVATE:
        why = f"the cluster is reached by {way.value}"
        yield told(("privateEndpoint",), private.address, why, "drop it, or write `endpoint: private`")
    elif private is None and way is Endpoint.PRIVATE and not cluster.is_created:
        why = "this program did not create the cluster and cannot know its private address"
        remedy = "add `privateEndpoint:` with `address` and `caCertificate`"
        yield told(("privateEndpoint",), None, why, remedy)
    if way is Endpoint.PRIVATE and cluster.is_created and not cluster.authorized_networks:
        why = "no network may call the private address, the hub's neither"
        yield told(
            ("authorizedNetworks",), None, why, "add `authorizedNetworks:` with the hub's ranges by name"
        )


def _agent(told: Told, cluster: Cluster) -> Iterator[Problem]:
    if not cluster.has_agent or cluster.is_created:
        return
    if cluster.join is not Join.REGISTERED:
        why = "this program registers GKE clusters, and those need no Connect agent"
        yield told(("membership", "agent"), "true", why, "drop the line, or use `join: registered`")
    if cluster.is_hub:
        why = "the hub is a GKE cluster: Argo CD's identity comes from its Workload Identity"
        yield told(("membership", "agent"), "true", why, "drop the line")
    elif cluster.endpoint is not Endpoint.GATEWAY:
        why = "a cluster outside GKE is reached through its Connect agent alone"
        yield told(("endpoint",), cluster.endpoint.value, why, "drop the line")
    if cluster.secrets:
        why = "a cluster outside GKE has no Workload Identity that this program knows"
        yield told(("secrets",), None, why, "drop it, and give its External Secrets a login of its own")


def _addons(told: Told, cluster: Cluster) -> Iterator[Problem]:
    for name in cluster.addons:
        if name in cluster.exclude:
            why = "the cluster excludes that add-on and changes it too"
            yield told(("addons", name), name, why, "keep one of `addons` and `exclude`")
        elif cluster.addons[name].version is None and not cluster.addons[name].values:
            remedy = "give `version` or `values`, or drop the entry"
            yield told(("addons", name), name, "the entry changes nothing", remedy)


def _secrets(told: Told, cluster: Cluster) -> Iterator[Problem]:
    if cluster.secrets and SECRETS_ADDON in cluster.exclude:
        why = f"the cluster excludes {SECRETS_ADDON}, and nothing else reads them"
        yield told(("secrets",), None, why, f"drop it, or take {SECRETS_ADDON} out of `exclude`")
    for secret, count in Counter(cluster.secrets).items():
        if count > 1:
            yield told(
                ("secrets",), secret, f"secret {secret} is listed {count} times", "list every secret once"
            )
