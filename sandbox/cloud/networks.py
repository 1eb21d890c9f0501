"""Networks and subnetworks: which there are, what their ranges are, and who uses them.

Owns names (short, partial and full) and ranges. Wordings are Google's as they are seen in practice; Compute Engine does
not document them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.cloud.memberships import CLUSTER, region
from sandbox.cloud.organization import Organization, Subnetwork
from sandbox.cloud.refusal import Refusal, invalid, not_found
from sandbox.cloud.rules import NETWORK, ROUTER, SUBNETWORK
from sandbox.cloud.store import Record, Store

_LINKS = ("https://www.googleapis.com/compute/v1/", "https://compute.googleapis.com/compute/v1/")
_DEFAULT = "default"


def network_name(given: str, project: str) -> str:
    """`projects/P/global/networks/N` for a name, a path or a link; `project` where it says none."""
    path = _without_host(given)
    if path.startswith("projects/"):
        return path
    return f"projects/{project}/global/networks/{path.rpartition('/')[2]}"


def subnetwork_name(given: str, project: str, where: str) -> str:
    """`projects/P/regions/R/subnetworks/S` for a name, a path or a link; `project` and `where` (a region) where it says
    none.
    """
    path = _without_host(given)
    if path.startswith("projects/"):
        return path
    if path.startswith("regions/"):
        return f"projects/{project}/{path}"
    return f"projects/{project}/regions/{where}/subnetworks/{path.rpartition('/')[2]}"


class Networks:
    """What is stored of networks. Every check raises Refusal."""

    def __init__(self, store: Store, organization: Organization) -> None:
        self._store = store
        self._organization = organization

    def exists(self, name: str) -> bool:
        """Whether there is a network, by its full name."""
        return self._store.get(NETWORK, name) is not None or name in set(self._organization.networks())

    def subnetworks(self) -> Iterator[Subnetwork]:
        """Every subnetwork whose ranges are known."""
        yield from self._organization.subnetworks()
        for record in self._store.of(SUBNETWORK):
            yield _subnetwork(record.inputs)

    def check_network(self, inputs: Mapping[str, Any]) -> None:
        """A network that another team has already."""
        name = network_name(str(inputs["name"]), str(inputs["project"]))
        if name in set(self._organization.networks()):
            raise Refusal(409, "ALREADY_EXISTS", f"The resource '{name}' already exists")

    def check_subnetwork(self, inputs: Mapping[str, Any], before: Record | None = None) -> None:
        """Its network, and that its ranges overlap no other of the network. `before`: the one that it changes."""
        wanted = _subnetwork(inputs)
        self._need(wanted.network)
        if wanted.network.endswith(f"/{_DEFAULT}"):
            raise invalid(
                "Invalid value for field 'resource.network': the sandbox does not make subnetworks in an automatic "
                "network."
            )
        if any(other.id == wanted.id for other in self._organization.subnetworks()):
            raise Refusal(409, "ALREADY_EXISTS", f"The resource '{wanted.id}' already exists")
        own = [("ipCidrRange", wanted.range)] + [
            (f"secondaryIpRanges[{at}].ipCidrRange", text)
            for at, text in enumerate(wanted.secondary.values())
        ]
        parsed = [(field, text, _range(field, text)) for field, text in own]
        for at, (field, text, cidr) in enumerate(parsed):
            for _, earlier_text, earlier in parsed[:at]:
                if cidr.overlaps(earlier):
                    raise _conflict(field, text, f"'{earlier_text}' of the same subnetwork")
            for other in self.subnetworks():
                if other.network != wanted.network or (before is not None and other.id == wanted.id):
                    continue
                for taken in (other.range, *other.secondary.values()):
                    if cidr.overlaps(ipaddress.ip_network(taken)):
                        raise _conflict(
                            field, text, f"existing subnetwork '{other.name}' in region '{other.region}'"
                        )

    def check_router(self, inputs: Mapping[str, Any]) -> None:
        """Its network."""
        self._need(network_name(str(inputs["network"]), str(inputs["project"])))

    def check_nat(self, inputs: Mapping[str, Any]) -> None:
        """Its router."""
        router = _router_name(inputs)
        if self._store.get(ROUTER, router) is None:
            raise not_found(f"The resource '{router}' was not found")

    def check_cluster(self, inputs: Mapping[str, Any]) -> None:
        """The network, the subnetwork and the ranges that a cluster names."""
        project, where = str(inputs["project"]), region(str(inputs["location"]))
        network = network_name(str(inputs.get("network") or _DEFAULT), project)
        given = str(inputs.get("subnetwork") or _DEFAULT)
        if not self.exists(network):
            raise invalid(f'Network "{inputs.get("network") or _DEFAULT}" does not exist.')
        owner = network.split("/")[1]
        name = subnetwork_name(given, owner, where)
        policy = inputs.get("ipAllocationPolicy") or {}
        ranges = {
            "Pod": policy.get("clusterSecondaryRangeName"),
            "Services": policy.get("servicesSecondaryRangeName"),
        }
        found = next((each for each in self.subnetworks() if each.id == name), None)
        if found is not None and found.region != where:
            found = None
        if found is None and not (network.endswith(f"/{_DEFAULT}") and name.endswith(f"/{_DEFAULT}")):
            raise invalid(f'Subnetwork "{given}" does not exist in region "{where}".')
        if found is not None and found.network != network:
            raise invalid(f'Subnetwork "{given}" is not in network "{network}".')
        for kind, wanted in ranges.items():
            if wanted and (found is None or wanted not in found.secondary):
                raise invalid(
                    f'{kind} secondary range "{wanted}" does not exist in network '
                    f'"{network.rpartition("/")[2]}", subnetwork "{name.rpartition("/")[2]}".'
                )
        if ranges["Services"]:
            self._check_services_range(inputs, name, str(ranges["Services"]))

    def refuse_delete(self, record: Record) -> None:
        """Refuse to delete what is in use."""
        for kind, user in self._users(record):
            raise Refusal(
                400,
                "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",
                f"The {kind} resource '{record.id}' is already being used by '{user}'",
            )

    def _users(self, record: Record) -> Iterator[tuple[str, str]]:
        if record.type == NETWORK:
            for user in [*self._store.of(SUBNETWORK), *self._store.of(ROUTER)]:
                if network_name(str(user.inputs["network"]), str(user.inputs["project"])) == record.id:
                    yield "network", user.id
            for cluster in self._store.of(CLUSTER):
                if network_name(_given(cluster, "network"), str(cluster.inputs["project"])) == record.id:
                    yield "network", cluster.id
        elif record.type == SUBNETWORK:
            for cluster in self._store.of(CLUSTER):
                if self._subnetwork_of(cluster.inputs) == record.id:
                    yield "subnetwork", cluster.id

    def _check_services_range(self, inputs: Mapping[str, Any], subnetwork: str, services: str) -> None:
        """Clusters may share a range of Pods, never one of Services."""
        for cluster in self._store.of(CLUSTER):
            policy = cluster.inputs.get("ipAllocationPolicy") or {}
            same = self._subnetwork_of(cluster.inputs) == subnetwork
            if same and policy.get("servicesSecondaryRangeName") == services and not _is(cluster, inputs):
                raise invalid(
                    f'Services range "{services}" in network "{str(inputs.get("network")).rpartition("/")[2]}", '
                    f'subnetwork "{subnetwork.rpartition("/")[2]}" is already used by another cluster.'
                )

    def _subnetwork_of(self, inputs: Mapping[str, Any]) -> str:
        network = network_name(str(inputs.get("network") or _DEFAULT), str(inputs["project"]))
        given = str(inputs.get("subnetwork") or _DEFAULT)
        return subnetwork_name(given, network.split("/")[1], region(str(inputs["location"])))

    def _need(self, network: str) -> None:
        if not self.exists(network):
            raise not_found(f"The resource '{network}' was not found")


def _without_host(given: str) -> str:
    for link in _LINKS:
        given = given.removeprefix(link)
    return given


def _given(cluster: Record, name: str) -> str:
    return str(cluster.inputs.get(name) or _DEFAULT)


def _is(cluster: Record, inputs: Mapping[str, Any]) -> bool:
    return all(cluster.inputs[name] == inputs[name] for name in ("project", "location", "name"))


def _router_name(inputs: Mapping[str, Any]) -> str:
    router = str(inputs["router"])
    if router.startswith("projects/"):
        return router
    return f"projects/{inputs['project']}/regions/{inputs['region']}/routers/{router.rpartition('/')[2]}"


def _subnetwork(inputs: Mapping[str, Any]) -> Subnetwork:
    project = str(inputs["project"])
    return Subnetwork(
        project=project,
        network=network_name(str(inputs["network"]), project),
        region=str(inputs["region"]),
        name=str(inputs["name"]),
        range=str(inputs["ipCidrRange"]),
        secondary={
            str(entry["rangeName"]): str(entry["ipCidrRange"])
            for entry in inputs.get("secondaryIpRanges") or ()
        },
    )


def _range(field: str, text: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(text)
    except ValueError as error:
        raise invalid(
            f"Invalid value for field 'resource.{field}': '{text}'. Must be a CIDR address range: {error}."
        ) from None


def _conflict(field: str, text: str, other: str) -> Refusal:
    return invalid(
        f"Invalid value for field 'resource.{field}': '{text}'. Invalid IPCidrRange: {text} conflicts with {other}."
    )
