"""What a component needs to start: arguments, environment, files, credentials.

Owns looking up in the hub what the kubelet would look up: ConfigMaps, Secrets, the pod's fields, a token of
its ServiceAccount. Does not own the process. A reference to what is not there is not an error but a reason
to wait, as it is for a pod.
"""

import base64
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.argocd.api import Api, ApiError
from sandbox.argocd.component import (
    PROGRAMS,
    Component,
    Program,
    arguments,
    mounts,
    own_environment,
    translation,
)
from sandbox.argocd.hub import Hub, Unknown
from sandbox.argocd.ports import Ports

Object = dict[str, Any]

TOKEN_SECONDS = 3600
"""How long a ServiceAccount token is asked for; the API server grants no less than 600."""

_SOCKET_PATH_LIMIT = 100
"""A Unix socket's path may have 107 bytes."""


_TOOL = Program(ports={}, listen=())
"""The `argocd` tool in a Job: it listens nowhere."""


class NotReady(Exception):
    """The component cannot start yet; the text says what is missing."""


@dataclass(frozen=True)
class Launch:
    """A command to run, in `folder`."""

    command: list[str]
    environment: dict[str, str]
    folder: Path
    ports: dict[str, int]


@dataclass(frozen=True)
class Launcher:
    """Prepares components of one hub.

    Attributes:
        root: the runner's folder; each component has one of its own below.
        tools: folder with Argo CD's programs, helm, kustomize and git-verify-wrapper.sh.
        surroundings: the environment for reaching the real names.
    """

    api: Api
    hub: Hub
    root: Path
    ports: Ports
    tools: Path
    surroundings: Mapping[str, str]

    async def prepare(self, component: Component) -> Launch:
        """Everything `component` needs, freshly resolved. Raises NotReady."""
        folder = self.root / component.name
        paths = mounts(component, folder)
        for path in (
            folder / "config" / "ssh",
            folder / "config" / "tls",
            folder / "tmp",
            folder / "home",
            *paths.values(),
        ):
            path.mkdir(parents=True, exist_ok=True)
        try:
            await self._write_config(component, folder / "config")
            program = PROGRAMS.get(component.program, _TOOL)
            ports = {name: self.ports.check(component.place, name) for name in program.ports}
            translate = translation(self.ports.get, paths)
            environment = self._base(component, folder)
            own = await self._variables(component)
            for name, value in {**program.defaults, **own}.items():
                if name not in program.without:
                    environment[program.renamed.get(name, name)] = translate(value)
            # Never by a variable: a child of the process would inherit it and be another component.
            environment.pop("ARGOCD_BINARY_NAME", None)
            if component.has_token:
                environment["KUBECONFIG"] = str(await self._kubeconfig(component, folder))
                host = await self.hub.metadata_host(component.namespace, component.account)
                if host is not None:
                    environment["GCE_METADATA_HOST"] = host
            words = [expand(word, environment) for word in arguments(component, ports, translate)]
        except (ApiError, Unknown) as error:
            raise NotReady(str(error)) from error
        return Launch([str(self.tools / words[0]), *words[1:]], environment, folder / "home", ports)

    def _base(self, component: Component, folder: Path) -> dict[str, str]:
        git = shutil.which("git") or "/usr/bin/git"
        path = [str(self.tools), str(Path(git).parent), *os.defpath.split(os.pathsep)]
        socket = folder / "ask-pass.sock"
        if len(str(socket)) > _SOCKET_PATH_LIMIT:
            # It is used for Git credentials only; relative, it is found from the process's own folder.
            socket = Path("ask-pass.sock")
        return {
            **self.surroundings,
            "PATH": os.pathsep.join(path),
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "KUBECONFIG": os.devnull,
            "ARGOCD_ASK_PASS_SOCK": str(socket),
            **own_environment(component, folder),
        }

    async def _variables(self, component: Component) -> dict[str, str]:
        """The container's own variables, resolved."""
        found: dict[str, str] = {}
        cache: dict[str, Object | None] = {}
        for variable in component.container.get("env", []):
            name, source = variable["name"], variable.get("valueFrom")
            if source is None:
                found[name] = expand(str(variable.get("value", "")), found)
                continue
            value = await self._referred(component, source, cache)
            if value is not None:
                found[name] = value
        return found

    async def _referred(
        self, component: Component, source: Object, cache: dict[str, Object | None]
    ) -> str | None:
        """The value behind a `valueFrom`; None where it is optional and not there. Raises NotReady."""
        if "fieldRef" in source:
            fields = {
                "metadata.namespace": component.namespace,
                "metadata.name": component.name,
                "spec.serviceAccountName": component.account,
                "status.podIP": "127.0.0.1",
                "status.hostIP": "127.0.0.1",
            }
            return fields.get(source["fieldRef"]["fieldPath"], "")
        for key, plural in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
            if key not in source:
                continue
            reference = source[key]
            one = await self._object(component.namespace, plural, reference["name"], cache)
            value = (one or {}).get("data", {}).get(reference["key"])
            if value is None:
                if reference.get("optional"):
                    return None
                raise NotReady(f"{plural[:-1]} {reference['name']} has no {reference['key']} yet")
            return base64.b64decode(value).decode() if plural == "secrets" else str(value)
        return None

    async def _object(
        self, namespace: str, plural: str, name: str, cache: dict[str, Object | None]
    ) -> Object | None:
        path = f"/api/v1/namespaces/{namespace}/{plural}/{name}"
        if path not in cache:
            try:
                cache[path] = await self.api.get(path)
            except ApiError as error:
                if error.status != 404:
                    raise
                cache[path] = None
        return cache[path]

    async def _write_config(self, component: Component, config: Path) -> None:
        """Write the ConfigMaps that the container mounts below /app/config, where the program will look."""
        volumes = {one["name"]: one for one in component.pod.get("volumes", [])}
        for mount in component.container.get("volumeMounts", []):
            source = volumes.get(mount["name"], {}).get("configMap")
            if source is None or not mount["mountPath"].startswith("/app/config/"):
                continue
            one = await self._object(component.namespace, "configmaps", source["name"], {})
            folder = config / mount["mountPath"].removeprefix("/app/config/")
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in (one or {}).get("data", {}).items():
                (folder / name).write_text(text)

    async def _kubeconfig(self, component: Component, folder: Path) -> Path:
        """A kubeconfig of the pod's ServiceAccount, with its token in a file that can be renewed."""
        await self.renew(component)
        access = self.api.access
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "hub",
            "clusters": [
                {
                    "name": "hub",
                    "cluster": {
                        "server": access.server,
                        "certificate-authority-data": base64.b64encode(access.authority).decode(),
                    },
                }
            ],
            "users": [{"name": "pod", "user": {"tokenFile": str(folder / "token")}}],
            "contexts": [
                {
                    "name": "hub",
                    "context": {"cluster": "hub", "user": "pod", "namespace": component.namespace},
                }
            ],
        }
        path = folder / "kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return path

    async def renew(self, component: Component) -> None:
        """Write a fresh token of the component's ServiceAccount. Raises ApiError."""
        folder = self.root / component.name
        made = await self.api.post(
            f"/api/v1/namespaces/{component.namespace}/serviceaccounts/{component.account}/token",
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {"expirationSeconds": TOKEN_SECONDS},
            },
        )
        scratch = folder / "token.new"
        scratch.touch(mode=0o600)
        scratch.write_text(made["status"]["token"])
        scratch.replace(folder / "token")


def expand(text: str, environment: Mapping[str, str]) -> str:
    """`$(NAME)` replaced, as the kubelet does in arguments and values; an unknown name stays."""
    return re.sub(r"\$\((\w+)\)", lambda found: environment.get(found[1], found[0]), text)


def announce(path: Path, document: Object) -> None:
    """Write a JSON file that others read, whole or not at all."""
    scratch = path.with_suffix(f".{os.getpid()}")
    scratch.write_text(json.dumps(document, indent=1))
    scratch.replace(path)
