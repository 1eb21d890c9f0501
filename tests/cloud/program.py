"""What the program asks of Google Cloud, resource by resource, in an order that the engine would take.

Owns running `pulumi up` on paper for a stack and reading its state: unlike a preview it has every input resolved. The
state is in the order in which resources were made.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import yaml

from tests.cloud.replay import Step
from tests.program.graph import copy_of_the_program, new_stack, on_paper, pulumi

STACKS = Path(__file__).with_name("stacks")


def steps(root: Path, fleet: str) -> list[Step]:
    """The Google Cloud resources of a fleet of `stacks/` or of `tests/cloud/stacks/`. `root`: a folder to work in."""
    (root / "program").mkdir()
    environment = on_paper(root)
    folder = copy_of_the_program(root / "program")
    stacks = folder / "stacks"
    own = STACKS / f"{fleet}.fleet.yaml"
    if own.exists():
        shutil.copy(own, stacks)
        settings = yaml.safe_load((stacks / "Pulumi.sandbox.yaml").read_text(encoding="utf-8"))
        settings["config"]["gke-fleet:fleet"] = fleet
        (stacks / f"Pulumi.{fleet}.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    new_stack(folder, environment, fleet)
    pulumi(folder, environment, "up", "--yes", "--skip-preview", "--stack", fleet)
    state = json.loads(pulumi(folder, environment, "stack", "export", "--stack", fleet).stdout)
    return [
        Step(resource["type"], resource.get("inputs", {}), resource["urn"].rpartition("::")[2])
        for resource in state["deployment"]["resources"]
        if resource["type"].startswith("gcp:")
    ]
