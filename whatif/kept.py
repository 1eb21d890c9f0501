"""Bases on paper that earlier runs made, so that the next comparison with one of them makes the head alone.

Owns where they lie, what one is made from, and how many are kept. Does not own what a base is, nor how it gets onto
paper. A revision never changes, and on paper nothing but files has a say: what has is in the key, so that another
revision, stack, day, pack, plugin or CLI is another base. No secret is in it, since on paper there is none.

What cannot be read or written is as if it were not there.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import importlib.metadata
import json
import os
import sys
import tempfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from whatif.base import Base

_FORM = 1
_MOST = 12
_COMPRESSION = 1
_ROOT = Path(__file__).resolve().parent.parent
_WRAPPER = ("plugins", "whatif", "model")
"""The folders of this checkout that decide what a base looks like on paper, beside the base's own files."""


class Kept(BaseModel):
    """One base. `project`: the name of its project. `checkpoint`: the text of the stack's file in a throw-away backend.
    `settings`: what `stack init` wrote into its stack file, without which the CLI does not open it. `modules`: names of
    those that its program loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    base: Base
    project: str
    checkpoint: str
    settings: dict[str, str]
    modules: tuple[str, ...] = ()


class Shelf:
    """The folder `folder` with the newest `most` bases."""

    def __init__(self, folder: Path, *, most: int = _MOST) -> None:
        self._folder, self._most = folder, most

    def find(self, key: str) -> Kept | None:
        """What was put there under `key`."""
        file = self._file(key)
        try:
            found = Kept.model_validate_json(gzip.decompress(file.read_bytes()))
        except (OSError, EOFError, zlib.error, ValidationError):
            return None
        if found.key != key:
            return None
        with contextlib.suppress(OSError):
            os.utime(file)
        return found

    def put(self, kept: Kept) -> None:
        """Keep a base, whole or not at all, and let go of the oldest above the number."""
        # ValueError: a text that is no UTF-8.
        with contextlib.suppress(OSError, ValueError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            text = gzip.compress(kept.model_dump_json().encode(), _COMPRESSION)
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".making-", delete=False) as made:
                made.write(text)
            Path(made.name).replace(self._file(kept.key))
            for old in sorted(self._folder.iterdir(), key=_age, reverse=True)[self._most :]:
                old.unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.json.gz"


def key_of(*, words: Sequence[str], cli: Path, packs: Iterable[Path], files: Iterable[Path]) -> str:
    """The key of a base: 64 hexadecimal digits.

    `words`: revision, stack and day. `cli`: the CLI's binary. `packs`: folders, and `files`: files, whose content has a
    say beside that of the wrapper.
    """
    binary = cli.resolve().stat()
    said = {
        "form": _FORM,
        "words": list(words),
        "cli": [str(cli.resolve()), binary.st_size, binary.st_mtime_ns],
        "python": sys.version,
        "packages": sorted(f"{one.name}=={one.version}" for one in importlib.metadata.distributions()),
        "wrapper": _contents(_ROOT / name for name in _WRAPPER),
        "packs": _contents(packs),
        "files": [hashlib.sha256(file.read_bytes()).hexdigest() for file in files],
    }
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _contents(folders: Iterable[Path]) -> Mapping[str, str]:
    """Path in its folder -> digest, of all that may be read of `folders`."""
    found = {}
    for number, folder in enumerate(folders):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = f"{number}/{path.relative_to(folder)}"
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _age(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
