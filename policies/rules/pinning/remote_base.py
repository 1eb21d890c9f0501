"""Rule remote-base-pinned: kustomize bases and manifests that are fetched by URL name what never moves.

A base in a kustomization inside a Git folder is not in a program and cannot be looked at here.
"""

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qs

from ..argocd.place import is_application, options, places
from ..argocd.template import has_action
from ..properties import items
from ..rule import Finding, Resource, Rule
from .forms import COMMIT, COMMIT_REMEDY, VERSION, commit_fault

_DIRECTORY: Final = re.compile(r"kubernetes:kustomize(/v[0-9]+)?:Directory")
_MANIFESTS: Final = re.compile(r"kubernetes:yaml(/v[0-9]+)?:Config(File|Group)")
_REMOTE: Final = re.compile(r"[a-z+]+://|git@|[^/.?]+(\.[^/.?]+)+/[^/?]+/[^/?]+")
_REF_REMEDY: Final = f'{COMMIT_REMEDY} at the end of the URL, as "?ref=COMMIT"'
_URL_REMEDY: Final = (
    "Write a URL with the full commit SHA or an exact version in it, or keep a copy in the repository"
)


def _concerns(resource_type: str) -> bool:
    known = _DIRECTORY.fullmatch(resource_type) or _MANIFESTS.fullmatch(resource_type)
    return known is not None or is_application(resource_type)


def _look(resource: Resource) -> Iterator[Finding]:
    if _DIRECTORY.fullmatch(resource.type):
        yield from _base(resource.properties.get("directory"), "directory")
    elif _MANIFESTS.fullmatch(resource.type):
        yield from _manifest(resource.properties.get("file"), "file")
        files = resource.properties.get("files")
        for value, path in items([files] if isinstance(files, str) else files, "files"):
            yield from _manifest(value, path)
    else:
        for place in places(resource):
            for kustomize, path in options(place, "kustomize"):
                for value, where in items(kustomize.get("components"), f"{path}.components"):
                    yield from _base(value, where)


def _base(value: Any, path: str) -> Iterator[Finding]:
    if not isinstance(value, str) or not _REMOTE.match(value) or has_action(value):
        return
    query = parse_qs(value.partition("?")[2])
    ref = next(iter((*query.get("ref", ()), *query.get("version", ()))), None)
    if fault := commit_fault(ref):
        why = f"ref is {ref}: {fault}" if ref else f"it has no ref: {fault}"
        yield Finding(path=path, value=value, why=why, remedy=_REF_REMEDY)


def _manifest(value: Any, path: str) -> Iterator[Finding]:
    if not isinstance(value, str) or not re.match(r"https?://", value):
        return
    words = re.split(r"[/?&=@]", value)
    if not any(COMMIT.fullmatch(word) or VERSION.fullmatch(word) for word in words):
        why = "the URL holds neither a commit nor an exact version, so what it gives can change"
        yield Finding(path=path, value=value, why=why, remedy=_URL_REMEDY)


RULE: Final = Rule(
    name="remote-base-pinned",
    title="Kustomize bases and manifests from a URL name a commit or an exact version",
    mandatory=True,
    reason="A base without a ref is the newest commit of somebody else's branch, fetched again at every build.",
    remedy=f"{_REF_REMEDY}. For a manifest: {_URL_REMEDY[0].lower()}{_URL_REMEDY[1:]}.",
    source="https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/resource/#remote-files",
    looks_at=(
        "kubernetes:kustomize:Directory, kustomize/v2:Directory: directory",
        "kubernetes:yaml:ConfigFile, ConfigGroup, yaml/v2 too: file, files",
        "Application, and every layer of an ApplicationSet: kustomize.components of each source",
    ),
    concerns=_concerns,
    look=_look,
)
