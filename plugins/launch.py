"""The entry of every plugin process: `python launch.py WHAT VERSION ARGUMENTS...`.

Owns nothing but the choice. `all` serves both resource plugins from one process, for runs that attach to it
(PULUMI_DEBUG_PROVIDERS) in place of starting one process for each provider.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)


def main() -> None:
    """Serve what the first argument names: language, gcp, kubernetes or all."""
    what, versions = sys.argv[1], sys.argv[2].split(",")
    if what == "language":
        from plugins.language_python.main import main as language

        sys.argv[1:3] = []
        language()
        return
    from plugins import process, wire
    from plugins.ground import ground
    from plugins.provider import Provider, Servicer

    standing = ground()

    def gcp(engine: Any) -> Provider:
        from plugins.gcp.provider import GcpProvider

        return GcpProvider(engine, versions[0], standing.gcp())

    def kubernetes(engine: Any) -> Provider:
        from plugins.kubernetes.provider import KubernetesProvider

        return KubernetesProvider(engine, versions[-1], standing)

    factory = {"gcp": gcp, "kubernetes": kubernetes}[what]
    process.serve(
        lambda server: wire.provider_grpc.add_ResourceProviderServicer_to_server(Servicer(factory), server)
    )


if __name__ == "__main__":
    main()
