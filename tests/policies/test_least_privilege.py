"""The rules about rights, by a table: what each refuses, with the paths it names, and what it lets pass.

Proves them on inputs as the engine hands them over. Does not prove what a role holds.
"""

import json
from typing import Any

import pytest
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.rules.least_privilege import RULES

from .examples import Example, check, check_all_are_shown

PROJECT = "gcp:projects/iAMMember:IAMMember"
BINDING = "gcp:projects/iAMBinding:IAMBinding"
POLICY = "gcp:projects/iAMPolicy:IAMPolicy"
ON_ACCOUNT = "gcp:serviceaccount/iAMMember:IAMMember"
BUCKET = "gcp:storage/bucketIAMMember:BucketIAMMember"
CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
HUB_BINDING = "gcp:gkehub/membershipRbacRoleBinding:MembershipRbacRoleBinding"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1"
APP_PROJECT = "kubernetes:argoproj.io/v1alpha1:AppProject"
APPLICATION = "kubernetes:argoproj.io/v1alpha1:Application"
SET = "kubernetes:argoproj.io/v1alpha1:ApplicationSet"
UNKNOWN = UNKNOWN_STRING_VALUE

WORKLOADS = "iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p.svc.id.goog"
ARGOCD = "serviceAccount:argocd-hub@p.iam.gserviceaccount.com"
ARGOCD_WORKLOAD = f"principal://{WORKLOADS}/subject/ns/argocd/sa/argocd-application-controller"
DEPLOYER = "serviceAccount:deployer@p.iam.gserviceaccount.com"
PEOPLE = ("user:a@example.com", "group:g@example.com")
WORKFORCE = "principal://iam.googleapis.com/locations/global/workforcePools/w/subject/argocd-admin"
AGENT = "serviceAccount:service-1@gcp-sa-gkehub.iam.gserviceaccount.com"


def grant(role: str, member: str) -> dict[str, Any]:
    return {"role": role, "member": member}


def policy(**roles: list[str]) -> dict[str, Any]:
    bindings = [{"role": f"roles/{role}", "members": members} for role, members in roles.items()]
    return {"policyData": json.dumps({"bindings": bindings})}


def project(name: str = "x", **spec: Any) -> dict[str, Any]:
    kinds = {"namespaceResourceWhitelist": [{"group": "apps", "kind": "Deployment"}]}
    return {"metadata": {"name": name}, "spec": kinds | spec}


def destination(server: str, namespace: str) -> dict[str, Any]:
    return {"destinations": [{"server": server, "namespace": namespace}]}


def application_set(project_: object, *generators: object, **spec: Any) -> dict[str, Any]:
    template = {"spec": {"project": project_, "source": {"repoURL": "https://g"}}}
    return {"spec": {"goTemplate": True, "generators": list(generators), "template": template} | spec}


def clusters(**values: Any) -> dict[str, Any]:
    return {"clusters": {"values": values}}


def binding(role: str, *subjects: dict[str, Any]) -> dict[str, Any]:
    return {"roleRef": {"kind": "ClusterRole", "name": role}, "subjects": list(subjects)}


def account(namespace: str, name: str) -> dict[str, Any]:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def named(kind: str, name: str) -> dict[str, Any]:
    return {"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"}


def role(**rule: list[str]) -> dict[str, Any]:
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    return {"metadata": {"name": "x"}, "rules": [everything | rule]}


EXAMPLES = [
    *(
        Example("no-basic-roles", token, grant(name, DEPLOYER), ("role",))
        for token in (
            PROJECT,
            ON_ACCOUNT,
            BUCKET,
            "gcp:folder/iAMMember:IAMMember",
            "gcp:organizations/iAMMember:IAMMember",
            "gcp:secretmanager/secretIamMember:SecretIamMember",
            "gcp:gkehub/membershipIamMember:MembershipIamMember",
        )
        for name in ("roles/owner", "roles/editor")
    ),
    Example("no-basic-roles", PROJECT, grant("roles/admin", UNKNOWN), ("role",)),
    Example("no-basic-roles", BINDING, {"role": "roles/writer", "members": UNKNOWN}, ("role",)),
    Example(
        "no-basic-roles",
        POLICY,
        policy(viewer=list(PEOPLE), owner=list(PEOPLE)),
        ("policyData: bindings[1].role",),
    ),
    Example("no-basic-roles", PROJECT, grant("roles/viewer", DEPLOYER)),
    Example("no-basic-roles", PROJECT, grant("roles/compute.admin", DEPLOYER)),
    Example("no-basic-roles", PROJECT, grant(UNKNOWN, DEPLOYER)),
    Example("no-basic-roles", BINDING, {"role": "roles/owner", "members": []}),
    Example("no-basic-roles", POLICY, {"policyData": UNKNOWN}),
    Example("no-basic-roles", POLICY, {"policyData": "{"}),
    *(
        Example("no-public-members", BUCKET, grant("roles/storage.objectViewer", member), ("member",))
        for member in ("allUsers", "allAuthenticatedUsers")
    ),
    Example(
        "no-public-members",
        BINDING,
        {"role": "roles/viewer", "members": [DEPLOYER, "allUsers"]},
        ("members[1]",),
    ),
    Example(
        "no-public-members", POLICY, policy(viewer=["allUsers"]), ("policyData: bindings[0].members[0]",)
    ),
    Example(
        "no-public-members",
        "gcp:storage/bucketAccessControl:BucketAccessControl",
        {"entity": "allUsers"},
        ("entity",),
    ),
    Example(
        "no-public-members",
        "gcp:storage/bucketACL:BucketACL",
        {"roleEntities": ["OWNER:user-a@b", "READER:allAuthenticatedUsers"], "predefinedAcl": "publicRead"},
        ("roleEntities[1]", "predefinedAcl"),
    ),
    Example("no-public-members", BUCKET, grant("roles/storage.objectViewer", "user:allusers@example.com")),
    Example("no-public-members", BUCKET, grant("roles/storage.objectViewer", UNKNOWN)),
    Example("no-public-members", "gcp:storage/bucketACL:BucketACL", {"predefinedAcl": "private"}),
    *(
        Example("argocd-rbac-only", PROJECT, grant(name, member), ("member",))
        for name in ("roles/container.admin", "roles/container.developer")
        for member in (ARGOCD, ARGOCD_WORKLOAD, "serviceAccount:argo-cd@p.iam.gserviceaccount.com")
    ),
    Example(
        "argocd-rbac-only",
        PROJECT,
        grant("roles/container.admin", "serviceAccount:p.svc.id.goog[argocd/argocd-server]"),
        ("member",),
    ),
    Example(
        "argocd-rbac-only",
        PROJECT,
        grant("roles/container.admin", DEPLOYER),
        ("member",),
        {"identities": ["*deployer*"]},
    ),
    Example("argocd-rbac-only", PROJECT, grant("roles/gkehub.gatewayEditor", ARGOCD)),
    Example("argocd-rbac-only", PROJECT, grant("roles/container.admin", DEPLOYER)),
    Example("argocd-rbac-only", PROJECT, grant("roles/container.admin", WORKFORCE)),
    Example("argocd-rbac-only", PROJECT, grant("roles/container.admin", UNKNOWN)),
    Example("container-roles", PROJECT, grant("roles/container.admin", DEPLOYER), ("member",)),
    Example(
        "container-roles",
        BINDING,
        {"role": "roles/container.developer", "members": [PEOPLE[0], DEPLOYER]},
        ("members[1]",),
    ),
    Example(
        "container-roles", PROJECT, grant("roles/container.admin", DEPLOYER), (), {"allowed": ["*deployer@*"]}
    ),
    *(
        Example("container-roles", PROJECT, grant("roles/container.admin", member))
        for member in (*PEOPLE, ARGOCD, AGENT)
    ),
    Example("container-roles", PROJECT, grant("roles/container.defaultNodeServiceAccount", DEPLOYER)),
    Example("no-gateway-admin", PROJECT, grant("roles/gkehub.gatewayAdmin", ARGOCD), ("member",)),
    Example("no-gateway-admin", PROJECT, grant("roles/gkehub.gatewayAdmin", ARGOCD_WORKLOAD), ("member",)),
    *(
        Example("no-gateway-admin", PROJECT, grant("roles/gkehub.gatewayAdmin", member))
        for member in (
            *PEOPLE,
            WORKFORCE,
            "serviceAccount:argocd-server-hub@p.iam.gserviceaccount.com",
            f"principal://{WORKLOADS}/subject/ns/argocd/sa/argocd-server",
            UNKNOWN,
        )
    ),
    Example("no-gateway-admin", PROJECT, grant("roles/gkehub.gatewayEditor", ARGOCD)),
    Example(
        "no-gateway-admin",
        PROJECT,
        grant("roles/gkehub.gatewayAdmin", DEPLOYER),
        (),
        {"terminals": [DEPLOYER]},
    ),
    *(
        Example("impersonation-by-account", token, grant(f"roles/iam.{name}", DEPLOYER), ("member",))
        for token in (PROJECT, "gcp:folder/iAMMember:IAMMember", "gcp:organizations/iAMMember:IAMMember")
        for name in ("serviceAccountTokenCreator", "serviceAccountUser", "workloadIdentityUser")
    ),
    Example("impersonation-by-account", ON_ACCOUNT, grant("roles/iam.workloadIdentityUser", DEPLOYER)),
    Example("impersonation-by-account", PROJECT, grant("roles/iam.serviceAccountTokenCreator", AGENT)),
    Example(
        "impersonation-by-account",
        PROJECT,
        grant("roles/iam.serviceAccountUser", DEPLOYER),
        (),
        {"allowed": ["serviceAccount:deployer@*"]},
    ),
    Example("node-account", POOL, {}, ("nodeConfig.serviceAccount",)),
    Example(
        "node-account", POOL, {"nodeConfig": {"serviceAccount": "default"}}, ("nodeConfig.serviceAccount",)
    ),
    Example(
        "node-account",
        CLUSTER,
        {"nodeConfig": {"serviceAccount": "1-compute@developer.gserviceaccount.com"}},
        ("nodeConfig.serviceAccount",),
    ),
    Example(
        "node-account",
        CLUSTER,
        {"enableAutopilot": True},
        ("clusterAutoscaling.autoProvisioningDefaults.serviceAccount",),
    ),
    Example("node-account", POOL, {"nodeConfig": {"serviceAccount": "nodes@p.iam.gserviceaccount.com"}}),
    Example("node-account", POOL, {"nodeConfig": {"serviceAccount": UNKNOWN}}),
    Example("node-account", CLUSTER, {"removeDefaultNodePool": True}),
    Example(
        "node-account",
        CLUSTER,
        {
            "enableAutopilot": True,
            "clusterAutoscaling": {"autoProvisioningDefaults": {"serviceAccount": "nodes@p"}},
        },
    ),
    Example(
        "app-project-closed", APP_PROJECT, project(sourceRepos=["https://g/*", "*"]), ("spec.sourceRepos[1]",)
    ),
    Example(
        "app-project-closed", APP_PROJECT, project(**destination("*", "*")), ("spec.destinations[0].server",)
    ),
    Example(
        "app-project-closed",
        APP_PROJECT,
        project(destinations=[{"name": "**", "namespace": "*"}]),
        ("spec.destinations[0].name",),
    ),
    Example(
        "app-project-closed",
        APP_PROJECT,
        project(clusterResourceWhitelist=[{"group": "*", "kind": "*"}]),
        ("spec.clusterResourceWhitelist[0].kind",),
    ),
    Example(
        "app-project-closed", APP_PROJECT, project(sourceNamespaces=["*"]), ("spec.sourceNamespaces[0]",)
    ),
    Example(
        "app-project-closed",
        APP_PROJECT,
        project(
            sourceRepos=["https://g/org/*"],
            clusterResourceWhitelist=[{"group": "rbac.authorization.k8s.io", "kind": "*"}],
            **destination("*", "cert-manager"),
        ),
    ),
    Example("app-project-closed", APP_PROJECT, project(**destination("https://c", "*"))),
    Example("app-project-closed", APP_PROJECT, project(destinations=[{"name": "prod-*", "namespace": "*"}])),
    Example("app-project-closed", APP_PROJECT, project(sourceRepos=UNKNOWN, destinations=[UNKNOWN])),
    Example(
        "app-project-kinds", APP_PROJECT, {"spec": {"description": "x"}}, ("spec.namespaceResourceWhitelist",)
    ),
    Example(
        "app-project-kinds",
        APP_PROJECT,
        project(namespaceResourceWhitelist=[{"group": "*", "kind": "*"}]),
        ("spec.namespaceResourceWhitelist[0].kind",),
    ),
    Example("app-project-kinds", APP_PROJECT, project()),
    Example("app-project-kinds", APP_PROJECT, project(namespaceResourceWhitelist=[])),
    Example("app-project-kinds", APP_PROJECT, {"spec": UNKNOWN}),
    Example("app-project-kinds", f"{APP_PROJECT}Patch", {"spec": {"description": "x"}}),
    Example("default-project-unused", APPLICATION, {"spec": {"project": "default"}}, ("spec.project",)),
    Example("default-project-unused", APPLICATION, {"spec": {"source": {}}}, ("spec.project",)),
    Example(
        "default-project-unused", APPLICATION, {"spec": {"project": "", "source": {}}}, ("spec.project",)
    ),
    Example(
        "default-project-unused", SET, application_set("default", clusters()), ("spec.template.spec.project",)
    ),
    Example("default-project-unused", SET, application_set("default"), ("spec.template.spec.project",)),
    Example(
        "default-project-unused", SET, application_set(None, clusters()), ("spec.template.spec.project",)
    ),
    Example(
        "default-project-unused",
        SET,
        application_set("{{.values.project}}", clusters(project="team"), clusters(project="default")),
        ("spec.generators[1].clusters.values.project",),
    ),
    Example(
        "default-project-unused",
        SET,
        application_set("team", {"list": {"elements": [{}], "template": {"spec": {"project": "default"}}}}),
        ("spec.generators[0].list.template.spec.project",),
    ),
    Example(
        "default-project-unused",
        SET,
        application_set("team", clusters(), templatePatch="spec:\n  project: default\n"),
        ("spec.templatePatch: spec.project",),
    ),
    Example(
        "default-project-unused",
        APP_PROJECT,
        project("default", sourceRepos=["*"], **destination("*", "*")),
        ("spec.sourceRepos", "spec.destinations"),
    ),
    Example("default-project-unused", APPLICATION, {"spec": {"project": "team"}}),
    Example("default-project-unused", APPLICATION, {"spec": {"project": UNKNOWN}}),
    Example("default-project-unused", APPLICATION, {"spec": UNKNOWN}),
    Example("default-project-unused", f"{APPLICATION}Patch", {"spec": {"source": {}}}),
    Example("default-project-unused", SET, application_set("{{.metadata.labels.team}}", clusters())),
    Example("default-project-unused", SET, application_set("team", clusters())),
    Example("default-project-unused", SET, {"spec": UNKNOWN}),
    Example("default-project-unused", APP_PROJECT, project("default", sourceRepos=[], destinations=[])),
    Example("default-project-unused", APP_PROJECT, project("team", sourceRepos=["*"])),
    Example(
        "no-cluster-admin",
        f"{RBAC}:ClusterRoleBinding",
        binding("cluster-admin", named("Group", "platform"), account("kyverno", "kyverno")),
        ("subjects[1].name",),
    ),
    Example(
        "no-cluster-admin",
        f"{RBAC}:ClusterRoleBinding",
        binding("cluster-admin", named("User", "argocd-hub@p.iam.gserviceaccount.com")),
        ("subjects[0].name",),
    ),
    Example(
        "no-cluster-admin",
        f"{RBAC}:ClusterRoleBinding",
        binding("cluster-admin", named("User", ARGOCD_WORKLOAD)),
        ("subjects[0].name",),
    ),
    Example(
        "no-cluster-admin",
        HUB_BINDING,
        {"role": {"predefinedRole": "ADMIN"}, "user": "x@p.iam.gserviceaccount.com"},
        ("user",),
    ),
    Example(
        "no-cluster-admin",
        f"{RBAC}:ClusterRoleBinding",
        binding("cluster-admin", account("velero", "velero")),
        (),
        {"allowed": ["velero/*"]},
    ),
    Example(
        "no-cluster-admin",
        f"{RBAC}:ClusterRoleBinding",
        binding("cluster-admin", named("User", "a@example.com")),
    ),
    Example("no-cluster-admin", f"{RBAC}:ClusterRoleBinding", binding("view", account("kyverno", "kyverno"))),
    Example("no-cluster-admin", f"{RBAC}:RoleBinding", binding("cluster-admin", account("team", "ci"))),
    Example(
        "no-cluster-admin",
        HUB_BINDING,
        {"role": {"predefinedRole": "VIEW"}, "user": "x@p.iam.gserviceaccount.com"},
    ),
    Example("no-wildcard-roles", f"{RBAC}:ClusterRole", role(), ("rules[0].verbs",)),
    Example(
        "no-wildcard-roles", f"{RBAC}:ClusterRoleList", {"items": [role()]}, ("items[0].rules[0].verbs",)
    ),
    Example("no-wildcard-roles", f"{RBAC}:ClusterRole", role(), (), {"allowed": ["x"]}),
    Example(
        "no-wildcard-roles",
        "kubernetes:core/v1:List",
        {"items": [role() | {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}]},
        ("items[0].rules[0].verbs",),
    ),
    Example("no-wildcard-roles", "kubernetes:example.com/v1:ClusterRole", role()),
    *(
        Example("no-wildcard-roles", f"{RBAC}:ClusterRole", role(**rule))
        for rule in (
            {"verbs": ["get", "list"]},
            {"resources": ["pods"]},
            {"apiGroups": ["apps"]},
            {"verbs": UNKNOWN},
        )
    ),
    *(
        Example(
            "no-bindings-to-everybody",
            f"{RBAC}:{kind}",
            binding("view", named(who, name)),
            ("subjects[0].name",),
        )
        for kind in ("ClusterRoleBinding", "RoleBinding")
        for who, name in (
            ("User", "system:anonymous"),
            ("Group", "system:unauthenticated"),
            ("Group", "system:authenticated"),
            ("Group", "system:serviceaccounts"),
        )
    ),
    Example(
        "no-bindings-to-everybody",
        f"{RBAC}:ClusterRoleBinding",
        binding("system:discovery", named("Group", "system:authenticated")),
    ),
    Example(
        "no-bindings-to-everybody", f"{RBAC}:ClusterRoleBinding", binding("view", named("Group", "platform"))
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_what_a_rule_refuses_and_lets_pass(example: Example) -> None:
    check(example, RULES)


def test_every_rule_is_shown_both_ways() -> None:
    check_all_are_shown(EXAMPLES, RULES)
