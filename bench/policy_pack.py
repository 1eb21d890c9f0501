"""The policy pack, against a pack of one rule that does nothing.

Owns the sizes. In process: time for each resource of a very large fleet. Through the CLI: the whole preview of a
smaller one.
"""

from __future__ import annotations

import json
from functools import partial

from bench import fleet
from bench.measure import Ratio, Result, Sample, in_turn, run
from bench.place import Place

NAME = "policies"
TITLE = "The policy pack on every resource of a fleet"

RULES, NOTHING = "the pack, in process", "one rule that does nothing, in process"
CLI_RULES, CLI_NOTHING = "preview with the pack", "preview with one rule that does nothing"


def bench(place: Place) -> Result:
    """Measure. Sizes: policy_clusters (in process), clusters (through the CLI), addons."""
    from whatif.preview import preview

    huge, clusters = place.size("policy_clusters", 1000), place.size("clusters", 200)
    addons = place.size("addons", 20)
    place.say(f"previewing {huge} clusters, for their resources")
    fleet.write(place.root, place.scratch / "huge", clusters=huge, addons=addons)
    found = preview(place.scratch / "huge", fleet.STACK, cli=place.cli)
    if found.exit_code != 0:
        raise RuntimeError(f"the preview of {huge} clusters says no: {found.diagnostics}")
    resources = place.scratch / "resources.json"
    resources.write_text(json.dumps(found.resources))
    large = place.scratch / "large"
    fleet.write(place.root, large, clusters=clusters, addons=addons)
    packs = {
        CLI_RULES: place.root / "policies",
        CLI_NOTHING: place.root / "bench" / "programs" / "nothing",
    }
    cases = {
        RULES: partial(run, ["pack", resources, "rules"], place.root),
        NOTHING: partial(run, ["pack", resources, "nothing"], place.root),
        **{
            name: partial(run, ["preview", large, place.cli, pack], place.root)
            for name, pack in packs.items()
        },
    }
    samples = in_turn(cases, place.rounds, place.say)
    return Result(
        name=NAME,
        title=TITLE,
        sizes={
            "policy_clusters": huge,
            "clusters": clusters,
            "addons": addons,
            "resources": len(found.resources),
        },
        cases=samples,
        ratios=[
            Ratio(case=RULES, baseline=NOTHING, what="as long as one rule that does nothing, whole process"),
            Ratio(
                case=CLI_RULES,
                baseline=CLI_NOTHING,
                what="as long as one rule that does nothing, through the CLI",
            ),
        ],
        notes=[_each(name, samples[name]) for name in (RULES, NOTHING)],
    )


def _each(name: str, samples: list[Sample]) -> str:
    parts = {
        part: sorted(float(one.said[part]) for one in samples)[len(samples) // 2]
        for part in ("microseconds", "microseconds_each", "microseconds_stack")
    }
    return (
        f"{name}: {parts['microseconds']:.0f} microseconds a resource (median), of these "
        f"{parts['microseconds_each']:.0f} by itself and {parts['microseconds_stack']:.0f} at the end, with the stack"
    )
