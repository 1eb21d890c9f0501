"""The fault switches of the cloud: what goes wrong on purpose, for tests and for people who want to see it.

Owns the switches and their checks. They are kept in memory: a restart of the cloud clears them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.cloud.refusal import invalid


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class MembershipFault(_Strict):
    """What goes wrong with one membership.

    `status`: every request is refused with this HTTP status (401, 403, 404 or 429). `agentLost`: 404 with the
    words of a gateway that lost its agent. `down`: the connection is dropped without an answer. `slow`:
    seconds to wait before every request.
    """

    status: int | None = None
    agent_lost: bool = Field(default=False, alias="agentLost")
    down: bool = False
    slow: float = Field(default=0.0, ge=0)


class ClusterFault(_Strict):
    """What goes wrong at a cluster's DNS endpoint and at its private address.

    `status`: every request is refused with this HTTP status. `down`: the connection is dropped without an
    answer. `slow`: seconds to wait before every request.
    """

    status: int | None = Field(default=None, ge=400, le=599)
    down: bool = False
    slow: float = Field(default=0.0, ge=0)


class Faults(_Strict):
    """All switches. `grantDelay`: seconds until a new grant counts. `requestsPerMinute`, `streams`: the
    gateway's budget per fleet host project. `memberships`: by membership id. `clusters`: by cluster name, at
    the cluster's own endpoints. `unreachable`: locations that GKE Hub leaves out of a list of memberships,
    and says so. `mirror`: path prefix -> HTTP status, for a repository that is gone."""

    grant_delay: float = Field(default=2.0, ge=0, alias="grantDelay")
    requests_per_minute: int = Field(default=2400, ge=0, alias="requestsPerMinute")
    streams: int = Field(default=10, ge=0)
    memberships: dict[str, MembershipFault] = Field(default_factory=dict)
    clusters: dict[str, ClusterFault] = Field(default_factory=dict)
    unreachable: list[str] = Field(default_factory=list)
    mirror: dict[str, int] = Field(default_factory=dict)


class FaultSwitches:
    """The current switches."""

    def __init__(self) -> None:
        self.current = Faults()

    def set(self, change: Mapping[str, Any]) -> Faults:
        """Change switches and return all of them.

        Only what is named changes; `{"memberships": {"m": null}}` clears one membership, the same for
        `clusters` and `mirror`; `{"clear": true}` resets everything first. Raises Refusal (400) for what is
        no switch.
        """
        change = dict(change)
        document = {} if change.pop("clear", False) else self.describe()
        for name, value in change.items():
            if name in ("memberships", "clusters", "mirror") and isinstance(value, Mapping):
                merged = {**document.get(name, {}), **value}
                document[name] = {key: entry for key, entry in merged.items() if entry is not None}
            else:
                document[name] = value
        try:
            faults = Faults.model_validate(document)
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise invalid(f"no such fault switch: {problems}") from error
        for name, fault in faults.memberships.items():
            if fault.status not in (None, 401, 403, 404, 429):
                raise invalid(f"memberships.{name}.status: the gateway answers 401, 403, 404 or 429")
        self.current = faults
        return faults

    def describe(self) -> dict[str, Any]:
        """The switches as JSON."""
        return self.current.model_dump(by_alias=True)
