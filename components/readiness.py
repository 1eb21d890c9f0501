"""Waiting until a new cluster answers through Connect Gateway.

Owns the wait and its hook. The kubernetes provider decides once, when it is configured, whether its cluster
can be reached, and if not, everything behind it fails for the whole run. A membership is reachable some time
after Google calls it created, and a grant counts some time after it is made. So the Provider of a cluster is
created only once the gateway answers. Hooks do not run in previews.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import pulumi

_PLUGIN = "gke-gcloud-auth-plugin"
_PAUSE_SECONDS = 2.0
_ATTEMPT_SECONDS = 20.0


def wait_before_create(cluster: str, server: str, timeout: int) -> pulumi.ResourceHookBinding | None:
    """Hooks for the Provider of `cluster` whose API is at `server`; None where `timeout` (seconds) is 0."""
    if timeout == 0:
        return None

    async def wait(_: pulumi.ResourceHookArgs) -> None:
        # In a thread of its own: other resources go on meanwhile.
        await asyncio.to_thread(wait_until_ready, server, timeout)

    return pulumi.ResourceHookBinding(before_create=[pulumi.ResourceHook(f"{cluster}-answers", wait)])


def wait_until_ready(server: str, timeout: float, ask: Callable[[str], int] | None = None) -> None:
    """Ask `server`/version until it answers 200, at most `timeout` seconds; TimeoutError names the last answer.

    `ask` gets the address and returns an HTTP status, or raises OSError or ValueError. By default it is a
    request as the deployer, which honours HTTPS_PROXY and SSL_CERT_FILE.
    """
    ask = ask or _status
    deadline = time.monotonic() + timeout
    while True:
        try:
            answer = f"HTTP {ask(f'{server}/version')}"
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            answer = str(error)
        if answer == "HTTP 200":
            return
        if time.monotonic() + _PAUSE_SECONDS > deadline:
            raise TimeoutError(
                f"{server} did not answer within {timeout:g} s; the last answer was: {answer}. Remedy: see "
                "that the account that runs pulumi has roles/gkehub.gatewayEditor on the fleet host project, "
                "and roles/container.admin on the cluster's, then run `pulumi up` again; the time is "
                "gke-fleet:readinessTimeout"
            )
        time.sleep(_PAUSE_SECONDS)


def _status(address: str) -> int:
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {_token()}"})  # noqa: S310
    try:
        context = ssl.create_default_context()
        with urllib.request.urlopen(request, timeout=_ATTEMPT_SECONDS, context=context) as response:  # noqa: S310
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def _token() -> str:
    try:
        done = subprocess.run([_PLUGIN], capture_output=True, text=True, timeout=_ATTEMPT_SECONDS, check=True)
    except FileNotFoundError:
        raise ValueError(
            f"{_PLUGIN} is not on PATH; install it: "
            "https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl#install_plugin"
        ) from None
    except subprocess.CalledProcessError as error:
        raise ValueError(f"{_PLUGIN} failed: {(error.stderr or '').strip() or error}") from None
    return str(json.loads(done.stdout)["status"]["token"])
