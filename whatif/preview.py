"""What a stack would be: the Pulumi CLI's own preview of it, on paper.

Owns the scratch project in which the CLI runs, and reading its event log. Does not own the answer: it is
the CLI's. Nothing in the checkout changes by a byte: `stack init` rewrites the stack file that it finds, so
it finds a copy; and a secrets provider or an encrypted value cannot be opened without a credential, so the
copy has neither (a placeholder stands in for each value).

Both resource plugins run once and the engine attaches to them, in place of one process for each
kubernetes.Provider.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import yaml

from plugins import workspace

PLACEHOLDER = "placeholder-for-a-secret"
"""Stands in for an encrypted configuration value."""

_LAUNCHER = Path(workspace.__file__).with_name("launch.py")
_COLOURS = re.compile(r"<\{%.*?%\}>")
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_PROVIDER = "pulumi:providers:"
_ENCRYPTION = ("secretsprovider", "encryptedkey", "encryptionsalt")


class NoStack(Exception):
    """The stack to preview has no configuration file."""


@dataclass
class Preview:
    """What the CLI said.

    `resources`: {urn, type, name, op, inputs} in the order of registration, secrets as "[secret]", what is
    not known before the update as "[unknown]". `policies`: {rule, level, urn, message}. `summary`: op ->
    number of resources. `diagnostics`: errors and warnings. `exit_code`: the CLI's own, 0 where nothing
    says no. `states`: each resource as its stack would hold it, with parent, provider and dependencies.
    """

    resources: list[dict[str, Any]] = field(default_factory=list)
    policies: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, int] = field(default_factory=dict)
    diagnostics: list[str] = field(default_factory=list)
    exit_code: int = 0
    states: list[dict[str, Any]] = field(default_factory=list)

    @property
    def providers(self) -> dict[str, int]:
        """package -> how many processes of its plugin the stack costs in an ordinary run.

        The engine starts one for each provider resource, its own default ones among them. On paper one serves
        all of a package.
        """
        gone = ("delete", "discard", "remove-pending-replace")
        packages = [
            each["type"].removeprefix(_PROVIDER)
            for each in self.resources
            if each["type"].startswith(_PROVIDER) and each["op"] not in gone
        ]
        return dict(sorted(Counter(packages).items()))


def preview(
    folder: Path,
    stack: str,
    *,
    cli: Path,
    policy_pack: Path | None = None,
    policy_config: Path | None = None,
    out: TextIO | None = None,
    diff: bool = False,
    import_file: Path | None = None,
    states: bool = False,
) -> Preview:
    """Preview `stack` of the project in `folder` (the checkout, or its bootstrap/), alone, against an empty state.

    `cli` is the pulumi binary, `policy_pack` a folder, `policy_config` its configuration (JSON). The CLI's
    text goes to `out`; with `diff` it shows every property. The CLI writes its own list of what could be
    imported to `import_file`; with `states` its answer is JSON, and the result has them. Raises NoStack.
    """
    with tempfile.TemporaryDirectory(prefix="gke-fleet-paper-", ignore_cleanup_errors=True) as made:
        scratch = Path(made)
        project = scratch / "project"
        make_project(folder.resolve(), stack, project)
        backend = scratch / "backend"
        backend.mkdir()
        environment = workspace.make(
            scratch / "home", cli=cli, backend_url=backend.as_uri(), ground="paper", state=None
        )
        events = scratch / "events.json"
        command = [str(cli), "preview", "--stack", stack, "--event-log", str(events), "--non-interactive"]
        command += [
            "--suppress-progress",
            "--color",
            "always" if out is not None and out.isatty() else "never",
        ]
        command += ["--diff"] if diff else []
        command += ["--json"] if states else []
        command += ["--import-file", str(import_file.resolve())] if import_file else []
        command += ["--policy-pack", str(policy_pack.resolve())] if policy_pack else []
        command += (
            ["--policy-pack-config", str(policy_config.resolve())] if policy_pack and policy_config else []
        )
        with shared_plugins(environment) as attached:
            init = [str(cli), "stack", "init", stack, "--non-interactive", "--no-select"]
            first = subprocess.run(
                init, cwd=project, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
            )
            if first.returncode != 0:
                return Preview(diagnostics=[first.stderr.strip()], exit_code=first.returncode)
            said, code = _run(command, project, environment | attached(), out)
        result = _read(events)
    result.exit_code = code
    if states and code == 0:
        result.states = [step["newState"] for step in json.loads("\n".join(said))["steps"]]
    if code != 0 and not any(line.startswith("error") for line in result.diagnostics):
        # The CLI refused before there was a run, so no event says why.
        result.diagnostics += [line for line in said if line.strip()]
    return result


def make_project(original: Path, stack: str, folder: Path) -> None:
    """Make a project in `folder` that runs the program of `original` with a copy of its stack file that
    opens without a credential.

    Raises NoStack.
    """
    described = yaml.safe_load((original / "Pulumi.yaml").read_text())
    stacks = described.get("stackConfigDir") or "."
    source = original / stacks / f"Pulumi.{stack}.yaml"
    if not source.is_file():
        known = sorted(path.name[7:-5] for path in (original / stacks).glob("Pulumi.*.yaml"))
        raise NoStack(
            f"there is no stack {stack}: {source} does not exist. Stacks here: {', '.join(known) or 'none'}"
        )
    described["main"] = str(original / described.get("main", ""))
    runtime = described.get("runtime")
    if isinstance(runtime, dict) and "virtualenv" in (runtime.get("options") or {}):
        runtime["options"]["virtualenv"] = sys.prefix
    for declared in (described.get("config") or {}).values():
        # A placeholder is no secret, and the CLI refuses a plain value for a key declared as one.
        if isinstance(declared, dict):
            declared.pop("secret", None)
    described.pop("backend", None)
    (folder / stacks).mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(described, sort_keys=False))
    settings = yaml.safe_load(source.read_text()) or {}
    opened = {name: _opened(value) for name, value in settings.items() if name not in _ENCRYPTION}
    (folder / stacks / source.name).write_text(yaml.safe_dump(opened, sort_keys=False))


def _opened(value: Any) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"secure"}:
            return PLACEHOLDER
        return {name: _opened(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_opened(each) for each in value]
    return value


@contextlib.contextmanager
def shared_plugins(environment: Mapping[str, str]) -> Iterator[Any]:
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


def _run(
    command: list[str], folder: Path, environment: Mapping[str, str], out: TextIO | None
) -> tuple[list[str], int]:
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            lines.append(line.rstrip("\n"))
            if out is not None:
                out.write(line)
                out.flush()
    return lines, running.returncode


def _read(events: Path) -> Preview:
    found = Preview()
    if not events.exists():
        return found
    with events.open() as lines:
        for line in lines:
            event = json.loads(line)
            if "resourcePreEvent" in event:
                found.resources.append(_resource(event["resourcePreEvent"]["metadata"]))
            elif "policyEvent" in event:
                found.policies.append(_policy(event["policyEvent"]))
            elif "diagnosticEvent" in event:
                said = event["diagnosticEvent"]
                if said.get("severity") in ("error", "warning") and not said.get("ephemeral"):
                    found.diagnostics.append(f"{said['severity']}: {_plain(said.get('message', ''))}")
            elif "summaryEvent" in event:
                found.summary = dict(event["summaryEvent"].get("resourceChanges") or {})
    return found


def _resource(metadata: Mapping[str, Any]) -> dict[str, Any]:
    urn = str(metadata["urn"])
    state = metadata.get("new") or metadata.get("old") or {}
    return {
        "urn": urn,
        "type": str(metadata["type"]),
        "name": urn.split("::", 3)[3],
        "op": str(metadata["op"]),
        "inputs": _shown(state.get("inputs") or {}),
    }


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        if _SIGNATURE in value and "ciphertext" in value:
            return "[secret]"
        return {name: _shown(each) for name, each in value.items() if not name.startswith("__")}
    if isinstance(value, list):
        return [_shown(each) for each in value]
    return "[unknown]" if value == _UNKNOWN else value


def _policy(event: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rule": str(event.get("policyName", "")),
        "level": str(event.get("enforcementLevel", "")),
        "urn": str(event.get("resourceUrn", "")),
        "message": _plain(str(event.get("message", ""))),
    }


def _plain(text: str) -> str:
    return _COLOURS.sub("", text).strip()
