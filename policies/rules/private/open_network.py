"""Rule no-open-networks: no list of who is let in holds everybody.

Half of all addresses counts as everybody: two halves are the usual way around a rule against the whole.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER, is_one_of
from ..place import Place, inputs
from ..rule import Finding, Resource, Rule

_WIDEST: Final = 1
"""Length of a prefix from which on a network is no offence is one more than this."""
_FIREWALL: Final = "gcp:compute/firewall:Firewall"
_POLICY_RULE: Final = re.compile(
    r"gcp:compute/(?:\w+F|f)irewallPolicyRule:\w+|gcp:compute/(?:\w+F|f)irewallPolicyWithRules:\w+"
)
_REMEDY: Final = "Name the networks that may call, such as those of the offices, the VPN or the health checks"
_is_cluster: Final = is_one_of(CLUSTER)


def _concerns(resource_type: str) -> bool:
    return (
        _is_cluster(resource_type)
        or resource_type == _FIREWALL
        or _POLICY_RULE.fullmatch(resource_type) is not None
    )


def _look(resource: Resource) -> Iterator[Finding]:
    whole = inputs(resource)
    for network in _networks(resource.type, whole):
        if _is_everybody(network.text):
            yield network.offends("this lets in the whole internet, or half of it", _REMEDY)


def _networks(resource_type: str, whole: Place) -> Iterator[Place]:
    """The networks from which a resource lets somebody in."""
    if resource_type == CLUSTER:
        for block in whole.at("masterAuthorizedNetworksConfig", "cidrBlocks").each():
            yield block.at("cidrBlock")
    elif resource_type == _FIREWALL:
        outward = whole.at("direction").text.upper() == "EGRESS"
        if not outward and whole.at("allows").is_set and not whole.at("disabled").is_true:
            yield from whole.at("sourceRanges").each()
    else:
        for rule in (whole, *whole.at("rules").each()):
            inward = rule.at("direction").text.upper() != "EGRESS" and not rule.at("disabled").is_true
            if inward and rule.at("action").text.lower() in ("allow", "apply_security_profile_group"):
                yield from rule.at("match", "srcIpRanges").each()


def _is_everybody(network: str) -> bool:
    try:
        return ipaddress.ip_network(network.strip(), strict=False).prefixlen <= _WIDEST
    except ValueError:
        return False


RULE: Final = Rule(
    name="no-open-networks",
    title="No list of who is let in holds everybody",
    mandatory=True,
    reason=(
        "0.0.0.0/0 in a list of networks is no list: what it stands before is on the internet, and whoever scans "
        "it finds it within minutes."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/firewall/docs/firewalls",
    looks_at=(
        "gcp:container Cluster: masterAuthorizedNetworksConfig.cidrBlocks[].cidrBlock",
        "gcp:compute Firewall: sourceRanges, of rules that allow and are not disabled",
        "gcp:compute rules of firewall policies: match.srcIpRanges, of the same",
    ),
    concerns=_concerns,
    look=_look,
)
