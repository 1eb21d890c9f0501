"""A hub of which only two things run: a real API server, and Argo CD's real ApplicationSet controller.

Owns bringing a fleet there in the order of the program, and knowing when the controller has finished with it. Owns
neither what ought to be stamped nor the rest of Argo CD: nothing is rendered and no cluster is reached, because the
controller reads cluster Secrets and never dials a cluster. Other than a program under a ServiceAccount it is an
administrator here, and its AppProject allows everything; it only looks whether there is one.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from model.application_set import ADDONS_PROJECT, application_set_spec
from model.catalogue import Catalogue
from model.cluster import Cluster
from model.cluster_secret import secret_content, secret_labels, secret_name
from model.fleet import Fleet
from model.gateway import server_url
from model.stamping import ARGOCD
from sandbox import clusters
from sandbox.process import dies_with_parent
from sandbox.tools import ensure, manifests

Object = dict[str, Any]

_REFRESH = "argocd.argoproj.io/application-set-refresh"
"""Asks for one more round; the controller takes it off as the last thing of a round that had no error."""

_ARGOPROJ = f"/apis/argoproj.io/v1alpha1/namespaces/{ARGOCD}"
_CORE = f"/api/v1/namespaces/{ARGOCD}"
_POLL_SECONDS = 0.05
_ROUND_SECONDS = 60.0
_SETTLE_SECONDS = 6.0
"""How long a wrong list may last while the controller is asked again and again: its informer of destinations may be
behind the one of Secrets."""
_COLLECT_SECONDS = 90.0
"""How long the garbage collector may take; it learns of new kinds every 30 seconds."""


class Refused(Exception):
    """The API server said no; the text has its words."""


class Server:
    """The API server over one connection, as its administrator."""

    def __init__(self, state: Path, name: str) -> None:
        address = urllib.parse.urlsplit(clusters.server(state, name)).netloc
        self._connection = http.client.HTTPSConnection(
            address, context=clusters.admin_tls(state, name), timeout=30
        )

    def get(self, path: str) -> Object:
        return self._ask("GET", path)

    def knows(self, path: str) -> bool:
        """Whether there is an object or list at `path`."""
        with contextlib.suppress(Refused):
            return bool(self.get(path))
        return False

    def apply(self, path: str, body: Mapping[str, Any]) -> None:
        """Create or change an object by server-side apply, as the program's provider does."""
        self._ask("PATCH", f"{path}?fieldManager=program&force=true", body, "application/apply-patch+yaml")

    def merge(self, path: str, body: Mapping[str, Any]) -> None:
        self._ask("PATCH", path, body, "application/merge-patch+json")

    def delete(self, path: str) -> None:
        """In the background, as the program does it."""
        self._ask("DELETE", f"{path}?propagationPolicy=Background")

    def close(self) -> None:
        self._connection.close()

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, form: str = "application/json"
    ) -> Object:
        text = None if body is None else json.dumps(body)
        self._connection.request(method, path, text, {"Content-Type": form})
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status >= 400:
            raise Refused(f"{method} {path}: {answer.status} {said.decode()[:2000]}")
        found: Object = json.loads(said)
        return found


@dataclass(frozen=True)
class Wanted:
    """What the program makes of a fleet on the hub: objects by name, without their names."""

    sets: Mapping[str, Object]
    secrets: Mapping[str, Object]

    @classmethod
    def of(cls, fleet: Fleet, catalogue: Catalogue) -> Wanted:
        """Every cluster's address has to be known from the files."""
        return cls(
            sets={name: application_set_spec(fleet, catalogue, name) for name in catalogue.addons},
            secrets={secret_name(cluster): _secret(fleet, cluster) for cluster in fleet.clusters},
        )


def _secret(fleet: Fleet, cluster: Cluster) -> Object:
    content = secret_content(fleet, cluster, server_url(fleet, cluster) or "")
    return {
        "labels": secret_labels(fleet, cluster),
        "annotations": dict(cluster.annotations),
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in content.items()},
    }


Applications = Mapping[str, Object]


@dataclass(frozen=True)
class Brought:
    """Every Application by name: after the ApplicationSets and before the Secrets, and at the end."""

    between: Applications
    after: Applications


@dataclass
class Controller:
    """The running controller and what was brought to it."""

    server: Server
    process: subprocess.Popen[bytes]
    log: Path
    _there: Wanted = field(default_factory=lambda: Wanted({}, {}))

    def applications(self) -> dict[str, Object]:
        """Every Application by name."""
        return {one["metadata"]["name"]: one for one in self.server.get(f"{_ARGOPROJ}/applications")["items"]}

    def bring(self, wanted: Wanted, good: Callable[[Applications], bool]) -> Brought:
        """Turn the fleet that is there into `wanted`, and wait until its Applications stand still.

        In the program's order: ApplicationSets, then Secrets, then what is not wanted any more, with all the time
        that the controller needs in between, so that no step is hidden by the next one. `good` says that the
        Applications are as they should be; where it never holds, they come as they are.
        """
        there, self._there = self._there, wanted
        changed = [name for name, spec in wanted.sets.items() if there.sets.get(name) != spec]
        for name in changed:
            self._apply_set(name, wanted.sets[name])
        self._round(changed)
        between = self.applications()
        for name, secret in wanted.secrets.items():
            if there.secrets.get(name) != secret:
                self._apply_secret(name, secret)
        for name in there.secrets.keys() - wanted.secrets.keys():
            self.server.delete(f"{_CORE}/secrets/{name}")
        dropped = there.sets.keys() - wanted.sets.keys()
        for name in dropped:
            self.server.delete(f"{_ARGOPROJ}/applicationsets/{name}")
        seconds = _COLLECT_SECONDS if dropped else _SETTLE_SECONDS
        return Brought(between, self._settled(list(wanted.sets), good, seconds))

    def _settled(
        self, names: list[str], good: Callable[[Applications], bool], seconds: float
    ) -> dict[str, Object]:
        deadline = time.monotonic() + seconds
        pause, asked = _POLL_SECONDS, names
        while True:
            for name in asked:
                self._refresh(name)
            problems = self._round(names)
            found = self.applications()
            if not problems and good(found):
                return found
            if time.monotonic() > deadline:
                assert not problems, f"the controller says: {problems}"
                return found
            asked = list(problems) or names
            time.sleep(pause)
            pause = min(2 * pause, 1.0)

    def _round(self, names: list[str]) -> dict[str, str]:
        """Wait until a whole round of each ApplicationSet is over, and give what the controller has against some.

        An error ends a round, too. Between ApplicationSets and Secrets one is nothing wrong: a set that reads what
        its clusters do not have yet is frozen until they do.
        """
        deadline = time.monotonic() + _ROUND_SECONDS
        while names:
            listed = self.server.get(f"{_ARGOPROJ}/applicationsets")["items"]
            sets = {one["metadata"]["name"]: one for one in listed if one["metadata"]["name"] in names}
            problems = {name: problem for name, one in sets.items() if (problem := _problem(one))}
            waiting = {
                name for name, one in sets.items() if _REFRESH in one["metadata"].get("annotations", {})
            }
            if not waiting - problems.keys():
                return problems
            assert self.process.poll() is None, f"the controller has ended: {self.log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"not in time: a round of {sorted(waiting)}"
            time.sleep(_POLL_SECONDS)
        return {}

    def _apply_set(self, name: str, spec: Object) -> None:
        metadata = {"name": name, "namespace": ARGOCD, "annotations": {_REFRESH: "true"}}
        self.server.apply(
            f"{_ARGOPROJ}/applicationsets/{name}",
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "ApplicationSet",
                "metadata": metadata,
                "spec": spec,
            },
        )

    def _apply_secret(self, name: str, secret: Object) -> None:
        metadata = {
            "name": name,
            "namespace": ARGOCD,
            "labels": secret["labels"],
            "annotations": secret["annotations"],
        }
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": secret["data"]}
        self.server.apply(f"{_CORE}/secrets/{name}", body)

    def _refresh(self, name: str) -> None:
        body = {"metadata": {"annotations": {_REFRESH: "true"}}}
        self.server.merge(f"{_ARGOPROJ}/applicationsets/{name}", body)


def _problem(application_set: Object) -> str | None:
    """What the controller has against an ApplicationSet."""
    conditions = application_set.get("status", {}).get("conditions", [])
    return next(
        (one["message"] for one in conditions if one["type"] == "ErrorOccurred" and one["status"] == "True"),
        None,
    )


@contextlib.contextmanager
def running(state: Path) -> Iterator[Controller]:
    """A hub of which the API server and the ApplicationSet controller run. Takes about 15 seconds."""
    tools = ensure("delivery", print)
    kubeconfig = clusters.create(state, "hub", nodes=0)
    try:
        server = Server(state, "hub")
        _prepare(server)
        log = state / "controller.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(tools / "argocd-applicationset-controller"), *_arguments()],
                env=_environment(state, tools, kubeconfig),
                stdout=output,
                stderr=output,
                preexec_fn=dies_with_parent(signal.SIGKILL),
            )
        try:
            yield Controller(server, process, log)
        finally:
            server.close()
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        clusters.delete(state, "hub")


def _arguments() -> list[str]:
    """Loopback ports that are free now, and more at a time than by default: a test waits for the last one."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(3)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        metrics, probing, webhook = (probe.getsockname()[1] for probe in probes)
    return [
        *("--namespace", ARGOCD),
        *("--metrics-addr", f"127.0.0.1:{metrics}"),
        *("--probe-addr", f"127.0.0.1:{probing}"),
        *("--webhook-addr", f"127.0.0.1:{webhook}"),
        *("--concurrent-reconciliations", "8"),
        *("--concurrent-application-updates", "8"),
        "--enable-progressive-syncs",
        *("--loglevel", "warn"),
    ]


def _environment(state: Path, tools: Path, kubeconfig: Path) -> dict[str, str]:
    home = state / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": f"{tools}:{os.defpath}",
        "HOME": str(home),
        "TMPDIR": str(home),
        "KUBECONFIG": str(kubeconfig),
        "ARGOCD_GPG_ENABLED": "false",
        # The default of 50 a second is what one hub may ask of its API server; here nobody else does.
        "ARGOCD_K8S_CLIENT_QPS": "1000",
        "ARGOCD_K8S_CLIENT_BURST": "2000",
    }


def _prepare(server: Server) -> None:
    """Argo CD's own CustomResourceDefinitions, and what the controller asks for besides: without settings it reads
    nothing, without a project it stamps nothing."""
    for file in sorted((manifests() / "crds").glob("*-crd.yaml")):
        crd = yaml.load(file.read_text(), yaml.CSafeLoader)
        name = crd["metadata"]["name"]
        server.apply(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}", crd)
        deadline = time.monotonic() + _ROUND_SECONDS
        while not server.knows(f"{_ARGOPROJ}/{crd['spec']['names']['plural']}"):
            assert time.monotonic() < deadline, f"not in time: {name}"
            time.sleep(_POLL_SECONDS)
    server.apply(
        f"/api/v1/namespaces/{ARGOCD}",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ARGOCD}},
    )
    for kind, name in (("ConfigMap", "argocd-cm"), ("Secret", "argocd-secret")):
        metadata = {"name": name, "labels": {"app.kubernetes.io/part-of": "argocd"}}
        body = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
        server.apply(f"{_CORE}/{kind.lower()}s/{name}", body)
    server.apply(
        f"{_ARGOPROJ}/appprojects/{ADDONS_PROJECT}",
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AppProject",
            "metadata": {"name": ADDONS_PROJECT},
            "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]},
        },
    )
