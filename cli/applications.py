"""What Argo CD says of its Applications.

Owns reading Application objects through the hub's Kubernetes API with the caller's own credentials (so no Argo CD
login is needed), and waiting until all that the model predicts are there, Synced and Healthy at the predicted
version. Does not own the prediction (model/) nor how it is shown (`cli.tables`).
"""

import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from cli.failure import ExitCode, Failure
from cli.way_in import api_client

GROUP, VERSION, PLURAL, NAMESPACE = "argoproj.io", "v1alpha1", "applications", "argocd"


@dataclass(frozen=True)
class Wanted:
    """An Application that the model predicts."""

    application: str
    cluster: str
    addon: str
    version: str
    namespace: str
    ring: str


@dataclass(frozen=True)
class Seen:
    """An Application as Argo CD reports it; empty strings where it says nothing yet."""

    application: str
    cluster: str
    addon: str
    version: str
    sync: str
    health: str
    ring: str = ""
    message: str = ""
    path: str = ""
    """Folder that it is made from; empty for a chart."""
    owned: int = 0
    """Number of objects that it says are its own."""

    def as_data(self) -> dict[str, str]:
        """The field names of `status --format json`."""
        shown = {key: value for key, value in asdict(self).items() if key not in ("path", "owned")}
        return {key: value for key, value in shown.items() if key != "message" or value}


class Hub:
    """The hub's Kubernetes API."""

    def __init__(
        self,
        kubeconfig: Mapping[str, Any],
        environment: Mapping[str, str] | None = None,
        *,
        elsewhere: Collection[Wanted] = (),
    ) -> None:
        """`kubeconfig`: a kubeconfig as a mapping. `environment`: where its credential plugin and proxy are found.
        `elsewhere`: what is predicted for the clusters that other stacks hold; those are left out."""
        self._others = frozenset(want.application for want in elsewhere)
        self._elsewhere = frozenset(want.cluster for want in elsewhere)
        os.environ.update(environment or {})
        from kubernetes import client  # slow to import: only where a hub is really asked

        self._exception = client.ApiException
        self._objects = client.CustomObjectsApi(api_client(kubeconfig))

    def applications(self) -> list[Seen]:
        """All Applications in Argo CD's namespace but those on clusters elsewhere, sorted by name.

        Raises Failure where the hub does not answer or refuses.
        """
        try:
            found = self._objects.list_namespaced_custom_object(
                GROUP, VERSION, NAMESPACE, PLURAL, _request_timeout=20
            )
        except self._exception as error:
            raise Failure(
                ExitCode.MISSING,
                f"the hub's API answers {error.status}: {error.reason}",
                "see whether you may read Applications in namespace argocd there, and whether ./fleet up has run",
            ) from error
        except Exception as error:
            raise Failure(
                ExitCode.MISSING, f"the hub's API cannot be reached: {error}", "is the sandbox up? ./fleet up"
            ) from error
        every = sorted((_seen(item) for item in found["items"]), key=lambda seen: seen.application)
        return [
            one for one in every if one.application not in self._others and one.cluster not in self._elsewhere
        ]


def _seen(item: Mapping[str, Any]) -> Seen:
    metadata, status = item["metadata"], item.get("status", {})
    labels = metadata.get("labels") or {}
    sources = item["spec"].get("sources") or [item["spec"].get("source", {})]
    synced = status.get("sync", {}).get("revision") or ""
    compared = status.get("sync", {}).get("comparedTo", {}).get("source")
    wanted = str(sources[0].get("targetRevision", ""))
    problems = [
        c.get("message", "") for c in status.get("conditions", []) if c.get("type", "").endswith("Error")
    ]
    operation = status.get("operationState", {})
    if operation.get("phase") in ("Failed", "Error"):
        problems.append(operation.get("message", ""))
    return Seen(
        application=metadata["name"],
        cluster=labels.get("fleet_cluster", item["spec"].get("destination", {}).get("name", "")),
        addon=labels.get("fleet_addon", metadata["name"]),
        version=wanted,
        # Synced is said of what was compared last; where that was not the wanted source, it says nothing of now.
        sync=status.get("sync", {}).get("status", "")
        if synced in ("", wanted) and compared in (None, sources[0])
        else "OutOfSync",
        health=status.get("health", {}).get("status", ""),
        ring=labels.get("fleet_ring", ""),
        message="; ".join(filter(None, problems)),
        path=str(sources[0].get("path") or ""),
        owned=len(status.get("resources") or []),
    )


def placed(seen: Sequence[Seen], wanted: Sequence[Wanted]) -> list[Seen]:
    """`seen` with cluster and ring filled in from the prediction where the object carries no label of them."""
    by_name = {want.application: want for want in wanted}
    return [
        replace(one, cluster=one.cluster or want.cluster, ring=one.ring or want.ring)
        if (want := by_name.get(one.application))
        else one
        for one in seen
    ]


def missing(wanted: Sequence[Wanted], seen: Sequence[Seen]) -> list[str]:
    """What still differs from the prediction, one line each; empty where the fleet is as predicted."""
    by_name = {application.application: application for application in seen}
    lines = []
    for want in wanted:
        have = by_name.get(want.application)
        said = f" ({have.message[:300]})" if have is not None and have.message else ""
        if have is None:
            lines.append(f"{want.application}: is not there")
        elif have.version != want.version:
            lines.append(f"{want.application}: is at {have.version}, not yet at {want.version}{said}")
        elif (have.sync, have.health) != ("Synced", "Healthy"):
            lines.append(f"{want.application}: {have.sync or 'Unknown'}, {have.health or 'Unknown'}{said}")
    known = {want.application for want in wanted}
    return lines + [f"{name}: should not be there" for name in by_name if name not in known]


def wait(
    hub: Hub, wanted: Sequence[Wanted], seconds: float, progress: Callable[[list[str]], None]
) -> list[Seen]:
    """Wait until the fleet is as predicted; `progress` hears what is still missing, whenever that changes.

    Raises Failure (exit code 4) at the deadline.
    """
    deadline = time.monotonic() + seconds
    before: list[str] | None = None
    while True:
        try:
            seen = hub.applications()
            lines = missing(wanted, seen)
        except Failure as failure:
            seen, lines = [], [failure.what]
        if lines != before:
            progress(lines)
            before = lines
        if not lines:
            return placed(seen, wanted)
        if time.monotonic() > deadline:
            raise Failure(
                ExitCode.UNHEALTHY,
                f"not everything is Synced and Healthy after {seconds:.0f} s:\n  " + "\n  ".join(lines),
                "./fleet status shows it again; ./fleet shell -- kubectl -n argocd describe application NAME; where "
                "somebody changed the hub by hand: pulumi refresh, then ./fleet up",
            )
        time.sleep(1)
