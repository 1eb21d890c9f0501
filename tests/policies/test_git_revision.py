"""Rule git-revision-pinned, by tables: Git by full commit, OCI by digest or exact version."""

from typing import Any

import pytest

from policies.rules.pinning.git_revision import RULE
from policies.rules.properties import UNKNOWN

from .test_chart_version import APPLICATION, COMMIT, G0, SET, application, chart, clusters

DIGEST = f"sha256:{'0' * 64}"


def git(revision: object, **more: Any) -> dict[str, Any]:
    return {"repoURL": "https://git.example.com/platform.git", "targetRevision": revision} | more


def oci(revision: object) -> dict[str, Any]:
    return {"repoURL": "oci://registry.example.com/platform", "targetRevision": revision}


def application_set(*generators: object, source: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    template = {"spec": {"source": source or git("{{.values.revision}}")}}
    return {"spec": {"goTemplate": True, "generators": list(generators), "template": template} | spec}


def values(**given: Any) -> dict[str, Any]:
    return {"clusters": {"values": given}}


def paths(resource_type: str, properties: dict[str, Any]) -> list[str]:
    return [finding.path for finding in RULE.findings(resource_type, properties)]


MOVING = [
    None, "", "HEAD", "main", "refs/heads/main", "refs/tags/v1.2.3", "v1.2.3", "1.2.3", "1.2.*", "~1.2", "*",
    ">=1", COMMIT[:7], COMMIT[:39], COMMIT + "0", COMMIT + "\n", "g" * 40, "a" * 64, DIGEST,
    1.0, True, [COMMIT],
]  # fmt: skip


@pytest.mark.parametrize("revision", MOVING, ids=repr)
def test_a_moving_git_revision_is_refused(revision: object) -> None:
    assert paths(APPLICATION, application(git(revision))) == ["spec.source.targetRevision"]


@pytest.mark.parametrize("revision", [COMMIT, COMMIT.upper(), UNKNOWN], ids=repr)
def test_a_commit_passes(revision: object) -> None:
    assert paths(APPLICATION, application(git(revision))) == []


@pytest.mark.parametrize(
    "revision",
    [None, "", "latest", "1.2", "*", "sha256:00", DIGEST + "0", DIGEST.upper(), COMMIT, 1.2],
    ids=repr,
)
def test_a_moving_oci_revision_is_refused(revision: object) -> None:
    assert paths(APPLICATION, application(oci(revision))) == ["spec.source.targetRevision"]


@pytest.mark.parametrize("revision", [DIGEST, "1.2.3", "v1.2.3-rc.1", UNKNOWN], ids=repr)
def test_a_digest_or_exact_version_of_oci_passes(revision: object) -> None:
    assert paths(APPLICATION, application(oci(revision))) == []


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        pytest.param(
            application(chart("1"), git("HEAD", ref="values"), git(COMMIT)),
            ["spec.sources[1].targetRevision"],
            id="a source of values only",
        ),
        pytest.param(application({"path": "."}), ["spec.source.targetRevision"], id="no repository"),
        pytest.param(
            application(git("HEAD", repoURL=UNKNOWN)), [], id="unknown repository: of the chart rule"
        ),
        pytest.param(
            {"spec": {"sourceHydrator": {"drySource": git("main"), "syncSource": {"targetBranch": "env"}}}},
            ["spec.sourceHydrator.drySource.targetRevision"],
            id="hydrator",
        ),
        pytest.param(
            {"items": [{"spec": {"source": git("main")}}, "odd", {"spec": {"source": git(COMMIT)}}]},
            [],
            id="no list",
        ),
    ],
)
def test_an_application(properties: dict[str, Any], expected: list[str]) -> None:
    assert paths(APPLICATION, properties) == expected


def test_the_items_of_a_list_are_looked_at() -> None:
    one = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "spec": {"source": git("main")}}
    for resource_type in (f"{APPLICATION}List", "kubernetes:core/v1:List"):
        assert paths(resource_type, {"items": [one]}) == ["items[0].spec.source.targetRevision"]


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        pytest.param(application_set(values(revision=COMMIT)), [], id="commit"),
        pytest.param(
            application_set(values(revision="main")), [f"{G0}.clusters.values.revision"], id="branch"
        ),
        pytest.param(application_set(clusters("1"), source=chart("{{.values.version}}")), [], id="chart"),
        pytest.param(
            application_set({"git": {"repoURL": "g", "revision": "HEAD"}}, source=git(COMMIT)),
            [f"{G0}.git.revision"],
            id="Git generator at HEAD",
        ),
        pytest.param(
            application_set({"git": {"repoURL": "g"}}, source=git(COMMIT)),
            [f"{G0}.git.revision"],
            id="no revision",
        ),
        pytest.param(
            application_set({"git": {"repoURL": "g", "revision": COMMIT}}, source=git(COMMIT)),
            [],
            id="Git, commit",
        ),
        pytest.param(
            application_set(
                {
                    "matrix": {
                        "generators": [
                            {"list": {"elements": [{"r": "main"}]}},
                            {"git": {"revision": "{{.r}}"}},
                        ]
                    }
                },
                source=git(COMMIT),
            ),
            [f"{G0}.matrix.generators[0].list.elements[0].r"],
            id="Git generator in a matrix",
        ),
        pytest.param(
            application_set({"pullRequest": {}}, source=git("{{.head_sha}}")), [], id="head of a request"
        ),
        pytest.param(
            application_set({"scmProvider": {}}, source=git("{{.sha}}")), [], id="commit found by the API"
        ),
        pytest.param(
            application_set({"scmProvider": {}}, source=git("{{.branch}}")),
            ["spec.template.spec.source.targetRevision"],
            id="branch found by the API",
        ),
        pytest.param(
            application_set({"pullRequest": {}}, source=oci("{{.head_sha}}")),
            ["spec.template.spec.source.targetRevision"],
            id="commit for OCI",
        ),
        pytest.param(
            application_set(
                {
                    "list": {
                        "elements": [{"url": "oci://r/x", "r": "1.2.3"}, {"url": "https://g/x", "r": "1.2.4"}]
                    }
                },
                source=git("{{.r}}", repoURL="{{.url}}"),
            ),
            [f"{G0}.list.elements[1].r"],
            id="repository from the generator too",
        ),
        pytest.param(
            application_set(
                {"list": {"elements": [{"c": "x", "r": "1"}, {"c": "", "r": "2"}]}},
                source=git("{{.r}}", chart="{{.c}}"),
            ),
            [f"{G0}.list.elements[1].r"],
            id="chart for one, Git for another",
        ),
        pytest.param(
            application_set(
                {"clusters": {}}, source=git("main", repoURL="https://{{.metadata.labels.host}}/x")
            ),
            ["spec.template.spec.source.targetRevision"],
            id="Git at a host from a label",
        ),
        pytest.param(
            application_set({"clusters": {}}, source=git("1.2", repoURL="oci://{{.metadata.labels.host}}/x")),
            ["spec.template.spec.source.targetRevision"],
            id="OCI at a host from a label",
        ),
    ],
)
def test_an_application_set(properties: dict[str, Any], expected: list[str]) -> None:
    assert paths(SET, properties) == expected
