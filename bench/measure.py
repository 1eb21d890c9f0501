"""Measuring whole processes, in turn, and saying how sure a figure is.

Owns timing, memory, the order of runs, and the form of a result. Does not own what is run. Cases take turns, and every
second round goes backwards, so that a machine that becomes slower or faster meanwhile does so for all of them.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Say = Callable[[str], None]


class RunFailed(Exception):
    """A measured command did not do its work."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One run. `seconds`: wall clock; `cpu`: of it and all its children; `peak`: MiB of the largest process;
    `said`: the JSON document that it printed."""

    seconds: float
    cpu: float
    peak: float
    said: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """How many times as long `case` takes as `baseline`, pair by pair of one round. `at_most` or `at_least` is the
    goal, None without one."""

    case: str
    baseline: str
    what: str
    at_most: float | None = None
    at_least: float | None = None


@dataclass(kw_only=True)
class Result:
    """`cases`: name -> samples, one a round. `sizes`: what was measured, in numbers."""

    name: str
    title: str
    sizes: Mapping[str, int]
    cases: dict[str, list[Sample]]
    ratios: Sequence[Ratio]
    notes: list[str] = field(default_factory=list)

    def ratio(self, wanted: Ratio) -> list[float]:
        """Pair by pair. How often the baseline takes as long as the case, where the goal is a smallest one."""
        pairs = zip(self.cases[wanted.case], self.cases[wanted.baseline], strict=True)
        upside_down = wanted.at_least is not None
        return [b.seconds / a.seconds if upside_down else a.seconds / b.seconds for a, b in pairs]

    def document(self) -> dict[str, Any]:
        """For scripts: seconds, MiB, and ratios with their goals."""
        ratios = []
        for one in self.ratios:
            found = self.ratio(one)
            median = statistics.median(found)
            ratios.append(
                {
                    "what": one.what,
                    "case": one.case,
                    "baseline": one.baseline,
                    **_spread(found),
                    "at_most": one.at_most,
                    "at_least": one.at_least,
                    "met": (one.at_most is None or median <= one.at_most)
                    and (one.at_least is None or median >= one.at_least),
                }
            )
        return {
            "benchmark": self.name,
            "title": self.title,
            "sizes": dict(self.sizes),
            "cases": {
                name: {
                    "seconds": _spread([one.seconds for one in samples]),
                    "cpu_seconds": _spread([one.cpu for one in samples]),
                    "peak_mib": _spread([one.peak for one in samples]),
                    "said": dict(samples[-1].said),
                }
                for name, samples in self.cases.items()
            },
            "ratios": ratios,
            "notes": list(self.notes),
        }


def in_turn(cases: Mapping[str, Callable[[], Sample]], rounds: int, say: Say) -> dict[str, list[Sample]]:
    """Run every case `rounds` times, in turn."""
    found: dict[str, list[Sample]] = {name: [] for name in cases}
    for number in range(rounds):
        order = list(cases) if number % 2 == 0 else list(cases)[::-1]
        for name in order:
            sample = cases[name]()
            found[name].append(sample)
            say(f"round {number + 1} of {rounds}: {name}: {sample.seconds:.1f} s, {sample.peak:.0f} MiB")
    return found


def run(words: Sequence[str | Path], folder: Path) -> Sample:
    """Run `python -m bench.once` with these words from `folder`, a checkout of this project. Raises RunFailed."""
    command = [sys.executable, "-m", "bench.once", *(str(word) for word in words)]
    began, before = time.perf_counter(), os.times()
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        output, errors = running.communicate()
        usage = os.times()
    seconds = time.perf_counter() - began
    if running.returncode != 0:
        raise RunFailed(f"{' '.join(command[2:])} ended with {running.returncode}:\n{errors[-3000:]}")
    said = json.loads(output.splitlines()[-1])
    cpu = usage.children_user + usage.children_system - before.children_user - before.children_system
    return Sample(seconds=seconds, cpu=cpu, peak=said.pop("peak_mib"), said=said)


def machine() -> dict[str, Any]:
    """What the figures were taken on; no name of it."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return {
        "processor": model or platform.machine(),
        "processors": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
    }
