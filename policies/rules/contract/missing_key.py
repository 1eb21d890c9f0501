"""Rule missing-key-fails: a template that reads what is not there fails, in place of delivering a hole."""

from collections.abc import Iterator
from typing import Final

from ..argocd.place import application_sets, is_application_set
from ..properties import Unknown, joined, mapping
from ..rule import Finding, Resource, Rule

_REMEDY: Final = 'Write goTemplateOptions: ["missingkey=error"]'


def _look(resource: Resource) -> Iterator[Finding]:
    for one in application_sets(resource):
        spec = mapping(one.body["spec"])
        options = spec.get("goTemplateOptions")
        if spec.get("goTemplate") is not True or isinstance(options, Unknown):
            continue
        known = options if isinstance(options, list) else []
        if "missingkey=error" not in known and not any(isinstance(each, Unknown) for each in known):
            path = f"{joined(one.path, 'spec')}.goTemplateOptions"
            why = 'a mistyped or missing parameter becomes "<no value>" in names, values and revisions'
            value = None if options in (None, []) else str(options)
            yield Finding(path=path, value=value, why=why, remedy=_REMEDY)


RULE: Final = Rule(
    name="missing-key-fails",
    title="A template that reads what is not there fails",
    mandatory=True,
    reason=(
        "An Application with a hole in its name, its values or its destination is worse than none: with "
        "missingkey=error the set keeps what it has and says what is missing."
    ),
    remedy=_REMEDY + ".",
    source="https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/GoTemplate/",
    looks_at=("ApplicationSet with goTemplate: spec.goTemplateOptions",),
    concerns=is_application_set,
    look=_look,
)
