"""Where the charts of a comparison come from.

Owns the choice: what is at hand on this machine, else the network. Does not own getting them (whatif/manifests/).
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sandbox.tools import cache, ensure
from whatif.manifests import Reach, local_mirror

OFFLINE = "GKE_FLEET_OFFLINE"
"""Set, it keeps a preview from asking any repository over the network."""


def reach(settings: Mapping[str, Any], *, network: bool, say: Callable[[str], None]) -> Reach:
    """How far charts can be reached from here. `settings`: what stands under `config` in the stack file. `network`:
    whether this run has one.

    The programs are those on PATH, else those that the sandbox has built; the official charts that came with the
    sandbox's tools are taken before any network is asked.
    """
    built = _built(say)
    mirror = settings.get("gke-fleet:mirror")
    folder = None
    if built is not None:
        folder = local_mirror(cache.root() / "charts")
    else:
        say(
            "charts: the sandbox's tools are not built yet (`./fleet up` builds them), so every chart is asked for"
        )
    return Reach(
        helm=_program("helm", built),
        kustomize=_program("kustomize", built),
        folder=folder,
        behind=(str(mirror),) if mirror else (),
        network=network and not os.environ.get(OFFLINE),
    )


def _built(say: Callable[[str], None]) -> Path | None:
    """The folder of the sandbox's delivery tools, for whoever has built them once; None for others."""
    if not any(cache.tools().glob("delivery-*/helm")):
        return None
    return ensure("delivery", say)


def _program(name: str, built: Path | None) -> Path | None:
    on_path = shutil.which(name)
    if built is not None and (built / name).exists():
        return built / name
    return Path(on_path) if on_path else None
