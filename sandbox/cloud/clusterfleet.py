"""Registering clusters in a fleet: what must be granted before, and the membership that comes of it.

Owns the cross-project rule of fleets: the fleet host project's GKE Hub service agent needs
`roles/gkehub.serviceAgent` on the host and on the cluster's project, and
`roles/gkehub.crossProjectServiceAgent` on the cluster's project. A grant that is missing is refused at once;
one that is there but does not count yet is waited for, as the minutes that a real cluster takes would.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable

from sandbox.cloud import rules
from sandbox.cloud.iam import Iam
from sandbox.cloud.memberships import CLUSTER, MEMBERSHIP, Membership, gke_cluster, memberships, region
from sandbox.cloud.organization import Organization
from sandbox.cloud.refusal import Refusal, api_disabled, denied, exists
from sandbox.cloud.store import Record, Store

FLEET = "gcp:gkehub/fleet:Fleet"


class Registration:
    """Checks and makes memberships."""

    def __init__(self, store: Store, organization: Organization, iam: Iam, now: Callable[[], float]) -> None:
        self._store = store
        self._organization = organization
        self._iam = iam
        self._now = now

    def check(self, record: Record) -> None:
        """Refuse a cluster or a Membership that may not register. Fine for what does not register at all."""
        host, cluster = self._parties(record)
        if not host or not cluster:
            return
        project = self._organization.project(host)
        # That the cluster's project needs the API too is not documented; people enable it there.
        for member in (project, self._organization.project(cluster.split("/")[1])):
            if "gkehub.googleapis.com" not in member.apis | self._store.enabled(member.id):
                raise api_disabled("gkehub.googleapis.com", member.number)
        if self._effective_at(project.id, cluster) == float("inf"):
            raise denied(
                "hub default service account does not have access to the GKE cluster project for "
                f'"//container.googleapis.com/{cluster}"'
            )
        for other in memberships(self._store, self._organization):
            if other.cluster == cluster:
                raise _registered(self._wanted(record, project.id), other)

    async def effective(self, record: Record) -> None:
        """Wait until the service agent's grants count."""
        host, cluster = self._parties(record)
        if host and cluster:
            await asyncio.sleep(
                max(0.0, self._effective_at(self._organization.project(host).id, cluster) - self._now())
            )

    def register(self, record: Record, keep: Record | None = None) -> None:
        """Write the membership of a cluster into its outputs (`fleet`), if it has one.

        Named after the cluster, with a suffix if that name is taken in the region. `keep` is the same cluster
        before an update: it keeps its membership.
        """
        host = rules.fleet_project(record.inputs)
        if not host:
            return
        before = (keep.outputs.get("fleet") or {}) if keep else {}
        if before.get("membership"):
            record.outputs["fleet"] = before
            return
        project = self._organization.project(host).id
        location = region(str(record.inputs["location"]))
        taken = {
            (other.host, other.location, other.id) for other in memberships(self._store, self._organization)
        }
        name = str(record.inputs["name"])
        if (project, location, name) in taken:
            name = f"{name}-{hashlib.sha256(record.id.encode()).hexdigest()[:4]}"
        record.outputs["fleet"] = {
            **record.inputs["fleet"],
            "membership": f"//gkehub.googleapis.com/projects/{project}/locations/{location}/memberships/{name}",
            "membershipId": name,
            "membershipLocation": location,
            "preRegistered": False,
        }
        self._begin_fleet(project)

    def ensure_fleet(self, record: Record) -> None:
        """A Membership's host has a fleet from then on, if it had none."""
        if record.type == MEMBERSHIP:
            host, _ = self._parties(record)
            self._begin_fleet(self._organization.project(host).id)

    def _begin_fleet(self, project: str) -> None:
        id_ = f"projects/{project}/locations/global/fleets/default"
        if self._store.get(FLEET, id_) is None:
            self._store.put(
                Record(
                    type=FLEET,
                    id=id_,
                    inputs={"project": project},
                    outputs={"project": project},
                    created=self._now(),
                )
            )

    def _parties(self, record: Record) -> tuple[str, str]:
        """The fleet host project as named in the inputs, and the id of the GKE cluster; "" for what there is
        not.
        """
        if record.type == CLUSTER:
            return rules.fleet_project(record.inputs), record.id
        if record.type == MEMBERSHIP:
            return str(record.inputs["project"]), gke_cluster(record.inputs)
        return "", ""

    def _effective_at(self, host: str, cluster: str) -> float:
        project = self._organization.project(cluster.split("/")[1]).id
        if project == host:
            return 0.0
        agent = f"service-{self._organization.number(host)}@gcp-sa-gkehub.iam.gserviceaccount.com"
        return max(
            self._iam.effective(agent, "roles/gkehub.serviceAgent", host),
            self._iam.effective(agent, "roles/gkehub.serviceAgent", project),
            self._iam.effective(agent, "roles/gkehub.crossProjectServiceAgent", project),
        )

    def _wanted(self, record: Record, host: str) -> str:
        if record.type == MEMBERSHIP:
            return record.id
        location = region(str(record.inputs["location"]))
        return f"projects/{host}/locations/{location}/memberships/{record.inputs['name']}"


def _registered(wanted: str, there: Membership) -> Refusal:
    prefix = "//gkehub.googleapis.com/"
    return exists(
        f"Error code 6, message: intend to register the cluster with resource: {prefix}{wanted}, but the "
        f"cluster is already registered with resource: {prefix}{there.name}"
    )
