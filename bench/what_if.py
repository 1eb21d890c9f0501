"""The what-if of a large fleet, against the CLI alone on as many bare resources, and against a naive program.

Owns the fleet's size and the goals. Base and head differ in one version of one add-on.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import yaml

from bench import fleet
from bench.measure import Ratio, Result, Sample, in_turn, run
from bench.place import Place
from whatif.scratch import available_mib

NAME = "what-if"
TITLE = "What-if of a fleet, one version of one add-on changed"

WHAT_IF, AGAIN = "what-if", "what-if, base kept by an earlier one"
WITH_PACK, AGAIN_WITH_PACK = "what-if with the policy pack", "what-if with the policy pack, base kept"
BARE = "bare resources"
NAIVE, NAIVE_SHARED = "a Release per cluster and add-on", "the same, all providers in one process"

_MIB_OF_A_PLUGIN = 80


def bench(place: Place) -> Result:
    """Measure. Sizes: clusters, addons."""
    clusters, addons = place.size("clusters", 200), place.size("addons", 20)
    large = place.scratch / "large"
    fleet.write(place.root, large, clusters=clusters, addons=addons)
    revision = fleet.commit(large)
    fleet.upgrade(large, addons=addons)

    def what_if(*more: str) -> Callable[[], Sample]:
        return partial(run, ["whatif", large, revision, place.cli, *more], place.root)

    pack, kept = ("--pack", str(place.root / "policies")), ("--kept", str(place.scratch / "bases"))
    again, again_with_pack = what_if(*kept), what_if(*pack, *kept)
    place.say("a first run, which is not counted: it says how many resources there are")
    resources = int(what_if()().said["resources"])
    place.say("two more, which keep their bases")
    again()
    again_with_pack()
    bare = _program(place, "bare", {"resources": resources, "version": fleet.BEFORE})
    naive = _program(place, "releases", {"clusters": clusters, "addons": addons, "version": fleet.BEFORE})
    notes = []
    cases: dict[str, Callable[[], Sample]] = {
        WHAT_IF: what_if(),
        AGAIN: again,
        WITH_PACK: what_if(*pack),
        AGAIN_WITH_PACK: again_with_pack,
        BARE: _run(place, bare, "shared"),
        NAIVE_SHARED: _run(place, naive, "shared"),
    }
    ratios = [
        Ratio(case=WHAT_IF, baseline=BARE, what="as long as the CLI with bare resources", at_most=1.3),
        Ratio(case=WITH_PACK, baseline=WHAT_IF, what="as long as without the pack"),
        Ratio(case=AGAIN, baseline=WHAT_IF, what="as long as the first with a base"),
        Ratio(
            case=AGAIN_WITH_PACK, baseline=WITH_PACK, what="as long as the first with a base, with the pack"
        ),
        Ratio(
            case=WHAT_IF,
            baseline=NAIVE_SHARED,
            what="faster than the naive program in few processes",
            at_least=1.0,
        ),
    ]
    if clusters * _MIB_OF_A_PLUGIN < available_mib():
        cases[NAIVE] = _run(place, naive, "own")
        ratios += [
            Ratio(case=case, baseline=NAIVE, what=what, at_least=5.0)
            for case, what in (
                (WHAT_IF, "faster than the naive program"),
                (AGAIN, "faster than the naive program, base kept"),
            )
        ]
    else:
        notes.append(
            f"{NAIVE} needs {clusters * _MIB_OF_A_PLUGIN} MiB for its plugins, which are not free: left out"
        )
    return Result(
        name=NAME,
        title=TITLE,
        sizes={"clusters": clusters, "addons": addons, "resources": resources},
        cases=in_turn(cases, place.rounds, place.say),
        ratios=ratios,
        notes=notes,
    )


def _run(place: Place, folder: Path, plugins: str) -> Callable[[], Sample]:
    changed = json.dumps({f"{folder.name}:version": fleet.AFTER})
    return partial(run, ["program", folder, place.cli, plugins, changed], place.root)


def _program(place: Place, name: str, settings: dict[str, object]) -> Path:
    """A copy of a baseline's program with a stack of these settings."""
    folder = place.scratch / name
    shutil.copytree(Path(__file__).parent / "programs" / name, folder)
    config = {"config": {f"{name}:{key}": str(value) for key, value in settings.items()}}
    (folder / f"Pulumi.{fleet.STACK}.yaml").write_text(yaml.safe_dump(config))
    return folder
