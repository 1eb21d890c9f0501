"""Rule git-revision-pinned: Git sources name a full commit, OCI sources a digest or an exact version.

Tags are refused, written as ``refs/tags/…`` too: whoever can push can move them, and Argo CD follows.
"""

from collections.abc import Iterator
from typing import Final

from ..argocd import source as argocd
from ..argocd.source import Source, SourceKind
from ..rule import Finding, Resource, Rule
from .forms import COMMIT_REMEDY, OCI_REMEDY, commit_fault, oci_fault
from .offence import offence


def _look(resource: Resource) -> Iterator[Finding]:
    for source in argocd.sources(resource):
        for kind, remedy in ((SourceKind.GIT, COMMIT_REMEDY), (SourceKind.OCI, OCI_REMEDY)):
            fault = _fault(source, kind)
            if fault:
                yield offence(source, fault, remedy)


def _fault(source: Source, kind: SourceKind) -> str | None:
    if kind not in source.kinds:
        return None
    if source.commit:
        return None if kind is SourceKind.GIT else "a commit is no revision of an OCI artifact"
    if source.undecided:
        return source.undecided
    return commit_fault(source.revision) if kind is SourceKind.GIT else oci_fault(source.revision)


RULE: Final = Rule(
    name="git-revision-pinned",
    title="Git sources name a full commit, OCI sources a digest or an exact version",
    mandatory=True,
    reason=(
        "HEAD, branches and tags move: what Argo CD delivers then changes without a change to the program "
        "that was reviewed, and going back to an earlier program does not bring back what it delivered."
    ),
    remedy=COMMIT_REMEDY + ".",
    source="https://argo-cd.readthedocs.io/en/stable/user-guide/tracking_strategies/",
    looks_at=(
        "Application: spec.source, spec.sources[] (those with ref too), spec.sourceHydrator.drySource; where "
        "no chart is set",
        "ApplicationSet: template, templatePatch and the generators' own templates, with every value that "
        "the generators give",
        "ApplicationSet: revision of Git generators",
    ),
    concerns=argocd.concerns,
    look=_look,
)
