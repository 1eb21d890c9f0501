"""Moving the state from the owner's disk to another backend, as `docs/bootstrap.md` tells it.

The other backend is a folder here, not a bucket, and the secrets stay with their passphrase: that Cloud KMS takes
them over is not proved.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.bootstrap.bootstrapped import paper_environment
from tests.program.graph import pulumi

pytestmark = pytest.mark.engine


def test_a_moved_state_changes_nothing(
    project: Path, paper: Mapping[str, str], states: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    exported = tmp_path / "prod.state.json"
    pulumi(project, paper, "stack", "export", "--stack", "prod", "--file", str(exported))
    bucket = paper_environment(tmp_path / "bucket")
    pulumi(project, bucket, "stack", "init", "prod")
    pulumi(project, bucket, "stack", "import", "--stack", "prod", "--file", str(exported))
    pulumi(project, bucket, "preview", "--stack", "prod", "--expect-no-changes")
    output = pulumi(project, bucket, "stack", "output", "--stack", "prod", "hostProject").stdout.strip()
    assert output == "acme-fleet-prod"
    assert len(states["prod"]) > 100
