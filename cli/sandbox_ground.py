"""A command's way to the sandbox: its processes, its environment, its stack.

Owns bringing the sandbox's processes up and down in order, and the environment in which `pulumi`, `kubectl`,
`argocd` and `helm` talk to it. Does not own the processes themselves (sandbox/).
"""

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cli.checkout import Checkout
from cli.daemons import daemons
from cli.engine import Engine
from cli.failure import ExitCode, Failure
from cli.plan import Plan

Say = Callable[[str], None]

PASSPHRASE = "sandbox"  # noqa: S105 - the sandbox's state holds no secret; the stack file's salt belongs to it


_OWN = ("PATH", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "GKE_FLEET_SANDBOX")


def _linux_only() -> None:
    if platform.system() != "Linux":
        raise Failure(
            ExitCode.MISSING,
            f"the sandbox runs on Linux only (this is {platform.system()})",
            "use a Linux machine, or `./fleet preview STACK`, which runs wherever the Pulumi CLI does",
        )


def _tools(say: Say) -> tuple[Path, Path]:
    from sandbox.tools import charts, ensure, manifests

    pulumi, delivery = ensure("pulumi", say) / "pulumi", ensure("delivery", say)
    # What the mirror serves: got here, where a person sees it, and not while the mirror is waited for.
    manifests(say=say)
    charts(say=say)
    ensure("registry", say)
    return pulumi, delivery


def running(checkout: Checkout) -> bool:
    """Whether the sandbox of this checkout is up."""
    return all(daemon.pid() is not None for daemon in daemons(checkout.state))


def environment(checkout: Checkout, pulumi: Path, delivery: Path) -> dict[str, str]:
    """The environment in which every tool talks to this sandbox (and to nothing else)."""
    from plugins import workspace
    from sandbox.environment import environment as real_names

    made = workspace.make(
        checkout.pulumi_home,
        cli=pulumi,
        backend_url=checkout.backend_url,
        ground="sandbox",
        state=checkout.state,
    )
    merged = real_names(checkout.state, made)
    # The engine finds helm, and a person in the shell everything else, on this PATH.
    merged["PATH"] = os.pathsep.join(
        [str(checkout.state / "bin"), str(pulumi.parent), str(delivery), made.get("PATH", os.environ["PATH"])]
    )
    return merged


def start(checkout: Checkout, say: Say) -> Engine:
    """Get the tools, start what is not running, and return the engine that works on this sandbox.

    Raises Failure where this machine cannot do it.
    """
    _linux_only()
    if shutil.which("git") is None:
        raise Failure(
            ExitCode.MISSING, "there is no git on PATH", "install git; the sandbox's Git server needs it"
        )
    pulumi, delivery = _tools(say)
    checkout.backend.mkdir(parents=True, exist_ok=True)
    base = {**os.environ, "PYTHONPATH": str(checkout.root)}
    for daemon in daemons(checkout.state):
        if daemon.start(base):
            say(f"started the sandbox's {daemon.name} (log: {daemon.log.relative_to(checkout.root)})")
    _register_mirror(checkout)
    merged = environment(checkout, pulumi, delivery)
    # What this process asks the sandbox itself goes the same way.
    os.environ.update({name: merged[name] for name in _OWN})
    return Engine(pulumi, merged, checkout.root)


def attach(checkout: Checkout) -> Engine:
    """The engine of a sandbox that is already up. Raises Failure where it is not."""
    if not running(checkout):
        raise Failure(ExitCode.MISSING, "the sandbox is not up", "./fleet up")
    return start(checkout, lambda line: None)


def _register_mirror(checkout: Checkout) -> None:
    import urllib.request

    cloud = json.loads((checkout.state / "cloud.json").read_text())
    mirror = json.loads((checkout.state / "mirror.json").read_text())
    request = urllib.request.Request(  # noqa: S310 - the control API on loopback
        f"{cloud['control']}/v1/mirror",
        data=json.dumps({"url": mirror["url"]}).encode(),
        headers={"Authorization": f"Bearer {cloud['token']}", "Content-Type": "application/json"},
        method="POST",
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10):
            pass
    except OSError as error:
        raise Failure(
            ExitCode.MISSING,
            f"the sandbox's cloud does not answer ({error}; log: {checkout.logs / 'cloud.log'})",
            "./fleet down --force, then ./fleet up",
        ) from error


def state_file(checkout: Checkout, project: str, stack: str) -> Path:
    """Where the sandbox's backend keeps the state of a stack of a Pulumi project."""
    return checkout.backend / ".pulumi" / "stacks" / project / f"{stack}.json"


def ensure_stack(engine: Engine, checkout: Checkout, project: str, stack: str) -> None:
    """Make the stack of a Pulumi project in the sandbox's own backend, without touching the tracked stack file.

    `pulumi stack init` rewrites the stack file of the project it runs in, so it runs in a scratch project of the
    same name.
    """
    if state_file(checkout, project, stack).exists():
        return
    scratch = Path(tempfile.mkdtemp(prefix="gke-fleet-init-"))
    try:
        (scratch / "Pulumi.yaml").write_text(f"name: {project}\nruntime: python\n")
        made = Engine(engine.cli, engine.environment, scratch).ask(
            ["stack", "init", stack, "--non-interactive"]
        )
        if made.returncode != 0:
            raise Failure(ExitCode.REFUSED, f"stack {stack} of {project} could not be made:\n{made.stderr}")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def find(resource: dict[str, Any], deployment: dict[str, Any]) -> str | None:
    """The id under which the resource of a pending create is really there, or None where it is not.

    `resource` and `deployment` are as in an exported state. Where nobody can tell, the answer is None: the next
    `up` then says what is in its way.
    """
    from plugins.ground import Access, GroundError, pending_id
    from sandbox.ground import Sandbox

    kind, inputs = resource["type"], resource.get("inputs") or {}
    identity = pending_id(kind, inputs)
    if identity is None:
        return None
    ground = Sandbox.from_environment()
    try:
        if kind.startswith("gcp:"):
            return identity if ground.gcp().read(kind, identity, inputs, {}) else None
        provider = resource.get("provider", "").rpartition("::")[0]
        given = next(
            (r["inputs"].get("kubeconfig") for r in deployment["resources"] if r["urn"] == provider), None
        )
        if not isinstance(given, str):
            return None
        access = Access(kubeconfig=json.loads(given), context=None, cluster=None, namespace="default")
        cluster = ground.cluster(access)
        if cluster.unreachable:
            return None
        namespace, _, name = identity.rpartition("/")
        if kind == "kubernetes:helm.sh/v3:Release":
            return identity if cluster.release(namespace or "default", name, {}) else None
        seen = cluster.read(inputs["apiVersion"], inputs["kind"], namespace or None, name, {})
    except GroundError:
        return None
    return identity if seen else None


def write_kubeconfig(checkout: Checkout, planned: Plan) -> None:
    """Write the kubeconfig of `./fleet shell`: a context for each cluster, the hub's the current one."""
    merged: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [],
        "users": [],
        "contexts": [],
    }
    for name, one in planned.kubeconfigs.items():
        merged["clusters"].append({"name": name, "cluster": one["clusters"][0]["cluster"]})
        merged["users"].append({"name": name, "user": one["users"][0]["user"]})
        merged["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    merged["current-context"] = planned.hub
    checkout.kubeconfig.write_text(json.dumps(merged, indent=2))
    checkout.kubeconfig.chmod(0o600)


def stop(checkout: Checkout, say: Say) -> None:
    """End every process of the sandbox and remove everything it kept."""
    for daemon in reversed(daemons(checkout.state)):
        if daemon.pid() is not None:
            say(f"stopping the sandbox's {daemon.name}")
        daemon.stop()
    from sandbox import clusters

    clusters.delete_all(checkout.state)
    _remove(checkout.state)


def _remove(folder: Path) -> None:
    """Remove a folder whole. Argo CD takes every right from its clones, which keeps all but root out of them."""
    for parent, below, _ in os.walk(folder):
        for name in below:
            if not Path(parent, name).is_symlink():
                Path(parent, name).chmod(0o700)
    shutil.rmtree(folder)
