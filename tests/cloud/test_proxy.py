"""The proxy and the TLS port: which names lead where, and that no other does."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from sandbox.cloud.proxy import allowed
from tests.cloud.client import HOST, Client

MIRROR = "mirror.fleet.internal"


@pytest.mark.parametrize(
    ("host", "port", "leads"),
    [
        ("container.googleapis.com", 443, True),
        ("ASIA-northeast1-connectgateway.googleapis.com", 443, True),
        ("gke-abc-100000000001.asia-northeast1.gke.goog", 443, True),
        (MIRROR, 443, True),
        ("connectgateway.googleapis.com", 80, False),
        ("googleapis.com.evil.example", 443, False),
        ("evilgoogleapis.com", 443, False),
        ("github.com", 443, False),
        ("charts.external-secrets.io", 443, False),
        ("127.0.0.1", 443, False),
    ],
)
def test_the_names(host: str, port: int, leads: bool) -> None:
    assert allowed(host, port) is leads


def test_a_foreign_host_is_refused_with_a_reason(client: Client) -> None:
    connection = client.connect("github.com")
    with pytest.raises(OSError, match="403"):
        connection.request("GET", "/")
    connection.close()


def test_plain_http_is_refused(client: Client) -> None:
    connection = http.client.HTTPConnection(client.cloud["proxy"].removeprefix("http://"), timeout=10)
    connection.request("GET", "http://connectgateway.googleapis.com/")
    answer = connection.getresponse()
    assert answer.status == 403
    assert b"*.googleapis.com" in answer.read()
    connection.close()


def test_the_certificate_is_good_for_the_names_and_no_other(client: Client) -> None:
    assert client.https(HOST, "/").status == 401
    context = ssl.create_default_context(cafile=client.cloud["ca"])
    connection = http.client.HTTPSConnection(
        client.cloud["proxy"].removeprefix("http://"), context=context, timeout=10
    )
    connection.set_tunnel("a.b.googleapis.com", 443)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/")
    connection.close()


class _Mirror(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.path} {self.headers['X-Forwarded-Host']}".encode()
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def mirror(client: Client) -> Iterator[Client]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Mirror)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    assert client.control("/v1/mirror", {"url": f"http://127.0.0.1:{server.server_port}"}).status == 200
    yield client
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_the_mirror_under_its_name(mirror: Client) -> None:
    answer = mirror.https(MIRROR, "/charts.external-secrets.io/index.yaml?a=%20b")
    assert answer.body.decode() == f"/charts.external-secrets.io/index.yaml?a=%20b {MIRROR}"
    assert mirror.https(MIRROR, "/missing").status == 404
    assert mirror.https(MIRROR, "/github.com/x", method="POST", body="pack").body == b"pack"


def test_a_repository_that_is_gone(mirror: Client) -> None:
    mirror.faults(mirror={"github.com/acme/platform.git": 404})
    assert mirror.https(MIRROR, "/github.com/acme/platform.git/info/refs").status == 404
    assert mirror.https(MIRROR, "/github.com/acme/other.git/info/refs").status == 200
    mirror.faults(mirror={"github.com/acme/platform.git": None})
    assert mirror.https(MIRROR, "/github.com/acme/platform.git/info/refs").status == 200


def test_without_a_mirror(client: Client) -> None:
    answer = client.https(MIRROR, "/")
    assert answer.status == 503
    assert b"no mirror" in answer.body
    assert client.control("/v1/mirror", {"url": "http://192.0.2.1:80"}).status == 400
