"""What the cloud's tests start from: the requests that the sandbox's bootstrap makes, in a file.

Owns `tests/cloud/bootstrapped.json`; `python -m tests.bootstrap.bootstrapped` writes it anew. The cloud's own
tests read it, so that they need no Pulumi.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from plugins import workspace
from sandbox.cloud.organization import FILE as ORGANIZATION
from sandbox.tools import ensure
from tests.bootstrap.paper import copy_of_the_project, made, requests
from tests.program.graph import CHECKOUT

FILE = CHECKOUT / "tests" / "cloud" / "bootstrapped.json"


def numbers() -> dict[str, str]:
    """Project id -> number, as the sandbox's cloud gives them."""
    found: dict[str, str] = yaml.safe_load(ORGANIZATION.read_text(encoding="utf-8"))["numbers"]
    return found


def text(resources: list[dict[str, Any]]) -> str:
    """The content of the file."""
    return json.dumps(requests(resources, numbers()), indent=1, sort_keys=True) + "\n"


def paper_environment(root: Path) -> Mapping[str, str]:
    """Environment in which `pulumi` is the CLI, on paper, with all it keeps below `root`."""
    (root / "state").mkdir(parents=True)
    tools = ensure("pulumi", lambda line: print(line, file=sys.stderr))
    backend = (root / "state").as_uri()
    environment = workspace.make(
        root / "home", cli=tools / "pulumi", backend_url=backend, ground="paper", state=None
    )
    return {**environment, "PATH": f"{tools}:{environment['PATH']}"}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="gke-fleet-bootstrapped-") as folder:
        project = copy_of_the_project(Path(folder))
        FILE.write_text(text(made(project, paper_environment(Path(folder) / "paper"), "sandbox")))
