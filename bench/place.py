"""What benchmarks share: where they work, and which program they measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import Say


@dataclass(frozen=True, kw_only=True)
class Place:
    """`root`: the checkout; `cli`: the pulumi binary; `scratch`: a folder of the benchmark's own; `sizes`: numbers that
    go before a benchmark's own, for a test of it."""

    root: Path
    cli: Path
    scratch: Path
    rounds: int
    say: Say
    sizes: Mapping[str, int] = field(default_factory=dict)

    def size(self, name: str, otherwise: int) -> int:
        return self.sizes.get(name, otherwise)
