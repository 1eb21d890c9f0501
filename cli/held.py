"""`./fleet held`: what each cluster holds of what Argo CD delivered, whether or not an Application stands behind it.

Owns the count, by the annotation that Argo CD writes on everything that it applies, and its two forms. Only a fixed
list of kinds is asked for, and of them only the metadata: a dozen requests a cluster, with the caller's own
credentials. Does not own the Applications (`cli.applications`); what these own of other kinds is their own number.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from cli import sandbox_ground, tables
from cli.applications import Hub, Seen
from cli.checkout import Checkout
from cli.failure import ExitCode, Failure
from cli.plan import plan
from cli.way_in import api_client

TRACKING = "argocd.argoproj.io/tracking-id"
"""Annotation APPLICATION:GROUP/KIND:NAMESPACE/NAME of everything that an Application applied."""
WORKLOADS = ("apps/v1/deployments", "apps/v1/statefulsets", "apps/v1/daemonsets")
_APIS = (
    *(f"/apis/{path}" for path in WORKLOADS),
    "/api/v1/configmaps",
    "/api/v1/services",
    "/api/v1/serviceaccounts",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/rbac.authorization.k8s.io/v1/roles",
    "/apis/rbac.authorization.k8s.io/v1/rolebindings",
)
_METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
_SECONDS = 15
_AT_ONCE = 8

DELIVERED, KEPT, REMOVING = "delivered", "kept", "removing"


@dataclass(frozen=True)
class Found:
    """An object on a cluster that an Application applied. `workload`: whether it runs pods."""

    application: str
    workload: bool


@dataclass(frozen=True)
class Holding:
    """What one cluster holds of one add-on.

    Attributes:
        state: `delivered` (an Application stands behind it), `removing` (the Application stands on the empty source
            and prunes it) or `kept` (no Application any more).
        objects: number of objects of the kinds that are counted.
        workloads: how many of them are Deployments, StatefulSets or DaemonSets.
        owned: number of objects of all kinds that the Application says it owns; None without one.
    """

    cluster: str
    addon: str
    application: str
    state: str
    objects: int
    workloads: int
    owned: int | None

    def as_data(self) -> dict[str, Any]:
        """The field names of `held --format json`."""
        return dict(self.__dict__)


def held(checkout: Checkout, stack: str, *, form: str) -> None:
    """Print what each cluster of `stack` holds. Raises Failure: exit code 4 where a cluster does not answer."""
    planned = plan(checkout, stack)
    if planned.on_sandbox:
        sandbox_ground.attach(checkout)
    seen = Hub(planned.hub_kubeconfig, os.environ, elsewhere=planned.elsewhere).applications()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = dict(
            zip(
                planned.clusters,
                pool.map(lambda name: _asked(planned.kubeconfigs[name]), planned.clusters),
                strict=True,
            )
        )
    silent = {name: answer for name, answer in answers.items() if isinstance(answer, str)}
    rows = [
        row
        for name, answer in answers.items()
        if not isinstance(answer, str)
        for row in holdings(name, answer, seen, planned.empty_source, is_hub=name == planned.hub)
    ]
    if form == "json":
        clusters = [{"cluster": name, "error": silent.get(name)} for name in planned.clusters]
        document = {"stack": stack, "clusters": clusters, "held": [row.as_data() for row in rows]}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        tables.data.print(tables.held([row.as_data() for row in rows], silent, planned.clusters))
    if silent:
        lines = [f"{name}: {why}" for name, why in silent.items()]
        raise Failure(
            ExitCode.UNHEALTHY,
            "not every cluster says what it holds:\n  " + "\n  ".join(lines),
            "see whether it runs, and whether you may read it through the gateway",
        )


def holdings(
    cluster: str,
    found: Iterable[Found],
    seen: Sequence[Seen],
    empty: tuple[str, str],
    *,
    is_hub: bool = False,
) -> list[Holding]:
    """What `cluster` holds, by add-on in the order of their names.

    `found`: everything on it that an Application applied. `seen`: the hub's Applications. `empty`: (commit, folder)
    of the catalogue's empty source. `is_hub`: whether Argo CD itself belongs to it.
    """
    counts: dict[str, list[int]] = {}
    mine = {one.application: one for one in seen if one.cluster == cluster or (is_hub and not one.cluster)}
    for application in mine:
        counts[application] = [0, 0]
    for one in found:
        count = counts.setdefault(one.application, [0, 0])
        count[0] += 1
        count[1] += one.workload
    rows = []
    for application, (objects, workloads) in counts.items():
        behind = mine.get(application)
        rows.append(
            Holding(
                cluster=cluster,
                addon=behind.addon if behind else application.removesuffix(f"-{cluster}"),
                application=application,
                state=_state(behind, empty),
                objects=objects,
                workloads=workloads,
                owned=behind.owned if behind else None,
            )
        )
    return sorted(rows, key=lambda row: row.addon)


def _state(behind: Seen | None, empty: tuple[str, str]) -> str:
    if behind is None:
        return KEPT
    return REMOVING if (behind.version, behind.path) == empty else DELIVERED


def _asked(kubeconfig: Mapping[str, Any]) -> list[Found] | str:
    """Everything that a cluster holds of Argo CD's, or in one line why it does not say."""
    from kubernetes.client import ApiException
    from kubernetes.config import ConfigException
    from urllib3.exceptions import HTTPError

    found: list[Found] = []
    try:
        client = api_client(kubeconfig)
        for path in _APIS:
            found += _listed(client, path)
    except ApiException as error:
        return f"{path}: {error.status} {error.reason}"
    except (ConfigException, HTTPError, OSError, ValueError) as error:
        return f"it cannot be reached: {str(error) or type(error).__name__}"
    return found


def _listed(client: Any, path: str) -> Iterable[Found]:
    from kubernetes.client import ApiException

    following: str | None = ""
    while following is not None:
        query = [("limit", "500"), *([("continue", following)] if following else [])]
        asked = client.param_serialize(
            "GET",
            path,
            query_params=query,
            header_params={"Accept": _METADATA},
            auth_settings=["BearerToken"],
        )
        answered = client.call_api(*asked, _request_timeout=_SECONDS)
        text = answered.read()
        if answered.status != 200:
            raise ApiException(status=answered.status, reason=answered.reason)
        answer = json.loads(text)
        for item in answer["items"] or []:
            tracked = (item["metadata"].get("annotations") or {}).get(TRACKING)
            if tracked:
                yield Found(tracked.partition(":")[0], path.removeprefix("/apis/") in WORKLOADS)
        following = answer["metadata"].get("continue") or None
