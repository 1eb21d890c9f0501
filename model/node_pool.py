"""The nodes of a Standard cluster, and when GKE may touch a cluster that it created."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from pydantic import Field, model_validator

from model.vocabulary import (
    ClockTime,
    ClusterName,
    Day,
    Entry,
    MachineType,
    NodeLabelKey,
    NodeLabelValue,
    TaintEffect,
    wrong,
)

ZONES = 3
"""A regional cluster has its nodes in three zones, unless it says otherwise."""


class Taint(Entry):
    """A taint of every node of a pool."""

    key: NodeLabelKey = Field(description="the taint's key")
    value: NodeLabelValue = Field(description="the taint's value")
    effect: TaintEffect = Field(description="NO_SCHEDULE, PREFER_NO_SCHEDULE or NO_EXECUTE")


class NodePool(Entry):
    """Nodes of one kind. The cluster is regional, so there are three times as many as one zone has."""

    name: ClusterName = Field(description="unique in its cluster")
    machine_type: MachineType = Field(description="machine type, as in e2-standard-4")
    min_nodes: int = Field(ge=0, le=1000, description="least number of nodes in each zone")
    max_nodes: int = Field(ge=1, le=1000, description="greatest number of nodes in each zone")
    disk_gigabytes: int = Field(default=100, ge=10, le=65536, description="boot disk of a node, in GB")
    spot: bool = Field(default=False, description="whether Google may take nodes back at any time")
    labels: dict[NodeLabelKey, NodeLabelValue] = Field(default={}, description="labels of the nodes")
    taints: tuple[Taint, ...] = Field(default=(), description="taints of the nodes")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_nodes > self.max_nodes:
            raise wrong(
                f"at least {self.min_nodes} nodes and at most {self.max_nodes} cannot both be",
                "make maxNodes at least as great as minNodes",
            )
        return self


class Maintenance(Entry):
    """The weekly windows in which GKE upgrades control plane and nodes; without them it may at any time."""

    days: tuple[Day, ...] = Field(min_length=1, description="days on which a window begins, as in [SA, SU]")
    start: ClockTime = Field(description='begin of each window in UTC, in quotes, as in "18:00"')
    hours: int = Field(ge=4, le=24, description="length of each window in hours, 4 to 24")

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if len(set(self.days)) < len(self.days):
            raise wrong("a day is listed twice", "list every day once")
        # In any 32 days every day of the week comes at least four times. The rule is Google's:
        # https://cloud.google.com/kubernetes-engine/docs/how-to/maintenance-windows-and-exclusions
        if 4 * len(self.days) * self.hours < 48:
            raise wrong(
                "GKE wants 48 hours in any 32 days to upgrade in, and this leaves less",
                "give more days or longer windows: days times hours has to be 12 at least",
            )
        return self

    @property
    def recurrence(self) -> str:
        """The windows as a recurrence rule (RFC 5545)."""
        return f"FREQ=WEEKLY;BYDAY={','.join(day.value for day in self.days)}"

    @property
    def first(self) -> tuple[str, str]:
        """Begin and end of one window, as RFC 3339 times in UTC. The date is a fixed one in the past, so that
        nothing changes from run to run."""
        begin = datetime.fromisoformat(f"2026-01-01T{self.start}:00")
        return f"{begin.isoformat()}Z", f"{(begin + timedelta(hours=self.hours)).isoformat()}Z"
