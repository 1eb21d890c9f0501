"""Tools that are on PATH already.

Owns deciding whether a program found there is of a fitting version. Does not own building one. The answer of
`X version` is remembered by path, size and time of change, because asking eleven programs costs a second.
"""

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from sandbox.tools import cache
from sandbox.tools.cache import Say
from sandbox.tools.group import Group, Program, fits, parse, wanted

OFF = "GKE_FLEET_NO_PATH_TOOLS"
"""Environment variable: `1` means that nothing is taken from PATH."""

_ANSWER_SECONDS = 20


def fitting(group: Group, say: Say) -> dict[str, Path]:
    """Of the group's programs those that PATH has in a fitting version: name -> real path.

    A version that does not fit is said, with the one that would, and not taken.
    """
    if os.environ.get(OFF) == "1":
        return {}
    taken = {}
    for program in group.programs:
        found = None if program.module is None else shutil.which(program.name)
        if found is None or _is_ours(Path(found)):
            continue
        text = _answer(Path(found), program)
        version = parse(text)
        if version is None:
            say(f"{found} does not say its version ({text[:80]!r}); it is not used")
        elif fits(group, program, version):
            taken[program.name] = Path(found).resolve()
        else:
            shown = ".".join(map(str, version))
            say(f"{found} is version {shown}, wanted is {wanted(group, program)}; it is not used")
    return taken


def _is_ours(path: Path) -> bool:
    """Whether `path` is what `ensure` itself made: in `./fleet shell` that folder is on PATH."""
    return path.resolve().is_relative_to(cache.root().resolve()) or path.is_relative_to(cache.root())


def _answer(path: Path, program: Program) -> str:
    real = path.resolve()
    status = real.stat()
    key = f"{real}:{status.st_size}:{status.st_mtime_ns}:{' '.join(program.ask)}"
    record = cache.tools() / "on-path.json"
    known: dict[str, str] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(record.read_text())
    if key in known:
        return known[key]
    text = _ask(path, program)
    if parse(text) is not None:
        known[key] = text
        scratch = record.with_suffix(f".{os.getpid()}")
        with cache.written_to(record):
            scratch.write_text(json.dumps(known, indent=1))
            scratch.replace(record)
    return text


def _ask(path: Path, program: Program) -> str:
    try:
        done = subprocess.run(
            [str(path), *program.ask],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no answer: {error}"
    return (done.stdout or done.stderr).strip() if done.returncode == 0 else f"exit code {done.returncode}"
