"""Networks: a network, its subnetworks, a router and its NAT."""

from __future__ import annotations

import ipaddress
from typing import Any

from plugins.gcp.types.derived import COMPUTE_NAME_RULE as NAME_RULE
from plugins.gcp.types.derived import CREATED, PROJECT_RULE, REGION_RULE, digest, digits
from plugins.gcp.types.kind import GcpType, Inputs, Numbers, Rule

NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
ROUTER = "gcp:compute/router:Router"
ROUTER_NAT = "gcp:compute/routerNat:RouterNat"

_API = "https://www.googleapis.com/compute/v1/"


def _network_id(inputs: Inputs) -> str:
    return f"projects/{inputs['project']}/global/networks/{inputs['name']}"


def _network(inputs: Inputs, _: Numbers) -> dict[str, Any]:
    path = _network_id(inputs)
    number = digits(19, path)
    return {"selfLink": _API + path, "networkId": number, "numericId": number, "gatewayIpv4": ""}


def _regional(collection: str, inputs: Inputs) -> str:
    return f"projects/{inputs['project']}/regions/{inputs['region']}/{collection}/{inputs['name']}"


def _subnetwork(inputs: Inputs, _: Numbers) -> dict[str, Any]:
    path = _regional("subnetworks", inputs)
    gateway = ""
    if inputs.get("ipCidrRange"):
        gateway = str(ipaddress.ip_network(str(inputs["ipCidrRange"]), strict=False)[1])
    return {
        "selfLink": _API + path,
        "subnetworkId": int(digits(15, path)),
        "creationTimestamp": CREATED,
        "fingerprint": digest(path)[:12],
        "gatewayAddress": gateway,
        "ipv6CidrRange": "",
        "ipv6GceEndpoint": "",
        "state": "",
    }


def _router(inputs: Inputs, _: Numbers) -> dict[str, Any]:
    return {"selfLink": _API + _regional("routers", inputs), "creationTimestamp": CREATED}


def _nat_id(inputs: Inputs) -> str:
    router = str(inputs["router"]).rpartition("/")[2]
    return f"{inputs['project']}/{inputs['region']}/{router}/{inputs['name']}"


_REGIONAL_FORM = r"projects/(?P<project>[^/]+)/regions/(?P<region>[^/]+)"
_REGIONAL_RULES = {"project": PROJECT_RULE, "region": REGION_RULE, "name": NAME_RULE}
_RANGE_RULE = Rule(r"\d{1,3}(?:\.\d{1,3}){3}/\d{1,2}", "be a range such as 10.0.0.0/20")

TYPES = (
    GcpType(
        token=NETWORK,
        id_form=r"projects/(?P<project>[^/]+)/global/networks/(?P<name>[^/]+)",
        id_of=_network_id,
        fill=_network,
        required=("name",),
        defaults={
            "autoCreateSubnetworks": True,
            "deleteBgpAlwaysCompareMed": False,
            "deleteDefaultRoutesOnCreate": False,
            "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
        },
        autoname="name",
        lower_case=True,
        rules={"project": PROJECT_RULE, "name": NAME_RULE},
        computed=frozenset({"gatewayIpv4", "networkId", "numericId", "selfLink"}),
    ),
    GcpType(
        token=SUBNETWORK,
        id_form=rf"{_REGIONAL_FORM}/subnetworks/(?P<name>[^/]+)",
        id_of=lambda inputs: _regional("subnetworks", inputs),
        fill=_subnetwork,
        required=("name", "network"),
        autoname="name",
        lower_case=True,
        place="region",
        rules={**_REGIONAL_RULES, "ipCidrRange": _RANGE_RULE},
        computed=frozenset(
            {
                "creationTimestamp",
                "fingerprint",
                "gatewayAddress",
                "ipv6CidrRange",
                "ipv6GceEndpoint",
                "selfLink",
                "state",
                "subnetworkId",
            }
        ),
    ),
    GcpType(
        token=ROUTER,
        id_form=rf"{_REGIONAL_FORM}/routers/(?P<name>[^/]+)",
        id_of=lambda inputs: _regional("routers", inputs),
        fill=_router,
        required=("name",),
        autoname="name",
        lower_case=True,
        place="region",
        rules=_REGIONAL_RULES,
        computed=frozenset({"creationTimestamp", "selfLink"}),
    ),
    GcpType(
        token=ROUTER_NAT,
        id_form=r"(?P<project>[^/]+)/(?P<region>[^/]+)/(?P<router>[^/]+)/(?P<name>[^/]+)",
        id_of=_nat_id,
        required=("name", "router", "sourceSubnetworkIpRangesToNat"),
        defaults={
            "icmpIdleTimeoutSec": 30,
            "tcpEstablishedIdleTimeoutSec": 1200,
            "tcpTimeWaitTimeoutSec": 120,
            "tcpTransitoryIdleTimeoutSec": 30,
            "type": "PUBLIC",
            "udpIdleTimeoutSec": 30,
        },
        autoname="name",
        lower_case=True,
        place="region",
        rules=_REGIONAL_RULES,
    ),
)
