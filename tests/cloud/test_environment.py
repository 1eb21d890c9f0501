"""The environment of processes, and the credential plugin that they find in it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from sandbox.environment import environment
from tests.cloud.client import Client


def test_the_users_own_settings_do_not_come_along(client: Client) -> None:
    base = {
        "PATH": f"/usr/bin:{client.state / 'bin'}",
        "HOME": "/home/x",
        "KUBECONFIG": "/home/x/.kube/config",
        "GOOGLE_APPLICATION_CREDENTIALS": "/home/x/key.json",
        "CLOUDSDK_CONFIG": "/home/x/gcloud",
        "GCE_METADATA_HOST": "169.254.169.254",
        "HTTPS_PROXY": "http://proxy.acme.example",
        "NO_PROXY": "*",
        "SSL_CERT_FILE": "/etc/ssl/cert.pem",
    }
    made = environment(client.state, base)
    assert made == {
        "PATH": f"{client.state / 'bin'}:/usr/bin",
        "HOME": "/home/x",
        "HTTPS_PROXY": client.cloud["proxy"],
        "https_proxy": client.cloud["proxy"],
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "SSL_CERT_FILE": client.cloud["ca"],
        "GIT_SSL_CAINFO": client.cloud["ca"],
        "REQUESTS_CA_BUNDLE": client.cloud["ca"],
        "CURL_CA_BUNDLE": client.cloud["ca"],
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def test_without_a_cloud(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        environment(tmp_path)


def test_the_plugin_prints_a_credential_that_the_gateway_takes(hub: Client) -> None:
    done = subprocess.run(
        ["gke-gcloud-auth-plugin"],
        env=environment(hub.state),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    credential = json.loads(done.stdout)
    assert credential["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    assert credential["kind"] == "ExecCredential"
    assert credential["status"]["expirationTimestamp"].endswith("Z")
    assert hub.gateway("/version", token=credential["status"]["token"]).status == 200


def test_the_plugin_without_a_cloud(client: Client) -> None:
    made = environment(client.state)
    (client.state / "cloud.json").rename(client.state / "elsewhere.json")
    done = subprocess.run(
        ["gke-gcloud-auth-plugin"], env=made, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "is the sandbox up?" in done.stderr
