"""Rule applicationset-sync-chosen: whether a set may delete Applications is written, not left to the default."""

from collections.abc import Iterator
from typing import Final

from ..argocd.place import application_sets, is_application_set
from ..properties import Unknown, joined, mapping
from ..rule import Finding, Resource, Rule

_CHOICES: Final = ("sync", "create-update", "create-only", "create-delete")
_REMEDY: Final = (
    "Write create-update where Applications are to stay until somebody removes them, or sync where a cluster "
    "that is selected no more shall lose its Application"
)


def _look(resource: Resource) -> Iterator[Finding]:
    for one in application_sets(resource):
        policy = mapping(one.body["spec"]).get("syncPolicy")
        value = mapping(policy).get("applicationsSync")
        if isinstance(policy, Unknown) or isinstance(value, Unknown) or value in _CHOICES:
            continue
        why = (
            "there is no such choice"
            if value
            else "the default deletes the Application of every cluster that a selector loses"
        )
        path = f"{joined(one.path, 'spec')}.syncPolicy.applicationsSync"
        yield Finding(path=path, value=value, why=why, remedy=_REMEDY)


RULE: Final = Rule(
    name="applicationset-sync-chosen",
    title="ApplicationSets say whether they delete Applications",
    mandatory=True,
    reason=(
        "To a generator an empty answer is an answer: a mistyped selector or missing Secrets delete every "
        "Application of the set. Whoever wants that writes it down."
    ),
    remedy=_REMEDY + ".",
    source="https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Controlling-Resource-Modification/",
    looks_at=("ApplicationSet: spec.syncPolicy.applicationsSync",),
    concerns=is_application_set,
    look=_look,
)
