"""Building a group's programs with Go, visibly.

Owns the go commands, their progress and what their failures mean. Does not own where results are kept. `go
list -deps` fetches the module sources and gives the number of packages; `go build -v` names each package as
it is compiled, so that the two give an honest "how far".
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from sandbox.tools import cache
from sandbox.tools.cache import Say
from sandbox.tools.error import MissingTool, ToolError
from sandbox.tools.group import Group, Program
from sandbox.tools.toolchain import Go

REPORT_SECONDS = 15.0
"""How often a build that goes on says how far it is."""

_UNREACHABLE = (
    "dial tcp",
    "no such host",
    "connection refused",
    "connection reset",
    "i/o timeout",
    "TLS handshake",
    "GOPROXY=off",
    "proxyconnect",
    "x509:",
    "unexpected EOF",
    "Forbidden",
    "Bad Gateway",
    "Service Unavailable",
)


def build(group: Group, programs: Sequence[Program], go: Go, into: Path, say: Say) -> None:
    """Build `programs` of `group` into the folder `into`, under their own names.

    Raises MissingTool (no disk, no network) or ToolError (the build itself fails).
    """
    names = ", ".join(program.name for program in programs)
    packages = [program.package for program in programs]
    minutes = group.seconds / 60
    say(f"{group.name}: building {names} (from nothing about {minutes:.0f} min on two cores; once)")
    listed = _Command(
        [str(go.program), "list", "-deps", "-f", "{{.ImportPath}}", *packages], go.environment(), group.folder
    )
    total = len(
        listed.run(
            lambda lines, seconds: say(
                f"{group.name}: getting sources, {_fetched(lines)} modules so far, {_clock(seconds)}"
            ),
            group.name,
        )
    )
    if not total:
        raise ToolError(f"go names no package of {group.name}", f"see {group.folder / 'go.mod'}")
    command = _Command(
        [
            str(go.program),
            "build",
            "-v",
            "-trimpath",
            "-ldflags",
            group.ldflags,
            "-o",
            f"{into}{os.sep}",
            *packages,
        ],
        go.environment(),
        group.folder,
    )
    command.run(lambda lines, seconds: say(progress(group, _compiled(lines), total, seconds)), group.name)
    for program in programs:
        made = into / binary_name(program.package)
        if made.name != program.name:
            made.rename(into / program.name)
    say(f"{group.name}: built in {_clock(command.seconds)}")


def binary_name(package: str) -> str:
    """The file name that `go build` gives the program of `package`: its last part but a major version."""
    parts = package.split("/")
    if len(parts) > 1 and parts[-1].startswith("v") and parts[-1][1:].isdigit():
        parts.pop()
    return parts[-1]


def progress(group: Group, compiled: int, total: int, seconds: float) -> str:
    """How far a build is. `compiled` of `total` packages in `seconds`.

    The rest is guessed from the speed so far where enough was seen, else from the group's time from nothing:
    the first packages are small, and linking comes at the end. Packages compiled by an earlier build are not
    named again, so hardly any after a while means that little is left to do.
    """
    share = compiled / total
    if share < 0.01:
        return f"{group.name}: most packages are compiled already; linking, {_clock(seconds)}"
    left = seconds * (1 - share) / share if share > 0.2 else max(0.0, group.seconds - seconds)
    if compiled and share > 0.97:
        return f"{group.name}: linking, {_clock(seconds)}"
    done = f"compiled {compiled} of at most {total} packages"
    return f"{group.name}: {done}, {_clock(seconds)}, about {_clock(left)} left"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60:02} s" if seconds >= 60 else f"{seconds:.0f} s"


def _fetched(lines: Sequence[str]) -> int:
    return sum(line.startswith("go: downloading ") for line in lines)


def _compiled(lines: Sequence[str]) -> int:
    return sum(not line.startswith(("go: ", "#")) for line in lines)


class _Command:
    """One go command whose stderr is its progress."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], folder: Path) -> None:
        self.command = list(command)
        self.environment = environment
        self.folder = folder
        self.seconds = 0.0

    def run(self, report: Callable[[list[str], float], None], what: str) -> list[str]:
        """Run to the end, reporting every `REPORT_SECONDS`; gives the lines of stdout.

        An exception in between (Ctrl-C) ends the command and all it started.
        """
        began = time.monotonic()
        process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        assert process.stdout is not None and process.stderr is not None
        output: list[str] = []
        talk: list[str] = []
        readers = [
            threading.Thread(target=_collect, args=(process.stdout, output)),
            threading.Thread(target=_collect, args=(process.stderr, talk)),
        ]
        try:
            for reader in readers:
                reader.start()
            while True:
                try:
                    code = process.wait(REPORT_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    report(talk, time.monotonic() - began)
        except BaseException:
            # The group is this command's own session: the compilers that it started end with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            for reader in readers:
                reader.join()
        self.seconds = time.monotonic() - began
        if code != 0:
            raise failure(what, talk)
        return output


def _collect(stream: IO[str], lines: list[str]) -> None:
    """Append each line as it comes, so that a report in between sees it."""
    for line in stream:
        lines.append(line.rstrip("\n"))


def failure(what: str, talk: Sequence[str]) -> ToolError:
    """What a failed go command means, told from its stderr."""
    said = [line for line in talk if line.strip()]
    text = "\n".join(said)
    end = "\n".join(f"    {line[:300]}" for line in said[-8:])
    if "no space left on device" in text:
        return cache.no_space(what, "the disk is full")
    if "checksum mismatch" in text or "SECURITY ERROR" in text:
        return ToolError(
            f"a source for {what} is not the one that go.sum names:\n{end}",
            "do not go on: find out what answers in the module proxy's place",
        )
    if "permission denied" in text and str(cache.root()) in text:
        return MissingTool(
            f"the cache folder cannot be written to:\n{end}",
            "make it writable, or set XDG_CACHE_HOME to a folder that is",
        )
    if any(sign in text for sign in _UNREACHABLE):
        return MissingTool(
            f"the sources of {what} could not be fetched:\n{end}",
            "check the network (HTTPS_PROXY) and GOPROXY, then run it again; what was fetched is kept",
        )
    return ToolError(
        f"building {what} failed:\n{end}", "see the last lines above; a second run goes on from there"
    )
