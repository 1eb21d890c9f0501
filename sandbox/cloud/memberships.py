"""The memberships of the fleet, derived from the stored clusters and memberships.

Owns who is a member under which name. Two ways lead in (https://cloud.google.com/kubernetes-engine/fleet-management/docs/register/gke):
a cluster born in a fleet has a regional membership named after it; a `gkehub.Membership` has the location it
asks for, by default `global`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.cloud.organization import Organization
from sandbox.cloud.store import Store

CLUSTER = "gcp:container/cluster:Cluster"
MEMBERSHIP = "gcp:gkehub/membership:Membership"
_MEMBERSHIP_NAME = re.compile(r"projects/([^/]+)/locations/([^/]+)/memberships/([^/]+)$")
_RESOURCE_LINK = "//container.googleapis.com/"
_ZONE = re.compile(r"^([a-z0-9]+-[a-z0-9]+)(-[a-z])?$")


@dataclass(frozen=True, kw_only=True)
class Membership:
    """A member of a fleet. `host` is the fleet host project's id; `cluster` the id of its GKE cluster, "" for
    a cluster elsewhere; `born` tells the cluster's own registration from a Membership resource. `machine` names the
    cluster below `STATE/clusters` behind it, "" if there is none."""

    host: str
    location: str
    id: str
    cluster: str
    born: bool
    machine: str

    @property
    def name(self) -> str:
        """The resource name, `projects/HOST/locations/L/memberships/M`."""
        return f"projects/{self.host}/locations/{self.location}/memberships/{self.id}"

    @property
    def collection(self) -> str:
        """What the gateway's URLs call it."""
        return "gkeMemberships" if self.cluster else "memberships"


def region(location: str) -> str:
    """The region of a location: a zone's region, a region itself."""
    match = _ZONE.match(location)
    return match[1] if match else location


def memberships(store: Store, organization: Organization) -> Iterator[Membership]:
    """Every membership there is now. A cluster's own begins when the cluster runs."""
    for record in store.of(CLUSTER):
        fleet = record.outputs.get("fleet")
        if record.state == "RUNNING" and fleet and fleet.get("membership"):
            yield _read(
                organization, fleet["membership"], cluster=record.id, born=True, machine=record.machine
            )
    for record in store.of(MEMBERSHIP):
        cluster = gke_cluster(record.inputs)
        behind = store.get(CLUSTER, cluster) if cluster else record
        machine = behind.machine if behind is not None else ""
        yield _read(organization, record.id, cluster=cluster, born=False, machine=machine)


def gke_cluster(inputs: Mapping[str, Any]) -> str:
    """The id of the GKE cluster that a Membership resource registers, "" if it is none."""
    endpoint = inputs.get("endpoint") or {}
    link = (endpoint.get("gkeCluster") or {}).get("resourceLink", "")
    return str(link).removeprefix(_RESOURCE_LINK)


def _read(organization: Organization, name: str, *, cluster: str, born: bool, machine: str) -> Membership:
    match = _MEMBERSHIP_NAME.search(name)
    assert match is not None, name
    return Membership(
        host=organization.project(match[1]).id,
        location=match[2],
        id=match[3],
        cluster=cluster,
        born=born,
        machine=machine,
    )
