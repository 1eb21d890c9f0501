"""What the mirror serves, made at its start.

Owns the paths: each is the upstream URL without its scheme. Does not own serving.
"""

import shutil
from pathlib import Path

from sandbox.mirror import argocd_chart, external_secrets, git, oci, reloader, upstream
from sandbox.mirror.archive import Chart, write_repository
from sandbox.tools import chart_name, charts, manifests
from sandbox.tools.cache import Say

ARGO_HELM = "argoproj.github.io/argo-helm"

HTTP = {
    "external-dns": "kubernetes-sigs.github.io/external-dns",
    "external-secrets": "charts.external-secrets.io",
    "kyverno": "kyverno.github.io/kyverno",
    "metrics-server": "kubernetes-sigs.github.io/metrics-server",
}
"""Official charts in Helm repositories over HTTP: name -> path."""

OCI = {"cert-manager": "quay.io/jetstack/charts", "reloader": "ghcr.io/stakater/charts"}
"""Charts in OCI registries: name -> folder of its repository."""


def make(folder: Path, say: Say) -> list[oci.Artifact]:
    """Make all files anew in `folder`, and give what belongs into the OCI registry.

    Raises ToolError where the sources cannot be had.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    official = _official(say)
    for name, path in HTTP.items():
        write_repository(folder / path, official[name])
    write_repository(folder / ARGO_HELM, argocd_chart.charts(manifests(say) / "install.yaml"))
    for commit in git.write_platform(folder):
        say(f"{git.PLATFORM} has {commit}")
    packed = {**official, "reloader": reloader.charts()}
    return [
        *(oci.chart_artifact(path, chart) for name, path in OCI.items() for chart in packed[name]),
        *oci.priority_classes(),
    ]


def listing(folder: Path, artifacts: list[oci.Artifact]) -> list[str]:
    """What there is, one line each, for the answer to a request for something else."""
    packed = (str(path.relative_to(folder)) for path in sorted(folder.rglob("*.tgz")))
    return [*packed, f"{git.PLATFORM} (git)", *map(str, artifacts)]


def _official(say: Say) -> dict[str, list[Chart]]:
    """Official charts by name, each in its versions."""
    made: dict[str, list[Chart]] = {}
    for source in sorted(path for path in charts(say).iterdir() if path.is_dir()):
        name, version = chart_name(source)
        chart = (
            external_secrets.chart(source) if name == "external-secrets" else upstream.chart(source, version)
        )
        made.setdefault(name, []).append(chart)
    return made
