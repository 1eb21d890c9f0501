"""Where and how the program runs, as the wrapper says by the environment of the language host.

Owns the names of the variables and what is read of a virtual environment. They are set by ./fleet alone: a
program gets none of them. Another environment is read as files and its interpreter is never started to ask,
since the packages of a lock that nobody has looked at may hold anything, code at every start of the
interpreter among it.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PYTHON = "GKE_FLEET_PROGRAM_PYTHON"
"""Path of the interpreter in the virtual environment that the program runs in; empty: the host's own."""
CONFINED = "GKE_FLEET_PROGRAM_CONFINED"
"""1: the program runs confined (plugins/confine.py) and speaks to the engine through the gate."""
SECONDS = "GKE_FLEET_PROGRAM_SECONDS"
"""How long a confined program may run."""
FOLDER = "GKE_FLEET_PROGRAM_FOLDER"
"""The checkout that a confined program may read."""
READY = "GKE_FLEET_PROGRAM_READY"
"""Path of the socket at which an interpreter waits that has imported the program's modules ahead (ready.py)."""
LOADED = "GKE_FLEET_PROGRAM_LOADED"
"""Path of the file into which the program writes the names of the modules that it loaded from packages."""

PREFIX = "GKE_FLEET_PROGRAM_"
DEFAULT_SECONDS = 300.0

_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}")
_VERSION = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}([-+][0-9A-Za-z.+-]{1,60})?")


class WrongSettings(Exception):
    """The variables do not describe a way to run the program."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`python`: the interpreter. `search`: folders with the packages of its environment.
    `folder`: None where the program is not confined. `ready`, `loaded`: paths, as the variables say; they mean
    nothing for a program that is confined."""

    python: Path
    search: tuple[str, ...]
    folder: Path | None = None
    seconds: float = DEFAULT_SECONDS
    ready: Path | None = None
    loaded: Path | None = None

    def plugins(self) -> list[tuple[str, str]]:
        """(package, version) of each provider whose SDK is installed in the environment."""
        found: dict[str, str] = {}
        for entry in self.search:
            if not entry or not Path(entry).is_dir():
                continue
            for path in sorted(Path(entry).glob("pulumi_*/pulumi-plugin.json")):
                name, version, is_resource = _described(path)
                if is_resource and name:
                    found.setdefault(name, version)
        return sorted(found.items())

    def distributions(self) -> list[tuple[str, str]]:
        """(name, version) of all that is installed."""
        found = importlib.metadata.distributions(path=list(self.search))
        return sorted({(str(each.metadata["Name"]), str(each.version)) for each in found})


def read(environment: Mapping[str, str]) -> Settings:
    """What `environment` says. Raises WrongSettings, which names every variable that is wrong."""
    wrong: list[str] = []
    python, search = Path(sys.executable), tuple(sys.path)
    named = environment.get(PYTHON, "")
    if named:
        python = Path(named)
        search = tuple(str(path) for path in packages_of(python))
        if not python.is_file() or not search:
            wrong.append(f"{PYTHON}={named} is no interpreter of a virtual environment with packages")
    confined = environment.get(CONFINED, "")
    folder, seconds = None, DEFAULT_SECONDS
    if confined not in ("", "1"):
        wrong.append(f"{CONFINED}={confined} is neither empty nor 1")
    if confined:
        folder = Path(environment.get(FOLDER, ""))
        if not folder.is_absolute() or not folder.is_dir():
            wrong.append(f"{FOLDER}={environment.get(FOLDER, '')} is no absolute path of a folder")
        try:
            seconds = float(environment.get(SECONDS) or DEFAULT_SECONDS)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= 86_400:
            wrong.append(f"{SECONDS}={environment.get(SECONDS)} is no number of seconds up to 86400")
    paths: dict[str, Path | None] = {}
    for name in (READY, LOADED):
        given = environment.get(name, "")
        paths[name] = Path(given) if given else None
        if given and not Path(given).is_absolute():
            wrong.append(f"{name}={given} is no absolute path")
    if wrong:
        raise WrongSettings(
            "; ".join(wrong) + ". Remedy: only ./fleet sets these variables; unset them in your shell"
        )
    return Settings(
        python=python,
        search=search,
        folder=folder,
        seconds=seconds,
        ready=paths[READY],
        loaded=paths[LOADED],
    )


def packages_of(python: Path) -> list[Path]:
    """The folders with the packages of the virtual environment that `python` belongs to."""
    # Some systems have a lib64 that is a link to lib.
    return sorted({path.resolve() for path in python.parent.parent.glob("lib*/python3.*/site-packages")})


def _described(path: Path) -> tuple[str, str, bool]:
    """Name, version and kind out of an SDK's pulumi-plugin.json. Raises WrongSettings."""
    described = json.loads(path.read_text())
    name, version = str(described.get("name") or ""), str(described.get("version") or "")
    # Both become parts of paths and of the engine's questions.
    if name and not (_NAME.fullmatch(name) and _VERSION.fullmatch(version.removeprefix("v"))):
        raise WrongSettings(
            f"{path}: name {name[:80]!r} or version {version[:80]!r} is not of the usual form. "
            "Remedy: look at which package the lock names"
        )
    return name, version.removeprefix("v"), bool(described.get("resource"))
