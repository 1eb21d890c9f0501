"""The kubernetes plugin against a real API server: apply, waits, conflicts, replacement, Helm, deletion.

Nodes and pods are simulated. The official plugin is not here to compare with; what is held is the behaviour
that its documentation gives.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.plugins.conftest import Program, make_program

pytestmark = pytest.mark.sandbox

PROGRAM = """\
import pulumi_kubernetes as k8s
provider = k8s.Provider("p", kubeconfig=os.environ["CLUSTER"], cluster_identifier="one")
opts = Options(provider=provider)
space = k8s.core.v1.Namespace("space", metadata={"name": "demo"}, opts=opts)
inside = Options(provider=provider, depends_on=[space])
labels = {"app": "web"}
container = {"name": "c", "image": "nginx:1.2.3", "env": [{"name": "STEP", "value": step}], "resources": {}}
web = k8s.apps.v1.Deployment("web", metadata={"name": "web", "namespace": "demo"}, opts=inside, spec={
    "replicas": 2, "selector": {"match_labels": labels},
    "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}})
k8s.core.v1.Service("svc", metadata={"name": "web", "namespace": "demo"},
    spec={"selector": labels, "ports": [{"port": 80}]}, opts=inside)
k8s.core.v1.ConfigMap("auto", metadata={"namespace": "demo"}, data={"v": step}, opts=inside)
k8s.core.v1.ConfigMap("frozen", metadata={"name": "frozen", "namespace": "demo"}, immutable=True,
    data={"v": step}, opts=inside)
k8s.core.v1.Secret("s", metadata={"name": "s", "namespace": "demo"}, string_data={"v": step}, opts=inside)
k8s.batch.v1.Job("job", opts=inside,
    metadata={"name": "job", "namespace": "demo", "annotations": {"pulumi.com/skipAwait": "true"}},
    spec={"template": {"spec": {"restart_policy": "Never", "containers": [{"name": "c", "image": f"i:{step}"}]}}})
crd = k8s.apiextensions.v1.CustomResourceDefinition("crd", metadata={"name": "widgets.acme.example"}, spec={
    "group": "acme.example", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
    "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
        "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}, opts=opts)
k8s.apiextensions.CustomResource("w", api_version="acme.example/v1", kind="Widget",
    metadata={"name": "w", "namespace": "demo"}, spec={"size": int(step)},
    opts=Options(provider=provider, depends_on=[space, crd]))
release = k8s.helm.v3.Release("r", name="r", namespace="demo", chart=os.environ["CHART"], values={"v": step},
    opts=inside)
pulumi.export("ready", web.status.ready_replicas)
pulumi.export("release", release.status)
"""


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The administrator's kubeconfig of a cluster."""
    from sandbox import clusters

    state = tmp_path_factory.mktemp("state")
    try:
        yield clusters.create(state, "plugins")
    finally:
        clusters.delete_all(state)


@pytest.fixture
def live(tmp_path: Path, cli: Path, admin: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """A program on that cluster, with helm and a chart."""
    from sandbox.tools import ensure

    (tmp_path / "state").mkdir()
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: demo\nversion: 1.2.3\nappVersion: '9'\n")
    (chart / "templates" / "map.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-chart}\ndata: {v: '{{ .Values.v }}'}\n"
    )
    program = make_program(tmp_path, cli, ground="sandbox", state=tmp_path / "state")
    tools = ensure("delivery", lambda _: None)
    program.environment |= {
        "CLUSTER": admin.read_text(), "CHART": str(chart), "PATH": f"{tools}:{program.environment['PATH']}"
    }  # fmt: skip
    return program


def ask(program: Program, *arguments: str) -> Any:
    """kubectl's answer, as JSON; None where there is nothing."""
    path = program.folder / "admin"
    shown = ["--show-managed-fields"] if arguments[0] == "get" else []
    path.write_text(program.environment["CLUSTER"])
    done = subprocess.run(
        ["kubectl", *arguments, "--kubeconfig", str(path), "-o", "json", *shown],
        env=program.environment, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout) if done.returncode == 0 and done.stdout else None


def test_a_whole_life_on_a_real_server(live: Program) -> None:
    live.write(PROGRAM)
    # Neither namespace nor definition is there: the preview falls back to inputs.
    assert live.preview().code == 0
    result = live.up()
    outputs = live.state()["program-dev"]["outputs"]
    assert outputs["ready"] == 2
    assert {name: outputs["release"][name] for name in ("status", "version", "app_version", "revision")} == {
        "status": "deployed", "version": "1.2.3", "app_version": "9", "revision": 1,
    }  # fmt: skip
    assert live.run("preview", "--refresh").ops == {}
    deployment = ask(live, "get", "deployment", "web", "-n", "demo")
    managers = {each["manager"]: each["operation"] for each in deployment["metadata"]["managedFields"]}
    assert [manager for manager in managers if manager.startswith("pulumi-kubernetes-")]
    shown = live.preview(step=2)
    assert shown.code == 0, shown.text
    result = live.up(step=2)
    first = ["delete-replaced", "replace", "create-replacement"]
    assert result.ops == {
        "web": ["update"], "auto": ["update"], "s": ["update"], "w": ["update"], "r": ["update"],
        "frozen": first, "job": first,
    }  # fmt: skip
    assert ask(live, "get", "configmap", "from-chart", "-n", "demo")["data"] == {"v": "2"}
    # A hand's change is drift, and the next up takes it back.
    subprocess.run(
        ["kubectl", "patch", "widget", "w", "-n", "demo", "--type", "merge", "-p", '{"spec":{"size":9,"more":1}}',
         "--field-manager", "hand", "--kubeconfig", str(live.folder / "admin")],
        env=live.environment, check=True, capture_output=True,
    )  # fmt: skip
    assert live.run("preview", "--refresh", step=2).ops == {"w": ["update"]}
    assert live.run("destroy", "--yes", "--skip-preview", step=2).code == 0
    assert live.state() == {}
    assert ask(live, "get", "namespace", "demo") is None
    assert ask(live, "get", "crd", "widgets.acme.example") is None


def test_what_exists_is_not_adopted_unless_it_is_asked_for(live: Program) -> None:
    live.write(
        """
        import pulumi_kubernetes as k8s
        provider = k8s.Provider("p", kubeconfig=os.environ["CLUSTER"], cluster_identifier="one")
        annotations = {"pulumi.com/patchForce": "true"} if step == "2" else {}
        k8s.core.v1.ConfigMap("taken", metadata={"name": "taken", "annotations": annotations},
                              data={"v": "mine"}, opts=Options(provider=provider))
        if step == "3":
            k8s.core.v1.ConfigMap("there", metadata={"name": "there"}, data={"v": "theirs"}, opts=Options(
                provider=provider, import_="default/there", retain_on_delete=True))
        """
    )
    ask(live, "version")
    for name in ("taken", "there"):
        subprocess.run(
            ["kubectl", "create", "configmap", name, "--from-literal", "v=theirs",
             "--kubeconfig", str(live.folder / "admin")],
            env=live.environment, check=True, capture_output=True,
        )  # fmt: skip
    result = live.run("up", "--yes", "--skip-preview")
    assert result.code != 0
    assert 'ConfigMap "taken" already exists' in result.errors
    assert not live.deployment().get("pending_operations")
    live.up(step=2)
    assert ask(live, "get", "configmap", "taken")["data"] == {"v": "mine"}
    assert live.up(step=3).ops["there"] == ["import"]
    assert live.run("destroy", "--yes", "--skip-preview", step=3).code == 0
    assert ask(live, "get", "configmap", "there") is not None


def test_what_does_not_become_ready_is_kept_and_goes_on(live: Program) -> None:
    live.write(
        """
        import pulumi_kubernetes as k8s
        provider = k8s.Provider("p", kubeconfig=os.environ["CLUSTER"], cluster_identifier="one")
        short = pulumi.CustomTimeouts(create="2s", update="2s")
        spec = {"selector": {"app": "nobody"} if step == "1" else {}, "ports": [{"port": 80}]}
        k8s.core.v1.Service("lonely", metadata={"name": "lonely"}, spec=spec,
                            opts=Options(provider=provider, custom_timeouts=short))
        """
    )
    result = live.run("up", "--yes", "--skip-preview")
    assert result.code != 0
    assert "no endpoint behind it is ready" in result.errors
    assert live.state()["lonely"]["id"] == "default/lonely"
    assert live.up(step=2).ops == {"lonely": ["update"]}
    assert live.run("destroy", "--yes", "--skip-preview", step=2).code == 0


def test_a_failing_release_is_kept_with_its_reason(live: Program) -> None:
    live.write(
        """
        import pulumi_kubernetes as k8s
        provider = k8s.Provider("p", kubeconfig=os.environ["CLUSTER"], cluster_identifier="one")
        k8s.helm.v3.Release("r", name="fails", namespace="default", chart=os.environ["CHART"],
                            values={"v": step}, timeout=20, opts=Options(provider=provider))
        """
    )
    template = Path(live.environment["CHART"]) / "templates" / "map.yaml"
    good = template.read_text()
    # The server refuses the second object once the first is there.
    template.write_text(
        f"{good}---\napiVersion: v1\nkind: Service\nmetadata: {{name: 'Not-A-Name'}}\nspec: {{}}\n"
    )
    result = live.run("up", "--yes", "--skip-preview")
    assert result.code != 0
    assert "Not-A-Name" in result.errors
    template.write_text(good)
    live.up(step=2)
    assert live.state()["r"]["outputs"]["status"]["status"] == "deployed"
    assert live.run("destroy", "--yes", "--skip-preview", step=2).code == 0
    assert yaml.safe_load(good)["metadata"]["name"] == "from-chart"
    assert ask(live, "get", "configmap", "from-chart") is None
