"""Each resource option, by a small program that is not this project's, through the real CLI on paper.

They prove that the plugins answer as the engine expects of a provider. They do not prove what Google or a
cluster would say.
"""

from __future__ import annotations

import pytest

from tests.plugins.conftest import Program, kubeconfig

pytestmark = pytest.mark.engine

GCP = "import pulumi_gcp as gcp\n"
KUBERNETES = f"import pulumi_kubernetes as k8s\nKUBECONFIG = {kubeconfig()!r}\n"


def test_alias_keeps_a_renamed_resource(program: Program) -> None:
    program.write(
        """
        import pulumi_gcp as gcp
        opts = Options() if step == "1" else Options(aliases=[pulumi.Alias(name="old")])
        name = "old" if step == "1" else "new"
        gcp.serviceaccount.Account(name, project="acme-prod", account_id="robot-1", opts=opts)
        """
    )
    program.up()
    before = program.state()["old"]["outputs"]["uniqueId"]
    assert program.up(step=2).ops == {}
    assert program.state()["new"]["outputs"]["uniqueId"] == before


def test_protect_refuses_a_delete_and_lets_the_rest_go_on(program: Program) -> None:
    program.write(
        """
        import pulumi_gcp as gcp
        if step == "1":
            gcp.serviceaccount.Account("kept", project="acme-prod", account_id="robot-1",
                                       opts=Options(protect=True))
        """
    )
    program.up()
    result = program.run("up", "--yes", "--skip-preview", step=2)
    assert result.code != 0
    assert "protected" in result.errors
    assert program.state()["kept"]["protect"] is True


def test_ignore_changes_and_a_change_in_place(program: Program) -> None:
    program.write(
        """
        import pulumi_gcp as gcp
        label = f"v{step}"
        gcp.serviceaccount.Account("ignored", project="acme-prod", account_id="robot-1", display_name=label,
                                   opts=Options(ignore_changes=["displayName"]))
        gcp.serviceaccount.Account("changed", project="acme-prod", account_id="robot-2", display_name=label)
        """
    )
    program.up()
    uid = program.state()["changed"]["outputs"]["uniqueId"]
    assert program.preview(step=2).ops == {"changed": ["update"]}
    program.up(step=2)
    assert program.state()["changed"]["outputs"]["displayName"] == "v2"
    assert program.state()["changed"]["outputs"]["uniqueId"] == uid
    assert program.state()["ignored"]["inputs"]["displayName"] == "v1"


def test_replace_creates_first_and_delete_before_replace_deletes_first(program: Program) -> None:
    program.write(
        """
        import pulumi_gcp as gcp
        gcp.serviceaccount.Account("create-first", project="acme-prod", account_id=f"robot-a-{step}")
        gcp.serviceaccount.Account("delete-first", project="acme-prod", account_id=f"robot-b-{step}",
                                   opts=Options(delete_before_replace=True))
        gcp.serviceaccount.Account("told-to", project="acme-prod", account_id="robot-c", description=step,
                                   opts=Options(replace_on_changes=["description"], delete_before_replace=True))
        """
    )
    program.up()
    assert program.up(step=2).ops == {
        "create-first": ["create-replacement", "replace", "delete-replaced"],
        "delete-first": ["delete-replaced", "replace", "create-replacement"],
        "told-to": ["delete-replaced", "replace", "create-replacement"],
    }


def test_a_named_cluster_is_deleted_before_it_is_replaced(program: Program) -> None:
    program.write(
        """
        import pulumi_gcp as gcp
        gcp.container.Cluster("named", name="named", project="acme-prod", location=f"asia-northeast{step}",
                              deletion_protection=False)
        gcp.container.Cluster("auto", project="acme-prod", location=f"asia-northeast{step}",
                              deletion_protection=False)
        """
    )
    program.up()
    first = program.state()["auto"]["outputs"]["name"]
    assert program.up(step=2).ops == {
        "named": ["delete-replaced", "replace", "create-replacement"],
        "auto": ["create-replacement", "replace", "delete-replaced"],
    }
    assert program.state()["auto"]["outputs"]["name"] not in (first, "auto")


def test_retain_on_delete_and_deleted_with_never_call_the_provider(program: Program) -> None:
    # deletion_policy=PREVENT makes the provider refuse any delete that reaches it.
    program.write(
        """
        import pulumi_gcp as gcp
        if step == "1":
            gcp.serviceaccount.Account("retained", project="acme-prod", account_id="robot-1",
                                       deletion_policy="PREVENT", opts=Options(retain_on_delete=True))
        holder = gcp.serviceaccount.Account("holder", project="acme-prod", account_id="robot-2")
        gcp.serviceaccount.Account("inside", project="acme-prod", account_id="robot-3",
                                   deletion_policy="PREVENT", opts=Options(deleted_with=holder))
        """
    )
    program.up()
    program.up(step=2)
    assert "retained" not in program.state()
    result = program.run("destroy", "--yes", "--skip-preview", step=2)
    assert result.code == 0, result.text
    assert program.state() == {}


def test_google_s_own_protection_refuses_a_delete(program: Program) -> None:
    program.write(
        """
        import pulumi_gcp as gcp
        if step == "1":
            gcp.container.Cluster("safe", name="safe", project="acme-prod", location="asia-northeast1")
        """
    )
    program.up()
    result = program.run("up", "--yes", "--skip-preview", step=2)
    assert "Cannot destroy cluster because deletion_protection is set to true" in result.errors
    assert program.state()["safe"]["inputs"]["deletionProtection"] is True


def test_dependencies_timeouts_components_and_secret_outputs_are_kept(program: Program) -> None:
    program.write(
        """
        import pulumi_gcp as gcp

        class Team(pulumi.ComponentResource):
            def __init__(self, name, opts=None):
                super().__init__("acme:index:Team", name, None, opts)
                self.account = gcp.serviceaccount.Account(
                    name, project="acme-prod", account_id="robot-1", opts=Options(
                        parent=self, additional_secret_outputs=["uniqueId"],
                        custom_timeouts=pulumi.CustomTimeouts(create="7m", delete="90s")))
                self.register_outputs({})

        team = Team("team")
        gcp.projects.Service("after", project="acme-prod", service="container.googleapis.com",
                             opts=Options(depends_on=[team]))
        """
    )
    program.up()
    state = program.deployment()["resources"]
    account = next(each for each in state if each["type"] == "gcp:serviceaccount/account:Account")
    after = next(each for each in state if each["type"] == "gcp:projects/service:Service")
    assert "acme:index:Team$gcp:serviceaccount/account:Account" in account["urn"]
    assert account["customTimeouts"] == {"create": 420, "delete": 90}
    assert "ciphertext" in account["outputs"]["uniqueId"]
    assert account["urn"] in after["dependencies"]


def test_another_cluster_identifier_replaces_the_provider_and_what_is_behind_it(program: Program) -> None:
    program.write(
        KUBERNETES
        + """
server = "https://moved.example" if step == "2" else "https://cluster.example"
provider = k8s.Provider("p", kubeconfig=KUBECONFIG.replace("https://cluster.example", server),
                        cluster_identifier="two" if step == "3" else "one")
k8s.core.v1.ConfigMap("settings", metadata={"name": "settings"}, data={"a": "b"},
                      opts=Options(provider=provider))
"""
    )
    program.up()
    # The way to a cluster is not the cluster.
    assert program.up(step=2).ops == {"p": ["update"]}
    ops = program.up(step=3).ops
    assert ops["p"] == ["create-replacement", "replace", "delete-replaced"]
    assert sorted(ops["settings"]) == ["create-replacement", "delete-replaced", "replace"]


def test_without_an_identifier_another_server_replaces_the_provider(program: Program) -> None:
    program.write(
        KUBERNETES
        + """
server = "https://moved.example" if step == "2" else "https://cluster.example"
k8s.Provider("p", kubeconfig=KUBECONFIG.replace("https://cluster.example", server))
"""
    )
    program.up()
    assert program.preview(step=2).ops == {"p": ["create-replacement", "replace", "delete-replaced"]}


def test_import_reads_by_id(program: Program) -> None:
    program.write(
        KUBERNETES
        + """
import pulumi_gcp as gcp
gcp.gkehub.Membership("m", project="acme-prod", location="asia-northeast1", membership_id="one",
    opts=Options(import_="projects/acme-prod/locations/asia-northeast1/memberships/one"))
gcp.projects.IAMMember("grant", project="acme-prod", role="roles/gkehub.viewer", member="user:a@acme.example",
    opts=Options(import_="acme-prod roles/gkehub.viewer user:a@acme.example"))
provider = k8s.Provider("p", kubeconfig=KUBECONFIG, cluster_identifier="one")
k8s.core.v1.Namespace("n", metadata={"name": "there"}, opts=Options(provider=provider, import_="there"))
"""
    )
    result = program.up()
    assert result.ops["m"] == result.ops["grant"] == result.ops["n"] == ["import"]
    assert program.up().ops == {}


def test_replace_rules_of_kubernetes(program: Program) -> None:
    program.write(
        KUBERNETES
        + """
provider = k8s.Provider("p", kubeconfig=KUBECONFIG, cluster_identifier="one")
opts = Options(provider=provider)
k8s.core.v1.ConfigMap("data", metadata={"name": "data"}, data={"v": step}, opts=opts)
k8s.core.v1.ConfigMap("frozen", metadata={"name": "frozen"}, immutable=True, data={"v": step}, opts=opts)
k8s.core.v1.ConfigMap("auto", data={"v": step}, immutable=True, opts=opts)
k8s.core.v1.ConfigMap("moved", metadata={"name": "moved", "namespace": f"n{step}"}, opts=opts)
k8s.rbac.v1.RoleBinding("bound", metadata={"name": "bound"}, subjects=[],
    role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"role-{step}"},
    opts=opts)
labels = {"app": f"d{step}"}
k8s.apps.v1.Deployment("d", metadata={"name": "d"}, opts=opts, spec={"selector": {"match_labels": labels},
    "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}})
k8s.apiextensions.CustomResource("w", api_version="acme.example/v1", kind="Widget", metadata={"name": "w"},
    spec={"size": int(step)}, opts=opts)
k8s.helm.v3.Release("r", name="r", chart="c", version="1.2.3", values={"v": step}, opts=opts,
    repository_opts={"repo": "https://charts.example"})
"""
    )
    program.up()
    generated = program.state()["auto"]["id"]
    first = ["delete-replaced", "replace", "create-replacement"]
    ops = program.up(step=2).ops
    assert {name: ops[name] for name in ("data", "w", "r")} == {
        "data": ["update"],
        "w": ["update"],
        "r": ["update"],
    }
    assert {name: ops[name] for name in ("frozen", "bound", "d")} == {
        "frozen": first,
        "bound": first,
        "d": first,
    }
    assert ops["auto"] == ops["moved"] == ["create-replacement", "replace", "delete-replaced"]
    assert program.state()["auto"]["id"] != generated
    assert program.state()["w"]["id"] == "default/w"
