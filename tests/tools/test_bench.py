"""Benchmarks do what they say, at sizes at which their figures mean nothing.

What this does not prove: that a goal is met. That is measured on a machine that does nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.measure import Ratio, Result, Sample, in_turn
from cli.bench import BENCHMARKS, bench
from cli.checkout import here
from cli.failure import ExitCode, Failure

RESULTS = Path(__file__).parent.parent.parent / "bench" / "results"


def sample(seconds: float) -> Sample:
    return Sample(seconds=seconds, cpu=seconds, peak=1.0, said={})


def test_cases_take_turns_and_every_second_round_goes_backwards() -> None:
    order: list[str] = []

    def case(name: str) -> Callable[[], Sample]:
        def run() -> Sample:
            order.append(name)
            return sample(1.0)

        return run

    found = in_turn({name: case(name) for name in "abc"}, 3, lambda line: None)
    assert "".join(order) == "abccbaabc"
    assert {name: len(samples) for name, samples in found.items()} == {"a": 3, "b": 3, "c": 3}


@pytest.mark.parametrize(
    ("at_most", "at_least", "median", "met"),
    [(1.3, None, 1.5, False), (1.5, None, 1.5, True), (None, 0.7, 0.667, False), (None, 0.6, 0.667, True)],
)
def test_a_ratio_is_taken_round_by_round(
    at_most: float | None, at_least: float | None, median: float, met: bool
) -> None:
    """The machine became twice as slow in the second round: the ratio does not see it."""
    cases = {
        "mine": [sample(1.5), sample(3.0), sample(1.6)],
        "other": [sample(1.0), sample(2.0), sample(1.0)],
    }
    ratio = Ratio(case="mine", baseline="other", what="as long", at_most=at_most, at_least=at_least)
    found = Result(name="x", title="x", sizes={}, cases=cases, ratios=[ratio]).document()["ratios"][0]
    assert (found["median"], found["met"]) == (median, met)


def test_an_unknown_benchmark_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(Failure, match="there is no benchmark what-it") as refused:
        bench(here(), ["what-it"], rounds=1, output=None)
    assert refused.value.code is ExitCode.CONFIGURATION
    assert "what-if" in refused.value.remedy


def test_committed_results_say_where_they_were_measured() -> None:
    for file in RESULTS.glob("*.json"):
        document = json.loads(file.read_text())
        assert {"processor", "processors", "memory_gib", "python"} <= document["machine"].keys()
        assert {one["benchmark"] for one in document["benchmarks"]} <= BENCHMARKS.keys()
        assert document["rounds"] >= 3


@pytest.mark.engine
@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_runs(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "result.json"
    sizes = {"clusters": 1, "policy_clusters": 1, "addons": 2}
    bench(here(), [name], rounds=1, output=output, sizes=sizes)
    (found,) = json.loads(output.read_text())["benchmarks"]
    assert found["benchmark"] == name
    assert found["sizes"].items() >= {"clusters": 1, "addons": 2}.items()
    for case in found["cases"].values():
        assert case["said"]["resources"] > 2
        assert case["seconds"]["median"] > 0
        assert case["peak_mib"]["median"] > 10
    if name == "what-if":
        # The one difference is found by what-if and CLI alike, and baselines have the size that they are to have.
        said = {case: one["said"] for case, one in found["cases"].items()}
        assert (
            said["what-if"]["resources"] == said["bare resources"]["resources"] == found["sizes"]["resources"]
        )
        assert all(one["operations"]["update"] == 1 for one in said.values())
        assert said["a Release per cluster and add-on"]["resources"] == 1 + 1 + 2
    assert found["title"] in capsys.readouterr().out
