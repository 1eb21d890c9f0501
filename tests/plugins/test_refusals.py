"""What the plugins say no to, and that the state is clean afterwards."""

from __future__ import annotations

import pytest

from tests.plugins.conftest import Program
from tests.plugins.test_resource_options import KUBERNETES

pytestmark = pytest.mark.engine


def test_an_unknown_type_names_itself_and_the_remedy(program: Program) -> None:
    program.write(
        """
        import pulumi_gcp as gcp
        gcp.pubsub.Topic("t", project="acme-prod")
        """
    )
    result = program.preview()
    assert result.code != 0
    assert "gcp:pubsub/topic:Topic: the gcp stand-in does not know this type" in result.errors
    assert "plugins/gcp/types/" in result.errors


def test_all_names_against_the_rules_are_refused_at_once(program: Program) -> None:
    program.write(
        """
        import pulumi_gcp as gcp
        gcp.container.Cluster("c", name="Not_A_Name", project="acme", location="tokyo", fleet={"project": "x"})
        """
    )
    result = program.preview()
    assert result.code != 0
    for part in ("name is 'Not_A_Name'", "project is 'acme'", "location is 'tokyo'", "fleet.project is 'x'"):
        assert part in result.errors


def test_creating_twice_is_a_conflict_and_the_next_run_goes_on(program: Program) -> None:
    program.write(
        KUBERNETES
        + """
import pulumi_gcp as gcp
one = gcp.serviceaccount.Account("one", project="acme-prod", account_id="robot-1")
gcp.serviceaccount.Account("two", project="acme-prod", account_id="robot-1" if step == "1" else "robot-2",
                           opts=Options(depends_on=[one]))
provider = k8s.Provider("p", kubeconfig=KUBECONFIG, cluster_identifier="one")
first = k8s.core.v1.Namespace("first", metadata={"name": "n"}, opts=Options(provider=provider))
second = k8s.core.v1.Namespace("second", metadata={"name": "n" + ("" if step == "1" else "2")},
                               opts=Options(provider=provider, depends_on=[first]))
"""
    )
    result = program.run("up", "--yes", "--skip-preview", "--continue-on-error")
    assert result.code != 0
    assert "Error 409: Already exists" in result.errors
    assert 'namespaces "n" already exists' in result.errors
    assert not program.deployment().get("pending_operations")
    assert program.up(step=2).ops == {"two": ["create"], "second": ["create"]}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            'k8s.core.v1.ConfigMapPatch("x", metadata={"name": "n"}, opts=Options(provider=provider))',
            "has no Patch resources",
        ),
        ('k8s.core.v1.ConfigMapList("x", items=[], opts=Options(provider=provider))', "has no lists"),
        (
            'k8s.yaml.v2.ConfigGroup("x", yaml="", opts=pulumi.ResourceOptions(provider=provider))',
            "a stand-in plugin makes no components",
        ),
        (
            'k8s.core.v1.Namespace("x", metadata={"name": "n", "namespace": "m"}, opts=Options(provider=provider))',
            "Namespace is cluster-wide and takes no namespace",
        ),
        ('k8s.Provider("q", kubeconfig="{not a kubeconfig")', "kubeconfig cannot be read"),
        (
            'k8s.Provider("q", kubeconfig=KUBECONFIG, enable_server_side_apply=False); '
            'k8s.core.v1.Namespace("x", opts=Options(provider=k8s.Provider("r", kubeconfig=KUBECONFIG, '
            "enable_server_side_apply=False)))",
            "applies on the server's side only",
        ),
        (
            'import pulumi_gcp as gcp; pulumi.export("x", gcp.organizations.get_project(project_id="acme").number)',
            "the gcp stand-in answers no function calls",
        ),
    ],
    ids=["patch", "list", "component", "namespace", "kubeconfig", "client-side", "function"],
)
def test_what_is_not_there_says_so(program: Program, source: str, said: str) -> None:
    program.write(
        KUBERNETES
        + 'provider = k8s.Provider("p", kubeconfig=KUBECONFIG, cluster_identifier="one")\n'
        + source
        + "\n"
    )
    result = program.preview()
    assert result.code != 0
    assert said in result.errors + result.text
