"""What the mirror serves, made as files at its start.

Owns the paths: each is the upstream URL without its scheme. Does not own serving.
"""

import shutil
from pathlib import Path

from sandbox.mirror import argocd_chart, external_secrets, git
from sandbox.mirror.archive import write_repository
from sandbox.tools import charts, manifests
from sandbox.tools.cache import Say

EXTERNAL_SECRETS = "charts.external-secrets.io"
ARGO_HELM = "argoproj.github.io/argo-helm"


def make(folder: Path, say: Say) -> None:
    """Make everything anew in `folder`. Raises ToolError where the sources cannot be had."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sources = sorted(path for path in charts(say).iterdir() if path.is_dir())
    write_repository(folder / EXTERNAL_SECRETS, [external_secrets.chart(source) for source in sources])
    write_repository(folder / ARGO_HELM, [argocd_chart.chart(manifests(say) / "install.yaml")])
    commit = git.write_platform(folder)
    say(f"{git.PLATFORM} is at {commit}")


def listing(folder: Path) -> list[str]:
    """What there is, one line each, for the answer to a request for something else."""
    packed = (str(path.relative_to(folder)) for path in sorted(folder.rglob("*.tgz")))
    return [*packed, f"{git.PLATFORM} (git)"]
