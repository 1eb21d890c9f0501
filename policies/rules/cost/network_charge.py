"""Rule network-charges: what is billed for being there in a network is meant."""

from collections.abc import Iterator
from typing import Final

from ..gcp import is_one_of
from ..place import inputs
from ..rule import Finding, Resource, Rule

_NAT: Final = "gcp:compute/routerNat:RouterNat"
_ADDRESSES: Final = ("gcp:compute/address:Address", "gcp:compute/globalAddress:GlobalAddress")
_FORWARDING: Final = (
    "gcp:compute/forwardingRule:ForwardingRule",
    "gcp:compute/globalForwardingRule:GlobalForwardingRule",
)
_NAT_REMEDY: Final = (
    "Take it out where nodes call Google's APIs (privateIpGoogleAccess) and a mirror in the network alone"
)
_REMEDY: Final = "Take it out, or share one of the load balancers that are there"


def _look(resource: Resource) -> Iterator[Finding]:
    whole = inputs(resource)
    name = whole.at("name")
    kind = whole.at("addressType" if resource.type in _ADDRESSES else "loadBalancingScheme")
    if resource.type == _NAT:
        yield name.offends("Cloud NAT is billed by the machine and hour, and by the gigabyte", _NAT_REMEDY)
    elif kind.is_known and (kind.is_missing or kind.text.startswith("EXTERNAL")):
        yield name.offends("it is billed by the hour, in use or not", _REMEDY)


RULE: Final = Rule(
    name="network-charges",
    title="NAT, public addresses and load balancers are meant",
    mandatory=False,
    reason="Each is billed for being there, and nobody notices when the last user is gone.",
    remedy=f"{_NAT_REMEDY}; {_REMEDY[0].lower()}{_REMEDY[1:]}.",
    source="https://cloud.google.com/vpc/network-pricing",
    looks_at=(
        "gcp:compute RouterNat",
        "gcp:compute Address and GlobalAddress: addressType; ForwardingRule and GlobalForwardingRule: "
        "loadBalancingScheme (external ones)",
    ),
    concerns=is_one_of(_NAT, *_ADDRESSES, *_FORWARDING),
    look=_look,
)
