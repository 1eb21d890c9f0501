"""Rule applicationset-deleted-in-background: Pulumi deletes an ApplicationSet in the order that Argo CD expects."""

from collections.abc import Iterator
from typing import Final

from ..argocd.place import application_sets, is_application_set
from ..properties import Unknown, joined, mapping
from ..rule import Finding, Resource, Rule

_ANNOTATION: Final = "pulumi.com/deletionPropagationPolicy"
_REMEDY: Final = f'Write the annotation {_ANNOTATION}: "background", or "orphan" to leave the Applications'


def _look(resource: Resource) -> Iterator[Finding]:
    for one in application_sets(resource):
        metadata = one.body.get("metadata")
        annotations = mapping(metadata).get("annotations")
        value = mapping(annotations).get(_ANNOTATION)
        if any(isinstance(each, Unknown) for each in (metadata, annotations, value)):
            continue
        if str(value).lower() not in ("background", "orphan"):
            path = joined(joined(joined(one.path, "metadata"), "annotations"), _ANNOTATION)
            why = "the provider then deletes in the foreground, the Applications before the set"
            yield Finding(path=path, value=value, why=why, remedy=_REMEDY)


RULE: Final = Rule(
    name="applicationset-deleted-in-background",
    title="ApplicationSets are deleted in the background",
    mandatory=True,
    reason=(
        "Pulumi's Kubernetes provider deletes in the foreground unless told otherwise. Then Kubernetes deletes "
        "the Applications first, and Argo CD promises nothing about the workloads."
    ),
    remedy=_REMEDY + ".",
    source="https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/",
    looks_at=(f"ApplicationSet: metadata.annotations, {_ANNOTATION}",),
    concerns=is_application_set,
    look=_look,
)
