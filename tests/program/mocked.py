"""The program's components against the SDK's mocks: for what nothing on paper ever answers.

Owns a cloud whose clusters report what a test says, and a fleet of two. Mocks are blind to what the engine does
with a resource; that is what previews are for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from model.argocd_settings import ArgocdSettings
from model.cluster import Cluster
from model.fleet import Fleet
from model.vocabulary import Role

CLUSTER = "gcp:container/cluster:Cluster"


class Cloud(pulumi.runtime.Mocks):
    """Gives back what it gets, and for a cluster `reported` on top. `made`: (type, inputs) of each resource."""

    def __init__(self, reported: Mapping[str, Any]) -> None:
        self.reported = reported
        self.made: list[tuple[str, Mapping[str, Any]]] = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.made.append((args.typ, args.inputs))
        return f"{args.name}-id", {**args.inputs, **(self.reported if args.typ == CLUSTER else {})}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], None]:
        return {}, None

    def run(self, program: Callable[[], None]) -> None:
        """Run a program to its end, as an update. Raises what the program or one of its resources does, but not
        before every other resource had its turn."""
        # The SDK takes the thread's loop, which is gone once something else in this process has used asyncio.run.
        asyncio.set_event_loop(asyncio.new_event_loop())
        pulumi.runtime.set_mocks(self, preview=False)
        try:
            pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
        finally:
            loop = asyncio.get_event_loop()
            while left := asyncio.all_tasks(loop):
                loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.close()

    def types(self) -> set[str]:
        return {token for token, _ in self.made}


def fleet_of_two(**member: object) -> Fleet:
    """A hub and the member `tokyo`, whose entry has these keys too."""
    common = {"location": "asia-northeast1", "kubernetes": "1.36", "ring": "stable"}
    hub = Cluster.model_validate({"name": "hub", "role": Role.HUB, "project": "acme-host", **common})
    tokyo = Cluster.model_validate({"name": "tokyo", "project": "acme-shop", **common, **member})
    return Fleet(
        name="test",
        host_project="acme-host",
        projects={"acme-host": "100000000001", "acme-shop": "100000000002"},
        protect=False,
        argocd=ArgocdSettings(),
        clusters=(hub, tokyo),
    )


def membership(id_: str) -> dict[str, Any]:
    """What a cluster reports that is a member under `id_`."""
    reported = {"project": "acme-host", "membershipId": id_, "membershipLocation": "asia-northeast1"}
    return {"fleet": reported}
