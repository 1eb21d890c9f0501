"""Rule template-labels-exist: what a template reads of a cluster stands on every cluster that it is rendered for.

Looks at the cluster Secrets of the same stack. A key that the template itself asks for first (hasKey) may be missing.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..argocd.cluster_secret import cluster_secrets, is_secret, labels, selection
from ..argocd.place import application_sets, generators, is_application_set, texts
from ..properties import joined, mapping
from ..rule import Finding
from ..stack_rule import Stack, StackRule

_ACTION: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_FIELD: Final = re.compile(r"\bmetadata\.(labels|annotations)\.([A-Za-z_]\w*)")
_PLAIN_FIELD: Final = re.compile(r"\{\{\s*metadata\.(labels|annotations)\.([^\s}]+)\s*\}\}")
_INDEX: Final = re.compile(r"\bindex\s+\$?\.metadata\.(labels|annotations)\s+\"([^\"]+)\"")
_ASKED: Final = re.compile(r"\bhasKey\s+\$?\.metadata\.(labels|annotations)\s+\"([^\"]+)\"")
_SHOWN: Final = 5
_REMEDY: Final = "Write it on these Secrets, or let the selector leave them out"

Key = tuple[str, str]
"""labels or annotations, and the key."""


def _look(stack: Stack) -> Iterator[Finding]:
    secrets = [body for resource in stack.resources for body, _ in cluster_secrets(resource)]
    for resource in stack.resources:
        for one in application_sets(resource) if is_application_set(resource.type) else ():
            spec, path = mapping(one.body["spec"]), joined(one.path, "spec")
            lacking: defaultdict[tuple[str, str, Key], set[str]] = defaultdict(set)
            for where, text, key, secret in _missing(spec, path, secrets):
                lacking[where, text, key].add(str(mapping(secret.get("metadata")).get("name")))
            for (where, text, (kind, name)), clusters in lacking.items():
                shown = ", ".join(sorted(clusters)[:_SHOWN]) + (
                    f" and {len(clusters) - _SHOWN} more" if len(clusters) > _SHOWN else ""
                )
                why = f"it reads the {kind[:-1]} {name}, which these selected cluster Secrets do not have: {shown}"
                yield Finding(path=where, value=text, why=why, remedy=_REMEDY, urn=resource.urn)


def _missing(
    spec: Mapping[str, Any], path: str, secrets: list[Mapping[str, Any]]
) -> Iterator[tuple[str, str, Key, Mapping[str, Any]]]:
    """Path, text and key of everything that is read of a cluster Secret that does not have it."""
    go = spec.get("goTemplate") is True
    common = [
        *texts(spec.get("template"), f"{path}.template"),
        *texts(spec.get("templatePatch"), f"{path}.templatePatch"),
    ]
    for kind, body, inside in generators(spec, path):
        if kind != "clusters":
            continue
        own = [
            *texts(body.get("template"), f"{inside}.template"),
            *texts(body.get("values"), f"{inside}.values"),
        ]
        read = [(where, text, key) for text, where in (*common, *own) for key in sorted(_keys(text, go=go))]
        takes = selection(body.get("selector"))
        for secret in secrets if read else ():
            if takes(labels(secret)):
                for where, text, key in read:
                    if key[1] not in labels(secret, key[0]):
                        yield where, text, key, secret


def _keys(text: str, *, go: bool) -> set[Key]:
    if not go:
        return set(_PLAIN_FIELD.findall(text))
    asked = set(_ASKED.findall(text))
    found = {
        key for action in _ACTION.findall(text) for each in (_FIELD, _INDEX) for key in each.findall(action)
    }
    return found - asked


RULE: Final = StackRule(
    name="template-labels-exist",
    title="What an ApplicationSet reads of a cluster stands on every selected cluster",
    mandatory=True,
    reason=(
        "One cluster without the label stops the whole set: with missingkey=error no Application of it is "
        "created or changed any more, on no cluster; without it the text has a hole."
    ),
    remedy=_REMEDY + ".",
    source="https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/GoTemplate/",
    looks_at=(
        "ApplicationSet: every .metadata.labels.X and .metadata.annotations.X (with index too) in template, "
        "templatePatch, and the values and template of clusters generators",
        "cluster Secrets of the same stack: metadata.labels, metadata.annotations",
    ),
    concerns=lambda resource_type: is_secret(resource_type) or is_application_set(resource_type),
    look=_look,
)
