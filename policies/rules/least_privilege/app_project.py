"""Rule app-project-closed: a project of Argo CD names its repositories, places and cluster-wide kinds."""

from collections.abc import Iterator
from typing import Final

from ..place import Place
from ..rule import Finding, Resource, Rule
from .project import concerns, is_everything, projects

_SOURCES: Final = "Name the repositories, or their folder (https://HOST/ORG/*)"
_PLACES: Final = "Name the namespaces, and the clusters by name or server; one of the two may be a pattern"
_KINDS: Final = "Name the cluster-wide kinds that the Applications bring"
_MAKERS: Final = "Name the namespaces whose Applications belong to the project"


def _look(resource: Resource) -> Iterator[Finding]:
    for project in projects(resource):
        spec = project.at("spec")
        for source in spec.at("sourceRepos").each():
            if is_everything(source):
                yield source.offends("Applications may deliver from any repository there is", _SOURCES)
        for place in spec.at("destinations").each():
            for cluster in (place.at("server"), place.at("name")):
                if is_everything(cluster) and is_everything(place.at("namespace")):
                    yield cluster.offends("Applications may deliver to any namespace of any cluster", _PLACES)
        for kind in spec.at("clusterResourceWhitelist").each():
            if is_wildcard(kind):
                yield kind.at("kind").offends(
                    "Applications may give themselves any right in a cluster", _KINDS
                )
        for namespace in spec.at("sourceNamespaces").each():
            if is_everything(namespace):
                yield namespace.offends("who may write in any namespace may use the project", _MAKERS)


def is_wildcard(kind: Place) -> bool:
    """Whether a group and kind are every kind of every group."""
    return is_everything(kind.at("group")) and is_everything(kind.at("kind"))


RULE: Final = Rule(
    name="app-project-closed",
    title="AppProjects name what they let through",
    mandatory=True,
    reason=(
        "A project is what stands between a repository and every cluster that Argo CD reaches. With a wildcard, who "
        "can push to one repository, or write one Application, can do what Argo CD can."
    ),
    remedy=f"{_SOURCES}; {_PLACES[0].lower()}{_PLACES[1:]}; {_KINDS[0].lower()}{_KINDS[1:]}.",
    source="https://argo-cd.readthedocs.io/en/stable/user-guide/projects/",
    looks_at=(
        "AppProject: spec.sourceRepos[], spec.destinations[] (cluster and namespace together), "
        "spec.clusterResourceWhitelist[], spec.sourceNamespaces[]",
    ),
    concerns=concerns,
    look=_look,
)
