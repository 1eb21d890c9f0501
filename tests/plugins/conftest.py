"""Small programs, run by the real CLI on the stand-in plugins."""

from __future__ import annotations

import json
import subprocess
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from plugins import workspace

KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "c", "cluster": {"server": "https://cluster.example"}}],
    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "c",
    "users": [{"name": "u", "user": {"token": "t"}}],
}
_HEAD = """\
import json, os
import pulumi
from pulumi import ResourceOptions as Options
step = pulumi.Config().get("step") or "1"
"""


@pytest.fixture(scope="session")
def cli() -> Path:
    """The Pulumi CLI."""
    from sandbox.tools import ensure

    return Path(ensure("pulumi", lambda _: None)) / "pulumi"


@dataclass
class Result:
    """One run of the CLI."""

    code: int
    text: str
    events: list[dict[str, Any]]

    @property
    def ops(self) -> dict[str, list[str]]:
        """name -> what the engine did to it, in order; without the stack and what stayed the same."""
        found: dict[str, list[str]] = {}
        for event in self.events:
            metadata = (event.get("resourcePreEvent") or {}).get("metadata")
            if (
                metadata
                and metadata["op"] not in ("same", "refresh")
                and "pulumi:Stack" not in metadata["urn"]
            ):
                found.setdefault(metadata["urn"].split("::", 3)[3], []).append(metadata["op"])
        return found

    @property
    def said(self) -> list[str]:
        """Warnings and errors."""
        lines = [event["diagnosticEvent"] for event in self.events if "diagnosticEvent" in event]
        return [line["message"] for line in lines if line["severity"] in ("error", "warning")]

    @property
    def errors(self) -> str:
        """The errors, joined."""
        lines = [event["diagnosticEvent"] for event in self.events if "diagnosticEvent" in event]
        return "\n".join(line["message"] for line in lines if line["severity"] == "error") or self.text


@dataclass
class Program:
    """A project in a folder of its own, with one stack `dev`."""

    folder: Path
    cli: Path
    environment: dict[str, str]
    runs: int = 0
    made: bool = False
    salt: str = ""

    def write(self, source: str) -> None:
        """Make `source` the program. `step`, `Options`, `json` and `pulumi` are there."""
        (self.folder / "__main__.py").write_text(_HEAD + textwrap.dedent(source))

    def start(self, *arguments: str, step: int = 1, **variables: str) -> subprocess.Popen[str]:
        """Start the CLI."""
        settings = f"config:\n  program:step: '{step}'\n"
        stack = self.folder / "Pulumi.dev.yaml"
        if not self.made:
            stack.unlink(missing_ok=True)
            (self.folder / "Pulumi.yaml").write_text("name: program\nruntime: python\n")
            self._command("stack", "init", "dev", "--non-interactive").check_returncode()
            self.made = True
            self.salt = stack.read_text()
        stack.write_text(self.salt + settings)
        return self.begin(*arguments, **variables)

    def begin(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start the CLI on the stack as it is."""
        self.runs += 1
        command = [str(self.cli), *arguments, "--stack", "dev", "--non-interactive", "--suppress-progress"]
        command += ["--event-log", str(self.events), "--color", "never"]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.environment, **variables},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    @property
    def events(self) -> Path:
        """The event log of the last run."""
        return self.folder / f"events-{self.runs}.json"

    def finish(self, running: subprocess.Popen[str]) -> Result:
        """Wait for a run."""
        text, _ = running.communicate(timeout=120)
        events = (
            [json.loads(line) for line in self.events.read_text().splitlines()]
            if self.events.exists()
            else []
        )
        return Result(running.returncode, text, events)

    def run(self, *arguments: str, step: int = 1, **variables: str) -> Result:
        """Run the CLI."""
        return self.finish(self.start(*arguments, step=step, **variables))

    def preview(self, step: int = 1) -> Result:
        """`pulumi preview`."""
        return self.run("preview", step=step)

    def up(self, step: int = 1, **variables: str) -> Result:
        """`pulumi up` without its own preview; it must succeed."""
        result = self.run("up", "--yes", "--skip-preview", step=step, **variables)
        assert result.code == 0, result.text
        return result

    def state(self) -> dict[str, dict[str, Any]]:
        """name -> resource, as the backend has them."""
        return {each["urn"].split("::", 3)[3]: each for each in self.deployment().get("resources") or []}

    def deployment(self) -> dict[str, Any]:
        """The whole of the state."""
        backend = Path(self.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
        stored = json.loads((backend / ".pulumi" / "stacks" / "program" / "dev.json").read_text())
        found: dict[str, Any] = stored["checkpoint"].get("latest") or {}
        return found

    def _command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.cli), *arguments], cwd=self.folder, env=self.environment, capture_output=True, text=True
        )


def make_program(folder: Path, cli: Path, *, ground: Any = "paper", state: Path | None = None) -> Program:
    """A program in `folder` on `ground`."""
    backend, project = folder / "backend", folder / "program"
    backend.mkdir()
    project.mkdir()
    environment = workspace.make(
        folder / "home", cli=cli, backend_url=backend.as_uri(), ground=ground, state=state
    )
    return Program(project, cli, environment)


@pytest.fixture
def program(tmp_path: Path, cli: Path) -> Program:
    """An empty program on paper."""
    return make_program(tmp_path, cli)


def kubeconfig(server: str = "https://cluster.example", **more: Mapping[str, Any]) -> str:
    """A kubeconfig for `server`, as JSON."""
    return json.dumps({**KUBECONFIG, "clusters": [{"name": "c", "cluster": {"server": server, **more}}]})
