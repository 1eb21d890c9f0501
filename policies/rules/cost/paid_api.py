"""Rule no-paid-apis: no API is enabled that bills by being on, or that belongs to a product nobody uses here."""

from collections.abc import Iterator
from typing import Final

from ..gcp import is_one_of
from ..place import inputs
from ..rule import Finding, Resource, Rule
from ..schemas import names

_APIS: Final = (
    *("anthos", "anthosconfigmanagement", "anthospolicycontroller", "configdelivery", "gkebackup"),
    *("gkemulticloud", "gkeonprem", "mesh", "meshconfig", "multiclusteringress", "trafficdirector"),
)
_REMEDY: Final = "Take it out; fleets, Connect Gateway, teams and Config Sync need none of these"


def _look(resource: Resource) -> Iterator[Finding]:
    service = inputs(resource).at("service")
    if service.text.removesuffix(".googleapis.com") in resource.parameters["apis"]:
        yield service.offends("it is a billing switch, or the API of a product that is paid for", _REMEDY)


RULE: Final = Rule(
    name="no-paid-apis",
    title="No API is enabled that bills by being on",
    mandatory=True,
    reason=(
        "Enabling anthos once billed every vCPU of every cluster of a fleet; the others are the first step to a "
        "product with a price, and nobody looks for it in a list of APIs."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/pricing",
    looks_at=("gcp:projects Service: service",),
    parameters={"apis": names("APIs that are refused, without .googleapis.com", _APIS)},
    concerns=is_one_of("gcp:projects/service:Service"),
    look=_look,
)
