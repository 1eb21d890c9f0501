"""Files that come inside Go modules: Argo CD's manifests and official Helm charts.

Owns fetching a module (verified by go.sum) and keeping the wanted part of it. Does not own what the mirror
makes of it. Nothing of this is committed to the project.
"""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from sandbox.tools import cache, toolchain
from sandbox.tools.build import failure
from sandbox.tools.cache import Say
from sandbox.tools.error import ToolError
from sandbox.tools.group import ARGOCD_MODULE, GIB, GROUPS, HERE, pinned

CHARTS = HERE / "charts"

_EXTERNAL_SECRETS = "github.com/external-secrets/external-secrets"


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


def charts(say: Say = lambda line: None) -> Path:
    """A folder with one folder `NAME-VERSION` for each official chart. Raises ToolError.

    Each holds `chart/` as it is in the upstream repository (CRDs not yet in its templates) and `crds.yaml`.
    """
    sources = sorted(path.parent for path in CHARTS.glob("*/go.mod"))
    key = hashlib.sha256()
    for source in sources:
        for name in ("go.mod", "go.sum"):
            key.update((source / name).read_bytes())
    folder = cache.tools() / f"charts-{key.hexdigest()[:12]}"
    if folder.exists():
        return folder
    with cache.only_one("charts", say):
        if not folder.exists():
            cache.need_space("the official charts", GIB // 2)
            with cache.making(folder) as scratch:
                for source in sources:
                    say(f"getting the chart {source.name} ({pinned(source / 'go.mod', _EXTERNAL_SECRETS)})")
                    module = _fetch(source, _EXTERNAL_SECRETS, say)
                    _copy(module / "deploy" / "charts" / "external-secrets", scratch / source.name / "chart")
                    _copy(module / "deploy" / "crds" / "bundle.yaml", scratch / source.name / "crds.yaml")
    return folder


def _fetch(folder: Path, module: str, say: Say) -> Path:
    """The sources of `module` in the version that the go.mod in `folder` pins, verified by the go.sum
    there."""
    go = toolchain.go(say)
    done = subprocess.run(
        [str(go.program), "mod", "download", "-json", module],
        cwd=folder,
        env=go.environment(),
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
