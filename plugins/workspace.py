"""The workspace that makes the Pulumi CLI find the stand-in plugins, and nothing of the user's.

Owns a PULUMI_HOME with a launcher for each plugin under the versions of the installed SDKs, a language host
where the official one is not to be found, the mark that binds it to one backend, and the environment for
the CLI. The user's own PULUMI_HOME, plugins and credentials are never touched. Making it again changes
nothing.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from plugins import marker

PASSPHRASE = "sandbox"  # noqa: S105 - states of a workspace hold no secret
_STANDS_FOR = ("gcp", "kubernetes")
_LANGUAGE = "pulumi-language-python"
_USERS = ("GOOGLE_", "CLOUDSDK_", "PULUMI_", "GKE_FLEET_GROUND", "GKE_FLEET_SANDBOX", marker.HOME)
_USERS_NAMES = frozenset({"KUBECONFIG", "GCLOUD_PROJECT", "GCE_METADATA_HOST"})
_LAUNCHER = Path(__file__).resolve().with_name("launch.py")


def make(
    home: Path,
    *,
    cli: Path,
    backend_url: str,
    ground: Literal["paper", "sandbox"],
    state: Path | None,
    more_versions: Sequence[Mapping[str, str]] = (),
) -> dict[str, str]:
    """Make the workspace in `home` and return the whole environment to run `cli` in: offline, quiet, and
    with no setting of the user.

    `backend_url` is the only backend that the plugins will work with. `state` is the sandbox's folder, for
    that ground. `more_versions`: package -> version of the SDKs of other environments whose programs run here too.
    """
    home = home.resolve()
    (home / "plugins").mkdir(parents=True, exist_ok=True)
    marker.write(home, backend_url, ground)
    for package, version in sorted(
        {each for one in (sdk_versions(), *more_versions) for each in one.items()}
    ):
        name = f"pulumi-resource-{package}"
        _launcher(home / "plugins" / f"resource-{package}-v{version}" / name, [package, version], home)
    _language_host(home, cli)
    environment = scrubbed(os.environ) | _common(home, backend_url)
    environment |= {"GKE_FLEET_GROUND": ground, marker.HOME: str(home)}
    if state is not None:
        environment["GKE_FLEET_SANDBOX"] = str(state.resolve())
    return environment


def make_for_official_plugins(home: Path, *, cli: Path, backend_url: str) -> dict[str, str]:
    """Make a workspace in `home` in which the CLI finds the official plugins that this user has installed, and return
    the environment to run `cli` in: with the user's credentials for Google Cloud and with nothing else of the user's.
    """
    home = home.resolve()
    (home / "plugins").mkdir(parents=True, exist_ok=True)
    installed = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi").expanduser() / "plugins"
    for plugin in sorted(installed.glob("resource-*")):
        if plugin.is_dir():
            # The CLI passes by a folder that is a link.
            (home / "plugins" / plugin.name).mkdir()
            for file in plugin.iterdir():
                (home / "plugins" / plugin.name / file.name).symlink_to(file.resolve())
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    _language_host(home, cli)
    return kept | _common(home, backend_url)


def _language_host(home: Path, cli: Path) -> None:
    """Put this project's language host into the workspace, where the official one is not beside the CLI."""
    host = home / "plugins" / f"language-python-v{importlib.metadata.version('pulumi')}"
    if has_official_host(cli):
        shutil.rmtree(host, ignore_errors=True)
    else:
        _launcher(host / _LANGUAGE, ["language", "-"], home)


def _common(home: Path, backend_url: str) -> dict[str, str]:
    return {
        # A plugin on the user's PATH would come before the workspace's.
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        # The CLI has --event-log only with this; its Automation API sets it too.
        "PULUMI_DEBUG_COMMANDS": "true",
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": backend_url,
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def has_official_host(cli: Path) -> bool:
    """Whether the official language host lies beside the CLI, where the CLI takes it before any other."""
    return (cli.resolve().parent / _LANGUAGE).exists()


def scrubbed(base: Mapping[str, str]) -> dict[str, str]:
    """`base` without the user's settings of Pulumi, Google Cloud and Kubernetes."""
    return {
        name: value
        for name, value in base.items()
        if name not in _USERS_NAMES and not name.startswith(_USERS)
    }


def sdk_versions() -> dict[str, str]:
    """package -> version of the installed SDKs that the plugins stand in for.

    Raises FileNotFoundError without one.
    """
    found = {}
    for package in _STANDS_FOR:
        name = f"pulumi_{package}/pulumi-plugin.json"
        described = next((Path(entry) / name for entry in sys.path if (Path(entry) / name).is_file()), None)
        if described is None:
            raise FileNotFoundError(
                f"the Pulumi SDK for {package} is not installed in {sys.prefix}; install requirements.txt"
            )
        found[package] = str(json.loads(described.read_text())["version"])
    return found


def _launcher(path: Path, arguments: list[str], home: Path) -> None:
    words = [sys.executable, "-s", str(_LAUNCHER), *arguments]
    # A shell script, since the path of the interpreter may be longer than a first line can be.
    text = f'#!/bin/sh\n{marker.HOME}={shlex.quote(str(home))} exec {shlex.join(words)} "$@"\n'
    if path.is_file() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(f".{os.getpid()}")
    made.write_text(text)
    made.chmod(0o755)
    made.replace(path)
