"""What tests of the cloud's doors need beside `Client`: rights that an owner gives, workloads of any cluster,
and requests to private addresses."""

from __future__ import annotations

import base64
import http.client
import ssl
import urllib.parse
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.cloud.client import GRANT, OWNER, Answer, Client
from tests.cloud.machines import Upstream


def granted(client: Client, project: str, role: str, member: str) -> str:
    """Give a member a role on a project, as the owner: the deployer may give few. Returns the grant's id."""
    answer = client.create_as(OWNER, GRANT, project=project, role=role, member=member)
    assert answer.status == 200, answer.body
    return str(answer.json["id"])


def revoked(client: Client, grant: str) -> None:
    """Take a grant away again."""
    answer = client.control("/v1/delete", {"type": GRANT, "id": grant, "as": OWNER})
    assert answer.status == 200, answer.body


def person(client: Client, email: str) -> str:
    """A token of somebody in the organization."""
    return str(client.control("/v1/token", {"account": email}).json["access_token"])


def metadata(client: Client, path: str, *, namespace: str, name: str, cluster: str = "") -> Answer:
    """One request to the metadata server of a ServiceAccount of a cluster, by default of the hub."""
    asked = {"namespace": namespace, "serviceAccount": name, "cluster": cluster}
    where = client.control("/v1/metadata", asked).json["host"]
    connection = http.client.HTTPConnection(where, timeout=30)
    try:
        connection.request("GET", path, headers={"Metadata-Flavor": "Google"})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read())
    finally:
        connection.close()


def dns_host(outputs: Mapping[str, Any]) -> str:
    """The name of a cluster's DNS endpoint."""
    return str(outputs["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"])


def address(outputs: Mapping[str, Any]) -> str:
    """The private address of a cluster's control plane."""
    return str(outputs["privateClusterConfig"]["privateEndpoint"])


def authority(outputs: Mapping[str, Any]) -> str:
    """The cluster's own authority (PEM), as a cluster Secret's caData has it."""
    return base64.b64decode(outputs["masterAuth"]["clusterCaCertificate"]).decode()


def proxy_of(url: str) -> tuple[str, dict[str, str]]:
    """Host and port of a proxy, and what it is told about the caller."""
    parts = urllib.parse.urlsplit(url)
    user = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    told = {"Proxy-Authorization": f"Basic {user}"} if parts.username else {}
    return f"{parts.hostname}:{parts.port}", told


def private(
    client: Client, host: str, ca: str, path: str = "/version", *, proxy: str = "hubProxy", **sent: str
) -> Answer:
    """One request to a private address, trusting `ca` (PEM) only, through the proxy that is named in
    cloud.json."""
    where, told = proxy_of(client.cloud[proxy])
    context = ssl.create_default_context(cadata=ca)
    connection = http.client.HTTPSConnection(where, context=context, timeout=30)
    connection.set_tunnel(host, 443, told)
    try:
        connection.request("GET", path, headers=sent)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read())
    finally:
        connection.close()


class AgentUpstream(Upstream):
    """An Upstream with a Connect agent. `agent` is the token that its ServiceAccount gets and that is taken,
    "" where no agent is installed."""

    def __init__(self) -> None:
        self.agent = ""
        super().__init__()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/serviceaccounts/connect-agent-sa/token"):
            status = 201 if self.agent else 404
            return web.json_response({"status": {"token": self.agent}}, status=status)
        sent = request.headers.get("Authorization")
        if sent is not None and sent != f"Bearer {self.agent}":
            return web.json_response({"kind": "Status", "code": 401}, status=401)
        return await super()._answer(request)
