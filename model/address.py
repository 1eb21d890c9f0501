"""Addresses in a configuration: private ranges, addresses of control planes, and their certificates.

Owns the form of each. What may not overlap is checked in `model.network_checks`.
"""

from __future__ import annotations

import base64
import binascii
import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Annotated

from pydantic import AfterValidator

from model.vocabulary import REGIONS, wrong

PRIVATE_SPACE = tuple(
    IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
"""Ranges that no one on the internet has (RFC 1918 and RFC 6598)."""


def _range(value: str) -> str:
    form = "write a private range, as in 10.0.0.0/20"
    if "/" not in value:
        raise wrong("it is an address without a length: which range is meant is not said", form)
    try:
        network = IPv4Network(value, strict=False)
    except ValueError:
        raise wrong("it is not an IPv4 range", form) from None
    if str(network) != value:
        raise wrong("the address has bits beyond the length of the range", f"write {network}")
    if not any(network.subnet_of(space) for space in PRIVATE_SPACE):
        raise wrong("that range is not private", f"use a part of {', '.join(map(str, PRIVATE_SPACE))}")
    return value


def _address(value: str) -> str:
    try:
        address = IPv4Address(value)
    except AddressValueError:
        raise wrong("it is not an IPv4 address", "write it without scheme and port, as in 10.0.0.2") from None
    if not any(address in space for space in PRIVATE_SPACE):
        raise wrong(
            "that address is public, and no control plane of this fleet is",
            "write what `gcloud container clusters describe` prints as privateEndpoint",
        )
    return value


def _dns_host(value: str) -> str:
    remedy = (
        "write the host alone, gke-HASH-NUMBER.REGION.gke.goog, as `gcloud container clusters describe` does"
    )
    if "/" in value:
        raise wrong("that is an address with a scheme or a path", remedy)
    match = re.fullmatch(r"gke-[a-z0-9-]+\.([a-z0-9-]+)\.gke\.goog", value)
    if not match or match[1] not in REGIONS:
        raise wrong("it is not the host of a DNS endpoint", remedy)
    return value


def _certificate(value: str) -> str:
    remedy = "write what `gcloud container clusters describe` prints as masterAuth.clusterCaCertificate"
    if "BEGIN CERTIFICATE" in value:
        raise wrong("that is the certificate itself; base64 of it belongs there", remedy)
    try:
        text = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise wrong("it is not base64", remedy) from None
    if not text.startswith(b"-----BEGIN CERTIFICATE-----"):
        raise wrong("there is no PEM certificate in it", remedy)
    return value


PrivateRange = Annotated[str, AfterValidator(_range)]
PrivateAddress = Annotated[str, AfterValidator(_address)]
DnsHost = Annotated[str, AfterValidator(_dns_host)]
Certificate = Annotated[str, AfterValidator(_certificate)]
"""Base64 of a PEM certificate, as Google's API writes one."""
