"""The language host: what the engine asks about a Python program, and running it.

Owns the protocol and the child process. Does not own environments: the program runs in the one that this
host runs in. It is used only where the official host is not beside the CLI.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc

from plugins import process, wire
from plugins.language_python.policy_pack import PolicyPack

_SHOWN = 32
"""Exit code of a program that has shown its error already."""
_USERS = ("GOOGLE_", "CLOUDSDK_", "PULUMI_K8S_")


def program_environment(base: dict[str, str]) -> dict[str, str]:
    """`base` without what the provider SDKs read defaults from when a resource is constructed.

    With it, the graph would depend on the machine (pulumi_kubernetes/provider.py and pulumi_gcp/provider.py).
    """
    return {
        name: value for name, value in base.items() if name != "KUBECONFIG" and not name.startswith(_USERS)
    }


def installed_plugins() -> list[tuple[str, str]]:
    """(package, version) of each provider whose SDK is installed here."""
    found: dict[str, str] = {}
    for entry in sys.path:
        if not entry or not Path(entry).is_dir():
            continue
        for path in sorted(Path(entry).glob("pulumi_*/pulumi-plugin.json")):
            described = json.loads(path.read_text())
            if described.get("resource") and described.get("name"):
                found.setdefault(described["name"], described.get("version", ""))
    return sorted(found.items())


def _dependencies(plugins: list[tuple[str, str]]) -> list[Any]:
    return [
        wire.plugin.PackageDependency(name=name, kind="resource", version=f"v{version}")
        for name, version in plugins
    ]


class LanguageHost(wire.language_grpc.LanguageRuntimeServicer):  # type: ignore[misc]
    """The service. `engine` is the engine's address."""

    def __init__(self, engine: str) -> None:
        self._engine = engine

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
                for name, version in installed_plugins()
            ]
        )

    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The providers whose SDKs are installed."""
        return wire.language.GetRequiredPackagesResponse(packages=_dependencies(installed_plugins()))

    def GetProgramDependencies(self, request: Any, context: grpc.ServicerContext) -> Any:
        """What is installed."""
        named = sorted(
            {(each.metadata["Name"], each.version) for each in importlib.metadata.distributions()}, key=str
        )
        return wire.language.GetProgramDependenciesResponse(
            dependencies=[wire.language.DependencyInfo(name=name, version=version) for name, version in named]
        )

    def About(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Which Python."""
        return wire.language.AboutResponse(executable=sys.executable, version=sys.version.partition(" ")[0])

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
        settings = {
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
        }
        environment = program_environment(dict(os.environ))
        environment["PULUMI_CONFIG"] = json.dumps(dict(request.config))
        environment["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.configSecretKeys))
        command = [sys.executable, "-u", str(Path(__file__).with_name("program.py")), json.dumps(settings)]
        running = subprocess.Popen(
            command,
            cwd=request.info.program_directory or request.pwd,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
        context.add_callback(lambda: _end(running))
        with process.child(running):
            code = running.wait()
        if code == 0:
            return wire.language.RunResponse()
        if code == _SHOWN:
            return wire.language.RunResponse(bail=True)
        return wire.language.RunResponse(error=f"Program exited with non-zero exit code: {code}")

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Run a policy pack."""
        if request.kind != "analyzer":
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"this language host runs policy packs, not plugins of kind {request.kind}",
            )
        folder = request.info.program_directory or request.program
        pack = PolicyPack(
            folder, list(request.args), request.pwd, program_environment(_environment(request.env))
        )
        context.add_callback(pack.end)
        yield from pack.messages()


def _environment(given: Any) -> dict[str, str]:
    entries = dict(entry.partition("=")[::2] for entry in given)
    return {**os.environ, **entries}


def _end(running: subprocess.Popen[bytes]) -> None:
    if running.poll() is None:
        with contextlib.suppress(OSError):
            running.terminate()


def main(parent: int) -> None:
    """Serve until the engine ends, or `parent`, the pid of the process that started this one."""
    engine = next((argument for argument in reversed(sys.argv[1:]) if not argument.startswith("-")), "")
    process.serve(
        lambda server: wire.language_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(engine), server),
        parent=parent,
    )
