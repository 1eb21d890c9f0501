"""What the settings of Argo CD in a fleet file become in the chart's values, and what a mistake in them is told.

It does not prove that the official chart does with these values what is expected of it: no test here can have that
chart. Each key stands in `KEYS` with the place where it was read; the stand-in chart (`tests/mirror`) takes no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from model import Configuration, ConfigurationError, load_stack
from model.application_set import application_set_spec
from model.argocd import (
    addons_project_spec,
    argocd_project_spec,
    chart_values,
    is_watched,
    self_application_spec,
)
from model.argocd_settings import ArgocdSettings
from tests.model.conftest import CATALOGUE, FLEET

FLEET_FILE = "stacks/acme.fleet.yaml"
SECTION = "argocd:\n  reconciliationSeconds: 60\n"
SSO = """\
  domain: argocd.acme.example
  sso:
    issuer: https://login.acme.example/realms/acme
    clientId: argocd
    groups: {platform: admin, developers: readonly}
"""

CHART = "https://github.com/argoproj/argo-helm/blob/argo-cd-10.1.1/charts/argo-cd/values.yaml"
PARAMETERS = (
    "https://github.com/argoproj/argo-helm/tree/argo-cd-10.1.1/charts/argo-cd/templates (pod templates)"
)
REDIS_HA = "https://github.com/DandyDeveloper/charts/blob/redis-ha-4.38.0/charts/redis-ha/values.yaml"
ARGOCD = "https://argo-cd.readthedocs.io/en/stable/operator-manual/argocd-cm-yaml/"
SCALED = ("controller", "server", "repoServer", "applicationSet")

KEYS = {
    **dict.fromkeys(
        (
            *("global/domain", "global/networkPolicy/create", "global/topologySpreadConstraints"),
            *("crds/install", "crds/keep", "redis/enabled", "dex/enabled", "notifications/enabled"),
            *("configs/rbac/policy.csv", "configs/rbac/policy.default", "configs/rbac/scopes"),
            *("configs/cm/admin.enabled", "configs/cm/exec.enabled", "configs/cm/timeout.reconciliation"),
            *("configs/cm/timeout.reconciliation.jitter", "configs/cm/resource.exclusions"),
            *(f"{one}/{key}" for one in SCALED for key in ("replicas", "pdb/enabled", "pdb/maxUnavailable")),
            *(f"{one}/serviceAccount/annotations" for one in ("controller", "server")),
            "controller/env",
            *("redis-ha/enabled", "redis-ha/topologySpreadConstraints/enabled"),
        ),
        CHART,
    ),
    **dict.fromkeys(
        (
            "configs/params/controller.self.heal.backoff.cap.seconds",
            "configs/params/controller.sharding.algorithm",
            "configs/params/applicationsetcontroller.enable.progressive.syncs",
        ),
        PARAMETERS,
    ),
    **dict.fromkeys(
        (
            "redis-ha/podDisruptionBudget/maxUnavailable",
            "redis-ha/haproxy/podDisruptionBudget/maxUnavailable",
        ),
        REDIS_HA,
    ),
    # The chart passes on any key of argocd-cm.
    **dict.fromkeys(
        (
            "configs/cm/application.resourceTrackingMethod",
            "configs/cm/resource.inclusions",
            "configs/cm/oidc.config",
        ),
        ARGOCD,
    ),
}
"""Every key of the values -> where it was read. `/` goes one map deeper: names have dots."""

INCLUSIONS = """\
  resourceInclusions:
    - {apiGroups: ["*"], kinds: [Job, HorizontalPodAutoscaler, PodDisruptionBudget]}
    - {apiGroups: ["", apps, "*.k8s.io"], kinds: ["*"]}
"""

EVERYTHING = (
    SSO
    + """\
  exec: true
  redisHa: true
  sharding: consistent-hashing
  clientQps: 20
  clientBurst: 40
  replicas: {controller: 3, server: 2, repoServer: 2, applicationSet: 2}
  resourceExclusions: [{apiGroups: [events.acme.example], kinds: ["*"]}]
"""
    + INCLUSIONS
)


ADDON = "  external-secrets:\n"
ROLLED_OUT = CATALOGUE.replace(ADDON, f"{ADDON}    rollOut: {{}}\n")
"""The small catalogue with an add-on that Argo CD brings ring by ring."""


@pytest.fixture
def loaded(folder: Callable[..., Path]) -> Callable[..., Configuration]:
    """Loads the small fleet with these lines as its section `argocd`, and a catalogue."""

    def load(settings: str, catalogue: str = CATALOGUE) -> Configuration:
        assert SECTION in FLEET
        fleet = FLEET.replace(SECTION, f"argocd:\n{settings}" if settings else "")
        return load_stack(folder(fleet=fleet, catalogue=catalogue), "acme")

    return load


def values_of(made: Configuration) -> dict[str, Any]:
    return chart_values(made.fleet, made.catalogue)


def paths(values: dict[str, Any], at: str = "") -> Iterator[str]:
    """The path of every value that is not a map, and of annotations as a whole."""
    for key, value in values.items():
        path = f"{at}{key}"
        if isinstance(value, dict) and key != "annotations":
            yield from paths(value, f"{path}/")
        else:
            yield path


@pytest.mark.parametrize(
    ("settings", "catalogue"),
    [("", CATALOGUE), (EVERYTHING, ROLLED_OUT)],
    ids=["nothing set", "everything set"],
)
def test_every_key_is_known_from_the_chart(
    loaded: Callable[..., Configuration], settings: str, catalogue: str
) -> None:
    found = set(paths(values_of(loaded(settings, catalogue))))
    assert found <= set(KEYS), "look it up in the chart, then add it with its source"


def test_no_known_key_is_one_that_nobody_sets(loaded: Callable[..., Configuration]) -> None:
    assert set(paths(values_of(loaded(EVERYTHING, ROLLED_OUT)))) == set(KEYS)


def test_values_hold_nothing_that_the_chart_would_turn_into_nonsense(
    loaded: Callable[..., Configuration],
) -> None:
    values = values_of(loaded(EVERYTHING))
    for section in ("cm", "params", "rbac"):
        for key, value in values["configs"][section].items():
            # A list or map becomes `map[...]` there, and a large number 1e+06.
            assert isinstance(value, str | bool), key
    assert all(isinstance(value, str) for value in values["configs"]["rbac"].values())
    assert all(isinstance(one["value"], str) for one in values["controller"]["env"])
    names = [one["name"] for one in values["controller"]["env"]]
    assert len(names) == len(set(names))


def test_one_of_each_has_no_budget_and_more_have_one(loaded: Callable[..., Configuration]) -> None:
    alone = values_of(loaded(""))
    assert all(alone[one] == {"replicas": 1} for one in ("repoServer", "applicationSet"))
    assert "redis-ha" not in alone
    more = values_of(loaded("  replicas: {repoServer: 2}\n"))
    assert more["repoServer"] == {"replicas": 2, "pdb": {"enabled": True, "maxUnavailable": 1}}
    assert "pdb" not in more["server"]


def test_redis_in_three_comes_with_what_it_needs(loaded: Callable[..., Configuration]) -> None:
    made = loaded("  redisHa: true\n")
    values = values_of(made)
    assert values["redis-ha"]["enabled"] and values["redis"]["enabled"]
    assert "redis.server" not in values["configs"]["params"], "the chart names the proxy by itself"
    # What the chart then makes has to be allowed to Argo CD's own Application.
    kinds = {one["kind"] for one in argocd_project_spec(made.catalogue)["namespaceResourceWhitelist"]}
    assert {"StatefulSet", "Deployment", "PodDisruptionBudget", "Role", "RoleBinding", "ConfigMap"} <= kinds


def test_sharding_and_pace(loaded: Callable[..., Configuration]) -> None:
    values = values_of(loaded("  sharding: round-robin\n  replicas: {controller: 2}\n  clientQps: 20\n"))
    assert values["controller"]["replicas"] == 2
    assert values["configs"]["params"]["controller.sharding.algorithm"] == "round-robin"
    assert {"name": "ARGOCD_K8S_CLIENT_QPS", "value": "20"} in values["controller"]["env"]
    assert "ARGOCD_K8S_CLIENT_BURST" not in json.dumps(values)
    plain = values_of(loaded(""))
    assert plain["configs"]["params"]["controller.sharding.algorithm"] == "legacy"
    assert plain["controller"]["env"] == [
        {"name": "ARGOCD_CLUSTER_CACHE_WATCH_RESYNC_DURATION", "value": "0s"}
    ]


def test_rolling_out_is_on_where_an_add_on_wants_it(loaded: Callable[..., Configuration]) -> None:
    """The key of argocd-cmd-params-cm that Argo CD 3.5.7's manifests give to the ApplicationSet controller."""
    key = "applicationsetcontroller.enable.progressive.syncs"
    assert key not in values_of(loaded(""))["configs"]["params"]
    made = loaded("", ROLLED_OUT)
    assert values_of(made)["configs"]["params"][key] == "true"
    spec = self_application_spec(made.fleet, made.catalogue)
    assert spec["source"]["helm"]["valuesObject"]["configs"]["params"][key] == "true"


def test_more_exclusions_come_beside_the_default_ones(loaded: Callable[..., Configuration]) -> None:
    before = yaml.safe_load(values_of(loaded(""))["configs"]["cm"]["resource.exclusions"])
    lines = "  resourceExclusions: [{apiGroups: ['', apps], kinds: [ControllerRevision]}]\n"
    after = yaml.safe_load(values_of(loaded(lines))["configs"]["cm"]["resource.exclusions"])
    added = [
        {"apiGroups": [group], "kinds": ["ControllerRevision"], "clusters": ["*"]} for group in ("", "apps")
    ]
    assert after == before + added
    # Argo CD's own list of 3.5.7, which this setting replaces.
    defaults = {"Endpoints", "EndpointSlice", "Lease", "TokenReview", "CiliumIdentity", "UpdateRequest"}
    assert defaults <= {kind for one in before for kind in one["kinds"]}


def test_inclusions_are_there_only_where_they_are_given(loaded: Callable[..., Configuration]) -> None:
    assert "resource.inclusions" not in values_of(loaded(""))["configs"]["cm"]
    made = yaml.safe_load(values_of(loaded(INCLUSIONS))["configs"]["cm"]["resource.inclusions"])
    pairs = [
        ("*", ["Job", "HorizontalPodAutoscaler", "PodDisruptionBudget"]),
        *((group, ["*"]) for group in ("", "apps", "*.k8s.io")),
    ]
    assert made == [{"apiGroups": [group], "kinds": kinds, "clusters": ["*"]} for group, kinds in pairs]


@pytest.mark.parametrize(
    ("settings", "kind", "watched"),
    [
        ("", "apps/Deployment", True),
        ("", "Secret", True),
        ("", "Event", False),
        ("", "metrics.k8s.io/PodMetrics", False),
        ("  resourceExclusions: [{apiGroups: [''], kinds: [Secret]}]\n", "Secret", False),
        ("  resourceExclusions: [{apiGroups: [apps], kinds: [Secret]}]\n", "Secret", True),
        (
            "  resourceExclusions: [{apiGroups: ['*.acme.example'], kinds: ['*']}]\n",
            "x.acme.example/Y",
            False,
        ),
        ("  resourceInclusions: [{apiGroups: [''], kinds: [Secret]}]\n", "Secret", True),
        ("  resourceInclusions: [{apiGroups: [''], kinds: [Secret]}]\n", "ConfigMap", False),
        ("  resourceInclusions: [{apiGroups: ['*'], kinds: [Event]}]\n", "Event", False),
    ],
)
def test_what_argocd_looks_at(settings: str, kind: str, watched: bool) -> None:
    given = ArgocdSettings.model_validate_json(json.dumps(yaml.safe_load(settings) or {}))
    assert is_watched(given, kind) is watched


def test_login_of_people(loaded: Callable[..., Configuration]) -> None:
    values = values_of(loaded(SSO))
    assert values["global"]["domain"] == "argocd.acme.example"
    assert yaml.safe_load(values["configs"]["cm"]["oidc.config"]) == {
        "name": "SSO",
        "issuer": "https://login.acme.example/realms/acme",
        "clientID": "argocd",
        "clientSecret": "$argocd-oidc:clientSecret",
        "requestedScopes": ["openid", "profile", "email", "groups"],
    }
    assert values["configs"]["rbac"] == {
        "policy.default": "",
        "policy.csv": "g, developers, role:readonly\ng, platform, role:admin\n",
        "scopes": "[groups]",
    }
    assert values["dex"] == {"enabled": False}


def test_without_login_nobody_may_anything(loaded: Callable[..., Configuration]) -> None:
    configs = values_of(loaded(""))["configs"]
    assert "oidc.config" not in configs["cm"] and configs["cm"]["admin.enabled"] is False
    assert configs["rbac"] == {"policy.default": "", "policy.csv": "", "scopes": "[groups]"}


def test_google_accounts_go_by_address(loaded: Callable[..., Configuration]) -> None:
    lines = """\
  domain: argocd.acme.example
  sso:
    issuer: https://accounts.google.com
    clientId: argocd.apps.googleusercontent.com
    scopes: [openid, profile, email]
    claim: email
    groups: {oncall@acme.example: admin}
    defaultAccess: readonly
"""
    rbac = values_of(loaded(lines))["configs"]["rbac"]
    assert rbac == {
        "policy.default": "role:readonly",
        "policy.csv": "g, oncall@acme.example, role:admin\n",
        "scopes": "[email]",
    }


@pytest.mark.parametrize(
    ("settings", "controller", "server"),
    [
        ("", "argocd-hub", "argocd-hub"),
        ("  exec: true\n", "argocd-hub", "argocd-server-hub"),
        ("  identity: principal\n", None, None),
        ("  identity: principal\n  exec: true\n", None, None),
    ],
)
def test_who_acts_as_which_account(
    loaded: Callable[..., Configuration], settings: str, controller: str | None, server: str | None
) -> None:
    made = loaded(settings)
    values = values_of(made)
    for component, account in (("controller", controller), ("server", server)):
        annotations = values[component].get("serviceAccount", {}).get("annotations", {})
        email = f"{account}@{made.fleet.hub.project}.iam.gserviceaccount.com"
        assert annotations == ({"iam.gke.io/gcp-service-account": email} if account else {})
    assert all("serviceAccount" not in values[one] for one in ("repoServer", "applicationSet"))
    assert values["configs"]["cm"]["exec.enabled"] is ("exec" in settings)


def test_argocd_keeps_its_application_as_it_was_written(loaded: Callable[..., Configuration]) -> None:
    """It drops `group: ""` (and every other empty text) from ignoreDifferences when it writes the object back, and
    would then own the list: the next server-side apply from here would be a conflict."""
    made = loaded(EVERYTHING)
    spec = self_application_spec(made.fleet, made.catalogue)
    assert spec["ignoreDifferences"] == [
        {"kind": "Secret", "name": name, "jsonPointers": ["/data"]}
        for name in ("argocd-secret", "argocd-redis")
    ]
    spec["source"]["helm"].pop("valuesObject")  # kept byte for byte
    assert '""' not in json.dumps(spec) and "null" not in json.dumps(spec)


def test_addons_go_to_clusters_by_name(loaded: Callable[..., Configuration]) -> None:
    made = loaded("")
    spec = addons_project_spec(made.fleet, made.catalogue)
    assert spec["destinations"] == [
        {"name": name, "namespace": "external-secrets"} for name in ("hub", "osaka", "tokyo")
    ]


def test_addons_may_go_where_they_write_and_come_from_where_they_are(
    loaded: Callable[..., Configuration],
) -> None:
    """Of a chart in an OCI registry Argo CD compares the address without the scheme, of a folder in one with it."""
    more = """\
  reloader:
    repository: oci://registry.example.org/charts
    chart: reloader
    version: 2.2.0
    namespace: reloader
    otherNamespaces: [kube-system, reloader-shared]
    kinds: {cluster: [rbac.authorization.k8s.io/ClusterRole], namespaced: [batch/CronJob]}
    kubernetes: ["1.35", "1.36"]
  agent:
    repository: oci://registry.example.org/folders/agent
    directory: base
    version: sha256:1111111111111111111111111111111111111111111111111111111111111111
    namespace: agent
    kinds: {namespaced: [apps/DaemonSet]}
    kubernetes: ["1.35", "1.36"]
  quotas:
    repository: https://git.example.org/platform.git
    kustomize: quotas
    version: 0123456789abcdef0123456789abcdef01234567
    namespace: quotas
    kinds: {namespaced: [ResourceQuota]}
    kubernetes: ["1.35", "1.36"]
"""
    made = loaded("", CATALOGUE + more)
    spec = addons_project_spec(made.fleet, made.catalogue)
    assert spec["sourceRepos"] == [
        "https://charts.example.org",
        "https://git.example.org/platform.git",
        "oci://registry.example.org/folders/agent",
        "registry.example.org/charts",
    ]
    namespaces = ["agent", "external-secrets", "kube-system", "quotas", "reloader", "reloader-shared"]
    assert spec["destinations"] == [
        {"name": cluster, "namespace": namespace}
        for cluster in ("hub", "osaka", "tokyo")
        for namespace in namespaces
    ]
    kinds = {one["kind"] for one in spec["clusterResourceWhitelist"]}
    assert kinds == {"Namespace", "CustomResourceDefinition", "ClusterRole"}
    kinds = {one["kind"] for one in spec["namespaceResourceWhitelist"]}
    assert kinds == {"Secret", "Deployment", "CronJob", "DaemonSet", "ResourceQuota"}
    sources = {
        generator["clusters"]["template"]["spec"]["source"]["repoURL"]
        for name in made.catalogue.addons
        for generator in application_set_spec(made.fleet, made.catalogue, name)["generators"]
    }
    assert sources <= set(spec["sourceRepos"]), "as the Applications write them"


@dataclass(frozen=True)
class Case:
    """Section `argocd` of these lines; then `path` (below `argocd`) is at fault."""

    name: str
    settings: str
    path: str
    remedy: str
    why: str = ""


def sso(name: str, old: str, new: str, path: str, remedy: str, why: str = "") -> Case:
    """A mistake in an otherwise good section `sso`."""
    assert old in SSO
    return Case(name, SSO.replace(old, new), path, remedy, why)


def kinds(name: str, entry: str, path: str, remedy: str, why: str = "") -> Case:
    """A mistake in the one further exclusion."""
    return Case(name, f"  resourceExclusions: [{{{entry}}}]\n", f"resourceExclusions[0]{path}", remedy, why)


CASES = [
    Case("misspelt", "  redisHA: true\n", "redisHA", "did you mean `redisHa`?"),
    Case("yes as text", '  redisHa: "yes"\n', "redisHa", "the hub needs three nodes"),
    Case("unknown algorithm", "  sharding: roundrobin\n", "sharding", "did you mean `round-robin`?"),
    Case("one shard", "  sharding: round-robin\n", "", "replicas: {controller: N}", "nothing to share out"),
    Case("too many", "  replicas: {controller: 33}\n", "replicas.controller", "shards of the clusters"),
    Case("unknown part", "  replicas: {dex: 2}\n", "replicas.dex", "known: controller, server"),
    Case("unknown identity", "  identity: acount\n", "identity", "did you mean `account`?"),
    Case("exec as a map", "  exec: {enabled: true}\n", "exec", "open a terminal"),
    Case("long resync", "  watchResyncSeconds: 86401\n", "watchResyncSeconds", "start anew with a full list"),
    Case(
        "resync with unit", "  watchResyncSeconds: 1h\n", "watchResyncSeconds", "seconds after which watches"
    ),
    Case("no request", "  clientQps: 0\n", "clientQps", "requests a second"),
    Case("burst alone", "  clientBurst: 100\n", "", "add `clientQps:`", "without a rate"),
    Case("small burst", "  clientQps: 50\n  clientBurst: 10\n", "", "at least `clientQps`", "a burst of 10"),
    Case("URL as domain", "  domain: https://argocd.acme.example\n", "domain", "write the host alone"),
    Case("bare domain", "  domain: argocd\n", "domain", "with its domain"),
    Case("capital domain", "  domain: ArgoCD.acme.example\n", "domain", "in lower case"),
    kinds("version", 'apiGroups: [apps/v1], kinds: ["*"]', ".apiGroups[0]", 'group alone: "apps"'),
    kinds("core version", "apiGroups: [v1/x], kinds: [Secret]", ".apiGroups[0]", 'group alone: ""'),
    kinds("no group", "kinds: [Secret]", ".apiGroups", "add `apiGroups:` a list of API groups"),
    kinds("empty groups", "apiGroups: [], kinds: [Secret]", ".apiGroups", "list at least one", "empty"),
    kinds("group as text", "apiGroups: apps, kinds: [Secret]", ".apiGroups", "a list of API groups"),
    kinds("resource", "apiGroups: [''], kinds: [secrets]", ".kinds[0]", "as manifests do", "not a kind"),
    kinds(
        "part of a kind", "apiGroups: [''], kinds: [Cilium*]", ".kinds[0]", "every kind of the groups", "no *"
    ),
    kinds("everything", "apiGroups: ['*'], kinds: ['*']", "", "name the API groups", "every kind there is"),
    kinds("unknown key", "apiGroup: [''], kinds: [Secret]", ".apiGroup", "did you mean `apiGroups`?"),
    Case(
        "in and out",
        "  resourceExclusions: [{apiGroups: [apps], kinds: [Deployment]}]\n"
        "  resourceInclusions: [{apiGroups: [apps], kinds: [Deployment]}]\n",
        "",
        "keep it in one of",
        "both included and excluded",
    ),
    sso("no domain", "  domain: argocd.acme.example\n", "", "", "add `domain:`", "/auth/callback"),
    sso("http", "https://login", "http://login", "sso.issuer", "https://HOST/PATH"),
    sso("no client", "    clientId: argocd\n", "", "sso.clientId", "add `clientId:` id of the client"),
    sso("empty client", "clientId: argocd", "clientId: ''", "sso.clientId", "id of the client"),
    sso(
        "the secret itself",
        "    clientId: argocd\n",
        "    clientId: argocd\n    clientSecret: GOCSPX-abc\n",
        "sso.clientSecret",
        "into Secret Manager",
        "only a reference",
    ),
    sso(
        "half a reference",
        "    clientId: argocd\n",
        "    clientId: argocd\n    clientSecret: $oidc.clientSecret\n",
        "sso.clientSecret",
        "$argocd-oidc:clientSecret",
    ),
    sso(
        "unknown role", "platform: admin", "platform: editor", "sso.groups.platform", "known: admin, readonly"
    ),
    sso("two fields", "platform: admin", "'a, b': admin", "sso.groups.a, b", "without comma"),
    sso(
        "no group", "{platform: admin, developers: readonly}", "{}", "sso", "who may what", "then see nothing"
    ),
    sso(
        "scope as text",
        "    clientId",
        "    scopes: openid\n    clientId",
        "sso.scopes",
        "a list of the scopes",
    ),
    sso(
        "scopes in one",
        "    clientId",
        "    scopes: [openid email]\n    clientId",
        "sso.scopes[0]",
        "of its own",
    ),
    sso(
        "without openid",
        "    clientId",
        "    scopes: [email]\n    clientId",
        "sso",
        "add openid",
        "no id token",
    ),
    sso("twice", "    clientId", "    scopes: [openid, openid]\n    clientId", "sso", "each scope once"),
    sso(
        "unknown claim",
        "    clientId",
        "    claim: group\n    clientId",
        "sso.claim",
        "did you mean `groups`?",
    ),
    sso(
        "no address", "    clientId", "    claim: email\n    clientId", "sso", "write addresses", "no e-mail"
    ),
    sso(
        "Google groups",
        "login.acme.example/realms/acme",
        "accounts.google.com",
        "sso",
        "claim: email",
        "no scope",
    ),
    sso(
        "default of all",
        "    clientId",
        "    defaultAccess: admin\n    clientId",
        "sso.defaultAccess",
        "readonly",
    ),
    Case("login as text", "  sso: https://login.acme.example\n", "sso", "write keys and values under it"),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_mistake_is_told(case: Case, loaded: Callable[..., Configuration]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(case.settings)
    path = f"argocd.{case.path}" if case.path else "argocd"
    told = [
        problem for problem in caught.value.problems if (problem.file, problem.path) == (FLEET_FILE, path)
    ]
    assert any(case.remedy in problem.remedy and case.why in problem.why for problem in told), str(
        caught.value
    )
    if "did you mean" not in case.remedy:
        assert len(caught.value.problems) == len(told), "one mistake is told once: " + str(caught.value)
