"""From a pod template to a process on this machine, as far as that is a pure matter.

Owns which containers are known, what each needs to run beside others on one machine (ports, addresses), and
how paths of mounted volumes and addresses of services are translated. Does not own looking anything up in
the hub, nor processes. See https://argo-cd.readthedocs.io/en/stable/developer-guide/running-locally/ for the
way of upstream.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Object = dict[str, Any]

CONTROLLER = "argocd-application-controller"
SERVER = "argocd-server"
REPO_SERVER = "argocd-repo-server"
APPLICATION_SET = "argocd-applicationset-controller"
NOTIFICATIONS = "argocd-notifications"
REDIS = "redis"
REDIS_PROXY = "haproxy"
"""The proxy before three Redis. It is one Redis here, and the three are no process at all."""
ADMIN = "argocd"
"""The command line tool, run by Jobs and init containers."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """What is particular to one component.

    Attributes:
        ports: its listening ports by name, with the number each has in a pod.
        listen: flags that put them on loopback; of a flag given twice the later one counts. `{name}` is
        replaced. defaults: variables for what the program would otherwise look for under a name of the
        cluster. without: variables that are not passed on. renamed: variables that go by another name here.
    """

    ports: Mapping[str, int]
    listen: tuple[str, ...]
    defaults: Mapping[str, str] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)


_REDIS_SERVER = {"REDIS_SERVER": "argocd-redis:6379"}

PROGRAMS: Mapping[str, Program] = {
    CONTROLLER: Program(
        ports={"metrics": 8082},
        # It has no flag for the address: this port alone is open on every address of the machine.
        listen=("--metrics-port={metrics}",),
        defaults={"ARGOCD_APPLICATION_CONTROLLER_REPO_SERVER": "argocd-repo-server:8081", **_REDIS_SERVER},
    ),
    SERVER: Program(
        ports={"api": 8080, "metrics": 8083},
        listen=(
            "--address=127.0.0.1",
            "--port={api}",
            "--metrics-address=127.0.0.1",
            "--metrics-port={metrics}",
        ),
        defaults={"ARGOCD_SERVER_REPO_SERVER": "argocd-repo-server:8081", **_REDIS_SERVER},
        # It takes this variable for the name of the flag --metrics-address, which is then unknown.
        without=frozenset({"ARGOCD_SERVER_METRICS_LISTEN_ADDRESS"}),
    ),
    REPO_SERVER: Program(
        ports={"api": 8081, "metrics": 8084},
        listen=(
            "--address=127.0.0.1",
            "--port={api}",
            "--metrics-address=127.0.0.1",
            "--metrics-port={metrics}",
        ),
        defaults=_REDIS_SERVER,
    ),
    APPLICATION_SET: Program(
        ports={"metrics": 8080, "probe": 8081, "webhook": 7000},
        listen=(
            "--metrics-addr=127.0.0.1:{metrics}",
            "--probe-addr=127.0.0.1:{probe}",
            "--webhook-addr=127.0.0.1:{webhook}",
            # Whoever is to lead is kept in the pod's namespace, which it reads from a file that only pods have.
            "--enable-leader-election=false",
        ),
        defaults={"ARGOCD_APPLICATIONSET_CONTROLLER_REPO_SERVER": "argocd-repo-server:8081"},
    ),
    NOTIFICATIONS: Program(ports={"metrics": 9001}, listen=("--metrics-port={metrics}",)),
    REDIS: Program(ports={"redis": 6379}, listen=()),
    REDIS_PROXY: Program(ports={"redis": 6379}, listen=(), renamed={"AUTH": "REDIS_PASSWORD"}),
}

_ALONE: Mapping[str, str] = {
    REDIS: "they would not share their content",
    REDIS_PROXY: "all stand before the same Redis",
    APPLICATION_SET: "the others would only wait for its end",
}
"""Programs of which one process runs, however many replicas there are -> why."""

SERVICES: Mapping[tuple[str, int], tuple[str, str]] = {
    ("argocd-repo-server", 8081): (REPO_SERVER, "api"),
    ("argocd-redis", 6379): (REDIS, "redis"),
    ("argocd-redis-ha-haproxy", 6379): (REDIS_PROXY, "redis"),
    ("argocd-server", 80): (SERVER, "api"),
    ("argocd-server", 443): (SERVER, "api"),
    ("argocd-applicationset-controller", 7000): (APPLICATION_SET, "webhook"),
}
"""Service and port in the cluster -> component and name of its port."""

_ADDRESS = re.compile(r"\b(argocd-[a-z-]+)(?:\.[a-z0-9-]+(?:\.svc(?:\.cluster\.local)?)?)?:(\d+)\b")


@dataclass(frozen=True, kw_only=True)
class Component:
    """One process that is to run.

    Attributes:
        name: unique; the workload's name, with an ordinal behind it from the second replica on.
        program: a key of `PROGRAMS`, or `ADMIN`.
        container: its container in the pod template.
        pod: the pod's spec.
        ordinal: which replica it is, from 0.
        replicas: how many there are.
        digest: changes when the process has to be restarted.
    """

    name: str
    program: str
    container: Object
    pod: Object
    namespace: str
    ordinal: int = 0
    replicas: int = 1
    digest: str = ""

    @property
    def place(self) -> str:
        """Under which name its ports are kept: the program's for the first replica, which `SERVICES` names."""
        return self.program if self.ordinal == 0 else f"{self.program}-{self.ordinal}"

    @property
    def image(self) -> str:
        """The image that the pod template names. What runs here is not from it: see `sandbox.argocd.runner`."""
        return str(self.container.get("image", ""))

    @property
    def account(self) -> str:
        """The name of the pod's ServiceAccount."""
        return str(self.pod.get("serviceAccountName") or "default")

    @property
    def has_token(self) -> bool:
        """Whether the pod gets a token of its ServiceAccount."""
        return self.pod.get("automountServiceAccountToken") is not False

    @property
    def secret_inits(self) -> list["Component"]:
        """The pod's init containers that are the `argocd` tool, in order."""
        return [
            Component(
                name=f"{self.name}-{one['name']}",
                program=ADMIN,
                container=one,
                pod=self.pod,
                namespace=self.namespace,
            )
            for one in self.pod.get("initContainers", [])
            if program_of(one) == ADMIN
        ]


def program_of(container: Object) -> str | None:
    """Which known program `container` runs: a key of `PROGRAMS`, `ADMIN`, or None."""
    words = [*container.get("command", []), *container.get("args", [])]
    name = Path(words[0]).name if words else ""
    if name in PROGRAMS or (name == ADMIN and words[1:2] == ["admin"]):
        return name
    image = re.match(r"[a-z]+(?=[:@])", container.get("image", "").rpartition("/")[2])
    return image[0] if image and image[0] in (REDIS, REDIS_PROXY) else None


def why_not_run(workload: Object) -> str | None:
    """Why a workload has fewer processes here than it has replicas; None where it has as many, or is unknown."""
    spec = workload["spec"]
    containers = spec["template"]["spec"]["containers"]
    if _elects_a_master(containers):
        return "no process: Redis with sentinels is not run here, one Redis stands where its proxy would be"
    replicas = int(spec.get("replicas", 1))
    program = next((found for one in containers if (found := program_of(one)) is not None), None)
    if replicas > 1 and program is not None and program in _ALONE:
        return f"one process for {replicas} replicas: {_ALONE[program]}"
    return None


def _elects_a_master(containers: list[Object]) -> bool:
    return any("redis-sentinel" in one.get("command", []) for one in containers)


def components(workload: Object) -> list[Component]:
    """The processes of a Deployment, StatefulSet or Job; empty where its program is not a known one."""
    spec = workload["spec"]
    pod = spec["template"]["spec"]
    container = next((one for one in pod["containers"] if program_of(one) is not None), None)
    if (
        container is None
        or workload["metadata"].get("deletionTimestamp")
        or _elects_a_master(pod["containers"])
    ):
        return []
    program = program_of(container)
    assert program is not None
    replicas = int(spec.get("replicas", 1))
    if program in _ALONE:
        replicas = min(replicas, 1)
    digest = hashlib.sha256(json.dumps(spec["template"], sort_keys=True).encode()).hexdigest()[:16]
    name = workload["metadata"]["name"]
    return [
        Component(
            name=name if ordinal == 0 else f"{name}-{ordinal}",
            program=program,
            container=container,
            pod=pod,
            namespace=workload["metadata"]["namespace"],
            ordinal=ordinal,
            replicas=replicas,
            digest=f"{digest}-{replicas}",
        )
        for ordinal in range(replicas)
    ]


def arguments(component: Component, ports: Mapping[str, int], translate: Callable[[str], str]) -> list[str]:
    """The command line of `component`: program name (no path), then arguments.

    `ports`: its own ports by name. Redis is another program than in its pod and gets its address alone.
    """
    if component.program in (REDIS, REDIS_PROXY):
        return ["miniredis", f"127.0.0.1:{ports['redis']}"]
    words = [*component.container.get("command", []), *component.container.get("args", [])]
    if component.program == ADMIN:
        return [ADMIN, *words[1:]]
    listen = [flag.format(**ports) for flag in PROGRAMS[component.program].listen]
    return [component.program, *(translate(word) for word in words[1:]), *listen]


def translation(ports: Callable[[str, str], int], mounts: Mapping[str, Path]) -> Callable[[str], str]:
    """A function that turns addresses of services and paths of mounted volumes into this machine's.

    `ports`: component and name of its port -> port number here. `mounts`: path in the pod -> folder here.
    """
    longest = sorted(mounts, key=len, reverse=True)

    def address(found: re.Match[str]) -> str:
        service = SERVICES.get((found[1], int(found[2])))
        return found[0] if service is None else f"127.0.0.1:{ports(*service)}"

    def translate(text: str) -> str:
        for path in longest:
            if text == path or text.startswith(f"{path}/"):
                return f"{mounts[path]}{text[len(path) :]}"
        return _ADDRESS.sub(address, text)

    return translate


def mounts(component: Component, folder: Path) -> dict[str, Path]:
    """Path in the pod -> folder below `folder`, for each volume that the container mounts."""
    return {
        mount["mountPath"].rstrip("/"): folder / "volumes" / mount["name"]
        for mount in component.container.get("volumeMounts", [])
        if not mount.get("subPath")
    }


def own_environment(component: Component, folder: Path) -> dict[str, str]:
    """Variables that the process gets because it runs on a machine and not in a pod.

    `folder`: the component's own, for what it writes.
    """
    config = folder / "config"
    made = {
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_GNUPGHOME": str(folder / "gnupg"),
        "ARGOCD_APP_CONF_PATH": str(config),
        "ARGOCD_SSH_DATA_PATH": str(config / "ssh"),
        "ARGOCD_TLS_DATA_PATH": str(config / "tls"),
        "ARGOCD_PLUGINSOCKFILEPATH": str(folder / "plugins"),
    }
    if component.program == CONTROLLER and component.replicas > 1:
        # In a pod the shard follows from the host name's ordinal.
        made["ARGOCD_CONTROLLER_SHARD"] = str(component.ordinal)
    return made
