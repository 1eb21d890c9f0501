"""The language host: what the engine asks about a Python program, and running it.

Owns the protocol and the child process. Does not own environments: the program runs in the one that this
host runs in, or in the one that ./fleet names (settings.py). It is used where the official host is not beside
the CLI, and for every program that is confined.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc

from plugins import process, wire
from plugins.language_python import settings
from plugins.language_python.policy_pack import PolicyPack
from plugins.language_python.run import run

_USERS = ("GOOGLE_", "CLOUDSDK_", "PULUMI_K8S_", settings.PREFIX)


def program_environment(base: dict[str, str]) -> dict[str, str]:
    """`base` without what the provider SDKs read defaults from when a resource is constructed.

    With it, the graph would depend on the machine (pulumi_kubernetes/provider.py and pulumi_gcp/provider.py).
    """
    return {
        name: value for name, value in base.items() if name != "KUBECONFIG" and not name.startswith(_USERS)
    }


def _dependencies(plugins: list[tuple[str, str]]) -> list[Any]:
    return [
        wire.plugin.PackageDependency(name=name, kind="resource", version=f"v{version}")
        for name, version in plugins
    ]


class LanguageHost(wire.language_grpc.LanguageRuntimeServicer):  # type: ignore[misc]
    """The service. `engine` is the engine's address, `how` the way to run the program."""

    def __init__(self, engine: str, how: settings.Settings) -> None:
        self._engine = engine
        self._how = how

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The engine introduces itself."""
        self._engine = request.engine_address or self._engine
        return wire.language.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The version of the SDK."""
        return wire.plugin.PluginInfo(version=importlib.metadata.version("pulumi"))

    def GetRequiredPlugins(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The same as packages, for older engines."""
        return wire.language.GetRequiredPluginsResponse(
            plugins=[
                wire.plugin.PluginDependency(name=name, kind="resource", version=f"v{version}")
                for name, version in self._how.plugins()
            ]
        )

    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The providers whose SDKs are installed."""
        return wire.language.GetRequiredPackagesResponse(packages=_dependencies(self._how.plugins()))

    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        """What is installed."""
        return wire.language.GetProgramDependenciesResponse(
            dependencies=[
                wire.language.DependencyInfo(name=name, version=version)
                for name, version in self._how.distributions()
            ]
        )

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Which Python."""
        return wire.language.AboutResponse(
            executable=str(self._how.python), version=sys.version.partition(" ")[0]
        )

    def RuntimeOptionsPrompts(self, request: Any, context: grpc.ServicerContext) -> Any:
        """There is nothing to choose."""
        return wire.language.RuntimeOptionsResponse()

    def Template(self, request: Any, context: grpc.ServicerContext) -> Any:
        """There is nothing to prepare."""
        return wire.language.TemplateResponse()

    def InstallDependencies(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """The environment is made by ./fleet, from the lock."""
        said = (
            b"The environment of this program is made by ./fleet from requirements.txt; nothing to install.\n"
        )
        yield wire.language.InstallDependenciesResponse(stdout=said)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """End the program."""
        process.end_children()
        return wire.language_grpc.google_dot_protobuf_dot_empty__pb2.Empty()

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Run the program in a process of its own and wait for it."""
        described = {
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization,
            "monitor": request.monitor_address,
            "engine": self._engine,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "root_directory": request.info.root_directory,
            "program": request.info.entry_point or request.program or ".",
            "arguments": list(request.args),
            "on_paper": os.environ.get("GKE_FLEET_GROUND") == "paper",
        }
        environment = program_environment(dict(os.environ))
        environment["PULUMI_CONFIG"] = json.dumps(dict(request.config))
        environment["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.configSecretKeys))
        folder = Path(request.info.program_directory or request.pwd)
        return run(described, folder, environment, self._how, context)

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Run a policy pack."""
        if request.kind != "analyzer":
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"this language host runs policy packs, not plugins of kind {request.kind}",
            )
        folder = request.info.program_directory or request.program
        pack = PolicyPack(folder, list(request.args), program_environment(_environment(request.env)))
        context.add_callback(pack.end)
        yield from pack.messages()


def _environment(given: Any) -> dict[str, str]:
    entries = dict(entry.partition("=")[::2] for entry in given)
    return {**os.environ, **entries}


def main(parent: int) -> None:
    """Serve until the engine ends, or `parent`, the pid of the process that started this one."""
    engine = next((argument for argument in reversed(sys.argv[1:]) if not argument.startswith("-")), "")
    try:
        host = LanguageHost(engine, settings.read(os.environ))
    except settings.WrongSettings as error:
        sys.exit(f"error: {error}")
    process.serve(
        lambda server: wire.language_grpc.add_LanguageRuntimeServicer_to_server(host, server),
        parent=parent,
    )
