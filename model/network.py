"""The network of a cluster: one that exists, or a subnetwork that this program makes; and its private address.

Owns the fields. Their sizes and what may not overlap are checked in `model.network_checks`.
"""

from __future__ import annotations

from pydantic import Field

from model.address import Certificate, PrivateAddress, PrivateRange
from model.vocabulary import Entry, Name


class Network(Entry):
    """The existing network of a cluster that this program creates. Without it (and without `newSubnetwork`) the
    project's default network is used."""

    network: str = Field(
        pattern=r"^([a-z][-a-z0-9]*|projects/[a-z][-a-z0-9]*/global/networks/[a-z][-a-z0-9]*)$",
        description="name or projects/P/global/networks/N of the VPC network",
    )
    subnetwork: str = Field(
        pattern=r"^([a-z][-a-z0-9]*|projects/[a-z][-a-z0-9]*/regions/[a-z0-9-]+/subnetworks/[a-z][-a-z0-9]*)$",
        description="name or projects/P/regions/R/subnetworks/N of the subnetwork",
    )
    pods: Name | None = Field(default=None, description="name of the secondary range for pods")
    services: Name | None = Field(default=None, description="name of the secondary range for services")


class NewSubnetwork(Entry):
    """A subnetwork of its own, in the network `fleet` of the cluster's project. Both are created."""

    nodes: PrivateRange = Field(description="range of the nodes, as in 10.0.0.0/22")
    pods: PrivateRange = Field(description="range of the pods, as in 10.16.0.0/16; a node takes a /24 of it")
    services: PrivateRange = Field(description="range of the services, as in 10.32.0.0/20")
    nat: bool = Field(
        default=True,
        description="whether nodes and pods reach the internet through Cloud NAT, which costs; false needs a "
        "mirror for everything",
    )


class PrivateEndpoint(Entry):
    """The private address of a control plane that this program did not create."""

    address: PrivateAddress = Field(description="IPv4 address of the control plane, as in 10.0.0.2")
    ca_certificate: Certificate = Field(
        description="base64 of the PEM certificate of the cluster's authority"
    )
