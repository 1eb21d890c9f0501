"""Physical names that this program gives at Google Cloud, within Google's length rules.

A name follows from configuration alone and never changes with what else is in the fleet: a changed name is a
replaced resource.
"""

from __future__ import annotations

import hashlib

from model.cluster import Cluster

ACCOUNT_ID_LENGTH = 30
"""Longest id of a service account (6 to 30 characters)."""

_DIGEST = 8

PODS_RANGE = "pods"
SERVICES_RANGE = "services"
"""Names of the secondary ranges of a subnetwork that is created."""


def shortened(text: str, limit: int) -> str:
    """`text`, in at most `limit` characters (12 or more). A longer one is cut, and ends with a digest of the
    whole, so that two that begin alike stay apart.

    Of a lower-case name with hyphens it makes another one.
    """
    if limit < _DIGEST + 4:
        raise ValueError(f"{limit} characters hold no name and a digest")
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    return f"{text[: limit - _DIGEST - 1].rstrip('-')}-{digest}"


def node_account_id(cluster: Cluster) -> str:
    """Id of the service account that the nodes of a created cluster run as, in the cluster's project."""
    return shortened(f"nodes-{cluster.name}", ACCOUNT_ID_LENGTH)


def network_name() -> str:
    """Name of the network that holds the created subnetworks of a project."""
    return "fleet"


def subnetwork_name(cluster: Cluster) -> str:
    """Name of the subnetwork that is created for a cluster."""
    return cluster.name


def router_name(region: str) -> str:
    """Name of the router that carries Cloud NAT in a region of a project."""
    return f"fleet-{region}"
