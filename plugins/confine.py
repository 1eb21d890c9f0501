"""Run a command that may be hostile: no network, no credentials, nothing to write to, and an end.

Owns what such a command may see (an allow-list: the system's programs, one Python, one virtual environment,
one checkout), and saying whether this system can do it. Does not own how the cell is made (cell.py), nor what
the command may say to the engine (language_python/gate.py). Linux alone, without any right of its own: it is
made of user namespaces. What it protects against and what it does not: docs/hostile-pull-requests.md.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from plugins import cell, kernel

SOCKETS = "/run/gke-fleet"
"""Where the command finds the folder `sockets`."""

_CELL = Path(__file__).with_name("cell.py")
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
_SETTINGS = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/alternatives",
)
_PASSED = ("LANG", "LC_ALL", "LC_CTYPE", "TZ")
_TRIAL_SECONDS = 20.0
_ASKED = (
    ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
    ("/proc/sys/user/max_user_namespaces", "0"),
)


class CannotConfine(Exception):
    """The command cannot be confined, so it was not run."""


def environment(base: Mapping[str, str], **more: str) -> dict[str, str]:
    """The whole environment of a confined command: language and time zone of `base`, and `more`."""
    passed = {name: base[name] for name in _PASSED if name in base}
    own = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}  # noqa: S108
    return {**passed, **own, **more}


def start(
    command: Sequence[str],
    *,
    folder: Path,
    readable: Sequence[Path],
    environment: Mapping[str, str],
    seconds: float,
    hidden: Sequence[Path] = (),
    sockets: Path | None = None,
    out: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a cell, in `folder`. It ends with the process that is returned, after `seconds`, and
    when this process ends or closes the `stdin` of what is returned.

    `readable`: files and folders that it sees, read-only, beside the system's programs and the Python that this
    process runs on. `hidden`: below them, what it sees empty. `sockets`: a folder that it sees at SOCKETS.
    `out`: subprocess.PIPE to read what it says. Exit codes of the cell: cell.ENDED, cell.NOT_MADE. Raises
    CannotConfine where `readable` would show a whole home folder.
    """
    home = Path.home().resolve()
    shown = [*(Path(each) for each in _SYSTEM + _SETTINGS), Path(sys.base_prefix), Path(sys.base_exec_prefix)]
    links: dict[str, str] = {}
    paths: set[str] = set()
    for path in (*shown, *readable):
        real = _resolve(path, links)
        if real == Path("/") or home.is_relative_to(real):
            raise CannotConfine(
                f"{path} holds the home folder {home}, which a confined program must not see. Remedy: put the "
                "checkout, the virtual environment and Python into folders of their own"
            )
        if real.exists():
            paths.add(str(real))
    # Links only: what they lead to is seen where it is named above, and nowhere else.
    _resolve(Path(command[0]), links)
    covered = {path for path in paths if any(str(parent) in paths for parent in Path(path).parents)}
    spec = {
        "command": list(command),
        "folder": str(folder.resolve()),
        "environment": dict(environment),
        "readable": sorted(paths - covered),
        "hidden": [str(each.parent.resolve() / each.name) for each in hidden],
        "links": [each for each in sorted(links.items()) if not _is_below(each[0], paths)],
        "sockets": [str(sockets.resolve()), SOCKETS] if sockets else None,
        "seconds": seconds,
    }
    running = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", str(_CELL), "cell"],
        cwd="/",
        env={},
        stdin=subprocess.PIPE,
        stdout=out,
        stderr=out,
    )
    assert running.stdin is not None
    running.stdin.write(json.dumps(spec).encode() + b"\n")
    running.stdin.flush()
    return running


def without_network(command: Sequence[str]) -> list[str]:
    """`command`, to be run in a network namespace with loopback alone and without name services.

    Everything else stays as it is, cells inside of it work, and the process keeps its pid and its parent. The
    exit code is cell.NOT_MADE where the system forbids it; `possible()` says so before.
    """
    return [sys.executable, "-I", "-S", "-B", str(_CELL), "quiet", *command]


@functools.cache
def possible() -> str | None:
    """None where a command can be confined here; the reason where it cannot. Tried out, once a process."""
    if not sys.platform.startswith("linux"):
        return f"this system is {sys.platform}, and a program is confined by namespaces of Linux"
    unknown = kernel.machine()
    if unknown is not None:
        return (
            f"this processor is a {unknown}, and the filter of system calls is known for x86_64 and aarch64"
        )
    python = str(Path(sys.base_exec_prefix).resolve() / "bin" / f"python3.{sys.version_info.minor}")
    try:
        running = start(
            [python, "-I", "-S", "-c", ""],
            folder=Path("/"),
            readable=(),
            environment=environment({}),
            seconds=_TRIAL_SECONDS,
            out=subprocess.PIPE,
        )
    except (CannotConfine, OSError) as error:
        return str(error)
    with running:
        assert running.stderr is not None
        said = running.stderr.read().decode(errors="replace").strip()
    if running.returncode == 0:
        return None
    for name, forbids in _ASKED:
        if os.path.exists(name) and Path(name).read_text().strip() == forbids:  # noqa: PTH110
            setting = name.removeprefix("/proc/sys/").replace("/", ".")
            said += f"; {setting} is {forbids}: the system keeps user namespaces from ordinary users"
    return f"a trial run failed with exit code {running.returncode}: {said or 'no reason given'}"


def sentence(seconds: float, without: str | None = None) -> str:
    """What an answer says about how the head's program was kept in. `without`: the reason why it was not."""
    if without is not None:
        return f"not confined, since {without}"
    return (
        "in namespaces of its own, without network, without credentials and without this machine's environment "
        "variables; it saw its checkout, its packages, Python and the system's programs, all read-only, and spoke "
        f"to the engine through a gate; time limit {seconds:g} s"
    )


def _resolve(path: Path, links: dict[str, str]) -> Path:
    """Where `path` really is; every symbolic link on the way goes into `links`."""
    at, parts = Path("/"), list(path.absolute().parts[1:])
    for _ in range(400):
        if not parts:
            return at
        part = parts.pop(0)
        if part == "..":
            at = at.parent
            continue
        here = at / part
        if not here.is_symlink():
            at = here
            continue
        target = here.readlink()
        links[str(here)] = str(target)
        if target.is_absolute():
            at = Path("/")
        parts = [*(part for part in target.parts if part != "/"), *parts]
    raise CannotConfine(f"{path} leads through more than 400 symbolic links. Remedy: name the place itself")


def _is_below(path: str, folders: set[str]) -> bool:
    return any(str(parent) in folders for parent in Path(path).parents)


ENDED, NOT_MADE = cell.ENDED, cell.NOT_MADE
