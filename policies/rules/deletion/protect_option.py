"""Rule resource-protected: what must not go by accident has Pulumi's own protection.

Advisory, because the pack cannot know what is production: a stack that is sets it to mandatory. The options
retainOnDelete and deletedWith are not shown to policies, and what a program leaves out is not either: no rule can
see that the namespace of Argo CD or an AppProject is about to be deleted.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from ..rule import Finding, Resource, Rule

_REMEDY: Final = (
    "Set the resource option protect; to remove the resource later, take it back in a step of its own"
)
_TYPES: Final = ["gcp:container/cluster:Cluster", "kubernetes:argoproj.io/*:ApplicationSet"]


def _look(resource: Resource) -> Iterator[Finding]:
    types = resource.parameters["types"]
    if not resource.protect and any(fnmatchcase(resource.type, str(each)) for each in types):
        why = "leaving it out of the program, or renaming it, deletes it"
        yield Finding(path="protect (resource option)", value=False, why=why, remedy=_REMEDY)


RULE: Final = Rule(
    name="resource-protected",
    title="Clusters and ApplicationSets have Pulumi's protection",
    mandatory=False,
    reason=(
        "The engine then refuses to delete or replace them before anything is sent. Set this to mandatory for "
        "production."
    ),
    remedy=_REMEDY + ".",
    source="https://www.pulumi.com/docs/iac/concepts/resources/options/protect/",
    looks_at=("the resource option protect of the types that the parameter names",),
    parameters={
        "types": {
            "type": "array",
            "items": {"type": "string"},
            "description": "type tokens of the resources that are to be protected; * stands for anything",
            "default": _TYPES,
        }
    },
    concerns=lambda resource_type: resource_type.partition(":")[0] != "pulumi",
    look=_look,
)
