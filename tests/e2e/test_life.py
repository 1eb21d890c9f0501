"""The life of add-ons and clusters, as a team lives through it, and accidents. At each step: what the members hold.

The real CLI carries the state from step to step; workloads are counted by UID, so that one which is deleted and made
again counts as lost. Two small add-ons come from a Git repository of the sandbox, and one member is `registered`: its
cluster is not this program's. What is not proven: anything about Google Cloud or the official plugins, and what the
pods of a workload do meanwhile, since none runs.

The tests stand in the order of a life: each goes on where the one before it ended. The last one takes everything
apart, so that what follows it in this folder finds an empty stack.
"""

import functools
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml

from model.identity import AGENT_ROLE, AGENT_ROLE_ELSEWHERE
from sandbox import clusters
from sandbox.mirror import git, oci
from sandbox.tools import ensure
from tests.e2e.conftest import Sandbox, until
from tests.e2e.test_adoption import pulumi
from tests.e2e.test_fleet import CATALOGUE, FLEET

pytestmark = [pytest.mark.sandbox, pytest.mark.e2e]

CLUSTER = "gcp:container/cluster:Cluster"
TOKYO, OSAKA, LAB = "tokyo-shop", "osaka-data", "nagoya-lab"
MEMBERS = (TOKYO, OSAKA, LAB)
LAB_ENTRY = {
    "name": LAB,
    "project": "acme-sandbox-lab",
    "location": "asia-northeast1",
    "kubernetes": "1.36",
    "ring": "stable",
    "join": "registered",
}
FLEET_AGENT = "serviceAccount:service-100000000001@gcp-sa-gkehub.iam.gserviceaccount.com"
KINDS = ("deployments", "statefulsets", "daemonsets")

Workloads = dict[str, str]
"""`CLUSTER KIND NAMESPACE/NAME` -> UID."""


# -- two small add-ons


def workload(kind: str, name: str, image: str) -> dict[str, Any]:
    labels = {"app": name}
    spec: dict[str, Any] = {
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": name, "image": image}]},
        },
    }
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def crd(plural: str, *, marked: bool) -> dict[str, Any]:
    """A CustomResourceDefinition. `marked`: whether Argo CD is told to leave it alone when it prunes."""
    kind = plural.removesuffix("s").capitalize()
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object"}},
    }
    marks = {
        "argocd.argoproj.io/sync-options": "Prune=false",
        "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.life.example", **({"annotations": marks} if marked else {})},
        "spec": {
            "group": "life.example",
            "names": {"kind": kind, "plural": plural},
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def commit(sandbox: Sandbox, number: int) -> str:
    """Version `number` of both add-ons in the platform repository of the mirror: the id of the commit."""
    image = f"registry.acme.example/life:{number}"
    files = {
        "agent/agent.yaml": [
            workload("Deployment", "agent", image),
            workload("StatefulSet", "agent-store", image),
        ],
        "probe/kustomization.yaml": [{"resources": ["crd.yaml", "probe.yaml"]}],
        "probe/crd.yaml": [crd("probes", marked=True), crd("checks", marked=False)],
        "probe/probe.yaml": [workload("DaemonSet", "probe", image)],
    }
    work = sandbox.root / f"life-{number}"
    for path, documents in files.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_text(yaml.safe_dump_all(documents))

    def run(*arguments: str) -> str:
        identity = ("-c", "user.name=Acme Platform", "-c", "user.email=platform@acme.example")
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=work,
            env=git.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    run("init", "--quiet")
    run("add", "--all")
    run("commit", "--quiet", "--message", f"Version {number}")
    run("push", "--quiet", str(sandbox.state / "mirror" / git.PLATFORM), f"HEAD:refs/heads/life-{number}")
    return run("rev-parse", "HEAD")


def addons(version: str) -> dict[str, Any]:
    common = {"repository": f"https://{git.PLATFORM}", "version": version}
    agent = {
        **common,
        "kubernetes": ["1.36"],
        "directory": "agent",
        "namespace": "agent",
        "kinds": {"namespaced": ["apps/Deployment", "apps/StatefulSet"]},
        "select": {"rings": ["canary"]},
    }
    probe = {
        **common,
        "kubernetes": ["1.36"],
        "kustomize": "probe",
        "namespace": "probe",
        "kinds": {
            "cluster": ["apiextensions.k8s.io/CustomResourceDefinition"],
            "namespaced": ["apps/DaemonSet"],
        },
        "crds": {"groups": ["life.example"]},
    }
    # Not from Git: plain manifests that lie in an OCI registry, pinned by their digest.
    priorities = {
        "repository": f"oci://{oci.PRIORITY_CLASSES}",
        "version": next(one.digest for one in oci.priority_classes()),
        "kubernetes": ["1.36"],
        "directory": ".",
        "namespace": "priorities",
        "kinds": {"cluster": ["scheduling.k8s.io/PriorityClass"]},
        "select": {"rings": ["stable"]},
    }
    return {"agent": agent, "probe": probe, "priorities": priorities}


# -- what there is


@functools.cache
def kubectl() -> str:
    return str(ensure("delivery", print) / "kubectl")


def api(sandbox: Sandbox, cluster: str, path: str) -> Any:
    """What the API server of a cluster answers its administrator, past gateway and RBAC."""
    done = subprocess.run(
        [kubectl(), "--kubeconfig", str(clusters.kubeconfig(sandbox.state, cluster)), "get", "--raw", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{cluster} {path}: {done.stderr}"
    return json.loads(done.stdout)


def workloads(sandbox: Sandbox, *names: str) -> Workloads:
    """Every Deployment, StatefulSet and DaemonSet of these clusters (default: every member)."""
    return {
        f"{cluster} {kind} {item['metadata']['namespace']}/{item['metadata']['name']}": item["metadata"][
            "uid"
        ]
        for cluster in names or MEMBERS
        for kind in KINDS
        for item in api(sandbox, cluster, f"/apis/apps/v1/{kind}")["items"]
    }


def of(found: Mapping[str, str], words: str) -> Workloads:
    """Those whose name holds `words`."""
    return {name: uid for name, uid in found.items() if words in name}


def applications(sandbox: Sandbox) -> dict[str, Any]:
    """Name -> Application."""
    path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
    return {item["metadata"]["name"]: item for item in api(sandbox, "hub", path)["items"]}


def versions(sandbox: Sandbox, addon: str) -> dict[str, str]:
    """Cluster -> the version that its Application of an add-on is at."""
    return {
        name.removeprefix(f"{addon}-"): item["spec"]["source"]["targetRevision"]
        for name, item in applications(sandbox).items()
        if name.startswith(f"{addon}-")
    }


def are_gone(sandbox: Sandbox, *names: str) -> None:
    """Wait until none of these Applications is there."""
    until(f"no Application {' or '.join(names)}", lambda: not set(names) & set(applications(sandbox)))


def held(sandbox: Sandbox) -> dict[tuple[str, str], tuple[str, int]]:
    """(cluster, add-on) -> (state, number of workloads), as `./fleet held` says."""
    done = sandbox.fleet("held", "--format", "json")
    assert done.returncode == 0, done.stderr
    return {
        (row["cluster"], row["addon"]): (row["state"], row["workloads"])
        for row in json.loads(done.stdout)["held"]
    }


def by_hand(sandbox: Sandbox, *arguments: str) -> None:
    """kubectl on the hub, as somebody who may do everything there."""
    done = sandbox.shell("kubectl", "--context", "hub", *arguments)
    assert done.returncode == 0, done.stderr


def refreshed(sandbox: Sandbox) -> None:
    """`pulumi refresh`, then `./fleet up`: the way back after something was changed by hand."""
    pulumi(sandbox, "refresh", "--yes", "--skip-preview", "--stack", "sandbox")
    sandbox.up()


def entry(fleet: Any, name: str) -> Any:
    return next(one for one in fleet["clusters"] if one["name"] == name)


# -- the stage


@pytest.fixture(scope="module")
def stage(sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    """The sandbox with a registered member and two more add-ons, `agent` on the canary ring alone; their versions."""
    first, second = commit(sandbox, 1), commit(sandbox, 2)
    project = LAB_ENTRY["project"]
    for service in ("compute", "container", "gkehub"):
        wanted = {"project": project, "service": f"{service}.googleapis.com"}
        sandbox.owner_creates("gcp:projects/service:Service", wanted)
    for role in (AGENT_ROLE, AGENT_ROLE_ELSEWHERE):
        grant = {"project": project, "role": role, "member": FLEET_AGENT}
        sandbox.owner_creates("gcp:projects/iAMMember:IAMMember", grant)
    cluster = {
        "project": project,
        "location": LAB_ENTRY["location"],
        "name": LAB,
        "enableAutopilot": True,
        "deletionProtection": False,
        "fleet": {"project": "acme-sandbox-hub"},
    }

    def registered() -> str | None:
        # The grants take a moment.
        try:
            return sandbox.owner_creates(CLUSTER, cluster)
        except AssertionError as refused:
            if "does not have access" in str(refused):
                return None
            raise

    made = until("the fleet takes the cluster", registered)
    sandbox.change(FLEET, lambda fleet: fleet["clusters"].append(dict(LAB_ENTRY)))
    sandbox.change(CATALOGUE, lambda catalogue: catalogue["addons"].update(addons(first)))
    try:
        sandbox.up()
        yield first, second
    finally:
        sandbox.restore(FLEET)
        sandbox.restore(CATALOGUE)
        # Nothing is left of it after the last test; making it again, for the end alone, would cost minutes.
        if any(one["name"] == "hub" for one in sandbox.cloud("GET", "/v1/clusters")):
            sandbox.up()
        sandbox.owner_deletes(CLUSTER, made)


def change_agent(sandbox: Sandbox, **changed: Any) -> None:
    """Change keys of the add-on `agent`, or take them out where they are None."""

    def how(catalogue: Any) -> None:
        for key, value in changed.items():
            catalogue["addons"]["agent"].pop(key, None)
            if value is not None:
                catalogue["addons"]["agent"][key] = value

    sandbox.change(CATALOGUE, how)


# -- add-ons


def test_plain_manifests_come_from_an_oci_registry(sandbox: Sandbox, stage: tuple[str, str]) -> None:
    found = api(sandbox, LAB, "/apis/scheduling.k8s.io/v1/priorityclasses")["items"]
    ours = {one["metadata"]["name"] for one in found if one["metadata"]["name"].startswith("team-")}
    assert "team-urgent" in ours
    assert set(versions(sandbox, "priorities")) == {"hub", OSAKA, LAB}


def test_an_addon_comes_ring_by_ring(sandbox: Sandbox, stage: tuple[str, str]) -> None:
    before = workloads(sandbox)
    assert {name.split()[0] for name in of(before, " agent/")} == {TOKYO}
    change_agent(sandbox, select=None)
    sandbox.up()
    after = workloads(sandbox)
    assert before.items() <= after.items()
    assert {name.split()[0] for name in of(after, " agent/")} == set(MEMBERS)
    assert held(sandbox)[(LAB, "agent")] == ("delivered", 2)


def test_a_version_is_promoted_by_one_line_and_rolled_back_but_for_an_override(
    sandbox: Sandbox, stage: tuple[str, str]
) -> None:
    first, second = stage
    before = workloads(sandbox)
    change_agent(sandbox, rings={"canary": second})
    sandbox.up()
    assert versions(sandbox, "agent") == {TOKYO: second, OSAKA: first, LAB: first, "hub": first}

    change_agent(sandbox, version=second, rings=None)
    sandbox.up()
    assert set(versions(sandbox, "agent").values()) == {second}

    change_agent(sandbox, version=first)
    own = {"agent": {"version": second, "reason": "waits for its maintenance window", "until": "2090-01-31"}}
    sandbox.change(FLEET, lambda fleet: entry(fleet, OSAKA).update(addons=own))
    sandbox.up()
    assert versions(sandbox, "agent") == {TOKYO: first, OSAKA: second, LAB: first, "hub": first}
    images = {
        cluster: api(sandbox, cluster, "/apis/apps/v1/namespaces/agent/deployments/agent")["spec"][
            "template"
        ]["spec"]["containers"][0]["image"].rpartition(":")[2]
        for cluster in MEMBERS
    }
    assert images == {TOKYO: "1", OSAKA: "2", LAB: "1"}
    assert workloads(sandbox) == before


def test_a_cluster_is_left_out_with_and_without_its_workloads(
    sandbox: Sandbox, stage: tuple[str, str]
) -> None:
    before = workloads(sandbox)

    def leave_out(fleet: Any) -> None:
        del entry(fleet, OSAKA)["addons"]
        entry(fleet, OSAKA)["exclude"] = {"agent": "they run their own"}
        entry(fleet, TOKYO)["exclude"] = {"agent": {"reason": "too small for it", "workloads": "remove"}}

    sandbox.change(FLEET, leave_out)
    preview = json.loads(sandbox.fleet("preview", "sandbox", "--format", "json").stdout)
    assert any("removed from tokyo-shop" in notice for notice in preview["notices"])
    sandbox.up()
    removed = f"{TOKYO} "
    until("the workloads are gone", lambda: not of(of(workloads(sandbox), removed), " agent/"))
    assert set(versions(sandbox, "agent")) == {TOKYO, LAB, "hub"}
    now = held(sandbox)
    assert now[(OSAKA, "agent")] == ("kept", 2)
    assert now[(TOKYO, "agent")] == ("removing", 0)
    left = {name: uid for name, uid in before.items() if name not in of(of(before, removed), " agent/")}
    assert workloads(sandbox) == left

    sandbox.restore(FLEET)
    sandbox.change(FLEET, lambda fleet: fleet["clusters"].append(dict(LAB_ENTRY)))
    sandbox.up()
    after = workloads(sandbox)
    assert set(after) == set(before)
    assert left.items() <= after.items()


# -- accidents


def test_a_lost_label_that_templates_read_freezes_and_deletes_nothing(
    sandbox: Sandbox, stage: tuple[str, str]
) -> None:
    """Argo CD then leaves a whole set as it is: one cluster's mistake holds up the others, and harms none."""
    before, there = workloads(sandbox), applications(sandbox)
    path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applicationsets/agent"

    def frozen() -> bool:
        conditions = api(sandbox, "hub", path).get("status", {}).get("conditions", [])
        return any(one["type"] == "ErrorOccurred" and one["status"] == "True" for one in conditions)

    label = ("-n", "argocd", "label", "secret", f"cluster-{OSAKA}")
    by_hand(sandbox, *label, "fleet_ring-")
    try:
        until("the set is frozen", frozen)
        assert {name: one["metadata"]["uid"] for name, one in applications(sandbox).items()} == {
            name: one["metadata"]["uid"] for name, one in there.items()
        }
        assert workloads(sandbox) == before
    finally:
        by_hand(sandbox, *label, "fleet_ring=stable")
    until("it is not any more", lambda: not frozen())


def test_nothing_cascades_from_what_is_broken_by_hand_and_refresh_and_up_heal_it(
    sandbox: Sandbox, stage: tuple[str, str]
) -> None:
    before, there = workloads(sandbox), set(applications(sandbox))

    def delete_the_secret() -> None:
        by_hand(sandbox, "-n", "argocd", "delete", "secret", f"cluster-{TOKYO}")

    def lose_a_label() -> None:
        by_hand(sandbox, "-n", "argocd", "label", "secret", f"cluster-{OSAKA}", "fleet_cluster-")

    def mistype_the_selectors() -> None:
        path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applicationsets/external-secrets"
        patch = [
            {
                "op": "replace",
                "path": f"/spec/generators/{number}/clusters/selector/matchExpressions/0/key",
                "value": "fleet_clustre",
            }
            for number in range(len(api(sandbox, "hub", path)["spec"]["generators"]))
        ]
        by_hand(
            sandbox, "-n", "argocd", "patch", "applicationset", "external-secrets", "--type=json", "--patch",
            json.dumps(patch),
        )  # fmt: skip

    def delete_the_set() -> None:
        by_hand(sandbox, "-n", "argocd", "delete", "applicationset", "agent", "--cascade=foreground")

    accidents: list[tuple[Callable[[], None], set[str]]] = [
        (delete_the_secret, {name for name in there if name.endswith(f"-{TOKYO}")}),
        (lose_a_label, {name for name in there if name.endswith(f"-{OSAKA}")}),
        (mistype_the_selectors, {f"external-secrets-{cluster}" for cluster in (LAB, "hub")}),
        (delete_the_set, {f"agent-{cluster}" for cluster in (LAB, "hub")}),
    ]
    lost: set[str] = set()
    for happens, gone in accidents:
        happens()
        are_gone(sandbox, *gone)
        lost |= gone
        assert set(applications(sandbox)) == there - lost
        assert workloads(sandbox) == before
    assert {state for (cluster, addon), (state, _) in held(sandbox).items() if addon == "agent"} == {"kept"}

    refreshed(sandbox)
    assert set(applications(sandbox)) == there
    assert workloads(sandbox) == before


def test_a_selector_with_a_typo_is_refused(sandbox: Sandbox, stage: tuple[str, str]) -> None:
    change_agent(sandbox, select={"labels": {"team": ["shpo"]}})
    done = sandbox.fleet("up")
    change_agent(sandbox, select=None)
    assert done.returncode == 2
    assert "did you mean `shop`" in done.stderr


def test_a_chart_that_does_not_exist_at_a_version_changes_nothing_and_is_named(
    sandbox: Sandbox, stage: tuple[str, str]
) -> None:
    """Only the repository knows; so it is Argo CD that says so, and `up` that passes it on."""

    def version(number: str) -> Callable[[Any], None]:
        return lambda catalogue: catalogue["addons"]["external-dns"].update(version=number)

    before = workloads(sandbox)
    sandbox.change(CATALOGUE, version("1.22.9"))
    try:
        done = sandbox.fleet("up", "--timeout", "30")
        assert done.returncode == 4, done.stderr
        # The reason is Argo CD's own.
        assert re.search(r"external-dns-tokyo-shop: [^\n]*failed to fetch chart", done.stderr), done.stderr
        assert workloads(sandbox) == before
    finally:
        sandbox.change(CATALOGUE, version("1.22.0"))
        sandbox.up()
    assert workloads(sandbox) == before


def test_an_addon_that_is_renamed_hands_its_workloads_over(sandbox: Sandbox, stage: tuple[str, str]) -> None:
    """Without protection. With it the engine refuses, see below."""
    before = workloads(sandbox)
    sandbox.change(
        CATALOGUE, lambda catalogue: catalogue["addons"].update(agency=catalogue["addons"].pop("agent"))
    )
    sandbox.up()
    assert versions(sandbox, "agent") == {}
    assert set(versions(sandbox, "agency")) == {*MEMBERS, "hub"}
    assert workloads(sandbox) == before
    assert held(sandbox)[(LAB, "agency")] == ("delivered", 2)
    assert (LAB, "agent") not in held(sandbox)


def test_argo_cd_is_made_again_and_takes_up_what_it_finds(sandbox: Sandbox, stage: tuple[str, str]) -> None:
    before, there = workloads(sandbox), set(applications(sandbox))
    uninstalled = sandbox.shell("helm", "uninstall", "argocd", "--namespace", "argocd")
    assert uninstalled.returncode == 0, uninstalled.stderr
    assert workloads(sandbox) == before
    by_hand(sandbox, "delete", "namespace", "argocd", "--timeout=120s")
    assert workloads(sandbox) == before
    # Its CRDs are still there, and are nobody's: to take them is a decision.
    sandbox.change(FLEET, lambda fleet: fleet["argocd"].update(takeOver=True))
    refreshed(sandbox)
    sandbox.change(FLEET, lambda fleet: fleet["argocd"].pop("takeOver"))
    assert "Nothing to change" in sandbox.up().stderr
    assert set(applications(sandbox)) == there
    assert workloads(sandbox) == before


# -- leaving


def test_going_straight_to_removal_is_refused_where_the_fleet_protects(
    sandbox: Sandbox, stage: tuple[str, str]
) -> None:
    before = workloads(sandbox)
    sandbox.change(FLEET, lambda fleet: fleet.update(protect=True))
    sandbox.up()
    files = {path: (sandbox.root / path).read_text() for path in (FLEET, CATALOGUE)}

    def refused(path: str, how: Callable[[Any], object]) -> str:
        sandbox.change(path, how)
        done = sandbox.fleet("up")
        (sandbox.root / path).write_text(files[path])
        assert done.returncode == 1, done.stderr
        return " ".join(done.stderr.rpartition("error: ")[2].split())

    def only_the_hub(fleet: Any) -> None:
        fleet["clusters"] = [one for one in fleet["clusters"] if one["name"] == "hub"]

    def renamed(catalogue: Any) -> None:
        catalogue["addons"]["prober"] = catalogue["addons"].pop("probe")

    said = refused(FLEET, only_the_hub)
    assert "would be removed in one step" in said and "nothing was changed" in said
    assert any(name in said for name in MEMBERS) and "lifecycle: leaving" in said and FLEET in said
    said = refused(CATALOGUE, renamed)
    assert "add-on probe" in said and CATALOGUE in said and "keep the name" in said

    sandbox.change(FLEET, lambda fleet: fleet.update(protect=False))
    sandbox.up()
    assert workloads(sandbox) == before


def test_addons_leave_in_two_steps(sandbox: Sandbox, stage: tuple[str, str]) -> None:
    before = workloads(sandbox)

    def leave(catalogue: Any) -> None:
        catalogue["addons"]["agency"].update(lifecycle="leaving", workloads="keep")
        catalogue["addons"]["probe"].update(lifecycle="leaving", workloads="remove")

    sandbox.change(CATALOGUE, leave)
    sandbox.up()
    probes = of(before, " probe/")
    assert len(probes) == len(MEMBERS)
    left = {name: uid for name, uid in before.items() if name not in probes}
    until("the workloads are gone", lambda: workloads(sandbox) == left)
    assert versions(sandbox, "agency") == {}
    assert set(versions(sandbox, "probe")) == {*MEMBERS, "hub"}
    now = held(sandbox)
    for cluster in MEMBERS:
        assert now[(cluster, "agency")] == ("kept", 2)
        assert now[(cluster, "probe")] == ("removing", 0)
        # Argo CD tracks no CRD, so it prunes none, marked or not; and with a CRD every object of its kind stays.
        for plural in ("checks", "probes"):
            path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.life.example"
            assert api(sandbox, cluster, path)["metadata"].get("deletionTimestamp") is None

    def take_out(catalogue: Any) -> None:
        del catalogue["addons"]["agency"], catalogue["addons"]["probe"]

    sandbox.change(CATALOGUE, take_out)
    sandbox.up()
    assert versions(sandbox, "probe") == {}
    assert workloads(sandbox) == left


# -- the end of everything


def test_a_registered_member_outlives_inventory_and_stack(sandbox: Sandbox, stage: tuple[str, str]) -> None:
    """Created members go, as they were asked to; the registered one, which is not this program's, loses nothing."""
    before = workloads(sandbox, LAB)
    assert before

    def only_the_hub(fleet: Any) -> None:
        fleet["clusters"] = [one for one in fleet["clusters"] if one["name"] == "hub"]

    sandbox.change(FLEET, only_the_hub)
    sandbox.up()
    assert {name for name in applications(sandbox) if name.endswith(LAB)} == set()
    assert workloads(sandbox, LAB) == before

    sandbox.change(FLEET, lambda fleet: fleet["clusters"].append(dict(LAB_ENTRY)))
    sandbox.up()
    assert f"external-secrets-{LAB}" in applications(sandbox)
    assert workloads(sandbox, LAB) == before
    pulumi(sandbox, "destroy", "--yes", "--skip-preview", "--stack", "sandbox")
    left = {one["name"] for one in sandbox.cloud("GET", "/v1/clusters")}
    assert LAB in left and not left & {"hub", TOKYO, OSAKA}
    assert workloads(sandbox, LAB) == before
