"""What exists in the cloud before the program: projects, their APIs, the deployer and its roles.

Owns reading `bootstrap.yaml`. The program can add to it, never take from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from sandbox.cloud.refusal import unknown_project

FILE = Path(__file__).with_name("bootstrap.yaml")


@dataclass(frozen=True, kw_only=True)
class Project:
    """A GCP project: its id, its number (a string of digits) and the APIs that are enabled from the start."""

    id: str
    number: str
    apis: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """The start of the cloud. `deployer` is an e-mail address, `grants` maps a project id to the deployer's roles."""

    deployer: str
    projects: Mapping[str, Project]
    grants: Mapping[str, frozenset[str]]

    def project(self, name: str) -> Project:
        """The project with this id or number. Raises Refusal (403) for any other, as Google does."""
        for project in self.projects.values():
            if name in (project.id, project.number):
                return project
        raise unknown_project(name)

    def number(self, name: str) -> str:
        """The number of the project with this id (or number). Raises Refusal (403)."""
        return self.project(name).number


def load(path: Path = FILE) -> Bootstrap:
    """Read a bootstrap file."""
    document = yaml.safe_load(path.read_text())
    projects = {
        name: Project(id=name, number=str(entry["number"]), apis=frozenset(entry["apis"]))
        for name, entry in document["projects"].items()
    }
    grants = {project: frozenset(roles) for project, roles in document["grants"].items()}
    return Bootstrap(deployer=document["deployer"], projects=projects, grants=grants)
