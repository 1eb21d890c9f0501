"""A hub of its own: an API server, the mirror, the runner, and Argo CD installed from the mirror."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import clusters
from sandbox.argocd import client_environment
from sandbox.process import start_time
from sandbox.tools import ensure

VALUES = {
    "configs": {"cm": {"timeout.reconciliation": "15s", "timeout.reconciliation.jitter": "0s"}},
    "dex": {"enabled": False},
    "notifications": {"enabled": False},
}


@dataclass
class Hub:
    """The running pieces. `state`: the sandbox's folder; `mirror`: the mirror's URL."""

    state: Path
    tools: Path
    kubeconfig: Path
    mirror: str = ""
    runner: subprocess.Popen[bytes] | None = None

    def run(self, *command: str, stdin: str | None = None, **more: str) -> str:
        """The output of a command that talks to the hub."""
        helm = {f"HELM_{kind}_HOME": str(self.state / "helm") for kind in ("CACHE", "CONFIG", "DATA")}
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                **helm,
                "PATH": f"{self.tools}:{os.environ['PATH']}",
                "KUBECONFIG": str(self.kubeconfig),
                **more,
            },
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def get(self, *what: str) -> Any:
        return json.loads(self.run("kubectl", "get", "-n", "argocd", "-o", "json", *what))

    def apply(self, *documents: dict[str, Any]) -> None:
        self.run("kubectl", "apply", "-f", "-", stdin=yaml.safe_dump_all(documents))

    def argocd(self, *arguments: str) -> str:
        return self.run("argocd", *arguments, **client_environment(self.state))

    @property
    def record(self) -> dict[str, Any]:
        """argocd.json, as it is now."""
        text: dict[str, Any] = json.loads((self.state / "argocd.json").read_text())
        return text

    def pid(self, component: str) -> int | None:
        """The pid of a component's process; None while it has none."""
        one = self.record["processes"].get(component)
        return None if one is None else int(one["pid"])

    def start_runner(self) -> None:
        command = ["--state", str(self.state), "--kubeconfig", str(self.kubeconfig)]
        (self.state / "logs").mkdir(exist_ok=True)
        with (self.state / "logs" / "argocd.log").open("ab") as log:
            self.runner = subprocess.Popen([sys.executable, "-m", "sandbox.argocd", *command], stderr=log)
        until("the runner is up", lambda: (self.state / "argocd.json").exists())

    def stop_runner(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.runner is not None
        self.runner.send_signal(number)
        return self.runner.wait(40)


def until(what: str, holds: Callable[[], object], seconds: float = 120, pause: float = 0.25) -> None:
    """Wait until `holds()` is true; fails with `what` after `seconds`. `pause`: seconds from one look to the next;
    where each costs a process, they would slow down what is waited for."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(pause)


def alive(pid: int) -> bool:
    return start_time(pid) is not None


@contextlib.contextmanager
def installed(
    state: Path, values: dict[str, Any], processes: int, nodes: int = clusters.NODES
) -> Iterator[Hub]:
    """A hub with so many nodes on which Argo CD was installed with `values`, so many processes running."""
    tools = ensure("delivery", print)
    made = Hub(state, tools, clusters.create(state, "hub"))
    mirror = subprocess.Popen([sys.executable, "-m", "sandbox.mirror", "--state", str(state)])
    try:
        for number in range(clusters.NODES, nodes):
            made.apply(_another_node(json.loads(made.run("kubectl", "get", "nodes", "-o", "json")), number))
        until("the mirror is up", lambda: (state / "mirror.json").exists())
        made.mirror = json.loads((state / "mirror.json").read_text())["url"]
        made.start_runner()
        file = state / "values.yaml"
        file.write_text(yaml.safe_dump(values))
        made.run(
            *(
                "helm",
                "install",
                "argocd",
                "argo-cd",
                "--repo",
                f"{made.mirror}/argoproj.github.io/argo-helm",
            ),
            *("--version", "10.3.3", "-n", "argocd", "--create-namespace", "--wait", "--values", str(file)),
        )
        until("all processes run", lambda: len(made.record["processes"]) == processes)
        yield made
    finally:
        if made.runner is not None:
            made.stop_runner()
        mirror.send_signal(signal.SIGTERM)
        mirror.wait(20)
        clusters.delete(state, "hub")


def _another_node(nodes: dict[str, Any], number: int) -> dict[str, Any]:
    """A simulated node like the first one."""
    first = nodes["items"][0]["metadata"]
    labels = {key: value for key, value in first["labels"].items() if key != "kubernetes.io/hostname"}
    annotations = {key: value for key, value in first["annotations"].items() if key.startswith("kwok")}
    name = f"node-{number:06d}"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {**labels, "kubernetes.io/hostname": name},
            "annotations": annotations,
        },
        "status": {key: nodes["items"][0]["status"][key] for key in ("allocatable", "capacity")},
    }


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub on which Argo CD was installed with `VALUES`, its processes running."""
    with installed(tmp_path_factory.mktemp("hub"), VALUES, 5) as made:
        yield made
