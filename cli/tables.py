"""How results look in a terminal.

Owns tables and lines for people. Does not own the data, nor the JSON documents.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console as Console
from rich.table import Table

from cli.applications import Seen

_COLOURS = {"Synced": "green", "Healthy": "green", "OutOfSync": "yellow", "Progressing": "yellow"}

talk = Console(stderr=True, highlight=False, soft_wrap=True)
"""For what is said to a person while a command works."""

data = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
"""For what a command was asked for. In a file or a pipe, a table keeps its columns whatever the terminal is like."""


def say(line: str) -> None:
    """One line of talk, as it is."""
    talk.print(line, markup=False)


def hand_over(text: str, output: Path | None) -> None:
    """Write what a command was asked for, a document, to a file, or to standard output without one."""
    if output is not None:
        output.write_text(text)
    else:
        sys.stdout.write(text)


def _coloured(word: str) -> str:
    return f"[{_COLOURS.get(word, 'red')}]{word or 'Unknown'}[/]"


def fleet(seen: Sequence[Seen], order: Sequence[str]) -> Table:
    """Clusters x add-ons. `order`: the clusters' names in the order of the fleet file."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("CLUSTER", "RING", "ADD-ON", "VERSION", "SYNC", "HEALTH"):
        table.add_column(heading, no_wrap=True)
    rank = {name: position for position, name in enumerate(order)}
    for one in sorted(seen, key=lambda s: (rank.get(s.cluster, len(rank)), s.addon)):
        table.add_row(
            one.cluster, one.ring or "-", one.addon, one.version, _coloured(one.sync), _coloured(one.health)
        )
    return table


def predicted(applications: Sequence[Mapping[str, Any]]) -> Table:
    """The Applications that a stack stamps."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("CLUSTER", "RING", "ADD-ON", "VERSION", "NAMESPACE", "APPLICATION"):
        table.add_column(heading, no_wrap=True)
    for one in applications:
        table.add_row(
            one["cluster"], one["ring"], one["addon"], one["version"], one["namespace"], one["application"]
        )
    return table


def held(rows: Sequence[Mapping[str, Any]], silent: Mapping[str, str], order: Sequence[str]) -> Table:
    """What the clusters hold; a cluster of `silent` does not say, and why. `order`: the clusters of the stack."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("CLUSTER", "ADD-ON", "STATE", "WORKLOADS", "OBJECTS", "OWNED"):
        table.add_column(heading, no_wrap=True)
    for cluster in order:
        if cluster in silent:
            table.add_row(cluster, "-", "[red]does not answer[/]", "-", "-", "-")
        for row in rows:
            if row["cluster"] == cluster:
                numbers = (row["workloads"], row["objects"], "-" if row["owned"] is None else row["owned"])
                table.add_row(cluster, row["addon"], row["state"], *map(str, numbers))
    return table
