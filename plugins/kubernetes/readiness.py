"""When an object counts as ready: the rules that the official provider waits by.

Owns pure functions from a live object to what it still lacks, and the default times. Source: "await" of
pulumi-kubernetes (https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/,
`provider/pkg/await`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from plugins.kubernetes.kinds import group_of

Live = Mapping[str, Any]
Lacks = Callable[[Live], list[str]]
DEFAULT_SECONDS = 600.0
"""How long an object may take, where nothing else is said."""


def lacking(live: Live) -> list[str]:
    """What keeps `live` from being ready, in words; empty for one that is, and for kinds that nobody waits for."""
    rule = _RULES.get((group_of(str(live.get("apiVersion"))), str(live.get("kind"))))
    return rule(live) if rule else []


def needs_endpoints(live: Live) -> bool:
    """Whether a Service is ready only once something answers behind it."""
    if (live.get("apiVersion"), live.get("kind")) != ("v1", "Service"):
        return False
    spec = live.get("spec") or {}
    headless = spec.get("clusterIP") == "None"
    return spec.get("type") != "ExternalName" and bool(spec.get("selector")) and not headless


def _status(live: Live) -> Mapping[str, Any]:
    found = live.get("status")
    return found if isinstance(found, Mapping) else {}


def _condition(live: Live, name: str) -> Mapping[str, Any]:
    conditions = _status(live).get("conditions") or []
    return next((each for each in conditions if each.get("type") == name), {})


def _stale(live: Live) -> list[str]:
    wanted = (live.get("metadata") or {}).get("generation", 0)
    seen = _status(live).get("observedGeneration", 0)
    return ["its controller has not seen the change yet"] if seen < wanted else []


def _namespace(live: Live) -> list[str]:
    phase = _status(live).get("phase")
    return [] if phase == "Active" else [f"its phase is {phase}"]


def _deployment(live: Live) -> list[str]:
    stale = _stale(live)
    if stale:
        return stale
    wanted = (live.get("spec") or {}).get("replicas", 1)
    status = _status(live)
    progressing = _condition(live, "Progressing")
    found = []
    if status.get("updatedReplicas", 0) < wanted or status.get("replicas", 0) > status.get(
        "updatedReplicas", 0
    ):
        found.append(f"{status.get('updatedReplicas', 0)} of {wanted} replicas are of the new version")
    if status.get("availableReplicas", 0) < wanted:
        found.append(f"{status.get('availableReplicas', 0)} of {wanted} replicas are available")
    if found and progressing.get("status") == "False":
        found.append(str(progressing.get("message")))
    return found


def _stateful_set(live: Live) -> list[str]:
    stale = _stale(live)
    if stale:
        return stale
    spec, status = live.get("spec") or {}, _status(live)
    wanted = spec.get("replicas", 1)
    found = []
    if status.get("readyReplicas", 0) < wanted:
        found.append(f"{status.get('readyReplicas', 0)} of {wanted} replicas are ready")
    if (spec.get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate":
        partition = ((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0)
        if status.get("updatedReplicas", 0) < wanted - partition:
            found.append(
                f"{status.get('updatedReplicas', 0)} of {wanted - partition} replicas are of the new version"
            )
    return found


def _daemon_set(live: Live) -> list[str]:
    stale = _stale(live)
    if stale:
        return stale
    status = _status(live)
    wanted = status.get("desiredNumberScheduled", 0)
    ready = min(status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0))
    return [] if ready >= wanted else [f"{ready} of {wanted} pods are available"]


def _pod(live: Live) -> list[str]:
    phase = _status(live).get("phase")
    if phase == "Succeeded":
        return []
    ready = _condition(live, "Ready")
    if phase == "Running" and ready.get("status") == "True":
        return []
    return [f"its phase is {phase}", *([str(ready["message"])] if ready.get("message") else [])]


def _job(live: Live) -> list[str]:
    if _condition(live, "Complete").get("status") == "True" or (live.get("spec") or {}).get("suspend"):
        return []
    failed = _condition(live, "Failed")
    if failed.get("status") == "True":
        return [f"it failed: {failed.get('message')}"]
    return ["it has not completed"]


def _definition(live: Live) -> list[str]:
    names = _condition(live, "NamesAccepted")
    if names.get("status") == "False":
        return [str(names.get("message"))]
    return [] if _condition(live, "Established").get("status") == "True" else ["it is not established"]


def _service(live: Live) -> list[str]:
    if (live.get("spec") or {}).get("type") != "LoadBalancer":
        return []
    ingress = (_status(live).get("loadBalancer") or {}).get("ingress")
    return [] if ingress else ["it has no address from a load balancer"]


def hopeless(live: Live) -> bool:
    """Whether waiting longer cannot help."""
    return live.get("kind") == "Job" and _condition(live, "Failed").get("status") == "True"


_RULES: dict[tuple[str, str], Lacks] = {
    ("", "Namespace"): _namespace,
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("batch", "Job"): _job,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}
