"""The mark of a workspace, by which a plugin knows that it may work here.

A stand-in plugin next to the state of a real fleet would overwrite it with what never existed. So a
workspace names its one backend, and a plugin works with no other.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

NAME = "gke-fleet-workspace.json"
HOME = "GKE_FLEET_WORKSPACE"
"""Environment variable that the launchers of a workspace set: the workspace's folder."""


class Refused(Exception):
    """A stand-in plugin was asked to work where it must not."""


def write(home: Path, backend_url: str, ground: str) -> None:
    """Mark `home` as the workspace of `backend_url`."""
    (home / NAME).write_text(json.dumps({"backend": backend_url, "ground": ground}) + "\n")


def require_own_backend() -> None:
    """Raise Refused unless the CLI works with the workspace's own backend."""
    home = os.environ.get(HOME, "")
    try:
        marked = json.loads((Path(home) / NAME).read_text())
    except (OSError, ValueError):
        raise Refused(
            "this is a stand-in plugin of gke-fleet, started outside of a workspace. Remedy: use ./fleet shell, or the "
            "official plugins"
        ) from None
    found = os.environ.get("PULUMI_BACKEND_URL", "")
    if found != marked["backend"]:
        raise Refused(
            f"this is a stand-in plugin of gke-fleet. It works with the backend {marked['backend']} alone, and the CLI "
            f"works with {found or 'another (PULUMI_BACKEND_URL is not set)'}. Remedy: for a real stack use the "
            "official "
            "plugins with an ordinary PULUMI_HOME; for the sandbox use ./fleet shell"
        )
    if os.environ.get("GKE_FLEET_GROUND") != marked["ground"]:
        raise Refused(
            f"this workspace stands on {marked['ground']} and GKE_FLEET_GROUND is "
            f"{os.environ.get('GKE_FLEET_GROUND', 'not set')}. Remedy: use ./fleet shell"
        )
