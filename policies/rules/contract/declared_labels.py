"""Rule cluster-labels-declared: every cluster Secret carries the labels that a platform promises."""

from collections.abc import Iterator
from typing import Final

from ..argocd.cluster_secret import cluster_secrets, is_secret, labels
from ..properties import joined
from ..rule import Finding, Resource, Rule

_REMEDY: Final = "Write the label on the Secret, for every cluster"


def _look(resource: Resource) -> Iterator[Finding]:
    for body, path in cluster_secrets(resource):
        for label in resource.parameters["labels"]:
            if labels(body).get(label) in (None, ""):
                where = joined(joined(joined(path, "metadata"), "labels"), label)
                why = "the label is declared for every cluster, and selectors and templates count on it"
                yield Finding(path=where, value=labels(body).get(label), why=why, remedy=_REMEDY)


RULE: Final = Rule(
    name="cluster-labels-declared",
    title="Cluster Secrets carry every declared label",
    mandatory=True,
    reason=(
        "A cluster without a label that others have is silently left out by selectors, and stops a whole "
        "ApplicationSet whose template reads it."
    ),
    remedy=_REMEDY + ".",
    source="https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#clusters",
    looks_at=(
        "Secret with the label argocd.argoproj.io/secret-type: cluster: metadata.labels, held against the "
        "parameter (without it template-labels-exist alone looks at labels)",
    ),
    parameters={
        "labels": {
            "type": "array",
            "items": {"type": "string"},
            "description": "the labels that every cluster Secret carries",
            "default": [],
        }
    },
    concerns=is_secret,
    look=_look,
)
