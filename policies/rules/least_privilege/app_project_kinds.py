"""Rule app-project-kinds: a project of Argo CD names the kinds inside namespaces too.

Advisory: without a list every kind is let through, and most projects have none.
"""

from collections.abc import Iterator
from typing import Final

from ..rule import Finding, Resource, Rule
from .app_project import is_wildcard
from .project import concerns, is_patch, projects

_REMEDY: Final = "Name the kinds that the Applications bring in spec.namespaceResourceWhitelist"


def _look(resource: Resource) -> Iterator[Finding]:
    for project in projects(resource):
        kinds = project.at("spec", "namespaceResourceWhitelist")
        if kinds.value is None and project.at("spec").is_set and not is_patch(resource):
            yield kinds.offends("then every kind in a namespace is let through", _REMEDY)
        for kind in kinds.each():
            if is_wildcard(kind):
                yield kind.at("kind").offends("then every kind in a namespace is let through", _REMEDY)


RULE: Final = Rule(
    name="app-project-kinds",
    title="AppProjects name the kinds inside namespaces",
    mandatory=False,
    reason="RoleBindings, Secrets and NetworkPolicies are kinds in a namespace: a list keeps out what is not due.",
    remedy=_REMEDY + ".",
    source="https://argo-cd.readthedocs.io/en/stable/user-guide/projects/",
    looks_at=("AppProject: spec.namespaceResourceWhitelist",),
    concerns=concerns,
    look=_look,
)
