"""A throw-away place in which the Pulumi CLI works on paper.

Owns the scratch backend, the workspace, the two plugin processes that serve everything, and the scratch project
of a revision. Nothing in a checkout changes by a byte: `stack init` rewrites the stack file that it finds, so
it finds a copy; and a secrets provider or an encrypted value cannot be opened without a credential, so the
copy has neither (a placeholder stands in for each value). Does not own what is run.

Both resource plugins run once and the engine attaches to them, in place of one process for each
kubernetes.Provider.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from plugins import workspace

PLACEHOLDER = "placeholder-for-a-secret"
"""Begins what stands in for an encrypted configuration value; which value it was cannot be seen in the rest."""

_LAUNCHER = Path(workspace.__file__).with_name("launch.py")
_ENCRYPTION = ("secretsprovider", "encryptedkey", "encryptionsalt")
_STACK_FILE_KEPT = ("config",)


class NoStack(Exception):
    """The stack to preview has no configuration file."""


class TooLong(Exception):
    """A run did not end in the time that it had."""


class Scratch:
    """The place. It is there from `with` on, and gone after it.

    `sdk_versions`: package -> version of the SDKs of other environments whose programs run here too. `own_host`: the
    program is run by this project's language host even where the official one lies beside the CLI, because that one
    can neither confine a program nor run it in another environment than the project file names. `official`: the
    resource plugins are those that the user has installed, each started by the engine, with the user's credentials.
    """

    def __init__(
        self,
        cli: Path,
        *,
        sdk_versions: Sequence[Mapping[str, str]] = (),
        own_host: bool = False,
        official: bool = False,
    ) -> None:
        self.cli, self._sdk_versions, self._own_host, self._official = cli, sdk_versions, own_host, official
        self._open = contextlib.ExitStack()
        self.environment: dict[str, str] = {}
        self.folder = Path()
        self._attach: Callable[[], dict[str, str]] = dict
        self._ports: dict[str, str] | None = None

    def __enter__(self) -> Scratch:
        made = tempfile.TemporaryDirectory(prefix="gke-fleet-paper-", ignore_cleanup_errors=True)
        self.folder = Path(self._open.enter_context(made)).resolve()
        try:
            backend = self.folder / "backend"
            backend.mkdir()
            if self._own_host and workspace.has_official_host(self.cli):
                # The CLI takes the host that lies beside it, so it goes where none does.
                self.cli = Path(shutil.copy2(self.cli.resolve(), self.folder / "pulumi"))
            self._settle(backend.as_uri())
            # Where this name is taken by a file, the CLI goes without the log that it else keeps of every property: a
            # throw-away place shows it to nobody, and writing it takes a third of the engine's time.
            (self.folder / "home" / "logs").touch()
        except BaseException:
            self._open.close()
            raise
        return self

    def _settle(self, backend_url: str) -> None:
        home = self.folder / "home"
        if self._official:
            self.environment = workspace.make_for_official_plugins(
                home, cli=self.cli, backend_url=backend_url
            )
            return
        self.environment = workspace.make(
            home,
            cli=self.cli,
            backend_url=backend_url,
            ground="paper",
            state=None,
            more_versions=self._sdk_versions,
        )
        self._attach = self._open.enter_context(shared_plugins(self.environment))

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def stack_text(self, project: str, stack: str) -> str:
        """The text of the file in which the CLI holds a stack of this place, with its state."""
        return self._stack_file(project, stack).read_text()

    def put_stack(self, project: str, stack: str, text: str) -> None:
        """Put a stack here whose file in another such place had this text."""
        file = self._stack_file(project, stack)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def _stack_file(self, project: str, stack: str) -> Path:
        return self.folder / "backend" / ".pulumi" / "stacks" / project / f"{stack}.json"

    def attached(self) -> dict[str, str]:
        """The environment for runs that need the plugins."""
        if self._ports is None:
            self._ports = self._attach()
        return self.environment | self._ports

    def run(
        self,
        arguments: Sequence[str],
        project: Path,
        *,
        out: Callable[[str], object] | None = None,
        more: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
        seconds: float | None = None,
        plugins: bool = True,
    ) -> tuple[list[str], int]:
        """Run the CLI in `project`: (lines that it said, exit code). Each line of it goes to `out` as well.

        `more`: further environment. `prefix`: a command that runs the CLI. Raises TooLong after `seconds`.
        """
        environment = (self.attached() if plugins else self.environment) | dict(more or {})
        lines: list[str] = []
        with subprocess.Popen(
            [*prefix, str(self.cli), *arguments],
            cwd=project,
            env=environment,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=seconds is not None,
        ) as running:
            late = threading.Event()

            def end() -> None:
                late.set()
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(running.pid, signal.SIGKILL)

            watch = threading.Timer(seconds, end) if seconds is not None else None
            if watch is not None:
                watch.start()
            try:
                assert running.stdout is not None
                for line in running.stdout:
                    lines.append(line.rstrip("\n"))
                    if out is not None:
                        out(line)
            finally:
                if watch is not None:
                    watch.cancel()
        if late.is_set():
            raise TooLong(f"the Pulumi CLI was ended after {seconds:.0f} s")
        return lines, running.returncode


def available_mib() -> float:
    """MiB of memory that a further process may use; 0 where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("MemAvailable")), 0.0)


def make_project(
    original: Path,
    stack: str,
    folder: Path,
    *,
    described: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
    refused: Sequence[str] = (),
) -> None:
    """Make a project in `folder` that runs the program of `original` with a copy of its stack file that
    opens without a credential.

    `described`: another Pulumi.yaml than that of `original`. `settings`: what goes into the copy beside the
    configuration (the salt of a stack that is there already). `values`: configuration that goes before the file's.
    `refused`: beginnings of the keys whose values in the file are left out.
    Raises NoStack.
    """
    project = yaml.safe_load((described or original / "Pulumi.yaml").read_text())
    stacks = project.get("stackConfigDir") or "."
    source = original / stacks / f"Pulumi.{stack}.yaml"
    if not source.is_file():
        known = sorted(path.name[7:-5] for path in (original / stacks).glob("Pulumi.*.yaml"))
        raise NoStack(
            f"there is no stack {stack}: {source} does not exist. Stacks here: {', '.join(known) or 'none'}"
        )
    project["main"] = str(original / project.get("main", ""))
    runtime = project.get("runtime")
    if isinstance(runtime, dict) and "virtualenv" in (runtime.get("options") or {}):
        runtime["options"]["virtualenv"] = sys.prefix
    for declared in (project.get("config") or {}).values():
        # A placeholder is no secret, and the CLI refuses a plain value for a key declared as one.
        if isinstance(declared, dict):
            declared.pop("secret", None)
    # Either would bring in what is not this revision's program: another backend, or a plugin of its own.
    for key in ("backend", "plugins", "packages"):
        project.pop(key, None)
    (folder / stacks).mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project, sort_keys=False))
    read = yaml.safe_load(source.read_text()) or {}
    kept = {name: _opened(value) for name, value in read.items() if name in _STACK_FILE_KEPT}
    config = {
        name: value
        for name, value in (kept.get("config") or {}).items()
        if not name.startswith(tuple(refused))
    }
    kept["config"] = {**config, **(values or {})}
    (folder / stacks / source.name).write_text(yaml.safe_dump(kept | dict(settings or {}), sort_keys=False))


def stack_file(project: Path, stack: str) -> Path:
    """The file of a stack of the project in the folder `project`."""
    described = yaml.safe_load((project / "Pulumi.yaml").read_text())
    return project / str(described.get("stackConfigDir") or ".") / f"Pulumi.{stack}.yaml"


def salt(project: Path, stack: str) -> dict[str, str]:
    """What `stack init` wrote into the stack file, so that another project can work on the same stack."""
    read = yaml.safe_load(stack_file(project, stack).read_text()) or {}
    return {name: str(value) for name, value in read.items() if name in _ENCRYPTION}


def _opened(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"secure"}:
            # The same text for the same ciphertext, so that setting another secret is a change.
            digest = hashlib.sha256(repr(value["secure"]).encode()).hexdigest()
            return f"{PLACEHOLDER}-{digest[:8]}"
        return {name: _opened(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_opened(each) for each in value]
    return value


@contextlib.contextmanager
def shared_plugins(environment: Mapping[str, str]) -> Iterator[Callable[[], dict[str, str]]]:
    """One process for each resource plugin.

    The value is a function that gives the variables by which the engine attaches to them.
    """
    running = {
        package: subprocess.Popen(
            [sys.executable, "-s", str(_LAUNCHER), package, version],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for package, version in workspace.sdk_versions().items()
    }

    def attached() -> dict[str, str]:
        ports = []
        for package, process in running.items():
            assert process.stdout is not None
            assert process.stderr is not None
            port = process.stdout.readline().strip().decode()
            if not port:
                raise RuntimeError(f"the {package} plugin did not start: {process.stderr.read().decode()}")
            ports.append(f"{package}:{port}")
        return {"PULUMI_DEBUG_PROVIDERS": ",".join(ports)}

    try:
        yield attached
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.communicate()
