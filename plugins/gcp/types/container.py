"""GKE clusters and their node pools."""

from __future__ import annotations

import base64
import re
from typing import Any

from plugins.gcp.types.derived import (
    LABELS,
    LOCATION,
    PROJECT_RULE,
    digest,
    labels,
    merged,
    region_of,
)
from plugins.gcp.types.kind import GcpType, Inputs, Numbers, Rule

CLUSTER = "gcp:container/cluster:Cluster"


def _cluster_id(inputs: Inputs) -> str:
    return f"projects/{inputs['project']}/locations/{inputs['location']}/clusters/{inputs['name']}"


def master_version(minimum: str | None) -> str:
    """The GKE version that a cluster runs whose minMasterVersion is `minimum` ("1.36" or full)."""
    minimum = minimum or "1.36"
    if "-gke." in minimum:
        return minimum
    return f"{minimum if minimum.count('.') == 2 else minimum + '.3'}-gke.1000000"


def _cluster(inputs: Inputs, numbers: Numbers) -> dict[str, Any]:
    path, region = _cluster_id(inputs), region_of(inputs["location"])
    seed = digest(path)
    host = ".".join(["10", *(str(int(seed[at : at + 2], 16)) for at in (0, 2, 4))])
    version = master_version(inputs.get("minMasterVersion"))
    dns = f"gke-{seed[:30]}-{numbers(inputs['project'])}.{region}.gke.goog"
    endpoints = inputs.get("controlPlaneEndpointsConfig") or {}
    body = base64.b64encode(seed.encode()).decode()
    certificate = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
    found: dict[str, Any] = {
        "endpoint": host,
        "selfLink": f"https://container.googleapis.com/v1/{path}",
        "masterVersion": version,
        "nodeVersion": inputs.get("nodeVersion") or version,
        "emulatedVersion": "",
        "labelFingerprint": seed[:8],
        "operation": "",
        "servicesIpv4Cidr": "34.118.224.0/20",
        "tpuIpv4CidrBlock": "",
        "network": inputs.get("network") or f"projects/{inputs['project']}/global/networks/default",
        "subnetwork": inputs.get("subnetwork")
        or f"projects/{inputs['project']}/regions/{region}/subnetworks/default",
        "controlPlaneEndpointsConfig": {
            **endpoints,
            "dnsEndpointConfig": {**(endpoints.get("dnsEndpointConfig") or {}), "endpoint": dns},
        },
        "masterAuth": merged(
            inputs, "masterAuth", {"clusterCaCertificate": base64.b64encode(certificate.encode()).decode()}
        ),
        "privateClusterConfig": merged(
            inputs, "privateClusterConfig", {"privateEndpoint": host, "publicEndpoint": "", "peeringName": ""}
        ),
        **labels("resourceLabels", inputs),
    }
    if inputs.get("fleet"):
        fleet_host = inputs["fleet"].get("project") or inputs["project"]
        membership = (
            f"//gkehub.googleapis.com/projects/{fleet_host}/locations/{region}/memberships/{inputs['name']}"
        )
        found["fleet"] = merged(
            inputs,
            "fleet",
            {
                "membership": membership,
                "membershipId": inputs["name"],
                "membershipLocation": region,
                "preRegistered": False,
            },
        )
    return found


NODE_POOL = "gcp:container/nodePool:NodePool"
_CLUSTER_FORM = r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/clusters/(?P<cluster>[^/]+)"


def _of_cluster(inputs: Inputs) -> dict[str, str]:
    """Project and location of a pool, where its `cluster` is a full name."""
    match = re.fullmatch(_CLUSTER_FORM, str(inputs.get("cluster") or ""))
    return {"project": match["project"], "location": match["location"]} if match else {}


def _node_pool_id(inputs: Inputs) -> str:
    cluster = str(inputs["cluster"]).rpartition("/")[2]
    place = f"projects/{inputs['project']}/locations/{inputs['location']}"
    return f"{place}/clusters/{cluster}/nodePools/{inputs['name']}"


def _node_pool(inputs: Inputs, _: Numbers) -> dict[str, Any]:
    path, location = _node_pool_id(inputs), str(inputs["location"])
    regional = region_of(location) == location
    zones = inputs.get("nodeLocations") or (
        [f"{location}-{each}" for each in "abc"] if regional else [location]
    )
    cluster = str(inputs["cluster"]).rpartition("/")[2]
    group = f"gke-{cluster[:20]}-{str(inputs['name'])[:20]}-{digest(path)[:8]}-grp"
    base = f"https://www.googleapis.com/compute/v1/projects/{inputs['project']}/zones"
    return {
        "instanceGroupUrls": [f"{base}/{zone}/instanceGroupManagers/{group}" for zone in zones],
        "managedInstanceGroupUrls": [f"{base}/{zone}/instanceGroups/{group}" for zone in zones],
        "operation": "",
        "nodeLocations": zones,
        "version": inputs.get("version") or master_version(None),
    }


TYPES = (
    GcpType(
        token=CLUSTER,
        id_form=r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/clusters/(?P<name>[^/]+)",
        id_of=_cluster_id,
        fill=_cluster,
        defaults={"deletionProtection": True},
        autoname="name",
        protection="deletionProtection",
        rules={
            "project": PROJECT_RULE,
            "name": Rule(
                r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?",
                "be 1 to 40 lower-case letters, digits and hyphens, starting with a letter, not ending in a hyphen",
            ),
            "location": Rule(LOCATION, "be a region or zone, such as asia-northeast1"),
            "fleet.project": PROJECT_RULE,
        },
        computed=frozenset(
            {
                "controlPlaneEndpointsConfig.dnsEndpointConfig.endpoint",
                "effectiveLabels",
                "emulatedVersion",
                "endpoint",
                "fleet.membership",
                "fleet.membershipId",
                "fleet.membershipLocation",
                "fleet.preRegistered",
                "labelFingerprint",
                "masterAuth.clusterCaCertificate",
                "masterVersion",
                "network",
                "nodeVersion",
                "operation",
                "privateClusterConfig.peeringName",
                "privateClusterConfig.privateEndpoint",
                "privateClusterConfig.publicEndpoint",
                "pulumiLabels",
                "selfLink",
                "servicesIpv4Cidr",
                "subnetwork",
                "tpuIpv4CidrBlock",
            }
        ),
        secret_outputs=LABELS,
        place="location",
    ),
    GcpType(
        token=NODE_POOL,
        id_form=rf"{_CLUSTER_FORM}/nodePools/(?P<name>[^/]+)",
        id_of=_node_pool_id,
        fill=_node_pool,
        implied=_of_cluster,
        required=("cluster",),
        autoname="name",
        place="location",
        rules={
            "project": PROJECT_RULE,
            "name": Rule(
                r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?",
                "be 1 to 40 lower-case letters, digits and hyphens, starting with a letter, not ending in a hyphen",
            ),
            "location": Rule(LOCATION, "be a region or zone, such as asia-northeast1"),
        },
        computed=frozenset(
            {"instanceGroupUrls", "managedInstanceGroupUrls", "nodeLocations", "operation", "version"}
        ),
    ),
)
