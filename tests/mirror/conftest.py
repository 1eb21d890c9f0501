"""The mirror as a process, and what the real helm makes of its charts."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from sandbox.tools import ensure

ES = "charts.external-secrets.io"
ARGO = "argoproj.github.io/argo-helm"

Objects = dict[tuple[str, str], dict[str, Any]]


class Mirror(NamedTuple):
    url: str
    folder: Path
    helm: Path
    process: subprocess.Popen[bytes]

    @property
    def host(self) -> str:
        """Host and port, as OCI references begin."""
        return self.url.removeprefix("http://")

    def run(self, *command: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a tool with a home of its own."""
        home = self.folder / "helm"
        return subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "HELM_CACHE_HOME": str(home),
                "HELM_CONFIG_HOME": str(home),
                "HELM_DATA_HOME": str(home),
                "DOCKER_CONFIG": str(home),
            },
        )

    def template(
        self, repository: str, chart: str, version: str, *more: str, namespace: str = "argocd"
    ) -> "subprocess.CompletedProcess[str]":
        """`helm template`, from the Helm repository (a path) or the OCI one (oci://PATH) that has `chart`."""
        release = "argocd" if chart == "argo-cd" else chart
        oci = repository.removeprefix("oci://")
        where: tuple[str, ...] = (
            (chart, "--repo", f"{self.url}/{repository}")
            if oci == repository
            else (f"oci://{self.host}/{oci}/{chart}", "--plain-http")
        )
        given = ("--version", version, "--namespace", namespace, "--kube-version", "1.36.3", "--include-crds")
        done = self.run(self.helm, "template", release, *where, *given, *more)
        # Of an OCI chart helm says first what it pulled.
        done.stdout = done.stdout[max(done.stdout.find("---\n"), 0) :]
        return done


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    state = tmp_path_factory.mktemp("mirror")
    process = subprocess.Popen([sys.executable, "-m", "sandbox.mirror", "--state", str(state)])
    record = state / "mirror.json"
    deadline = time.monotonic() + 60
    while not record.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    try:
        yield Mirror(
            json.loads(record.read_text())["url"], state, ensure("delivery", print) / "helm", process
        )
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert not record.exists()


def objects(text: str) -> Objects:
    documents = yaml.load_all(text, Loader=yaml.CSafeLoader)
    return {(one["kind"], one["metadata"]["name"]): one for one in documents if one}


def values(tmp_path: Path, content: dict[str, Any]) -> tuple[str, str]:
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(content))
    return "--values", str(path)
