"""A fleet file as far as it can be read, and every mistake in it.

Owns what holds in its head and between its clusters. What holds inside one entry is checked in
`model.cluster_checks`, what holds between ranges of addresses in `model.network_checks`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from model.argocd_settings import Identity
from model.cluster import Cluster
from model.cluster_checks import cluster_problems
from model.document import Document, Step
from model.entry import mapping, parsed
from model.fleet import Fleet, FleetHead
from model.network_checks import range_problems
from model.problems import did_you_mean
from model.vocabulary import Endpoint

CELL_SIZE = 50
"""Most members that one stack holds: each has a Provider, and the engine runs each as a process."""


class FleetFile:
    """A fleet file as far as it could be read."""

    def __init__(self, name: str, document: Document) -> None:
        self.name = name
        self.document = document
        self.problems = list(document.problems)
        keys = (*(field.alias or "" for field in FleetHead.model_fields.values()), "clusters")
        content = mapping(document, self.problems, keys)
        head = {key: value for key, value in content.items() if key in keys and key != "clusters"}
        self.head = parsed(FleetHead, document, (), head, self.problems) if content else None
        projects = content.get("projects")
        self.projects: Mapping[str, Any] = projects if isinstance(projects, dict) else {}
        raw = content.get("clusters", [])
        if not isinstance(raw, list):
            self._add(
                ("clusters",), raw, "clusters are a list", "write each as an entry that starts with `- name:`"
            )
            raw = []
        elif content and not raw:
            self._add(
                ("clusters",), None, "the fleet has no cluster", "add an entry for the hub and one per member"
            )
        self.raw: list[Any] = raw
        self.clusters: dict[int, Cluster] = {}
        for index, entry in enumerate(raw):
            at: tuple[Step, ...] = ("clusters", index)
            cluster = parsed(Cluster, document, at, entry, self.problems, {"exclude": "reason"})
            if cluster is not None:
                self.clusters[index] = cluster
        self._check_head()
        self._check_names()
        self._check_hub()
        for index, cluster in self.clusters.items():
            self.problems += cluster_problems(document, ("clusters", index), cluster, self.projects)
        self._check_cells()
        self._check_access()
        self._check_addresses()
        self.problems += range_problems(document, self.clusters)

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of the members that could be read."""
        return tuple(dict.fromkeys(c.cell for c in self.clusters.values() if not c.is_hub))

    def complete(self) -> Fleet:
        """The whole fleet; to be called only where there is no problem."""
        assert self.head is not None
        return Fleet(
            name=self.name,
            host_project=self.head.host_project,
            projects=self.head.projects,
            protect=self.head.protect,
            argocd=self.head.argocd,
            clusters=tuple(self.clusters.values()),
            audit=self.head.audit,
            access=self.head.access,
            addons=self.head.addons,
        )

    def _add(self, path: tuple[Step, ...], value: Any, why: str, remedy: str) -> None:
        self.problems.append(self.document.problem(path, value, why, remedy))

    def _check_head(self) -> None:
        if self.head is None:
            return
        host = self.head.host_project
        if host not in self.projects:
            remedy = f'add it: `{host}: "NUMBER"`, or: {did_you_mean(host, self.projects)}'
            self._add(("hostProject",), host, "that project is not among `projects`", remedy)
        owners: dict[str, str] = {}
        for project, number in self.head.projects.items():
            if number in owners:
                why = f"project {owners[number]} has that number already"
                self._add(("projects", project), number, why, "correct one of the two numbers")
            owners.setdefault(number, project)

    def _check_names(self) -> None:
        seen: dict[str, int] = {}
        for index, entry in enumerate(self.raw):
            name = entry.get("name") if isinstance(entry, dict) else None
            if not isinstance(name, str):
                continue
            if name in seen:
                why = f"clusters[{seen[name]}] has that name already"
                self._add(("clusters", index, "name"), name, why, "give each cluster a name of its own")
            seen.setdefault(name, index)
        claims: dict[tuple[str, str], str] = {}
        for index, cluster in self.clusters.items():
            claim = (cluster.membership_location, cluster.membership_id)
            if claims.get(claim, cluster.name) != cluster.name:
                why = f"cluster {claims[claim]} is the membership {claim[1]} in {claim[0]} already"
                remedy = (
                    "give each its own membership: two clusters behind one address would be one to Argo CD"
                )
                self._add(("clusters", index, "membership"), claim[1], why, remedy)
            claims.setdefault(claim, cluster.name)

    def _check_hub(self) -> None:
        hubs = [i for i, e in enumerate(self.raw) if isinstance(e, dict) and e.get("role") == "hub"]
        if self.raw and not hubs:
            self._add(("clusters",), None, "the fleet has no hub", "give one cluster `role: hub`")
        for index in hubs[1:]:
            why = f"the fleet has a hub already: clusters[{hubs[0]}]"
            self._add(("clusters", index, "role"), "hub", why, "leave `role: hub` at one cluster")
        hub_project = self.raw[hubs[0]].get("project") if len(hubs) == 1 else None
        for index, cluster in self.clusters.items():
            at: tuple[Step, ...] = ("clusters", index)
            beside = not cluster.is_hub and cluster.project == hub_project
            if beside and cluster.shares_hub_project is None:
                why = (
                    "that is the hub's project. Workload Identity names are shared by all clusters of a "
                    "project, so a pod of this cluster could act as Argo CD"
                )
                remedy = (
                    "put the member into a project without the hub; if it has to be there, say why under "
                    "`sharesHubProject`"
                )
                self._add((*at, "project"), cluster.project, why, remedy)
            if not beside and cluster.shares_hub_project is not None and hub_project is not None:
                why = "it is the hub itself" if cluster.is_hub else f"the hub is in {hub_project}, not here"
                self._add((*at, "sharesHubProject"), cluster.shares_hub_project, why, "drop the line")

    def _check_cells(self) -> None:
        cell_of: dict[str, Cluster] = {}
        sizes: Counter[str] = Counter()
        for index, cluster in self.clusters.items():
            if cluster.is_hub:
                continue
            at: tuple[Step, ...] = ("clusters", index, "cell")
            other = cell_of.setdefault(cluster.project, cluster)
            if other.cell != cluster.cell:
                why = f"cluster {other.name} of the same project is in the cell {other.cell}"
                remedy = f"write `cell: {other.cell}` here or move both: a project's APIs and grants are in one stack"
                self._add(at, cluster.cell, why, remedy)
            sizes[cluster.cell] += 1
            if sizes[cluster.cell] == CELL_SIZE + 1:
                why = f"the cell has more than {CELL_SIZE} clusters, and each is a process in every run"
                remedy = "give the clusters of some projects another `cell`"
                self._add(at, cluster.cell, why, remedy)

    def _check_access(self) -> None:
        access = self.head.access if self.head is not None else None
        if access is None:
            return
        domain = access.security_group.partition("@")[2]
        for group in access.groups:
            if group.partition("@")[2] != domain:
                why = f"the security group is in {domain}, and GKE looks for groups there alone"
                self._add(("access", "groups", group), group, why, f"name a group of {domain}")
            elif group == access.security_group:
                why = "that group holds the operators' groups; it has no right of its own"
                self._add(("access", "groups", group), group, why, "name the groups inside it")

    def _check_addresses(self) -> None:
        """No two clusters may be one to Argo CD; and what its identity cannot open is refused."""
        owners: dict[str, str] = {}
        for index, cluster in self.clusters.items():
            at: tuple[Step, ...] = ("clusters", index)
            private = cluster.private_endpoint
            for path, address in (
                (("dnsHost",), cluster.dns_host),
                (("privateEndpoint", "address"), private.address if private else None),
            ):
                if address is None:
                    continue
                if address in owners:
                    why = f"cluster {owners[address]} has that address already"
                    remedy = "give each its own: two clusters behind one address would be one to Argo CD"
                    self._add((*at, *path), address, why, remedy)
                owners.setdefault(address, cluster.name)
            principal = self.head is not None and self.head.argocd.identity is Identity.PRINCIPAL
            if principal and not cluster.is_hub and cluster.endpoint is not Endpoint.GATEWAY:
                why = (
                    f"cluster {cluster.name} is reached by {cluster.endpoint.value}, where Google documents that "
                    "a principal of Workload Identity does not work: it has to act as a service account"
                )
                remedy = f"write `identity: account`, or `endpoint: gateway` at {cluster.name}"
                self._add(("argocd", "identity"), "principal", why, remedy)
                break
