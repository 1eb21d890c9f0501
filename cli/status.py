"""`./fleet status`.

Owns the fleet's table and its JSON document. Does not own reading the Applications (`cli.applications`).
"""

import json
import os
import sys

from cli import sandbox_ground, tables
from cli.applications import Hub, missing, placed
from cli.checkout import Checkout
from cli.failure import ExitCode, Failure
from cli.plan import plan


def status(checkout: Checkout, stack: str, *, form: str) -> None:
    """Print clusters x add-ons as Argo CD on the hub reports them.

    Raises Failure with exit code 4 where something is not as predicted.
    """
    planned = plan(checkout, stack)
    if planned.on_sandbox:
        sandbox_ground.attach(checkout)
    hub = Hub(planned.hub_kubeconfig, os.environ, elsewhere=planned.elsewhere)
    seen = placed(hub.applications(), planned.applications)
    if form == "json":
        by_cluster = {name: [s for s in seen if s.cluster == name] for name in planned.clusters}
        document = {
            "stack": stack,
            "clusters": [
                {
                    "cluster": name,
                    "ring": planned.rings[name],
                    "applications": len(mine),
                    "healthy": all((s.sync, s.health) == ("Synced", "Healthy") for s in mine),
                }
                for name, mine in by_cluster.items()
            ],
            "applications": [s.as_data() for s in seen],
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        tables.data.print(tables.fleet(seen, planned.clusters))
    lines = missing(planned.applications, seen)
    if lines:
        raise Failure(
            ExitCode.UNHEALTHY, "not as the files say:\n  " + "\n  ".join(lines), f"./fleet up {stack}"
        )
