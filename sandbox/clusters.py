"""The Kubernetes clusters of a sandbox: real API servers on loopback, with simulated nodes.

Owns starting and ending them (kwokctl, binary runtime) and where their files lie: everything is below
`STATE/clusters`, so two checkouts never meet. Does not know Google Cloud, fleets or identities; those are the
cloud's. Needs no running cloud, so that `down` can end what a dead cloud left behind.

A process belongs to a cluster if its program (argv[0]) lies in the cluster's own folder, or it works on its
settings. Pid files are not believed: after a reboot their numbers belong to somebody else.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

NODES = 2
_POOL = "cloud.google.com/gke-nodepool"
_READY_SECONDS = 120.0
_END_SECONDS = 15.0
# Below Linux's range of outgoing ports (32768 and up), so that no client connection can sit on one of them.
_PORTS = range(20000, 30000)
_PORT_NAMES = (
    "etcdPort",
    "etcdPeerPort",
    "kubeApiserverPort",
    "kubeControllerManagerPort",
    "kubeSchedulerPort",
    "kwokControllerPort",
)
_ports_lock = threading.Lock()
_tools_lock = threading.Lock()


class ClusterFailure(Exception):
    """A cluster could not be started or ended; the message says which, and ends with the tool's own words."""


def create(state: Path, name: str, nodes: int = NODES) -> Path:
    """Start a new cluster with so many simulated nodes and wait until its API server is ready.

    Whatever an interrupted earlier attempt left under this name is removed first. Returns the path of the
    administrator's kubeconfig. Takes 4 to 8 seconds. Raises ClusterFailure.
    """
    delete(state, name)
    work = _work(state)
    work.mkdir(parents=True, exist_ok=True)
    _write_config(state, name)
    _kwokctl(
        state,
        name,
        "create",
        "cluster",
        "--kubeconfig",
        str(kubeconfig(state, name)),
        "--extra-args",
        "kube-apiserver=advertise-address=192.0.2.1",
        "--wait",
        f"{_READY_SECONDS:.0f}s",
    )
    _wait_ready(state, name)
    if nodes:
        _kwokctl(state, name, "scale", "node", "--replicas", str(nodes))
    return kubeconfig(state, name)


def start(state: Path, name: str) -> None:
    """Start a stopped (or killed, or half dead) cluster again from its data and wait until it is ready.

    Does nothing for one that runs. Raises ClusterFailure, also if there is no such cluster.
    """
    if name not in names(state):
        raise ClusterFailure(f"cluster {name}: nothing is stored below {_folder(state, name)}")
    living = set(processes(state, name))
    for pid_file in (_folder(state, name) / "pids").glob("*.pid"):
        if pid_file.read_text().strip() not in {str(pid) for pid in living}:
            pid_file.unlink()
    _kwokctl(state, name, "start", "cluster")
    _wait_ready(state, name)


def kill(state: Path, name: str) -> None:
    """End every process of a cluster at once and keep its data: a member that died.

    SIGKILL, because an API server that is asked to end waits a minute for an etcd that has ended before it;
    etcd's log survives it.
    """
    killed: set[int] = set()

    def ended() -> bool:
        for pid in processes(state, name):
            killed.add(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not any(_alive(pid) for pid in killed)

    if not _until(ended, _END_SECONDS):
        left = ", ".join(str(pid) for pid in killed if _alive(pid))
        raise ClusterFailure(f"cluster {name}: processes {left} did not end")


def delete(state: Path, name: str) -> None:
    """End a cluster's processes and remove its data. Fine if there is none. Needs no tool."""
    kill(state, name)
    shutil.rmtree(_folder(state, name), ignore_errors=True)
    for path in (_config(state, name), kubeconfig(state, name)):
        path.unlink(missing_ok=True)


def delete_all(state: Path) -> None:
    """Remove every cluster of this sandbox, also when the cloud that made them is dead."""
    for name in names(state):
        delete(state, name)
    shutil.rmtree(_work(state), ignore_errors=True)


def names(state: Path) -> list[str]:
    """The clusters that have data or processes, running or not, sorted."""
    folders = _work(state) / "clusters"
    return sorted(path.name for path in folders.iterdir()) if folders.is_dir() else []


def running(state: Path) -> list[str]:
    """The clusters whose API server process lives, sorted."""
    return [name for name in names(state) if "kube-apiserver" in _programs(state, name).values()]


def processes(state: Path, name: str) -> list[int]:
    """The pids of a cluster's living processes, sorted."""
    return sorted(_programs(state, name))


def kubeconfig(state: Path, name: str) -> Path:
    """Where the administrator's kubeconfig of a cluster is (or will be)."""
    return _work(state) / f"{name}.kubeconfig"


def server(state: Path, name: str) -> str:
    """The URL of the API server, `https://127.0.0.1:PORT`. Raises ClusterFailure if there is no such cluster."""
    return f"https://127.0.0.1:{_settings(state, name)['kubeApiserverPort']}"


def admin_tls(state: Path, name: str) -> ssl.SSLContext:
    """A TLS context that trusts the cluster's authority and carries the administrator's certificate."""
    keys = _folder(state, name) / "pki"
    context = ssl.create_default_context(cafile=str(keys / "ca.crt"))
    context.load_cert_chain(str(keys / "admin.crt"), str(keys / "admin.key"))
    return context


def apply(state: Path, name: str, objects: Iterable[Mapping[str, Any]]) -> None:
    """Apply objects server-side as the administrator. Raises ClusterFailure with kubectl's words."""
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    _kubectl(state, name, "apply", "--server-side", "--force-conflicts", "-f", "-", given=manifest)


def set_nodes(state: Path, name: str, pool: str, nodes: Iterable[Mapping[str, Any]]) -> None:
    """Give a node pool just these nodes: objects with the label `cloud.google.com/gke-nodepool: POOL`, which come up as
    simulated nodes do. Raises ClusterFailure with kubectl's words.
    """
    wanted = list(nodes)
    if wanted:
        apply(state, name, wanted)
    selector = f"{_POOL}={pool}"
    found = _kubectl(state, name, "get", "nodes", "--selector", selector, "--output", "name").split()
    extra = sorted(set(found) - {f"node/{node['metadata']['name']}" for node in wanted})
    if extra:
        _kubectl(state, name, "delete", "--wait=false", *extra)


def _work(state: Path) -> Path:
    return state.resolve() / "clusters"


def _folder(state: Path, name: str) -> Path:
    return _work(state) / "clusters" / name


def _config(state: Path, name: str) -> Path:
    return _work(state) / f"{name}.yaml"


def _tools() -> Path:
    with _tools_lock:
        return _found_tools()


@functools.cache
def _found_tools() -> Path:
    # Imported late: looking at or ending clusters must work on a machine whose tool cache is gone.
    from sandbox.tools import ensure

    return ensure("delivery", lambda line: print(line, file=sys.stderr))


def _settings(state: Path, name: str) -> dict[str, Any]:
    try:
        document = yaml.safe_load(_config(state, name).read_text())
    except FileNotFoundError:
        raise ClusterFailure(f"cluster {name}: there is none below {_work(state)}") from None
    options = document["options"]
    assert isinstance(options, dict)
    return options


def _write_config(state: Path, name: str) -> None:
    tools = _tools()
    with _ports_lock:
        taken = {
            yaml.safe_load(path.read_text())["options"][key]
            for path in _work(state).glob("*.yaml")
            for key in _PORT_NAMES
        }
        options: dict[str, Any] = {
            "runtime": "binary",
            "bindAddress": "127.0.0.1",
            "securePort": True,
            "kubeAuthorization": True,
            "etcdBinary": str(tools / "etcd"),
            "kubeApiserverBinary": str(tools / "kube-apiserver"),
            "kubeControllerManagerBinary": str(tools / "kube-controller-manager"),
            "kubeSchedulerBinary": str(tools / "kube-scheduler"),
            "kwokControllerBinary": str(tools / "kwok"),
            "kubectlBinary": str(tools / "kubectl"),
            **dict(zip(_PORT_NAMES, _free_ports(len(_PORT_NAMES), taken), strict=True)),
        }
        document = {
            "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
            "kind": "KwokctlConfiguration",
            "options": options,
        }
        _config(state, name).write_text(json.dumps(document, indent=1))


def _free_ports(count: int, taken: set[int]) -> list[int]:
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        if port in taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise ClusterFailure(f"no {count} free ports between {_PORTS.start} and {_PORTS.stop}")


def _kwokctl(state: Path, name: str, *arguments: str) -> None:
    command = [str(_tools() / "kwokctl"), "--config", str(_config(state, name)), "--name", name, *arguments]
    _run(state, name, command)


def _kubectl(state: Path, name: str, *arguments: str, given: str | None = None) -> str:
    command = [str(_tools() / "kubectl"), "--kubeconfig", str(kubeconfig(state, name)), *arguments]
    return _run(state, name, command, given)


def _run(state: Path, name: str, command: list[str], given: str | None = None) -> str:
    # HOME and no proxy: neither the user's kubeconfig and kwok settings nor the sandbox's own proxy has a
    # say.
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(_work(state)),
        "KWOK_WORKDIR": str(_work(state)),
    }
    done = subprocess.run(
        command,
        env=environment,
        input=given,
        stdin=None if given else subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_READY_SECONDS + 60,
        check=False,
    )
    if done.returncode != 0:
        raise ClusterFailure(
            f"cluster {name}: {Path(command[0]).name} ended with {done.returncode}: "
            f"{(done.stderr or done.stdout).strip()[-2000:]}"
        )
    return done.stdout


def _wait_ready(state: Path, name: str) -> None:
    port = int(_settings(state, name)["kubeApiserverPort"])
    context = admin_tls(state, name)
    last = "no answer"

    def ready() -> bool:
        nonlocal last
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            last = answer.read().decode(errors="replace")
        except OSError as error:
            last = str(error)
            return False
        finally:
            connection.close()
        return answer.status == 200

    if not _until(ready, _READY_SECONDS):
        raise ClusterFailure(
            f"cluster {name}: the API server on port {port} is not ready: {last[-1000:]} "
            f"(its log: {_folder(state, name) / 'logs' / 'kube-apiserver.log'})"
        )


def _programs(state: Path, name: str) -> dict[int, str]:
    """The living processes of a cluster: pid -> program name.

    A kwokctl that works on it is one of them: it outlives a killed caller and would go on starting programs.
    """
    home = f"{_folder(state, name) / 'bin'}/"
    config = str(_config(state, name))
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            program, *arguments = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if program.startswith(home) or (Path(program).name == "kwokctl" and config in arguments):
            found[int(entry.name)] = Path(program).name
    return found


def _alive(pid: int) -> bool:
    try:
        # A zombie has ended; whoever started it just has not asked yet.
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
