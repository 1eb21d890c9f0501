"""The environment of every process in the sandbox that must reach the real names.

Owns the variables and nothing else: the proxy and the authority that they point at are the cloud's. Nothing
in a Secret, a kubeconfig or the program knows the sandbox; these variables are all there is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

_NO_PROXY = "127.0.0.1,localhost"
_AUTHORITY = ("SSL_CERT_FILE", "GIT_SSL_CAINFO", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_USER_PREFIXES = ("GOOGLE_", "CLOUDSDK_", "GCE_METADATA_", "GIT_CONFIG_")
_USER_NAMES = frozenset(
    {
        "KUBECONFIG",
        "ALL_PROXY",
        "all_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "SSL_CERT_DIR",
        "GCLOUD_PROJECT",
        "GCLOUD_REGION",
        "GCLOUD_ZONE",
    }
)


def environment(state: Path, base: Mapping[str, str] | None = None, *, hub: bool = False) -> dict[str, str]:
    """`base` (default: this process's environment) without the user's cloud settings, pointed at the sandbox.

    `hub`: for a process that runs in the hub's network, as those of Argo CD do; only from there private
    addresses of control planes are reached. `state` is the sandbox's folder; the cloud must have written
    `cloud.json` there. Raises FileNotFoundError if it has not.
    """
    state = state.resolve()
    cloud = json.loads((state / "cloud.json").read_text())
    kept = {
        name: value
        for name, value in (os.environ if base is None else base).items()
        if name not in _USER_NAMES and not name.startswith(_USER_PREFIXES)
    }
    path = [entry for entry in kept.get("PATH", os.defpath).split(os.pathsep) if entry != str(state / "bin")]
    proxy = cloud["hubProxy" if hub else "proxy"]
    authority = dict.fromkeys(_AUTHORITY, cloud["ca"])
    return (
        kept
        | authority
        | {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "NO_PROXY": _NO_PROXY,
            "no_proxy": _NO_PROXY,
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": os.pathsep.join([str(state / "bin"), *path]),
        }
    )
