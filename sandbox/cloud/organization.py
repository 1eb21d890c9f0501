"""The organization: its owner and people, its projects, and what other teams have in them.

Owns reading `organization.yaml` and the lookups of projects. A project is a resource like any other: it is here from
the moment that the owner created it. Does not own its APIs and grants; those are records of the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from plugins.gcp.types import paper_number
from sandbox.cloud.refusal import unknown_project
from sandbox.cloud.store import Record, Store

FILE = Path(__file__).with_name("organization.yaml")
PROJECT = "gcp:organizations/project:Project"

_FROM_THE_START = frozenset({"serviceusage.googleapis.com", "storage.googleapis.com"})
"""APIs of a new project that nobody enabled
(https://cloud.google.com/service-usage/docs/enabled-service#default)."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A GCP project: its id, its number (a string of digits), its APIs that nobody has to enable, and whether a billing
    account pays for it."""

    id: str
    number: str
    apis: frozenset[str]
    billed: bool


@dataclass(frozen=True, kw_only=True)
class Subnetwork:
    """A subnetwork: its network as `projects/P/global/networks/N`, the CIDR of its nodes, and those of its secondary
    ranges by name."""

    project: str
    network: str
    region: str
    name: str
    range: str
    secondary: Mapping[str, str]

    @property
    def id(self) -> str:
        """`projects/P/regions/R/subnetworks/S`."""
        return f"projects/{self.project}/regions/{self.region}/subnetworks/{self.name}"


class Organization:
    """The organization over one store."""

    def __init__(self, store: Store, file: Path = FILE) -> None:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        self._store = store
        self._numbers: dict[str, str] = document["numbers"]
        self._groups: dict[str, list[str]] = document["groups"]
        self._secrets: dict[str, list[str]] = document["secrets"]
        self._networks: dict[str, list[dict[str, object]]] = document["networks"]
        self.id = str(document["organization"])
        self.billing_account = str(document["billingAccount"])
        self.owner = str(document["owner"])
        self.deployer = str(document["identity"])

    def projects(self) -> Iterator[Project]:
        """Every project, oldest first."""
        return (self._project(record) for record in self._store.of(PROJECT))

    def project(self, name: str) -> Project:
        """The project with this id or number. Raises Refusal (403) for any other, as Google does."""
        for project in self.projects():
            if name in (project.id, project.number):
                return project
        raise unknown_project(name)

    def number(self, name: str) -> str:
        """The number of the project with this id (or number). Raises Refusal (403)."""
        return self.project(name).number

    def assigned(self, project: str) -> str:
        """The number that a project with this id gets, or has."""
        return self._numbers.get(project) or paper_number(project)

    def people(self) -> frozenset[str]:
        """The e-mail addresses of everybody who is in a group."""
        members = {member for group in self._groups.values() for member in group}
        return frozenset(members - self._groups.keys())

    def is_group(self, name: str) -> bool:
        """Whether there is a group with this e-mail address."""
        return name in self._groups

    def groups(self, person: str) -> frozenset[str]:
        """The groups that a person is in, directly or through another group."""
        found: set[str] = set()
        fresh = {person}
        while fresh:
            fresh = {group for group, members in self._groups.items() if fresh & set(members)} - found
            found |= fresh
        return frozenset(found)

    def nested(self, security_group: str) -> frozenset[str]:
        """The groups inside a group, at any depth."""
        found: set[str] = set()
        fresh = {security_group}
        while fresh:
            fresh = {
                member
                for group in fresh
                for member in self._groups.get(group, ())
                if member in self._groups and member not in found
            }
            found |= fresh
        return frozenset(found)

    def has_secret(self, project: str, secret: str) -> bool:
        """Whether a team put a secret with this id into a project (by id)."""
        return secret in self._secrets.get(project, ())

    def networks(self) -> Iterator[str]:
        """Networks that were there already, as `projects/P/global/networks/N`."""
        records = {str(record.inputs["projectId"]): record for record in self._store.of(PROJECT)}
        there = set(records)
        for project, record in records.items():
            if record.inputs.get("autoCreateNetwork", True):
                yield f"projects/{project}/global/networks/default"
        yield from (name for name in self._networks if name.split("/")[1] in there)

    def subnetworks(self) -> Iterator[Subnetwork]:
        """Subnetworks of the networks that were there already, without the automatic ones of `default`."""
        there = set(self.networks())
        for network, entries in self._networks.items():
            if network in there:
                for entry in entries:
                    secondary = entry["secondary"]
                    assert isinstance(secondary, dict)
                    yield Subnetwork(
                        project=network.split("/")[1],
                        network=network,
                        region=str(entry["region"]),
                        name=str(entry["name"]),
                        range=str(entry["range"]),
                        secondary=secondary,
                    )

    def _project(self, record: Record) -> Project:
        id_ = str(record.inputs["projectId"])
        return Project(
            id=id_,
            number=self.assigned(id_),
            apis=_FROM_THE_START,
            billed=bool(record.inputs.get("billingAccount")),
        )
