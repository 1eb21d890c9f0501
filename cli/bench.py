"""`./fleet bench`: measurements against named baselines (bench/README.md).

Owns which benchmarks there are, the table for people and the document for scripts. Does not own a measurement.
"""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from cli import tables
from cli.checkout import Checkout
from cli.failure import ExitCode, Failure

BENCHMARKS = {"what-if": "bench.what_if", "policies": "bench.policy_pack"}
"""By name: the module that measures."""


def bench(
    checkout: Checkout,
    names: Sequence[str],
    *,
    rounds: int,
    output: Path | None,
    sizes: Mapping[str, int] | None = None,
) -> None:
    """Run benchmarks (all of them without a name), print a table of each, and write one JSON document to `output`.

    `sizes` go before the benchmarks' own. Raises Failure: 2 for an unknown name, 1 where a measured run fails.
    """
    unknown = sorted(set(names) - BENCHMARKS.keys())
    if unknown or rounds < 1:
        what = f"there is no benchmark {', '.join(unknown)}" if unknown else f"--rounds is {rounds}"
        raise Failure(
            ExitCode.CONFIGURATION, what, f"name some of {', '.join(BENCHMARKS)}; rounds are 1 or more"
        )
    from bench.measure import RunFailed, machine
    from bench.place import Place
    from sandbox.tools import ensure

    cli = ensure("pulumi", tables.say) / "pulumi"
    document: dict[str, Any] = {"machine": machine(), "rounds": rounds, "benchmarks": []}
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="gke-fleet-bench-", ignore_cleanup_errors=True) as folder:
            place = Place(
                root=checkout.root,
                cli=cli,
                scratch=Path(folder),
                rounds=rounds,
                say=tables.say,
                sizes=sizes or {},
            )
            try:
                result = importlib.import_module(BENCHMARKS[name]).bench(place)
            except RunFailed as error:
                raise Failure(ExitCode.REFUSED, f"benchmark {name}: {error}") from None
        found = result.document()
        document["benchmarks"].append(found)
        show(found)
    if output is not None:
        output.write_text(json.dumps(document, indent=2) + "\n")


def show(found: Mapping[str, Any]) -> None:
    """Print one benchmark as tables."""
    sizes = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found["sizes"].items())
    tables.data.print(f"\n[bold]{found['title']}[/] ({sizes})")
    tables.data.print(_cases(found["cases"]))
    tables.data.print(_ratios(found["ratios"]))
    for note in found["notes"]:
        tables.data.print(note, markup=False)


def _cases(cases: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("CASE", "RESOURCES", "SECONDS", "MIN", "MAX", "CPU SECONDS", "PEAK MIB"):
        table.add_column(heading, no_wrap=True)
    for name, case in cases.items():
        seconds = case["seconds"]
        numbers = [f"{seconds[each]:.1f}" for each in ("median", "min", "max")]
        numbers += [f"{case['cpu_seconds']['median']:.1f}", f"{case['peak_mib']['median']:.0f}"]
        table.add_row(name, str(case["said"].get("resources", "-")), *numbers)
    return table


def _ratios(ratios: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("TIMES", "MIN", "MAX", "WHAT", "GOAL", ""):
        table.add_column(heading, no_wrap=True)
    for one in ratios:
        goal = next((f"{w} {one[k]:g}" for k, w in _GOALS.items() if one[k] is not None), "none")
        met = "" if goal == "none" else "[green]met[/]" if one["met"] else "[red]missed[/]"
        table.add_row(*(f"{one[each]:.2f}" for each in ("median", "min", "max")), one["what"], goal, met)
    return table


_GOALS = {"at_most": "at most", "at_least": "at least"}
