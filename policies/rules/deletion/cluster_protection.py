"""Rule cluster-deletion-protected: Google refuses to delete a cluster that is in use.

Advisory, because the pack cannot know what is production: a stack that is sets it to mandatory.
"""

from collections.abc import Iterator
from typing import Final

from ..properties import Unknown, mapping
from ..rule import Finding, Resource, Rule

_CLUSTER: Final = "gcp:container/cluster:Cluster"
_REMEDY: Final = (
    "Write deletionProtection: true; for a cluster that is on its way out take it back in a step of its own"
)


def _look(resource: Resource) -> Iterator[Finding]:
    if not resource.properties:  # a read resource shows none
        return
    labels = mapping(resource.properties.get("resourceLabels"))
    leaving = mapping(resource.parameters["leaving"])
    if any(labels.get(name) == value for name, value in leaving.items()):
        return
    value = resource.properties.get("deletionProtection", True)
    if value is not True and not isinstance(value, Unknown):
        why = "one wrong step of the program deletes the cluster, its volumes' objects and its addresses"
        yield Finding(path="deletionProtection", value=value, why=why, remedy=_REMEDY)


RULE: Final = Rule(
    name="cluster-deletion-protected",
    title="GKE clusters are protected from deletion",
    mandatory=False,
    reason=(
        "A cluster is not replaced in place: a new one is empty. Deletion protection makes Google refuse what a "
        "renamed resource or a changed region would do. Set this to mandatory for production."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/how-to/deletion-protection",
    looks_at=(f"{_CLUSTER}: deletionProtection (the provider's default is true)",),
    parameters={
        "leaving": {
            "type": "object",
            "description": "resource labels that say that a cluster is on its way out, name: value",
            "default": {},
        }
    },
    concerns=lambda resource_type: resource_type == _CLUSTER,
    look=_look,
)
