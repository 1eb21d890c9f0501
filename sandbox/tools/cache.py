"""The user's cache folder: complete or absent, one writer at a time.

Owns the folder's place, its lock, the space check, and the rule that a result appears by one atomic rename.
Does not own what is put there. A writer that was killed leaves only a `.making-*` folder, which the next one
removes.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sandbox.tools.error import MissingTool
from sandbox.tools.group import GIB

Say = Callable[[str], None]

_WAIT_REPORT_SECONDS = 15.0


def root() -> Path:
    """`${XDG_CACHE_HOME:-~/.cache}/gke-fleet`."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    # The XDG rule: a relative path is to be ignored.
    folder = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return folder / "gke-fleet"


def tools() -> Path:
    """Where finished tools lie. Makes the folder. Raises MissingTool where that is not possible."""
    folder = root() / "tools"
    with written_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def written_to(folder: Path) -> Iterator[None]:
    """Turn what the system says about `folder` into one clear MissingTool."""
    try:
        yield
    except OSError as error:
        raise MissingTool(
            f"the cache folder {folder} cannot be written to: {error.strerror or error}",
            "make it writable, or set XDG_CACHE_HOME to a folder that is",
        ) from error


def need_space(what: str, size: int) -> None:
    """Raises MissingTool where the cache folder has fewer than `size` bytes free for `what`."""
    folder = tools()
    free = shutil.disk_usage(folder).free
    if free < size:
        raise no_space(what, f"{size / GIB:.1f} GiB are needed, {free / GIB:.1f} GiB are free")


def no_space(what: str, why: str) -> MissingTool:
    """The error for a cache folder on a full disk."""
    return MissingTool(
        f"no room for {what} in the cache folder {root()}: {why}",
        "free some space there, or set XDG_CACHE_HOME to a folder on a larger disk",
    )


@contextlib.contextmanager
def only_one(name: str, say: Say) -> Iterator[None]:
    """Hold the lock `name` of the cache folder; a second process waits here and says so."""
    path = tools() / f"{name}.lock"
    with written_to(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        began = said = None
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                now = time.monotonic()
                began = began if began is not None else now
                if said is None or now - said >= _WAIT_REPORT_SECONDS:
                    owner = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
                    say(f"{name}: another process (pid {owner}) is making it; waiting ({now - began:.0f} s)")
                    said = now
                time.sleep(0.2)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def making(folder: Path) -> Iterator[Path]:
    """A scratch folder that becomes `folder` when the block ends well, and goes away otherwise.

    To be used under `only_one`: what an earlier, killed writer of the same name left is removed first.
    """
    prefix = f".making-{folder.name}-"
    for left in folder.parent.glob(f"{prefix}*"):
        remove(left)
    with written_to(folder.parent):
        scratch = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        yield scratch
        scratch.chmod(0o755)
        scratch.rename(folder)
    finally:
        if scratch.exists():
            remove(scratch)


def remove(folder: Path) -> None:
    """Remove `folder` whole, also where it holds read-only folders (as Go's module cache does)."""
    for path, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            Path(path).chmod(stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)
