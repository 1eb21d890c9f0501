"""Rule fleet-features: of the features of a fleet, those alone that cost nothing and are used.

Fleet observability is the rule fleet-observability's.
"""

from collections.abc import Iterator
from typing import Final

from ..gcp import is_one_of
from ..place import inputs
from ..rule import Finding, Resource, Rule
from ..schemas import names
from .fleet_observability import FEATURE, OBSERVABILITY

_MEMBERSHIP: Final = "gcp:gkehub/featureMembership:FeatureMembership"
_ALLOWED: Final = ("clusterupgrade", "rbacrolebindingactuation")
_REMEDY: Final = 'Take it out, or name it in the parameter "allowed" once its price is known'


def _look(resource: Resource) -> Iterator[Finding]:
    feature = inputs(resource).at("name" if resource.type == FEATURE else "feature")
    name = feature.text.rpartition("/")[2]
    if name and name != OBSERVABILITY and name not in resource.parameters["allowed"]:
        yield feature.offends("it is not among the features that are known to cost nothing", _REMEDY)


RULE: Final = Rule(
    name="fleet-features",
    title="Fleets have the features alone that cost nothing",
    mandatory=True,
    reason=(
        "A feature is on for every cluster of a fleet at once. Service mesh and multi-cluster ingress are billed for "
        "themselves, and others create resources that are."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/pricing",
    looks_at=("gcp:gkehub Feature: name", "gcp:gkehub FeatureMembership: feature"),
    parameters={"allowed": names("Features that may be on", _ALLOWED)},
    concerns=is_one_of(FEATURE, _MEMBERSHIP),
    look=_look,
)
