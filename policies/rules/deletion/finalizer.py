"""Rule application-finalizer-chosen: deleting an Application removes workloads only where somebody decided so."""

from collections.abc import Iterator
from typing import Final

from ..argocd.place import is_application, places
from ..properties import items
from ..rule import Finding, Resource, Rule

_FINALIZER: Final = "resources-finalizer.argocd.argoproj.io"
_REMEDY: Final = (
    "Leave the finalizer out; where deleting the Application is meant to remove what it delivered, exempt it with the "
    "reason"
)


def _look(resource: Resource) -> Iterator[Finding]:
    for place in places(resource):
        finalizers = place.metadata.get("finalizers")
        for value, path in items(finalizers, place.at("metadata", "finalizers")):
            if isinstance(value, str) and value.split("/")[0] == _FINALIZER:
                why = "whoever deletes this Application removes everything that it delivered"
                if place.stamped:
                    why += ", and in a template it wins over preserveResourcesOnDeletion"
                yield Finding(path=path, value=value, why=why, remedy=_REMEDY)
        if _FINALIZER in place.text:
            why = "the patch may add the finalizer that removes what an Application delivered"
            yield Finding(path=place.path, value=place.text, why=why, remedy=_REMEDY)


RULE: Final = Rule(
    name="application-finalizer-chosen",
    title="The finalizer that removes workloads is there on purpose only",
    mandatory=True,
    reason=(
        "With it a deleted, renamed or no more generated Application takes its workloads with it, volumes and "
        "CRDs among them. Without it they stay and can be removed in a second step."
    ),
    remedy=_REMEDY + ".",
    source="https://argo-cd.readthedocs.io/en/stable/user-guide/app_deletion/",
    looks_at=("Application, and every layer of an ApplicationSet: metadata.finalizers",),
    concerns=is_application,
    look=_look,
)
