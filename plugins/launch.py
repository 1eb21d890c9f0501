"""The entry of every plugin process: `python launch.py WHAT VERSION ARGUMENTS...`.

Owns nothing but the choice.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Any

PARENT = os.getppid()
sys.path[0] = str(Path(__file__).resolve().parent.parent)


def main() -> None:
    """Serve what the first argument names: language, gcp or kubernetes."""
    from plugins.light import empty_the_sdk

    empty_the_sdk()
    what, version = sys.argv[1:3]
    if what == "language":
        from plugins.language_python.main import main as language

        sys.argv[1:3] = []
        language(PARENT)
        return
    from plugins import process, wire
    from plugins.ground import ground
    from plugins.provider import Provider, Servicer

    standing = ground()

    def gcp(engine: Any) -> Provider:
        from plugins.gcp.provider import GcpProvider

        return GcpProvider(engine, version, standing.gcp())

    def kubernetes(engine: Any) -> Provider:
        from plugins.kubernetes.provider import KubernetesProvider

        return KubernetesProvider(engine, version, standing)

    if os.environ.get("GKE_FLEET_GROUND") == "paper":
        # It remembers everything until it ends, so there is nothing to collect.
        gc.disable()
    factory = {"gcp": gcp, "kubernetes": kubernetes}[what]
    process.serve(
        lambda server: wire.provider_grpc.add_ResourceProviderServicer_to_server(Servicer(factory), server),
        parent=PARENT,
    )


if __name__ == "__main__":
    main()
