"""Rule chart-dependencies-locked: an installation does not resolve a chart's dependencies anew.

What a chart in a folder or in Git asks for in its Chart.yaml is not in a program and cannot be looked at here.
What a program can say is that Helm shall update them, and that throws the chart's own lock away.
"""

import re
from collections.abc import Iterator
from typing import Final

from ..rule import Finding, Resource, Rule

CHARTS: Final = re.compile(r"kubernetes:helm\.sh/v[0-9]+:(Release|Chart)")
_REMEDY: Final = (
    "Leave it out, and commit Chart.lock and charts/ with the chart (helm dependency update writes both)"
)


def _look(resource: Resource) -> Iterator[Finding]:
    if resource.properties.get("dependencyUpdate") in (True, "true"):
        why = "the ranges in Chart.yaml are resolved at every installation, whatever Chart.lock says"
        yield Finding(path="dependencyUpdate", value=True, why=why, remedy=_REMEDY)
    if resource.properties.get("devel") in (True, "true"):
        why = "it lets versions in development stand for a missing or open version"
        yield Finding(path="devel", value=True, why=why, remedy="Leave it out, and write the exact version")


RULE: Final = Rule(
    name="chart-dependencies-locked",
    title="A chart's dependencies come from its lock",
    mandatory=True,
    reason=(
        "A chart is pinned only together with the charts inside it. Updated at installation they are whatever "
        "is newest in the range on that day."
    ),
    remedy=_REMEDY + ".",
    source="https://helm.sh/docs/helm/helm_dependency_update/",
    looks_at=("kubernetes:helm.sh/v3:Release, v3:Chart and v4:Chart: dependencyUpdate, devel",),
    concerns=lambda resource_type: CHARTS.fullmatch(resource_type) is not None,
    look=_look,
)
