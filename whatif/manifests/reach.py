"""How far charts and folders can be reached from here, and getting each of them once.

Owns the ways: a mirror as files, a mirror's address, the network; and the environment of every program that is
started for it, which holds no credential, no setting of the user, and no way to the network where none is
allowed. Does not own what is rendered of it.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from whatif.manifests.delivered import Source, Unrendered

_SECONDS = 90.0
_MOST_BYTES = 64 * 1024**2
_KEPT = ("PATH", "LANG", "TMPDIR")
_FOR_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
_NOWHERE = "http://127.0.0.1:9"
"""A proxy that nobody is: the discard port."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What can be used.

    Attributes:
        helm: the program; None where it is not at hand. kustomize: likewise.
        folder: a mirror as files, laid out like the upstream addresses: HOST/PATH/CHART-VERSION.tgz for charts,
            HOST/PATH.git for bare Git repositories. None without one.
        mirror: address of a mirror that answers here (http:// or https://), upstream hosts as its first folders.
        behind: addresses of mirrors that stacks name (`gke-fleet:mirror`), which the repositories of their outputs
            begin with; they are taken off.
        network: whether upstream addresses may be asked.
    """

    helm: Path | None = None
    kustomize: Path | None = None
    folder: Path | None = None
    mirror: str | None = None
    behind: tuple[str, ...] = ()
    network: bool = False

    def upstream(self, source: Source) -> str:
        """Host and path of a source as upstream has it."""
        for mirror in self.behind:
            prefix = f"{mirror.partition('://')[2].rstrip('/')}/"
            if source.place.startswith(prefix):
                return source.place.removeprefix(prefix)
        return source.place

    def address(self, source: Source) -> str | None:
        """Where to ask for a source over HTTP: behind the mirror, or upstream; None where neither is allowed."""
        place = self.upstream(source)
        scheme = "oci" if source.is_oci else "https"
        if self.mirror is not None:
            there, _, rest = self.mirror.partition("://")
            return f"{scheme if source.is_oci else there}://{rest.rstrip('/')}/{place}"
        return f"{scheme}://{place}" if self.network else None

    @property
    def is_plain(self) -> bool:
        """Whether the mirror speaks plain HTTP, as one on this machine does."""
        return self.mirror is not None and self.mirror.startswith("http://")


class Sources:
    """Charts and trees of folders, each got once into `scratch`. Not for two threads at the same source."""

    def __init__(self, reach: Reach, scratch: Path) -> None:
        self.reach = reach
        self._scratch = scratch
        self._environment = environment(scratch / "home", network=reach.network or reach.mirror is not None)

    def get(self, source: Source) -> Path:
        """The archive of a chart, or the tree of a folder's repository. Raises Unrendered with the remedy."""
        target = self._scratch / re.sub(
            r"[^A-Za-z0-9.-]", "_", f"{source.place}_{source.name}_{source.version}"
        )
        if source.name:
            return self._chart(source, target)
        if source.is_oci:
            raise Unrendered(
                f"{source} is a folder in an OCI registry, which is not read here",
                "compare its content by hand: `crane export`",
            )
        return self._tree(source, target)

    def run(self, command: Sequence[str | Path], folder: Path | None = None) -> bytes:
        """What a program prints. Raises Unrendered with what it says where it fails or takes too long."""
        return _run(command, folder, self._environment)

    def _chart(self, source: Source, target: Path) -> Path:
        reach = self.reach
        if reach.folder is not None:
            packed = reach.folder / reach.upstream(source) / f"{source.name}-{source.version}.tgz"
            if packed.is_file():
                return packed
        address = reach.address(source)
        if address is None:
            raise self._unreached(source)
        if reach.helm is None:
            raise _no_program("helm")
        target.mkdir()
        words: list[str | Path] = [reach.helm, "pull", "--version", source.version, "--destination", target]
        words += ["--plain-http"] if source.is_oci and reach.is_plain else []
        words += [f"{address}/{source.name}"] if source.is_oci else ["--repo", address, source.name]
        self.run(words)
        packed_ones = list(target.glob("*.tgz"))
        if len(packed_ones) != 1:
            raise Unrendered(f"helm pulled no archive of {source}", "look at the repository's index")
        return packed_ones[0]

    def _tree(self, source: Source, target: Path) -> Path:
        """The repository at one commit, without Git's own files."""
        reach = self.reach
        bare = reach.folder / reach.upstream(source) if reach.folder is not None else None
        if bare is None or not (bare / "objects").is_dir():
            address = reach.address(source)
            if address is None:
                raise self._unreached(source)
            bare = target.with_suffix(".git")
            self.run(["git", "init", "--quiet", "--bare", bare])
            self.run(["git", "fetch", "--quiet", "--depth", "1", "--", address, source.version], bare)
        packed = self.run(["git", "archive", "--format=tar", source.version], bare)
        if len(packed) > _MOST_BYTES:
            raise Unrendered(
                f"{source} is larger than {_MOST_BYTES} bytes", "put the add-on into a smaller repository"
            )
        target.mkdir()
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            tar.extractall(target, filter="data")
        return target

    def _unreached(self, source: Source) -> Unrendered:
        place = self.reach.upstream(source)
        near = self.reach.folder / place if self.reach.folder is not None else None
        there = sorted(path.name for path in near.glob("*.tgz")) if near is not None and source.name else []
        has = f"; at hand are {', '.join(there)}" if there else ""
        return Unrendered(
            f"{source.name or place} {source.version} is not at hand, and the network is not asked{has}",
            "run it where a mirror or the repository can be reached, and say so",
        )


def environment(home: Path, *, network: bool) -> dict[str, str]:
    """For helm, kustomize and git: homes of their own in `home`, and of the user's variables the harmless few."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    folders = {
        name: str(home / name.lower()) for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")
    }
    made = {
        **kept,
        **folders,
        "HOME": str(home),
        "HELM_PLUGINS": str(home / "no-plugins"),
        "DOCKER_CONFIG": str(home / "docker"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "KUBECONFIG": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "http:https" if network else "none",
    }
    if network:
        names = [name for each in _FOR_NETWORK for name in (each, each.lower())]
        return made | {name: os.environ[name] for name in names if name in os.environ}
    return made | {name: _NOWHERE for each in ("HTTP_PROXY", "HTTPS_PROXY") for name in (each, each.lower())}


def local_mirror(folder: Path) -> Path:
    """Make a mirror as files in `folder` of what comes in Go modules: official charts, and the sandbox's Git
    repository. Stand-ins for charts are left out: what they render is not what is delivered.

    Raises ToolError where the modules cannot be had.
    """
    from sandbox.mirror import external_secrets, git, upstream
    from sandbox.mirror.content import HTTP, OCI
    from sandbox.tools import chart_name, charts, silent

    shutil.rmtree(folder, ignore_errors=True)
    for source in sorted(path for path in charts(silent).iterdir() if path.is_dir()):
        name, version = chart_name(source)
        is_plain = name != "external-secrets"
        chart = upstream.chart(source, version) if is_plain else external_secrets.chart(source)
        target = folder / (HTTP.get(name) or OCI[name])
        target.mkdir(parents=True, exist_ok=True)
        (target / chart.file_name).write_bytes(chart.archive())
    git.write_platform(folder)
    return folder


def _no_program(name: str) -> Unrendered:
    return Unrendered(
        f"{name} is not at hand", "run `./fleet up` once, which gets the tools, or put it on PATH"
    )


def _run(command: Sequence[str | Path], folder: Path | None, variables: Mapping[str, str]) -> bytes:
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unrendered(
            f"{Path(words[0]).name} {words[1]} took more than {_SECONDS:.0f} seconds", "try it by hand"
        ) from None
    if done.returncode != 0:
        said = " ".join(done.stderr.decode(errors="replace").split())[-1500:]
        raise Unrendered(
            f"{Path(words[0]).name} {words[1]}: {said}", "try it by hand with the same version and values"
        )
    return done.stdout
