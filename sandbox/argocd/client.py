"""Access for the `argocd` command line tool.

Owns what makes `argocd app list` work in a shell: address, options, a session. Does not own Argo CD's
accounts: the session is that of `admin`, with the password that argocd-server itself put into a Secret of
the hub.
"""

import base64
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from sandbox.argocd.api import Access

_INITIAL = "/api/v1/namespaces/argocd/secrets/argocd-initial-admin-secret"


class NoAccess(Exception):
    """The tool cannot be given access; the text says why and what to do."""


def client_environment(state: Path) -> dict[str, str]:
    """Environment variables with which `argocd` talks to the sandbox's server as `admin`.

    Where the server does not run, or `admin` is off or has a password of its own, there is no session among
    them; then `argocd` says itself that it is not logged in.
    """
    home = {"ARGOCD_CONFIG_DIR": str(state / "argocd" / "client")}
    try:
        return {**home, **session(state)}
    except NoAccess:
        return home


def session(state: Path) -> dict[str, str]:
    """Server, options and a new token for `argocd`. Raises NoAccess."""
    try:
        record = json.loads((state / "argocd.json").read_text())
    except (OSError, ValueError) as error:
        raise NoAccess("the runner of Argo CD's processes is not up; ./fleet up starts it") from error
    if record["server"] is None or record["hub"] is None:
        raise NoAccess("argocd-server does not run yet; see the workloads in namespace argocd of the hub")
    password = _initial_password(Path(record["hub"]))
    scheme = "http" if record["plaintext"] else "https"
    answer = _ask(
        f"{scheme}://{record['server']}/api/v1/session",
        _anyone() if scheme == "https" else None,
        {"username": "admin", "password": password},
    )
    return {
        "ARGOCD_SERVER": record["server"],
        "ARGOCD_OPTS": "--plaintext" if record["plaintext"] else "--insecure",
        "ARGOCD_AUTH_TOKEN": str(answer["token"]),
    }


def _initial_password(kubeconfig: Path) -> str:
    try:
        access = Access.read(kubeconfig)
        secret = _ask(access.server + _INITIAL, access.context(), None)
        return base64.b64decode(secret["data"]["password"]).decode()
    except (OSError, KeyError) as error:
        raise NoAccess(
            f"there is no initial password of `admin` on the hub ({error}); its account may be off "
            "(configs.cm `admin.enabled`) or its password changed: use `argocd login`"
        ) from error


def _anyone() -> ssl.SSLContext:
    """argocd-server makes its own certificate, for no authority; it is on loopback."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _ask(url: str, context: ssl.SSLContext | None, body: dict[str, str] | None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - the addresses are loopback's
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if context is not None:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=10) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise NoAccess(f"{url}: {error.code} {error.read().decode(errors='replace')[:200]}") from error
    except (OSError, ValueError) as error:
        raise NoAccess(f"{url}: {error}") from error
