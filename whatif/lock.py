"""The lock of a revision, and the virtual environment that it describes.

Owns reading a requirements.txt that anybody may have written, and making the environment of it: wheels alone,
each with a hash, so that nothing of the revision runs while it is made. The interpreter of such an environment
is never started here, nor by anything else outside of a cell: a wheel may hold code that runs whenever its
environment's Python starts. Does not own locking (renovate and uv do that), nor running the program.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path

from plugins.language_python.settings import packages_of
from sandbox.tools import cache as tool_cache

_OWN = Path(__file__).resolve().parent.parent / "requirements.txt"
_LARGEST, _MOST = 1024 * 1024, 500
_INSTALL_SECONDS = 900.0
_CONTINUED = re.compile(r"\s*\\$")
_COMMENT = re.compile(r"(^|\s+)#.*$")
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,-]+\])?)==(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)"
    r"(\s*;\s*(?P<marker>[A-Za-z0-9_ .,'\"<>=!~()-]+?))?(?P<options>(\s+--\S+)*)"
)
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_KINDS = (
    (re.compile(r"-r\b|--requirement\b|-c\b|--constraint\b"), "names another file, which nobody checks"),
    (re.compile(r"-e\b|--editable\b"), "installs from a folder, and runs the code in it"),
    (
        re.compile(
            r"-i\b|--index-url\b|--extra-index-url\b|-f\b|--find-links\b|--trusted-host\b|--no-index\b"
        ),
        "changes where packages come from",
    ),
    (re.compile(r"-"), "is an option, and a lock has none"),
    (re.compile(r"[^;]*@|[A-Za-z+]+://"), "is a package from an address, not from the index"),
    (re.compile(r"[./~]"), "is a package from a folder, and runs the code in it"),
)


class WrongLock(Exception):
    """A lock that no environment is made of."""


@dataclass(frozen=True)
class _Line:
    number: int
    text: str


def check_lock(text: str, name: str = "requirements.txt") -> list[str]:
    """What is wrong with the lock `text`, each with `name`:line; empty where nothing is.

    Allowed are lines `package==version`, with a marker, each with at least one --hash=sha256:..., and nothing else.
    """
    return _read(text, name)[1]


def environment_for(lock: Path, *, cache: Path, say: Callable[[str], None]) -> Path:
    """The prefix of the virtual environment of `lock`: this process's own where the lock is the same, else one
    below `cache`, which is made once. `say` is given a line where that takes time.

    The interpreter is PREFIX/bin/python. Raises WrongLock, with everything that is wrong.
    """
    if lock.stat().st_size > _LARGEST:
        raise WrongLock(
            f"{lock}: larger than {_LARGEST} bytes. Remedy: a lock has a line a package and a hash a wheel"
        )
    lines, problems = _read(lock.read_text(errors="replace"), lock.name)
    if problems:
        raise WrongLock(
            "\n".join(problems)
            + "\nRemedy: make the lock by uv pip compile --generate-hashes, and nothing by hand"
        )
    if lines == _read(_OWN.read_text(), _OWN.name)[0]:
        return Path(sys.prefix)
    python = Path(sys.base_exec_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    # Not the name of a release alone: what was built for one Python may not run on another of the same number.
    key = hashlib.sha256("\n".join([sys.version, str(python.resolve()), *lines]).encode()).hexdigest()[:20]
    folder = cache / "environments" / key
    with tool_cache.only_one(f"environment-{key}", say):
        if not folder.exists():
            say(f"making the environment of {lock} in {folder} (once)")
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tool_cache.making(folder) as scratch:
                _make(python, lines, scratch, lock)
    return folder


def _make(python: Path, lines: list[str], folder: Path, lock: Path) -> None:
    # Written anew from what was understood: another reader cannot see another lock in it.
    requirements = folder / "requirements.txt"
    requirements.write_text("\n".join(lines) + "\n")
    here = str(folder / "bin" / "python")
    wheels = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", str(requirements)]
    uv = shutil.which("uv")
    if uv:
        commands = [
            [uv, "venv", "-q", "--no-project", "--allow-existing", "--python", str(python), str(folder)],
            [uv, "pip", "install", "-q", "--python", here, *wheels],
        ]
    else:
        pip = [sys.executable, "-I", "-m", "pip", "--python", here, "install", "-q", "--no-compile"]
        commands = [
            [str(python), "-I", "-m", "venv", "--without-pip", str(folder)],
            [*pip, "--disable-pip-version-check", "--no-input", *wheels],
        ]
    for command in commands:
        _run(command, lock)
    _compile(folder)


def _run(command: list[str], lock: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        # In / there is no settings file of the revision for uv to find, and no module for Python.
        done = subprocess.run(
            command,
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise WrongLock(
            f"{lock}: not installed after {_INSTALL_SECONDS:g} s. Remedy: look at its size"
        ) from None
    if done.returncode != 0:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-20:])
        raise WrongLock(
            f"{lock}: its packages could not be installed, wheels alone and each with its hash:\n{said}\n"
            "Remedy: see above; without a network nothing can be installed that is not in a cache"
        )


def _compile(folder: Path) -> None:
    """Byte code of the modules that this process's environment has used, since a cell cannot keep any.

    Compiling runs nothing of them.
    """
    own = packages_of(Path(sys.executable))
    used = [
        str(source)
        for packages in packages_of(folder / "bin" / "python")
        for source in packages.rglob("*.py")
        if any(Path(cache_from_source(str(each / source.relative_to(packages)))).exists() for each in own)
    ]
    subprocess.run(
        [sys.executable, "-I", "-S", "-m", "compileall", "-q", "-j", "0", "-i", "-"],
        cwd="/",
        input="\n".join(used),
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_INSTALL_SECONDS,
        check=False,
    )


def _read(text: str, name: str) -> tuple[list[str], list[str]]:
    """The requirements of a lock in one form and order, and what is wrong with it."""
    problems: list[str] = []
    found: set[str] = set()
    if len(text) > _LARGEST:
        return [], [f"{name}:1: larger than {_LARGEST} characters"]
    for line in _logical(text):
        problem = None
        match = _REQUIREMENT.fullmatch(line.text)
        if match is None:
            problem = next((why for kind, why in _KINDS if kind.match(line.text)), "is not package==version")
        else:
            options = match["options"].split()
            other = [each for each in options if not _HASH.fullmatch(each)]
            if other:
                problem = (
                    f"has the option {other[0][:80]!r}; allowed is --hash=sha256: with 64 hexadecimal digits"
                )
            elif not options:
                problem = "has no --hash=sha256:..."
            elif " --" in (match["marker"] or ""):
                problem = "has an option in its marker"
        if problem or match is None:
            problems.append(f"{name}:{line.number}: {line.text[:120]!r} {problem}")
            continue
        marker = f" ; {match['marker']}" if match["marker"] else ""
        hashes = " ".join(sorted(set(match["options"].split())))
        found.add(f"{match['name'].lower()}=={match['version']}{marker} {hashes}")
    if len(found) > _MOST:
        problems.append(f"{name}:1: {len(found)} packages; at most {_MOST} are installed")
    return sorted(found), problems


def _logical(text: str) -> list[_Line]:
    lines: list[_Line] = []
    number, parts = 0, list[str]()
    for at, physical in enumerate(text.splitlines(), 1):
        line = _COMMENT.sub("", physical)
        number = number if parts else at
        parts.append(_CONTINUED.sub("", line).strip())
        if not _CONTINUED.search(line):
            lines.append(_Line(number, " ".join(filter(None, parts))))
            parts = []
    if parts:
        lines.append(_Line(number, " ".join(filter(None, parts))))
    return [line for line in lines if line.text]
