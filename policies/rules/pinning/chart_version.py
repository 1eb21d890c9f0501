"""Rule chart-version-pinned: Helm charts come in one exact version of three parts."""

import re
from collections.abc import Iterator
from typing import Any, Final

from ..argocd import source as argocd
from ..argocd.source import Source, SourceKind
from ..properties import Unknown, mapping
from ..rule import Finding, Resource, Rule
from .forms import DIGEST, VERSION, VERSION_REMEDY, commit_fault, oci_fault, version_fault
from .offence import offence

_CHARTS: Final = re.compile(r"kubernetes:helm\.sh/v[0-9]+:(Release|Chart)")
_PACKAGE: Final = re.compile(rf"(?:^|[/-])(?:{VERSION.pattern})\.(tgz|tar\.gz)")
_UNSURE: Final = frozenset({SourceKind.UNSURE})


def _concerns(resource_type: str) -> bool:
    return _CHARTS.fullmatch(resource_type) is not None or argocd.concerns(resource_type)


def _look(resource: Resource) -> Iterator[Finding]:
    if _CHARTS.fullmatch(resource.type):
        yield from _helm(resource.properties)
        return
    for source in argocd.sources(resource):
        fault = _fault(source)
        if fault:
            yield offence(source, fault, VERSION_REMEDY)


def _fault(source: Source) -> str | None:
    """What is wrong with a source as a chart.

    One whose kind is unsure is this rule's, and may be pinned in any way.
    """
    if SourceKind.CHART in source.kinds:
        if source.commit:
            return "a commit is no version of a chart"
        return source.undecided or version_fault(source.revision)
    if source.kinds != _UNSURE or source.commit:
        return None
    faults = commit_fault(source.revision), oci_fault(source.revision)
    if source.undecided:
        return source.undecided
    return version_fault(source.revision) if all(faults) else None


def _helm(properties: Any) -> Iterator[Finding]:
    """A Release or Chart of the kubernetes provider. A chart that is a local path has no version to pin."""
    chart, version = properties.get("chart"), properties.get("version")
    repository = _repository(properties)
    if chart is None or _is_local(chart, repository):
        return
    where = "version"
    if isinstance(chart, str) and re.match(r"https?://", chart):
        if not _PACKAGE.search(chart.partition("?")[0]):
            why = (
                "of a chart that is named by its URL only the URL counts, and this one holds no exact version"
            )
            yield Finding(path="chart", value=chart, why=why, remedy=_PACKAGE_REMEDY)
        return
    if version in (None, "") and isinstance(chart, str) and chart.startswith("oci://"):
        where, version = "chart", _oci_version(chart) or version
        if isinstance(version, str) and DIGEST.fullmatch(version):
            return
    if version in (None, "") and isinstance(chart, Unknown):
        return
    if fault := version_fault(version):
        where = "version" if version in (None, "") else where
        value = chart if where == "chart" else version
        yield Finding(path=where, value=value, why=fault, remedy=f"{VERSION_REMEDY}{_LOCAL_REMEDY}")


_PACKAGE_REMEDY: Final = (
    'Name a package whose file name ends in an exact version, such as "external-secrets-1.3.1.tgz", '
    "or give repository and version"
)
_LOCAL_REMEDY: Final = ' (a chart in a folder of the program is written as a path, "./charts/NAME")'


def _repository(properties: Any) -> object:
    """The repository of a chart: repositoryOpts.repo, or in a v3 Chart fetchOpts.repo or repo."""
    options = properties.get("repositoryOpts"), properties.get("fetchOpts")
    for holder in options:
        if isinstance(holder, Unknown):
            return holder
        if repository := mapping(holder).get("repo"):
            return repository
    return properties.get("repo")


def _is_local(chart: object, repository: object) -> bool:
    """Whether Helm takes `chart` for a folder or package on this machine.

    Helm looks for a chart named without a repository in a folder first, and without a slash it can be
    nothing else.
    """
    if not isinstance(chart, str):
        return False
    if "://" in chart:
        return chart.startswith("file://")
    return (
        chart.startswith((".", "/", "~"))
        or chart.endswith((".tgz", ".tar.gz"))
        or not (repository or "/" in chart)
    )


def _oci_version(chart: str) -> str | None:
    name, _, digest = chart.partition("@")
    if digest:
        return digest
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag or None


RULE: Final = Rule(
    name="chart-version-pinned",
    title="Helm charts come in one exact version of three parts",
    mandatory=True,
    reason=(
        "A range, a missing version or one of two parts is resolved again whenever somebody looks, so what "
        "is delivered changes without a commit and differs between clusters."
    ),
    remedy=VERSION_REMEDY + ".",
    source="https://helm.sh/docs/chart_best_practices/dependencies/#versions",
    looks_at=(
        "kubernetes:helm.sh/v3:Release and Chart, v4:Chart: version (charts that are local paths have none)",
        "Application: spec.source, spec.sources[] where chart is set",
        "ApplicationSet: template, templatePatch and the generators' own templates, with every value that "
        "the generators give",
    ),
    concerns=_concerns,
    look=_look,
)
