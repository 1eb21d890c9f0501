"""Who reaches the private address of a cluster's control plane.

Owns the packets' side of it, not the requests'. A private address is reached from inside the cluster's
network only; from another region only with global access
(https://cloud.google.com/kubernetes-engine/docs/concepts/private-cluster-concept); and, where authorized
networks are set, from their ranges and from the cluster's own subnetwork. A Pod's packets to private
addresses keep the Pod's address, so it is the range of Pods that must be authorized.

Whatever does not reach times out on Google Cloud; here it is told so at once, in the same words.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.cloud.memberships import CLUSTER, region
from sandbox.cloud.networks import Networks, network_name, subnetwork_name
from sandbox.cloud.store import Record, Store

_PRIVATE = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_Range = ipaddress.IPv4Network


class Unreachable(Exception):
    """No packet gets there. The message has the words of Go's net package, which is what users of kubectl and
    of Argo CD read."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a cluster is: network and subnetwork (`projects/...`), and its Pods' range if that is known."""

    network: str
    subnetwork: str
    pods: _Range | None


def private(host: str) -> bool:
    """Whether a host is an IPv4 address of private use (RFC 1918)."""
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE)


class Reach:
    """The networks of the clusters that there are."""

    def __init__(self, store: Store, networks: Networks) -> None:
        self._store = store
        self._networks = networks

    def cluster(self, address: str, caller: Record | None) -> Record:
        """The cluster that answers at a private address for a caller.

        `caller` is the cluster in whose Pods the caller runs, None for one outside every network. Raises
        Unreachable.
        """
        there = [
            record
            for record in self._store.of(CLUSTER)
            if record.state == "RUNNING" and _private_address(record) == address
        ]
        reason = "nothing in the caller's network has this address"
        if caller is None:
            there, reason = [], "the caller is in no network of Google Cloud"
        for record in there:
            assert caller is not None
            reason = self._obstacle(record, caller)
            if not reason:
                return record
        raise Unreachable(f"dial tcp {address}:443: i/o timeout (sandbox: {reason})")

    def _obstacle(self, cluster: Record, caller: Record) -> str:
        """What stops the packets of a caller's Pods, "" if nothing does."""
        here, there = self._place(caller), self._place(cluster)
        if here.network != there.network:
            return f"{caller.id} is in {here.network}, the address in {there.network}"
        own, far = region(str(caller.inputs["location"])), region(str(cluster.inputs["location"]))
        settings = cluster.inputs.get("privateClusterConfig") or {}
        if own != far and not (settings.get("masterGlobalAccessConfig") or {}).get("enabled"):
            return f"{cluster.id} has no global access, and the caller is in {own}"
        authorized = cluster.inputs.get("masterAuthorizedNetworksConfig")
        if authorized is None or here.subnetwork == there.subnetwork:
            return ""
        ranges = list(_ranges(authorized))
        if here.pods is not None and any(here.pods.subnet_of(range_) for range_ in ranges):
            return ""
        listed = ", ".join(str(range_) for range_ in ranges) or "nothing"
        return f"the Pods of {caller.id} ({here.pods or 'unknown'}) are not authorized; authorized: {listed}"

    def _place(self, cluster: Record) -> _Place:
        project, where = str(cluster.inputs["project"]), region(str(cluster.inputs["location"]))
        network = network_name(str(cluster.inputs.get("network") or "default"), project)
        given = str(cluster.inputs.get("subnetwork") or "default")
        subnetwork = subnetwork_name(given, network.split("/")[1], where)
        policy = cluster.inputs.get("ipAllocationPolicy") or {}
        ranges = next((one.secondary for one in self._networks.subnetworks() if one.id == subnetwork), {})
        pods = ranges.get(str(policy.get("clusterSecondaryRangeName")))
        return _Place(
            network=network,
            subnetwork=subnetwork,
            pods=ipaddress.IPv4Network(pods) if pods else None,
        )


def _private_address(cluster: Record) -> str:
    """The private address of a cluster's control plane, "" if its addresses are turned off."""
    endpoints = cluster.inputs.get("controlPlaneEndpointsConfig") or {}
    if (endpoints.get("ipEndpointsConfig") or {}).get("enabled") is False:
        return ""
    return str((cluster.outputs.get("privateClusterConfig") or {}).get("privateEndpoint") or "")


def _ranges(authorized: Mapping[str, Any]) -> Iterator[_Range]:
    for block in authorized.get("cidrBlocks") or []:
        yield ipaddress.IPv4Network(str(block["cidrBlock"]))
