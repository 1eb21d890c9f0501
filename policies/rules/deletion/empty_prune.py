"""Rule prune-not-empty: an automatic sync does not remove everything because a source became empty."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from ..argocd.place import Place, is_application, places
from ..properties import mapping
from ..rule import Finding, Resource, Rule

_TEXT: Final = re.compile(r"\ballowEmpty[\"']?\s*:\s*[\"']?true\b")
_REMEDY: Final = (
    "Leave allowEmpty out; to remove everything on purpose, set it beside a source whose path is an empty "
    "folder"
)


def _look(resource: Resource) -> Iterator[Finding]:
    for place in places(resource):
        automated = mapping(mapping(place.spec.get("syncPolicy")).get("automated"))
        prune = automated.get("prune", place.stamped)  # of a template it may stand in another layer
        meant = _meant(place, resource.parameters["emptyPaths"])
        if automated.get("allowEmpty") is True and prune is True and not meant:
            why = "with prune a wrong path, an empty folder or a chart without output removes everything"
            path = place.at("spec", "syncPolicy", "automated", "allowEmpty")
            yield Finding(path=path, value=True, why=why, remedy=_REMEDY)
        if _TEXT.search(place.text):
            why = "the patch may let an empty source remove everything"
            yield Finding(path=place.path, value=place.text, why=why, remedy=_REMEDY)


def _meant(place: Place, paths: list[str]) -> bool:
    """Whether the layer's own source is a folder that is empty by its name: that is how a removal is written."""
    path = mapping(place.spec.get("source")).get("path")
    return isinstance(path, str) and any(fnmatchcase(path.strip("/"), pattern) for pattern in paths)


RULE: Final = Rule(
    name="prune-not-empty",
    title="An empty source removes nothing",
    mandatory=True,
    reason=(
        "Argo CD refuses to prune down to nothing by itself; allowEmpty takes that guard away, for every "
        "cluster that the Application or the set delivers to."
    ),
    remedy=_REMEDY + ".",
    source="https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/#automatic-pruning-with-allow-empty-v18",
    looks_at=("Application, and every layer of an ApplicationSet: spec.syncPolicy.automated",),
    parameters={
        "emptyPaths": {
            "type": "array",
            "items": {"type": "string"},
            "description": "paths of folders that are empty on purpose; * stands for anything",
            "default": ["empty", "*/empty"],
        }
    },
    concerns=is_application,
    look=_look,
)
