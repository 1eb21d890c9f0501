"""The Git repositories of the mirror, with the same commits on every machine.

Owns their content and making them bare. Does not own serving them. Author, committer and dates are fixed, so
that the commit id is a constant that a catalogue can pin.
"""

import os
import subprocess
from pathlib import Path

PLATFORM = "github.com/acme/platform.git"

FILES = {
    "README.md": (
        "# platform\n\n"
        "`empty/` is what a cluster that leaves the fleet is pointed at when its workloads are to be removed:\n"
        "nothing is wanted there, so everything that was delivered is pruned.\n"
    ),
    "empty/.gitkeep": "",
}

_FIXED = {
    "GIT_AUTHOR_NAME": "Acme Platform",
    "GIT_AUTHOR_EMAIL": "platform@acme.example",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00+0000",
    "GIT_COMMITTER_NAME": "Acme Platform",
    "GIT_COMMITTER_EMAIL": "platform@acme.example",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00+0000",
}


def environment() -> dict[str, str]:
    """For every git process of the mirror: nothing of the user's or the machine's Git settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


def write_platform(root: Path) -> str:
    """Make the bare repository below `root` and give the id of its one commit, on branch main."""
    folder = root / PLATFORM
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "--object-format=sha1", ".")
    # GitHub serves any commit by its id, not only the tips of branches.
    _git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    tree = _tree(folder, FILES)
    commit = _git(folder, "commit-tree", tree, "-m", "An empty folder for clusters that leave")
    _git(folder, "update-ref", "refs/heads/main", commit)
    return commit


def _tree(folder: Path, files: dict[str, str]) -> str:
    """Write the blobs and trees of `files` (path -> text) and give the id of the root tree."""
    lines = []
    below: dict[str, dict[str, str]] = {}
    for path, text in files.items():
        head, slash, rest = path.partition("/")
        if slash:
            below.setdefault(head, {})[rest] = text
        else:
            blob = _git(folder, "hash-object", "-w", "--stdin", stdin=text)
            lines.append(f"100644 blob {blob}\t{head}")
    for name, inner in below.items():
        lines.append(f"040000 tree {_tree(folder, inner)}\t{name}")
    return _git(folder, "mktree", stdin="".join(f"{line}\n" for line in lines))


def _git(folder: Path, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**environment(), **_FIXED},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"git {' '.join(arguments)} in {folder}: {done.stderr.strip()}")
    return done.stdout.strip()
