"""A cluster is never replaced in place.

Owns the refusal, read from the CLI's own preview. Kubeconfigs and server addresses follow from configuration and stay
the same, so a new cluster behind an old address would look full: the engine would call everything that was delivered
to it unchanged. Protection by Pulumi stops such a step in a fleet that protects its clusters; this stops it in every
other, before anything is changed. A new cluster is a new name.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from plugins.gcp.types import CLUSTER

_REPLACING = frozenset({"replace", "create-replacement", "delete-replaced"})


def replaced_clusters(events: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Cluster -> what forces its replacement, from the events of a preview; empty where none is replaced."""
    found: dict[str, list[str]] = {}
    for event in events:
        step = event.get("resourcePreEvent", {}).get("metadata", {})
        if step.get("type") == CLUSTER and step.get("op") in _REPLACING:
            causes = found.setdefault(str(step["urn"]).rpartition("::")[2], [])
            causes += [key for key in step.get("keys") or [] if key not in causes]
    return found


def refusal(replaced: Mapping[str, list[str]]) -> tuple[str, str]:
    """(what is refused, remedy) in words."""
    named = "; ".join(
        f"{cluster} (because of {', '.join(causes)})" if causes else cluster
        for cluster, causes in sorted(replaced.items())
    )
    return (
        f"a cluster would be replaced in place: {named}. A new cluster behind the old address would look full, and "
        "nothing would be delivered to it; nothing was changed",
        "take the change back, or give the new cluster an entry and a name of its own, move what runs there, and let "
        "the old one leave (`lifecycle: leaving`)",
    )
