"""Roles of Google's IAM in a program: who gets which, on what.

Owns the reading of every resource that gives roles (Member, Binding and Policy, of whatever they are on), and
what kind of member a name is. Does not own which roles are too much.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from .place import Place, inputs, read_json
from .rule import Resource

_TOKEN: Final = re.compile(r"gcp:(?P<service>\w+)/\w+:(?P<on>\w*?)(?:IAM|Iam)(?P<form>Member|Binding|Policy)")
_CONTAINERS: Final = {"projects": "project", "folder": "folder", "organizations": "organization"}
_MACHINES: Final = re.compile(
    r"serviceAccount:|principal(?:Set)?://iam\.googleapis\.com/(?:projects/[^/]+/)?locations/[^/]+/workloadIdentityPools/"
)
_GOOGLES: Final = re.compile(r"@(?:gcp-sa-|cloudservices\.|container-engine-robot\.|compute-system\.)")


@dataclass(frozen=True)
class Grant:
    """A role that a member gets. `on`: project, folder or organization, or "" for something smaller."""

    role: Place
    member: Place
    on: str

    @property
    def is_to_machine(self) -> bool:
        """Whether the member is no person and no group of people: a service account or a workload."""
        return _MACHINES.match(_living(self.member.text)) is not None

    @property
    def is_to_google(self) -> bool:
        """Whether the member is an account with which Google's own services act."""
        return _GOOGLES.search(self.member.text) is not None

    def is_to(self, patterns: Iterable[str]) -> bool:
        """Whether the member's name is like one of `patterns` (shell wildcards, any case)."""
        return matches(self.member.text, patterns)


def concerns(resource_type: str) -> bool:
    """Whether a resource gives roles."""
    return _TOKEN.fullmatch(resource_type) is not None


def grants(resource: Resource) -> Iterator[Grant]:
    """Every pair of role and member in a resource; either may be `UNKNOWN`. A role without members is none."""
    match = _TOKEN.fullmatch(resource.type)
    if match is None:
        return
    on = "" if match["on"] else _CONTAINERS.get(match["service"], "")
    whole = inputs(resource)
    if match["form"] == "Member":
        yield Grant(whole.at("role"), whole.at("member"), on)
    elif match["form"] == "Binding":
        yield from _bound(whole, on)
    else:
        policy = whole.at("policyData")
        read = Place(read_json(policy.value), f"{policy.path}: ")
        for binding in Place(read.at("bindings").value, f"{policy.path}: bindings").each():
            yield from _bound(binding, on)


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is like one of `patterns`: shell wildcards, any case."""
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def _bound(binding: Place, on: str) -> Iterator[Grant]:
    members = binding.at("members")
    if not members.is_known:
        yield Grant(binding.at("role"), members, on)
    for member in members.each():
        yield Grant(binding.at("role"), member, on)


def _living(member: str) -> str:
    return member.removeprefix("deleted:")
