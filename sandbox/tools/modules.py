"""Files that come inside Go modules: Argo CD's manifests and official Helm charts.

Owns fetching a module (verified by go.sum) and keeping the wanted part of it. Does not own what the mirror
makes of it. Nothing of this is committed to the project.
"""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.tools import cache, toolchain
from sandbox.tools.build import failure
from sandbox.tools.cache import Say
from sandbox.tools.error import ToolError
from sandbox.tools.group import ARGOCD_MODULE, GIB, GROUPS, HERE, pinned

CHARTS = HERE / "charts"


@dataclass(frozen=True)
class ChartModule:
    """Where a chart lies. `module`: path of the Go module; `parts`: path in the module -> path in what is
    kept of it."""

    module: str
    parts: Mapping[str, str]


CHART_MODULES: Mapping[str, ChartModule] = {
    "cert-manager": ChartModule(
        "github.com/cert-manager/cert-manager",
        {"deploy/charts/cert-manager": "chart", "deploy/crds": "crds"},
    ),
    "external-dns": ChartModule("sigs.k8s.io/external-dns", {"charts/external-dns": "chart"}),
    "external-secrets": ChartModule(
        "github.com/external-secrets/external-secrets",
        {"deploy/charts/external-secrets": "chart", "deploy/crds/bundle.yaml": "crds.yaml"},
    ),
    "kyverno": ChartModule("github.com/kyverno/kyverno", {"charts/kyverno": "chart"}),
    "metrics-server": ChartModule("sigs.k8s.io/metrics-server", {"charts/metrics-server": "chart"}),
}
"""By the chart's name. The folders `charts/NAME-VERSION` pin which versions of them there are."""


def argocd_version() -> str:
    """The version of Argo CD that the sandbox runs, as `v3.5.7`."""
    return GROUPS["delivery"].pinned(ARGOCD_MODULE)


def manifests(say: Say = lambda line: None) -> Path:
    """A folder with Argo CD's `install.yaml`, `crds/` and `git-verify-wrapper.sh`. Raises ToolError."""
    folder = cache.tools() / f"argocd-manifests-{argocd_version()}"
    if folder.exists():
        return folder
    with cache.only_one("manifests", say):
        if not folder.exists():
            cache.need_space("Argo CD's manifests", GIB // 2)
            say(f"getting the manifests of Argo CD {argocd_version()}")
            source = _fetch(GROUPS["delivery"].folder, ARGOCD_MODULE, say)
            with cache.making(folder) as scratch:
                _copy(source / "manifests" / "crds", scratch / "crds")
                _copy(source / "manifests" / "install.yaml", scratch / "install.yaml")
                _copy(source / "hack" / "git-verify-wrapper.sh", scratch / "git-verify-wrapper.sh")
                (scratch / "git-verify-wrapper.sh").chmod(0o755)
    return folder


def chart_sources() -> list[Path]:
    """The folders that pin a chart, by name: each is called NAME-VERSION and holds go.mod and go.sum."""
    return sorted(path.parent for path in CHARTS.glob("*/go.mod"))


def chart_name(source: Path) -> tuple[str, str]:
    """(name, version) of the chart of a folder that is called NAME-VERSION."""
    name, _, version = source.name.rpartition("-")
    return name, version


def charts(say: Say = lambda line: None) -> Path:
    """A folder with one folder `NAME-VERSION` for each official chart. Raises ToolError.

    Each holds `chart/` as it is in the upstream repository, and what upstream's own build needs besides: `crds.yaml`
    or `crds/` where CRDs are not in its templates yet.
    """
    folder = cache.tools() / f"charts-{_charts_key()}"
    if folder.exists():
        return folder
    with cache.only_one("charts", say):
        if not folder.exists():
            cache.need_space("the official charts", GIB // 2)
            with cache.making(folder) as scratch:
                # A module cache of its own, thrown away: a chart is a small part of its module.
                downloads = scratch / ".go-mod"
                for source in chart_sources():
                    _keep_chart(source, downloads, scratch / source.name, say)
                cache.remove(downloads)
    return folder


def _charts_key() -> str:
    key = hashlib.sha256(repr(CHART_MODULES).encode())
    for source in chart_sources():
        for name in ("go.mod", "go.sum"):
            key.update((source / name).read_bytes())
    return key.hexdigest()[:12]


def _keep_chart(source: Path, downloads: Path, target: Path, say: Say) -> None:
    name, _ = chart_name(source)
    wanted = CHART_MODULES[name]
    say(f"getting the chart {source.name} ({wanted.module} {pinned(source / 'go.mod', wanted.module)})")
    module = _fetch(source, wanted.module, say, downloads)
    for path, kept in wanted.parts.items():
        _copy(module / path, target / kept)


def _fetch(folder: Path, module: str, say: Say, downloads: Path | None = None) -> Path:
    """The sources of `module` in the version that the go.mod in `folder` pins, verified by the go.sum there.

    `downloads`: the module cache to use instead of the one that builds share.
    """
    go = toolchain.go(say)
    environment = go.environment()
    if downloads is not None:
        environment["GOMODCACHE"] = str(downloads)
    done = subprocess.run(
        [str(go.program), "mod", "download", "-json", module],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(done.stdout) if done.stdout.strip() else {}
    if done.returncode != 0 or "Dir" not in answer:
        raise failure(module, [*done.stderr.splitlines(), *str(answer.get("Error", "")).splitlines()])
    expected = f"{module} {answer['Version']} {answer['Sum']}"
    if expected not in (folder / "go.sum").read_text().splitlines():
        raise ToolError(f"{folder / 'go.sum'} does not hold `{expected}`", "it is not the pinned source")
    return Path(answer["Dir"])


def _copy(source: Path, target: Path) -> None:
    """Copy without the read-only modes of Go's module cache."""
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile)
        for path in [target, *target.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
