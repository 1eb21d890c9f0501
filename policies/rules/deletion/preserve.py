"""Rule applicationset-preserves: an ApplicationSet that goes leaves the workloads where they are."""

from collections.abc import Iterator
from typing import Final

from ..argocd.place import application_sets, is_application_set
from ..properties import Unknown, joined, mapping
from ..rule import Finding, Resource, Rule

_REMEDY: Final = "Write syncPolicy.preserveResourcesOnDeletion: true; remove workloads by a step of their own"


def _look(resource: Resource) -> Iterator[Finding]:
    for one in application_sets(resource):
        policy = mapping(one.body["spec"]).get("syncPolicy")
        value = mapping(policy).get("preserveResourcesOnDeletion")
        if isinstance(policy, Unknown) or isinstance(value, Unknown) or value is True:
            continue
        yield Finding(
            path=f"{joined(one.path, 'spec')}.syncPolicy.preserveResourcesOnDeletion",
            value=value,
            why="deleting or renaming the set, or a mistake in its selector, removes what it delivered everywhere",
            remedy=_REMEDY,
        )


RULE: Final = Rule(
    name="applicationset-preserves",
    title="ApplicationSets leave workloads running when they go",
    mandatory=True,
    reason=(
        "An ApplicationSet owns its Applications, and these own the workloads of every cluster: one deleted "
        "object takes the fleet's with it. Preserving keeps the finalizer off the Applications."
    ),
    remedy=_REMEDY + ".",
    source="https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Application-Deletion/",
    looks_at=("ApplicationSet: spec.syncPolicy.preserveResourcesOnDeletion",),
    concerns=is_application_set,
    look=_look,
)
