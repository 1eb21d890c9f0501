"""What the Secret of a created member says, where Google gives the address: a preview cannot show it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from components.cluster_secret import ClusterSecret, ClusterSecretArgs
from components.joined_cluster import JoinedCluster, JoinedClusterArgs
from model.vocabulary import Endpoint
from tests.program.mocked import Cloud, fleet_of_two, membership

REPORTED = {
    **membership("tokyo"),
    "controlPlaneEndpointsConfig": {
        "dnsEndpointConfig": {"endpoint": "gke-0123-100000000002.asia-northeast1.gke.goog"}
    },
    "privateClusterConfig": {"privateEndpoint": "10.0.0.2", "enablePrivateNodes": True},
    "masterAuth": {"clusterCaCertificate": "Y2VydA=="},
}
GATEWAY = (
    "https://asia-northeast1-connectgateway.googleapis.com/v1/projects/100000000001/locations/asia-northeast1"
)


def secret(endpoint: Endpoint) -> dict[str, Any]:
    """Name, server and parsed config of the Secret of a member that is reached so."""
    fleet = fleet_of_two(endpoint=endpoint)
    hub, tokyo = fleet.clusters

    def program() -> None:
        way = JoinedClusterArgs(fleet=fleet, cluster=hub, before=[], readiness_timeout=0, is_owned=False)
        member = JoinedClusterArgs(fleet=fleet, cluster=tokyo, before=[], readiness_timeout=0)
        arguments = ClusterSecretArgs(
            fleet=fleet,
            cluster=tokyo,
            created=JoinedCluster("tokyo", member).created,
            hub=JoinedCluster("hub", way),
            before=[],
        )
        ClusterSecret("tokyo", arguments)

    cloud = Cloud(REPORTED)
    cloud.run(program)
    (inputs,) = [inputs for token, inputs in cloud.made if token == "kubernetes:core/v1:Secret"]
    # The SDK hides the data of every Secret.
    said = {key: base64.b64decode(value).decode() for key, value in inputs["data"]["value"].items()}
    return {**said, "config": json.loads(said["config"])}


@pytest.mark.parametrize(
    ("endpoint", "server", "authority"),
    [
        (Endpoint.GATEWAY, f"{GATEWAY}/gkeMemberships/tokyo", None),
        (Endpoint.DNS, "https://gke-0123-100000000002.asia-northeast1.gke.goog", None),
        (Endpoint.PRIVATE, "https://10.0.0.2", "Y2VydA=="),
    ],
)
def test_server_and_authority_are_those_of_the_endpoint(
    endpoint: Endpoint, server: str, authority: str | None
) -> None:
    found = secret(endpoint)
    assert found["name"] == "tokyo" and found["server"] == server
    assert found["config"]["tlsClientConfig"].get("caData") == authority
    assert found["config"]["execProviderConfig"]["command"] == "argocd-k8s-auth"
