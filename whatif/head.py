"""The files of a head that nobody has looked at, before anything of the base reads them.

Owns what is checked of the files that ./fleet itself reads there (the project file, stacks/, the lock): where
links lead, sizes, kinds of files, and how much a YAML document unfolds to. Does not own what they say: the
model checks that. The program reads whatever it likes of the head, in its cell.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_NAMED = ("Pulumi.yaml", "requirements.txt", "stacks")
_LARGEST = 1024 * 1024
_MOST_FILES = 2_000
_MOST_NODES, _DEEPEST = 200_000, 64
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check_head(folder: Path) -> list[str]:
    """What is wrong with the head in `folder`, all of it, each with its path; empty where nothing is."""
    folder = folder.resolve()
    problems: list[str] = []
    for count, path in enumerate(_paths(folder), 1):
        if count > _MOST_FILES:
            problems.append(f"stacks: more than {_MOST_FILES} files")
            break
        name = path.relative_to(folder)
        why = _wrong(folder, path)
        if why is not None:
            problems.append(f"{name}: {why}")
        elif path.is_file() and path.suffix in (".yaml", ".yml"):
            problems += [f"{name}:{line}: {why}" for line, why in _unfolds(path.read_bytes())]
    return problems


def _paths(folder: Path) -> Iterator[Path]:
    for name in _NAMED:
        path = folder / name
        if not os.path.lexists(path):
            continue
        yield path
        if path.is_symlink() or not path.is_dir():
            continue
        for inside, folders, files in os.walk(path):
            for each in sorted([*folders, *files]):
                yield Path(inside) / each


def _wrong(folder: Path, path: Path) -> str | None:
    if path.is_symlink():
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError):
            return f"a symbolic link to {str(path.readlink())[:200]!r}, which is not there"
        if not real.is_relative_to(folder):
            return f"a symbolic link to {str(path.readlink())[:200]!r}, which leads out of the checkout"
        if real.relative_to(folder).parts[:1] == (".git",):
            return f"a symbolic link to {str(path.readlink())[:200]!r}, where git keeps what is no part of the revision"
        if real.is_dir():
            return "a symbolic link to a folder"
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        return None
    if not stat.S_ISREG(mode):
        return "neither a file nor a folder"
    size = path.stat().st_size
    return f"{size} bytes; at most {_LARGEST} are read" if size > _LARGEST else None


def _unfolds(text: bytes) -> Iterator[tuple[int, str]]:
    """(line, why) where the document is too much once its aliases are followed. What is no YAML is not judged."""
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    total = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 1
            anchor = getattr(event, "anchor", None)
            if isinstance(event, yaml.AliasEvent):
                if anchor not in sizes:
                    yield (
                        line,
                        f"the alias *{str(anchor)[:80]} is inside of what it stands for, or stands for nothing",
                    )
                    return
                total += sizes[anchor]
            elif isinstance(event, yaml.ScalarEvent):
                total += 1
                if anchor:
                    sizes[anchor] = 1
            elif isinstance(event, yaml.CollectionStartEvent):
                total += 1
                open_nodes.append((anchor, total - 1))
                sizes.pop(anchor or "", None)
            elif isinstance(event, yaml.CollectionEndEvent):
                ended, before = open_nodes.pop()
                if ended:
                    sizes[ended] = total - before
            if len(open_nodes) > _DEEPEST:
                yield line, f"nested more than {_DEEPEST} deep"
                return
            if total > _MOST_NODES:
                yield line, f"with its aliases it unfolds to more than {_MOST_NODES} values"
                return
    except (yaml.YAMLError, ValueError):
        return
