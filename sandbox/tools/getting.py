"""Getting a group of tools: from PATH, from the cache, or built.

Owns the order of these, and the folder that holds every program of a group under its own name. Does not own
the steps. A second call with the same sources builds nothing.
"""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from sandbox.tools import cache, modules, onpath, toolchain
from sandbox.tools.build import build
from sandbox.tools.cache import Say
from sandbox.tools.group import GROUPS, Group, GroupName, Program


def silent(line: str) -> None:
    """A `say` that says nothing."""


def ensure(group: GroupName, say: Say = silent) -> Path:
    """A folder with every program of `group` under the name that people call it.

    `say` is given one line at a time. Programs on PATH of a fitting version are taken (unless
    GKE_FLEET_NO_PATH_TOOLS=1), the others come from the cache or are built. Raises MissingTool where the
    machine lacks disk, network or a writable cache folder, ToolError where a build fails.
    """
    wanted = GROUPS[group]
    taken = onpath.fitting(wanted, say)
    if group == "pulumi" and taken:
        # The CLI looks for its language hosts beside itself, so it is used where it lies.
        return taken["pulumi"].parent
    rest = [program for program in wanted.programs if program.name not in taken]
    built = _built(wanted, rest, say)
    return built if not taken else _joined(wanted, built, taken, say)


def key(group: Group, programs: Sequence[Program]) -> str:
    """What decides whether a built folder can be used: sources, toolchain, flags, and which programs it
    holds."""
    digest = hashlib.sha256()
    for path in sorted(path for path in group.folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(group.folder)}\0".encode())
        digest.update(path.read_bytes())
    names = " ".join(program.name for program in programs)
    digest.update(f"{toolchain.version()}\0{group.ldflags}\0{names}".encode())
    return digest.hexdigest()[:12]


def _built(group: Group, programs: Sequence[Program], say: Say) -> Path:
    whole = cache.tools() / f"{group.name}-{key(group, group.programs)}"
    if whole.exists():
        return whole
    folder = cache.tools() / f"{group.name}-{key(group, programs)}"
    if folder.exists():
        return folder
    with cache.only_one(group.name, say):
        if not folder.exists():
            cache.need_space(f"building {group.name}", group.disk)
            go = toolchain.go(say)
            with cache.making(folder) as scratch:
                build(group, programs, go, scratch, say)
                _link(group, scratch, say)
    return folder


def _joined(group: Group, built: Path, taken: dict[str, Path], say: Say) -> Path:
    """A folder of links: what PATH has, and what was built for the rest."""
    sources = {program.name: taken.get(program.name, built / program.name) for program in group.programs}
    digest = hashlib.sha256("\n".join(f"{n} {p}" for n, p in sources.items()).encode()).hexdigest()[:12]
    folder = cache.tools() / f"{group.name}-with-path-{digest}"
    if not folder.exists():
        with cache.only_one(group.name, say):
            if not folder.exists():
                say(
                    f"{group.name}: taken from PATH: {', '.join(f'{name} ({path})' for name, path in taken.items())}"
                )
                with cache.making(folder) as scratch:
                    for name, path in sources.items():
                        (scratch / name).symlink_to(path)
                    _link(group, scratch, say)
    return folder


def _link(group: Group, folder: Path, say: Say) -> None:
    for program in group.programs:
        for name in program.links:
            if (folder / program.name).exists():
                (folder / name).symlink_to(program.name)
    if group.name == "delivery":
        # The repo server calls it by name for every Git source, from PATH.
        shutil.copy2(modules.manifests(say) / "git-verify-wrapper.sh", folder / "git-verify-wrapper.sh")
