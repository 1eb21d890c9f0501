"""The values that the program gives to the argo-cd chart, rendered with the stand-in.

What this does not prove: what the official chart makes of them. The stand-in refuses every key that is not known
from the official one, and puts the known ones where that does.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from model import load_stack
from model.argocd import KINDS_OF_ARGOCD, chart_values
from tests.mirror.conftest import ARGO, Mirror, Objects, objects, values
from tests.model.conftest import FLEET, written
from tests.model.test_argocd_values import EVERYTHING, ROLLED_OUT, SECTION

pytestmark = pytest.mark.sandbox

ACCOUNT = "iam.gke.io/gcp-service-account"
CLUSTER_SCOPED = {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}


def chart_values_of(folder: Path, settings: str) -> dict[str, Any]:
    """The chart's values for the small fleet with these lines as its section `argocd`, and an add-on that is rolled
    out."""
    fleet = FLEET.replace(SECTION, f"argocd:\n{settings}" if settings else "")
    made = load_stack(written(folder, fleet, ROLLED_OUT), "acme")
    return chart_values(made.fleet, made.catalogue)


@pytest.fixture(
    scope="module",
    params=[("", "10.3.3"), (EVERYTHING, "10.3.3"), (EVERYTHING, "10.9.0")],
    ids=["nothing set", "everything set", "a later chart"],
)
def made(request: pytest.FixtureRequest, mirror: Mirror, tmp_path_factory: pytest.TempPathFactory) -> Objects:
    folder = tmp_path_factory.mktemp("values")
    settings, version = request.param
    done = mirror.template(ARGO, "argo-cd", version, *values(folder, chart_values_of(folder, settings)))
    assert done.returncode == 0, done.stderr
    return objects(done.stdout)


def pods(made: Objects) -> Iterator[tuple[str, dict[str, Any]]]:
    for (kind, name), one in made.items():
        if kind in ("Deployment", "StatefulSet"):
            yield name, one["spec"]["template"]["spec"]


def test_argocd_may_make_everything_that_the_chart_makes(made: Objects) -> None:
    kinds = {f"{one['apiVersion'].rpartition('/')[0]}/{kind}".lstrip("/") for (kind, _), one in made.items()}
    scoped = {kind for kind in kinds if kind.rpartition("/")[2] in CLUSTER_SCOPED}
    assert scoped == set(KINDS_OF_ARGOCD["cluster"])
    assert kinds - scoped <= set(KINDS_OF_ARGOCD["namespaced"])


def test_a_component_reads_every_parameter_that_is_set(made: Objects) -> None:
    """What no pod template maps would be without effect, and without a word."""
    read = {
        reference["key"]
        for _, pod in pods(made)
        for container in pod["containers"]
        for variable in container.get("env", [])
        if (reference := variable.get("valueFrom", {}).get("configMapKeyRef", {})).get("name")
        == "argocd-cmd-params-cm"
    }
    params = made["ConfigMap", "argocd-cmd-params-cm"]["data"]
    assert set(params) <= read
    assert params["applicationsetcontroller.enable.progressive.syncs"] == "true"


def test_no_list_that_server_side_apply_merges_holds_a_name_twice(made: Objects) -> None:
    for name, pod in pods(made):
        for container in pod["containers"]:
            names = [variable["name"] for variable in container.get("env", [])]
            assert len(names) == len(set(names)), name


def test_everything_set(mirror: Mirror, tmp_path: Path) -> None:
    done = mirror.template(
        ARGO, "argo-cd", "10.3.3", *values(tmp_path, chart_values_of(tmp_path, EVERYTHING))
    )
    assert done.returncode == 0, done.stderr
    made = objects(done.stdout)
    controller = made["StatefulSet", "argocd-application-controller"]["spec"]
    environment = {one["name"]: one for one in controller["template"]["spec"]["containers"][0]["env"]}
    assert controller["replicas"] == 3
    assert environment["ARGOCD_CONTROLLER_REPLICAS"]["value"] == "3"
    assert environment["ARGOCD_K8S_CLIENT_QPS"]["value"] == "20"
    assert environment["ARGOCD_CONTROLLER_SHARDING_ALGORITHM"]["valueFrom"]["configMapKeyRef"]["key"] == (
        "controller.sharding.algorithm"
    )
    params = made["ConfigMap", "argocd-cmd-params-cm"]["data"]
    assert params["controller.sharding.algorithm"] == "consistent-hashing"
    assert params["redis.server"] == "argocd-redis-ha-haproxy:6379"
    assert params["applicationsetcontroller.enable.leader.election"] == "true"
    cm = made["ConfigMap", "argocd-cm"]["data"]
    assert cm["url"] == "https://argocd.acme.example" and cm["exec.enabled"] == "true"
    assert yaml.safe_load(cm["oidc.config"])["clientSecret"] == "$argocd-oidc:clientSecret"
    assert {"Event", "EndpointSlice"} <= {
        kind for one in yaml.safe_load(cm["resource.exclusions"]) for kind in one["kinds"]
    }
    rbac = made["ConfigMap", "argocd-rbac-cm"]["data"]
    assert rbac["policy.csv"].splitlines() == ["g, developers, role:readonly", "g, platform, role:admin"]
    emails = {
        name: one["metadata"].get("annotations", {}).get(ACCOUNT)
        for (kind, name), one in made.items()
        if kind == "ServiceAccount" and "annotations" in one["metadata"]
    }
    assert {name: (email or "").partition("@")[0] for name, email in emails.items() if email} == {
        "argocd-application-controller": "argocd-hub",
        "argocd-server": "argocd-server-hub",
    }
    budgets = {name: one["spec"] for (kind, name), one in made.items() if kind == "PodDisruptionBudget"}
    assert len(budgets) == 6 and all(one["maxUnavailable"] == 1 for one in budgets.values())
    for name, pod in pods(made):
        assert pod["topologySpreadConstraints"][0]["topologyKey"] == "topology.kubernetes.io/zone", name
    assert [name for kind, name in made if kind == "NetworkPolicy"]
