"""Every rule of the pack bites under the real CLI: in a preview, and on the export of a state.

One program registers a refused example for each rule. Its resources are components under the providers' type tokens, so
no provider is needed, and what a provider's Check makes of inputs is not proven here. The engine takes no component for
a provider, so the rules about providers are asked on the export alone.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.rules import Rule, catalogue

from .conftest import FOLDER
from .examples import Example
from .test_chart_version import APPLICATION, SET
from .test_cli import Project, project  # noqa: F401 - a fixture
from .test_cost import EXAMPLES as COST
from .test_image import deployment
from .test_keyless import EXAMPLES as KEYLESS
from .test_least_privilege import EXAMPLES as LEAST_PRIVILEGE
from .test_private import EXAMPLES as PRIVATE
from .test_ring import clusters, ring, secret, stamping

HELM = "kubernetes:helm.sh/v3:Release"
CLUSTER = "gcp:container/cluster:Cluster"
REPO = {"repositoryOpts": {"repo": "https://charts.example.com"}}
EXPORT_ONLY = {"provider-version-pinned", "provider-one-version"}
FINALIZER = "resources-finalizer.argocd.argoproj.io"


def source(**fields: Any) -> dict[str, Any]:
    return {"spec": {"project": "x", "source": {"repoURL": "https://git.example.com/x.git", **fields}}}


OTHERS: list[tuple[str, str, dict[str, Any]]] = [
    ("chart-version-pinned", HELM, {"chart": "x", "version": "1.2", **REPO}),
    ("chart-dependencies-locked", HELM, {"chart": "x", "version": "1.2.3", "dependencyUpdate": True, **REPO}),
    ("git-revision-pinned", APPLICATION, source(targetRevision="main")),
    (
        "remote-base-pinned",
        "kubernetes:kustomize:Directory",
        {"directory": "https://github.com/acme/base//overlay?ref=main"},
    ),
    ("image-pinned", "kubernetes:apps/v1:Deployment", deployment("nginx", "nginx:latest")),
    ("image-digest", "kubernetes:apps/v1:Deployment", deployment("nginx", "nginx:1.2.3")),
    (
        "values-image-pinned",
        HELM,
        {"chart": "x", "version": "1.2.3", "values": {"image": {"repository": "x", "tag": "latest"}}, **REPO},
    ),
    (
        "image-updater-bounded",
        APPLICATION,
        {"metadata": {"annotations": {"argocd-image-updater.argoproj.io/image-list": "a=acme/shop"}}},
    ),
    (
        "ring-one-version",
        SET,
        dict(stamping("a", clusters("1.2.3", ring("r")), clusters("1.2.4", ring("r"))).properties),
    ),
    ("applicationset-preserves", SET, {"spec": {}}),
    ("applicationset-sync-chosen", SET, {"spec": {}}),
    ("applicationset-deleted-in-background", SET, {"metadata": {"name": "x"}, "spec": {}}),
    ("application-finalizer-chosen", APPLICATION, {"metadata": {"finalizers": [FINALIZER]}}),
    (
        "prune-not-empty",
        APPLICATION,
        {"spec": {"syncPolicy": {"automated": {"prune": True, "allowEmpty": True}}}},
    ),
    ("cluster-deletion-protected", CLUSTER, {"deletionProtection": False}),
    ("resource-protected", CLUSTER, {}),
    (
        "template-labels-exist",
        SET,
        {
            "spec": {
                "goTemplate": True,
                "generators": [{"clusters": {}}],
                "template": {"metadata": {"name": "{{ .metadata.labels.nobody }}"}},
            }
        },
    ),
    ("missing-key-fails", SET, {"spec": {"goTemplate": True}}),
    ("cluster-labels-declared", "kubernetes:core/v1:Secret", dict(secret("c").properties)),
]
"""Rule, type and inputs. For rules over the stack it takes what other entries register too."""
CONFIGURATION = {"cluster-labels-declared": {"enforcementLevel": "advisory", "labels": ["nobody"]}}
EXEMPTIONS = {
    "rule": "no-paid-apis",
    "expired": {"resource": "nothing", "reason": "it was needed for a while", "until": "2020-01-01"},
    "unused": {"resource": "nothing-either", "reason": "it is needed for a while", "until": "2999-01-01"},
    "granted": {"resource": "exempt", "reason": "it is needed for a while", "until": "2999-01-01"},
}


def registered() -> list[dict[str, Any]]:
    """A resource for each rule, named by it."""
    found: dict[str, dict[str, Any]] = {}
    for example in (*KEYLESS, *PRIVATE, *COST, *LEAST_PRIVILEGE):
        if isinstance(example, Example) and example.paths and example.configuration is None:
            made = json.dumps(example.properties, default=lambda _: UNKNOWN_STRING_VALUE)
            if UNKNOWN_STRING_VALUE not in made and not example.type.startswith("pulumi:"):
                found.setdefault(
                    example.rule, {"type": example.type, "name": example.rule, "inputs": json.loads(made)}
                )
    for rule, resource_type, inputs in OTHERS:
        found[rule] = {"type": resource_type, "name": rule, "inputs": json.loads(json.dumps(inputs))}
    found["resource-protected"]["protect"] = False
    found["exempt"] = found["image-digest"] | {"name": "exempt"}
    twin = {"name": "same", "server": "https://same"}
    for name in ("cluster-secret-unique", "its-twin"):
        one = json.loads(json.dumps(secret(name).properties))
        found[name] = {
            "type": "kubernetes:core/v1:Secret",
            "name": name,
            "inputs": one | {"stringData": twin},
        }
    return list(found.values())


def settings(folder: Path) -> Path:
    """Every level advisory, so that one run can say everything."""
    written: dict[str, Any] = {"all": "advisory", **CONFIGURATION}
    for rule, names in (("no-paid-apis", ("expired", "unused")), ("image-digest", ("granted",))):
        written[rule] = {"enforcementLevel": "advisory", "exemptions": [EXEMPTIONS[name] for name in names]}
    file = folder / "advisory.json"
    file.write_text(json.dumps(written))
    return file


def told(document: str) -> set[str]:
    events = [json.loads(line) for line in document.splitlines() if line.startswith("{")]
    return {event["policyEvent"]["policyName"] for event in events if "policyEvent" in event}


@pytest.mark.sandbox
def test_every_rule_bites_in_a_preview_and_on_an_export(project: Project) -> None:  # noqa: F811
    resources = registered()
    (project.folder / "resources.json").write_text(json.dumps(resources))
    config = settings(project.folder)
    every = {rule.name for rule in catalogue()}
    code, events = project.preview("--policy-pack-config", str(config))
    found = {event["policyEvent"]["policyName"] for event in events if "policyEvent" in event}
    assert code == 0, [event["diagnosticEvent"]["message"] for event in events if "diagnosticEvent" in event][
        -5:
    ]
    assert every - found <= EXPORT_ONLY

    assert project.pulumi("up", "--yes").returncode == 0
    export = project.folder / "every.json"
    assert project.pulumi("stack", "export", "--file", str(export)).returncode == 0
    state = json.loads(export.read_text())
    states = state["deployment"]["resources"]
    for version in ("1.2", "1.3.0"):
        urn = f"urn:pulumi:dev::foreign::pulumi:providers:gcp::v{version}"
        inputs = {"version": version, "project": "x"}
        states.append(
            {
                "urn": urn,
                "custom": True,
                "id": version,
                "type": "pulumi:providers:gcp",
                "inputs": inputs,
                "outputs": inputs,
            }
        )
    for one in states:
        # A component's state has no inputs; here it stands for what its type says.
        given = next((each["inputs"] for each in resources if one["urn"].endswith(f"::{each['name']}")), None)
        if given is not None:
            one["inputs"] = one["outputs"] = given
    export.write_text(json.dumps(state))
    done = project.pulumi(
        "policy", "analyze", "--json", "--file", str(export), "--policy-pack", str(FOLDER),
        "--policy-pack-config", str(config),
    )  # fmt: skip
    assert every - told(done.stdout) == set(), done.stderr


def test_a_rule_has_a_source_and_a_remedy() -> None:
    for rule in catalogue():
        assert rule.source.startswith("https://"), rule.name
        assert rule.reason and rule.remedy and rule.looks_at, rule.name
        assert isinstance(rule, Rule) or rule.group
