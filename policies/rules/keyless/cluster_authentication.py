"""Rule cluster-authentication: a GKE cluster lets in Google's identities, not passwords and client certificates."""

from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER, is_one_of
from ..place import inputs
from ..rule import Finding, Resource, Rule

_REMEDY: Final = "Take it out; who calls the cluster is known by a Google identity"
_SWITCHES: Final = (
    (
        ("masterAuth", "clientCertificateConfig", "issueClientCertificate"),
        "a client certificate cannot be revoked, and its key works wherever it is copied to",
    ),
    (
        ("controlPlaneEndpointsConfig", "dnsEndpointConfig", "enableK8sTokensViaDns"),
        "tokens of ServiceAccounts then work from outside the cluster",
    ),
    (
        ("controlPlaneEndpointsConfig", "dnsEndpointConfig", "enableK8sCertsViaDns"),
        "client certificates then work from outside the network",
    ),
)


def _look(resource: Resource) -> Iterator[Finding]:
    cluster = inputs(resource)
    password = cluster.at("masterAuth", "password")
    if password.is_set:
        yield password.offends("this is basic authentication", _REMEDY, hidden=True)
    for keys, why in _SWITCHES:
        switch = cluster.at(*keys)
        if switch.is_true:
            yield switch.offends(why, _REMEDY)


RULE: Final = Rule(
    name="cluster-authentication",
    title="Clusters let nobody in by password, certificate or exported token",
    mandatory=True,
    reason=(
        "What is not tied to an identity of Google is not revoked with it, has no second factor and is not in the "
        "audit log by name."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster",
    looks_at=(
        "gcp:container Cluster: masterAuth.password, masterAuth.clientCertificateConfig.issueClientCertificate, "
        "controlPlaneEndpointsConfig.dnsEndpointConfig.enableK8sTokensViaDns and .enableK8sCertsViaDns",
    ),
    concerns=is_one_of(CLUSTER),
    look=_look,
)
