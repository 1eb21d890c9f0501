"""Plain clients for the cloud's two doors: the control API, and the real names through the proxy."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HUB, SHOP, DATA, LAB = "acme-sandbox-hub", "acme-sandbox-shop", "acme-sandbox-data", "acme-sandbox-lab"
NUMBER = "100000000001"
OWNER = "owner@acme.example"
DEPLOYER = f"deployer@{HUB}.iam.gserviceaccount.com"
ARGOCD = f"argocd-hub@{HUB}.iam.gserviceaccount.com"
AGENT = f"serviceAccount:service-{NUMBER}@gcp-sa-gkehub.iam.gserviceaccount.com"
HOST = "asia-northeast1-connectgateway.googleapis.com"
BASE = f"/v1/projects/{NUMBER}/locations/asia-northeast1/gkeMemberships"

SERVICE = "gcp:projects/service:Service"
IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"
GRANT = "gcp:projects/iAMMember:IAMMember"
ACCOUNT = "gcp:serviceaccount/account:Account"
ACCOUNT_GRANT = "gcp:serviceaccount/iAMMember:IAMMember"
FLEET = "gcp:gkehub/fleet:Fleet"
MEMBERSHIP = "gcp:gkehub/membership:Membership"
CLUSTER = "gcp:container/cluster:Cluster"
NODE_POOL = "gcp:container/nodePool:NodePool"
NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
ROUTER = "gcp:compute/router:Router"
NAT = "gcp:compute/routerNat:RouterNat"
PROJECT = "gcp:organizations/project:Project"
CUSTOM_ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
AUDIT = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
SECRET_GRANT = "gcp:secretmanager/secretIamMember:SecretIamMember"
KEY_RING = "gcp:kms/keyRing:KeyRing"
KEY = "gcp:kms/cryptoKey:CryptoKey"
KEY_GRANT = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
BUCKET_GRANT = "gcp:storage/bucketIAMMember:BucketIAMMember"
POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"


@dataclass(frozen=True)
class Answer:
    """A status and a body."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        """The message of a Google error."""
        return str(self.json["error"]["message"])


class Client:
    """Talks to the cloud of one state folder."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.cloud = json.loads((state / "cloud.json").read_text())

    def control(
        self, path: str, body: Any = None, *, token: str | None = None, timeout: float = 120
    ) -> Answer:
        """One request to the control API; GET without a body, else POST."""
        connection = http.client.HTTPConnection(self._port("control"), timeout=timeout)
        try:
            connection.request(
                "GET" if body is None else "POST",
                path,
                None if body is None else json.dumps(body),
                {"Authorization": f"Bearer {self.cloud['token'] if token is None else token}"},
            )
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        finally:
            connection.close()

    def create(self, type_: str, **inputs: Any) -> Answer:
        return self.control("/v1/create", {"type": type_, "inputs": inputs})

    def create_as(self, caller: str, type_: str, **inputs: Any) -> Answer:
        """Create as somebody else than the deployer."""
        return self.control("/v1/create", {"type": type_, "inputs": inputs, "as": caller})

    def made(self, type_: str, **inputs: Any) -> Any:
        """Create, which must work; returns {id, outputs}."""
        answer = self.create(type_, **inputs)
        assert answer.status == 200, answer.body
        return answer.json

    def delete(self, type_: str, id_: str) -> Answer:
        return self.control("/v1/delete", {"type": type_, "id": id_})

    def faults(self, **change: Any) -> None:
        answer = self.control("/v1/faults", change)
        assert answer.status == 200, answer.body

    def token(self) -> str:
        """A token of the deployer."""
        return str(self.control("/v1/token", {"account": DEPLOYER}).json["access_token"])

    def connect(self, host: str) -> http.client.HTTPSConnection:
        """A TLS connection to a real name, through the proxy, trusting the sandbox's authority only."""
        context = ssl.create_default_context(cafile=self.cloud["ca"])
        connection = http.client.HTTPSConnection(self._port("proxy"), context=context, timeout=30)
        connection.set_tunnel(host, 443)
        return connection

    def https(
        self,
        host: str,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: str = "",
    ) -> Answer:
        """One request to a real name."""
        connection = self.connect(host)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        finally:
            connection.close()

    def gateway(
        self,
        path: str,
        *,
        member: str = "hub",
        method: str = "GET",
        token: str | None = None,
        body: str = "",
        **headers: str,
    ) -> Answer:
        """One request through the gateway, by default as the deployer."""
        bearer = self.token() if token is None else token
        sent = {"Authorization": f"Bearer {bearer}"} | headers
        return self.https(HOST, f"{BASE}/{member}{path}", method=method, headers=sent, body=body)

    def metadata(self, path: str, *, name: str = "argocd-server", **headers: str) -> Answer:
        """One request to the metadata server of argocd/NAME."""
        where = str(
            self.control("/v1/metadata", {"namespace": "argocd", "serviceAccount": name}).json["host"]
        )
        connection = http.client.HTTPConnection(where, timeout=30)
        try:
            connection.request("GET", path, headers=headers or {"Metadata-Flavor": "Google"})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        finally:
            connection.close()

    def argocd_token(self) -> str:
        """A token of Argo CD's account, out of the metadata server."""
        answer = self.metadata("/computeMetadata/v1/instance/service-accounts/default/token")
        assert answer.status == 200, answer.body
        return str(answer.json["access_token"])

    def _port(self, door: str) -> str:
        return urllib.parse.urlsplit(str(self.cloud[door])).netloc


def until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Wait for a condition, at most so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs. One that has ended and that nobody has asked for (a zombie) does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
