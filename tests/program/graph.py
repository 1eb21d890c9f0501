"""The graph that the program makes, as the engine sees it in a preview: resources with their options.

Owns reading `pulumi preview --json`. A preview shows options that mocks are blind to: provider, dependencies,
protect, deletedWith.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from plugins import workspace
from sandbox.tools import ensure

CHECKOUT = Path(__file__).resolve().parents[2]
STACKS = ("sandbox", "dev", "prod")
_PROGRAM = ("Pulumi.yaml", "__main__.py", "components", "model", "stacks")


@dataclass(frozen=True)
class Resource:
    """One step of a preview: what the resource will be, or was where it goes."""

    state: Mapping[str, Any]
    op: str

    @property
    def urn(self) -> str:
        return str(self.state["urn"])

    @property
    def type(self) -> str:
        return str(self.state["type"])

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]

    @property
    def inputs(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.state.get("inputs", {})
        return found

    @property
    def is_custom(self) -> bool:
        return bool(self.state["custom"])

    @property
    def is_in_kubernetes(self) -> bool:
        return self.is_custom and self.type.startswith("kubernetes:")

    @property
    def provider(self) -> str:
        """URN of the provider."""
        return str(self.state.get("provider", "")).rpartition("::")[0]

    @property
    def protect(self) -> bool:
        return bool(self.state.get("protect", False))

    @property
    def dependencies(self) -> tuple[str, ...]:
        return tuple(self.state.get("dependencies", ()))


class Graph:
    """All resources of one preview, by URN."""

    def __init__(self, digest: Mapping[str, Any]) -> None:
        steps = [Resource(step.get("newState") or step["oldState"], step["op"]) for step in digest["steps"]]
        self.resources: dict[str, Resource] = {resource.urn: resource for resource in steps}

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources.values())

    def of_type(self, token: str) -> list[Resource]:
        """All resources of a type, in the order of their names."""
        return sorted((found for found in self if found.type == token), key=lambda found: found.name)

    def only(self, token: str, name: str) -> Resource:
        """The one resource of a type and name."""
        (found,) = [resource for resource in self.of_type(token) if resource.name == name]
        return found

    def behind(self, resource: Resource) -> set[str]:
        """URNs of everything that has to exist before a resource, by any number of steps."""
        found: set[str] = set()
        open_urns = [resource.urn]
        while open_urns:
            state = self.resources[open_urns.pop()]
            for urn in {*state.dependencies, *([state.provider] if state.provider in self.resources else [])}:
                if urn in self.resources and urn not in found:
                    found.add(urn)
                    open_urns.append(urn)
        return found


def on_paper(root: Path) -> Mapping[str, str]:
    """Environment in which `pulumi` is the CLI, on paper, with its state and home in an empty folder."""
    (root / "state").mkdir()
    tools = ensure("pulumi", lambda text: print(text, file=sys.stderr))
    made = workspace.make(
        root / "home",
        cli=tools / "pulumi",
        backend_url=(root / "state").as_uri(),
        ground="paper",
        state=None,
    )
    return {**made, "PATH": f"{tools}:{made['PATH']}"}


def copy_of_the_program(folder: Path) -> Path:
    """The program and its stacks in a folder of their own, so that a test can change them and the engine its
    files."""
    for name in _PROGRAM:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def new_stack(folder: Path, environment: Mapping[str, str], stack: str) -> None:
    """Make a stack of a copied program. What only its owner can open is closed off: a placeholder stands for
    each secret."""
    file = folder / "stacks" / f"Pulumi.{stack}.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    for key in ("secretsprovider", "encryptedkey", "encryptionsalt"):
        content.pop(key, None)
    content["config"] = {
        key: "placeholder" if isinstance(value, dict) and "secure" in value else value
        for key, value in content["config"].items()
    }
    # On paper no cluster ever answers.
    content["config"]["gke-fleet:readinessTimeout"] = 0
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    pulumi(folder, environment, "stack", "init", stack)


def pulumi(
    folder: Path, environment: Mapping[str, str], *arguments: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run the CLI in a folder; its output as text. With `check`, a failure is an AssertionError that shows
    it."""
    done = subprocess.run(
        ["pulumi", "--non-interactive", *arguments],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    assert not check or done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done


def preview(folder: Path, environment: Mapping[str, str], stack: str) -> Graph:
    """The graph of a stack whose program is in `folder`."""
    return Graph(json.loads(pulumi(folder, environment, "preview", "--stack", stack, "--json").stdout))
