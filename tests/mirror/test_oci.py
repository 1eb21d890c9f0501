"""The mirror's OCI registry, asked by real clients: helm and crane.

What this does not prove: that Argo CD takes the artifacts; its own clients are asked where a sandbox is up.
"""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.mirror import oci
from sandbox.process import start_time
from sandbox.tools import ensure
from tests.mirror.conftest import Mirror

pytestmark = pytest.mark.sandbox

CERT_MANAGER = "quay.io/jetstack/charts/cert-manager"
PRIORITIES = oci.PRIORITY_CLASSES
RELOADER = "ghcr.io/stakater/charts/reloader"

DIGESTS = {
    f"{CERT_MANAGER}:v1.18.2": "sha256:dcd6135731679ff8bbddd31b12a63a51469a2644f0912c83e0a33bc51b620ec9",
    f"{CERT_MANAGER}:v1.19.1": "sha256:5aa3dcce174229b6e67c44339255ab40058305790da572be7a5eb8b697cbe9e0",
    f"{CERT_MANAGER}:v1.20.2": "sha256:51773719d32cfe27fe95519be5b132625459062ae9943c6d165f5a52f10d4816",
    f"{RELOADER}:2.2.15": "sha256:c08c7a5bf55f9772425d60cba3c223672f61de1342c3f490da83b88408f6bed7",
    f"{RELOADER}:2.2.16": "sha256:c24c1dda2b2d559393fe4cd2ad067deb9b246f841b3e3ae99349906775ea6507",
    f"{PRIORITIES}:1.0.0": "sha256:89a1e0deb9a6244a99579479299c5022fc9505c04c64a01d2362d74a770b5846",
    f"{PRIORITIES}:1.1.0": "sha256:256ab2dd9fa574ad00a62efc886e5c2e058efd37afb062eca507d01e5855ef83",
}


@pytest.fixture(scope="module")
def crane() -> Path:
    return ensure("registry", print) / "crane"


def ask(mirror: Mirror, path: str, method: str = "GET") -> tuple[int, Any, Any]:
    """(status, headers, body) for a client that names no form that it accepts."""
    request = urllib.request.Request(f"{mirror.url}/v2/{path}", method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@pytest.mark.parametrize("reference", DIGESTS)
def test_a_digest_is_a_constant(mirror: Mirror, crane: Path, reference: str) -> None:
    done = mirror.run(crane, "digest", "--insecure", f"{mirror.host}/{reference}")
    assert done.stdout.strip() == DIGESTS[reference], done.stderr


def test_all_that_there_is_has_its_digest_here(mirror: Mirror) -> None:
    listed = urllib.request.urlopen(mirror.url).read().decode().splitlines()
    assert {line for line in listed if line.startswith("oci://")} == {
        f"oci://{reference} ({digest})" for reference, digest in DIGESTS.items()
    }


def test_tags_are_listed(mirror: Mirror, crane: Path) -> None:
    done = mirror.run(crane, "ls", "--insecure", f"{mirror.host}/{CERT_MANAGER}")
    assert done.stdout.split() == ["v1.18.2", "v1.19.1", "v1.20.2"], done.stderr
    catalogue = mirror.run(crane, "catalog", "--insecure", mirror.host)
    assert set(catalogue.stdout.split()) == {reference.partition(":")[0] for reference in DIGESTS}


@pytest.mark.parametrize(("tag", "names"), [("1.0.0", 2), ("1.1.0", 3)])
def test_manifests_lie_at_the_root_of_one_layer(mirror: Mirror, tag: str, names: int) -> None:
    _, headers, manifest = ask(mirror, f"{PRIORITIES}/manifests/{tag}")
    assert headers["Content-Type"] == oci.MANIFEST
    assert headers["Docker-Content-Digest"] == f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    (layer,) = json.loads(manifest)["layers"]
    # Of the forms that Argo CD's repo server takes unless it is told otherwise.
    assert layer["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
    _, _, packed = ask(mirror, f"{PRIORITIES}/blobs/{layer['digest']}")
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as tar:
        found = {name: yaml.safe_load(tar.extractfile(name) or b"") for name in tar.getnames()}
    assert len(found) == names
    for name, one in found.items():
        assert "/" not in name
        assert one["kind"] == "PriorityClass"


def test_a_manifest_can_be_asked_for_without_its_body(mirror: Mirror) -> None:
    status, headers, body = ask(mirror, f"{CERT_MANAGER}/manifests/v1.19.1", "HEAD")
    assert (status, body) == (200, b"")
    assert headers["Docker-Content-Digest"] == DIGESTS[f"{CERT_MANAGER}:v1.19.1"]
    assert int(headers["Content-Length"]) > 0


def test_a_part_of_a_blob_can_be_asked_for(mirror: Mirror) -> None:
    _, _, manifest = ask(mirror, f"{CERT_MANAGER}/manifests/v1.19.1")
    (layer,) = json.loads(manifest)["layers"]
    url = f"{mirror.url}/v2/{CERT_MANAGER}/blobs/{layer['digest']}"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Range": "bytes=0-1"})) as answer:
        assert (answer.status, answer.read()) == (206, b"\x1f\x8b")


def test_addresses_in_answers_are_relative(mirror: Mirror) -> None:
    """The fleet reaches the mirror by another name, over HTTPS."""
    _, headers, body = ask(mirror, f"{CERT_MANAGER}/tags/list?n=1")
    assert json.loads(body)["tags"] == ["v1.18.2"]
    assert headers["Link"].startswith(f"</v2/{CERT_MANAGER}/tags/list?")


@pytest.mark.parametrize(
    ("path", "code", "what"),
    [
        (f"{CERT_MANAGER}/manifests/v9.9.9", "MANIFEST_UNKNOWN", f"{CERT_MANAGER}:v9.9.9"),
        (f"{CERT_MANAGER}/manifests/sha256:{'0' * 64}", "MANIFEST_UNKNOWN", f"{CERT_MANAGER}@sha256:000"),
        (f"{CERT_MANAGER}/blobs/sha256:{'0' * 64}", "BLOB_UNKNOWN", f"{CERT_MANAGER}@sha256:000"),
        ("quay.io/jetstack/charts/trust-manager/manifests/v1", "NAME_UNKNOWN", "charts/trust-manager;"),
        ("quay.io/jetstack/charts/trust-manager/tags/list", "NAME_UNKNOWN", "charts/trust-manager;"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(mirror: Mirror, path: str, code: str, what: str) -> None:
    status, headers, body = ask(mirror, path)
    assert status == 404
    assert headers["Content-Type"].startswith("application/json")
    (error,) = json.loads(body)["errors"]
    assert error["code"] == code
    assert (
        f"this mirror has no {'quay.io/jetstack/' if what.startswith('charts') else ''}{what}"
        in error["message"]
    )
    assert f"oci://{RELOADER}:2.2.16" in error["message"]


def test_helm_names_the_version_that_is_not_there(mirror: Mirror) -> None:
    done = mirror.template("oci://quay.io/jetstack/charts", "cert-manager", "v1.19.0")
    assert done.returncode != 0
    assert "v1.19.0" in done.stderr and "not found" in done.stderr


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{RELOADER}/blobs/uploads/"),
        ("PUT", f"{RELOADER}/manifests/2.2.16"),
        ("DELETE", f"{RELOADER}/manifests/2.2.16"),
        ("PATCH", f"{RELOADER}/blobs/uploads/x"),
    ],
)
def test_nothing_can_be_written(mirror: Mirror, method: str, path: str) -> None:
    status, _, body = ask(mirror, path, method)
    assert status == 405
    assert json.loads(body)["errors"][0]["message"] == "this mirror is read only"
    assert ask(mirror, f"{RELOADER}/manifests/2.2.16")[0] == 200


def test_helm_cannot_push(mirror: Mirror, tmp_path: Path) -> None:
    packed = tmp_path / "reloader-2.2.17.tgz"
    source = f"oci://{mirror.host}/{RELOADER}"
    pulled = mirror.run(mirror.helm, "pull", source, "--plain-http", "--version", "2.2.16", "-d", tmp_path)
    assert pulled.returncode == 0, pulled.stderr
    (tmp_path / "reloader-2.2.16.tgz").rename(packed)
    to = f"oci://{mirror.host}/ghcr.io/stakater/other"
    done = mirror.run(mirror.helm, "push", packed, to, "--plain-http")
    assert done.returncode != 0
    assert "read only" in done.stderr


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_registry_ends_with_the_mirror(tmp_path: Path, how: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-m", "sandbox.mirror", "--state", str(tmp_path)])
    try:
        wait_for((tmp_path / "mirror.json").exists)
        (registry,) = children(process.pid)
        assert b"registry" in Path(f"/proc/{registry}/cmdline").read_bytes()
        began = start_time(registry)
        assert began is not None
    finally:
        process.send_signal(how)
        process.wait(30)
    wait_for(lambda: start_time(registry) != began)


def test_a_registry_that_is_gone_is_said(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-m", "sandbox.mirror", "--state", str(tmp_path)])
    try:
        wait_for((tmp_path / "mirror.json").exists)
        url = json.loads((tmp_path / "mirror.json").read_text())["url"]
        (registry,) = children(process.pid)
        began = start_time(registry)
        os.kill(registry, signal.SIGKILL)
        wait_for(lambda: start_time(registry) != began)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{url}/v2/{RELOADER}/tags/list")
        assert caught.value.code == 502
        assert "the registry behind this mirror does not answer" in caught.value.read().decode()
        assert urllib.request.urlopen(f"{url}/kyverno.github.io/kyverno/index.yaml").status == 200
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def wait_for(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
