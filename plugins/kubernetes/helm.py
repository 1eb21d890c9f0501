"""Helm releases, by the helm command found on PATH.

Owns the command line, and what an interrupted run of it leaves: an install that was cut off is taken down
before the next one, as nobody can upgrade it. The kubeconfig goes to helm in a file that only this user can
read, and helm's own folders are the workspace's.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plugins import marker, process
from plugins.ground import Access, Document, GroundError, Patience, Unready

_DEFAULT_SECONDS = 300
_SWITCHES = {
    "createNamespace": "--create-namespace",
    "dependencyUpdate": "--dependency-update",
    "devel": "--devel",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "renderSubchartNotes": "--render-subchart-notes",
    "skipCrds": "--skip-crds",
    "takeOwnership": "--take-ownership",
    "verify": "--verify",
    "waitForJobs": "--wait-for-jobs",
}
_UPGRADE_SWITCHES = {
    "cleanupOnFail": "--cleanup-on-fail",
    "resetValues": "--reset-values",
    "reuseValues": "--reuse-values",
}
_PENDING = frozenset({"pending-install", "pending-upgrade", "pending-rollback"})
_TEXTS = ("certFile", "keyFile", "caFile", "username", "password", "repo")


class Helm:
    """Releases on one cluster."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._four: bool | None = None
        self._lock = threading.Lock()

    # Operations

    def install(self, release: Document, patience: Patience) -> Document:
        """Install. Raises GroundError (409 where the name is taken), Unready where it is there and failed."""
        namespace, name = release["namespace"], release["name"]
        before = self._found(namespace, name)
        if before is not None and before["status"] == "pending-install":
            self._uninstall(namespace, name, patience)
        elif before is not None:
            raise GroundError(
                f'installation failed: cannot re-use a name that is still in use: release "{name}"', 409
            )
        # As Helm 3 does it, which the official provider is built on: the objects are updated, not applied. It shows
        # in who owns a field afterwards.
        return self._change(["install", "--server-side=false"], release, patience)

    def upgrade(self, release: Document, patience: Patience) -> Document:
        """Upgrade, or install what somebody removed. Raises as `install`."""
        namespace, name = release["namespace"], release["name"]
        before = self._found(namespace, name)
        if before is not None and before["status"] == "pending-install":
            self._uninstall(namespace, name, patience)
        elif before is not None and before["status"] in _PENDING:
            self._run(["rollback", name, "--namespace", namespace], patience, _DEFAULT_SECONDS)
        return self._change(["upgrade", "--install"], release, patience)

    def status(self, namespace: str, name: str, known: Document) -> Document | None:
        """What is installed, None where nothing is, or only an install that was cut off.

        `known` is what was last seen.
        """
        found = self._found(namespace, name)
        if found is None or found["status"] == "pending-install":
            return None
        if (known.get("status") or {}).get("revision") == found.get("revision") and "resourceNames" in known:
            return {"status": _metadata(found), "resourceNames": known["resourceNames"]}
        return self._described(found)

    def _described(self, found: Document) -> Document:
        words = ["get", "manifest", found["name"], "--namespace", found["namespace"]]
        code, manifest, _ = self._run(words, None, 60)
        return {"status": _metadata(found), "resourceNames": _resource_names(manifest if code == 0 else "")}

    def uninstall(self, namespace: str, name: str, patience: Patience) -> None:
        """Uninstall; one that is gone already is no error."""
        if self._found(namespace, name) is not None:
            self._uninstall(namespace, name, patience)

    def _uninstall(self, namespace: str, name: str, patience: Patience) -> None:
        seconds = int(patience.seconds or _DEFAULT_SECONDS)
        command = ["uninstall", name, "--namespace", namespace, "--wait", "--timeout", f"{seconds}s"]
        code, _, errors = self._run(command, patience, seconds)
        if code != 0 and "not found" not in errors:
            raise GroundError(errors)

    def _change(self, words: list[str], release: Document, patience: Patience) -> Document:
        namespace, name = release["namespace"], release["name"]
        seconds = int(patience.seconds or release.get("timeout") or _DEFAULT_SECONDS)
        with tempfile.TemporaryDirectory(prefix="gke-fleet-helm-") as folder:
            command = [*words, name, *self._arguments(words[0], release, Path(folder), seconds)]
            code, output, errors = self._run(command, patience, seconds)
        if code == 0:
            made = self._found(namespace, name)
            if made is None:
                raise GroundError(f"helm says that release {name} is installed, and then does not find it")
            return {
                "status": _metadata(made),
                "resourceNames": _resource_names(json.loads(output).get("manifest") or ""),
            }
        after = self._found(namespace, name)
        if after is None:
            raise GroundError(errors)
        if after["status"] == "pending-install":
            self._uninstall(namespace, name, Patience(seconds=60, cancelled=lambda: False, say=patience.say))
            raise GroundError(f"{errors or 'helm was interrupted'}; what it had installed was taken down")
        raise Unready(self._described(after), [errors])

    def _arguments(self, verb: str, release: Document, folder: Path, seconds: int) -> list[str]:
        repository = release.get("repositoryOpts") or {}
        command = [
            release["chart"],
            "--namespace",
            release["namespace"],
            "--output",
            "json",
            "--timeout",
            f"{seconds}s",
        ]
        options = {"--version": release.get("version"), "--description": release.get("description")}
        options |= {"--keyring": release.get("keyring"), "--post-renderer": release.get("postrender")}
        for name in _TEXTS:
            flag = "--" + "".join(f"-{mark.lower()}" if mark.isupper() else mark for mark in name)
            options[flag] = repository.get(name)
        if verb == "upgrade" and release.get("maxHistory") is not None:
            options["--history-max"] = str(release["maxHistory"])
        for flag, value in options.items():
            command += [flag, str(value)] if value else []
        switches = _SWITCHES | (_UPGRADE_SWITCHES if verb == "upgrade" else {})
        command += [flag for name, flag in switches.items() if release.get(name)]
        command += ["--no-hooks"] if release.get("disableWebhooks") else []
        command += [] if release.get("skipAwait") else ["--wait"]
        if release.get("atomic"):
            command.append("--rollback-on-failure" if self._is_four() else "--atomic")
        for at, asset in enumerate(release.get("valueYamlFiles") or []):
            command += ["--values", _asset(asset, folder / f"values-{at}.yaml")]
        values = folder / "values.json"
        values.write_text(json.dumps(release.get("values") or {}))
        values.chmod(0o600)
        return [*command, "--values", str(values)]

    # The command

    def _found(self, namespace: str, name: str) -> Document | None:
        code, output, errors = self._run(
            ["get", "metadata", name, "--namespace", namespace, "--output", "json"], None, 60
        )
        if code == 0:
            found: Document = json.loads(output)
            return found
        if "not found" in errors:
            return None
        raise GroundError(errors)

    def _is_four(self) -> bool:
        with self._lock:
            if self._four is None:
                code, output, _ = self._run(["version", "--short"], None, 30)
                self._four = code == 0 and output.strip().lstrip("v").startswith("4")
            return self._four

    def _run(self, words: list[str], patience: Patience | None, seconds: float) -> tuple[int, str, str]:
        """(exit code, stdout, stderr).

        Interrupts helm when the engine wants to end, or when it outlives its own timeout.
        """
        program = shutil.which("helm")
        if program is None:
            raise GroundError(
                "helm is not on PATH, and a Release needs it. Remedy: ./fleet up brings its own; or install Helm"
            )
        with self._kubeconfig() as kubeconfig:
            context = ["--kube-context", self._access.context] if self._access.context else []
            running = subprocess.Popen(
                [program, *words, *context],
                env={**os.environ, **_folders(), "KUBECONFIG": kubeconfig},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            watcher = threading.Thread(target=_watch, args=(running, patience, seconds + 60), daemon=True)
            watcher.start()
            with process.child(running):
                output, errors = running.communicate()
        # Helm's warnings are no part of what went wrong.
        lines = [line for line in errors.splitlines() if not line.startswith(("WARNING:", "level=WARN"))]
        return running.returncode, output, "\n".join(lines).removeprefix("Error: ").strip()

    @contextmanager
    def _kubeconfig(self) -> Iterator[str]:
        handle, path = tempfile.mkstemp(prefix="gke-fleet-kubeconfig-")
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(self._access.kubeconfig, file)
            yield path
        finally:
            Path(path).unlink(missing_ok=True)


def _watch(running: subprocess.Popen[str], patience: Patience | None, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while running.poll() is None:
        if (patience is not None and patience.cancelled()) or time.monotonic() > deadline:
            # Helm marks the release as failed on this, so that the next run can go on.
            running.send_signal(signal.SIGINT)
            return
        time.sleep(0.3)


def _folders() -> dict[str, str]:
    home = Path(os.environ.get(marker.HOME) or tempfile.gettempdir()) / "helm"
    return {f"HELM_{name}_HOME": str(home / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}


def _asset(asset: Any, path: Path) -> str:
    if isinstance(asset, dict) and asset.get("path"):
        return str(asset["path"])
    text = asset.get("text", "") if isinstance(asset, dict) else str(asset)
    path.write_text(text)
    return str(path)


def _metadata(found: Document) -> Document:
    """The provider's `status` of a release out of `helm get metadata`."""
    names = ("name", "namespace", "chart", "version", "appVersion", "revision", "status")
    return {name: found.get(name, "") for name in names}


def _resource_names(manifest: str) -> dict[str, list[str]]:
    """Kind.group/apiVersion -> names, as the official provider writes them."""
    import yaml

    names: dict[str, list[str]] = {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for document in yaml.load_all(manifest, Loader=loader):
        if not isinstance(document, dict) or "kind" not in document:
            continue
        version, kind, metadata = (
            str(document.get("apiVersion", "")),
            document["kind"],
            document.get("metadata") or {},
        )
        group = version.rpartition("/")[0]
        key = f"{kind}.{group}/{version}" if group else f"{kind}/{version}"
        namespace = metadata.get("namespace")
        name = str(metadata.get("name", ""))
        names.setdefault(key, []).append(f"{namespace}/{name}" if namespace else name)
    return {key: sorted(each) for key, each in sorted(names.items())}
