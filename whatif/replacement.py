"""The page docs/replacement.md: `python -m whatif.replacement` writes it from the table.

Owns the wording. Does not own the table (plugins/gcp/replacement.json), which the stand-in plugins judge by.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from plugins.gcp.replacement import CONDITIONS, Replacement, replacement, table
from plugins.gcp.types import CLUSTER

_Tree = dict[str, Any]
_SHORT = 60
PAGE = Path(__file__).resolve().parents[1] / "docs" / "replacement.md"

_HEAD = """\
# What replaces a resource

*Written from `plugins/gcp/replacement.json`; after a change of it run `python -m whatif.replacement`.*

A change of an attribute under **replaces** means a new resource and the end of the old one. The previews on paper and
the sandbox judge by this table. An attribute that it does not have they call *may replace*, since it came after the
version that was read.

Read in [{repository}](https://github.com/{repository}/tree/{commit}) at `{commit}` ({date}, {version}): {read}.
In use here is {package} {used}, which is built from a later version of the same provider. Nothing of this was tried on
Google Cloud.

How to read it:

- A name means the attribute and everything below it; `a.{{b, c}}` are `a.b` and `a.c`. Entries of a list have no index.
- A block that is added or taken away counts by itself and by every attribute that it gives a value.
- What Google fills in by itself is no change when it is taken out of a program: it stays as it is.
- A network, a region or a cluster is the same thing by its name, by its path and by its full address.
- Not in the table: the other differences that the provider overlooks (upper and lower case of an IAM member, ranges
  given as a size, Autopilot's own settings). There the official provider shows fewer changes than a preview on paper.
- `pulumi import` does not bring what is under *not read back*; the next preview shows it as a change in place.

A **cluster is never replaced here**: `./fleet up` refuses such a preview. A new cluster is a new name
([adoption.md](adoption.md), [clusters.md](clusters.md)).
"""


def page() -> str:
    """The whole page."""
    source, used = table()["source"], table()["used"]
    head = _HEAD.format(**source, package=used["package"], used=used["version"])
    return head + "".join(_section(token, replacement(token)) for token in sorted(table()["types"]))


def _section(token: str, kind: Replacement) -> str:
    files = ", ".join(f"`{file}`" for file in kind.files)
    parts = [f"\n## {token.rpartition(':')[2]}\n", f"`{token}`, in Terraform `{kind.terraform}` ({files})\n"]
    if "" in kind.notes:
        parts.append(f"{kind.notes['']}\n")
    parts.append(f"**Replaces:** {_listed(_shown_here(token, kind.replaces))}\n")
    if kind.replaces_when:
        said = [f"`{path}` {CONDITIONS[name][0]}" for path, name in sorted(kind.replaces_when.items())]
        parts.append(f"**Replaces sometimes:** {'; '.join(said)}. Otherwise in place.\n")
    parts.append(f"**In place:** {_listed(_shown_here(token, kind.in_place))}\n")
    if kind.unread:
        parts.append(f"**Not read back:** {_listed(kind.unread)}\n")
    parts += [f"`{path}`: {note}\n" for path, note in sorted(kind.notes.items()) if path]
    return "\n".join(parts)


def _shown_here(token: str, paths: Iterable[str]) -> list[str]:
    """Without the node pools inside a cluster: they say again what the section on node pools says."""
    return [path for path in paths if token != CLUSTER or not path.startswith("nodePools.")]


def _listed(paths: Iterable[str]) -> str:
    """Plain attributes in a line, blocks with many attributes in lines of their own."""
    tree: _Tree = {}
    for path in sorted(paths):
        level = tree
        for name in path.split("."):
            level = level.setdefault(name, {})
    if not tree:
        return "nothing"
    shown = [f"`{_shown(name, below)}`" for name, below in tree.items()]
    short = ", ".join(each for each in shown if len(each) <= _SHORT)
    return short + "".join(f"\n- {each}" for each in shown if len(each) > _SHORT)


def _shown(name: str, below: _Tree) -> str:
    if not below:
        return name
    inner = [_shown(each, deeper) for each, deeper in below.items()]
    return f"{name}.{inner[0]}" if len(inner) == 1 else f"{name}.{{{', '.join(inner)}}}"


if __name__ == "__main__":
    PAGE.write_text(page())
