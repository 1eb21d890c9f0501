"""Rule chart-version-pinned, by tables: what it refuses, with the path it names, and what it lets pass.

Proves the rule on plain inputs. That the CLI asks it is proven in test_pack.py and test_cli.py.
"""

from typing import Any

import pytest

from policies.rules.pinning.chart_version import RULE
from policies.rules.properties import UNKNOWN

RELEASE = "kubernetes:helm.sh/v3:Release"
CHART_V3 = "kubernetes:helm.sh/v3:Chart"
CHART_V4 = "kubernetes:helm.sh/v4:Chart"
APPLICATION = "kubernetes:argoproj.io/v1alpha1:Application"
SET = "kubernetes:argoproj.io/v1alpha1:ApplicationSet"
REPO = {"repositoryOpts": {"repo": "https://charts.example.com"}}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def chart(version: object, **more: Any) -> dict[str, Any]:
    return {"chart": "x", "repoURL": "https://charts.example.com", "targetRevision": version} | more


def application(*sources: dict[str, Any]) -> dict[str, Any]:
    given = {"source": sources[0]} if len(sources) == 1 else {"sources": list(sources)}
    return {"spec": {"project": "platform"} | given}


def application_set(
    *generators: object, revision: object = "{{.values.version}}", go: bool = True, **spec: Any
) -> dict[str, Any]:
    template = {"spec": {"source": chart(revision)}}
    return {"spec": {"goTemplate": go, "generators": list(generators), "template": template} | spec}


def clusters(version: object, **body: Any) -> dict[str, Any]:
    return {"clusters": {"values": {"version": version}} | body}


def paths(resource_type: str, properties: dict[str, Any]) -> list[str]:
    return [finding.path for finding in RULE.findings(resource_type, properties)]


FLOATING = [
    "1.2", "1", "v1", "v1.2", "1.2.x", "1.x", "*", "^1.2.3", "~1.2", ">=1.0.0", "1.2.3 - 2.0.0",
    "1.2.3 || 2.0.0", "=1.2.3", " 1.2.3", "1.2.3\n", "", "latest", "stable", "HEAD", "main", "1.2.3.4",
    "1.02.3",
    "1.2.3-", "1.2.3+", "V1.2.3", "\u0661.\u0662.\u0663", None, 1.2, 1, True, ["1.2.3"], {"v": "1.2.3"},
    COMMIT,
]  # fmt: skip
EXACT = ["1.2.3", "v1.2.3", "0.0.0", "10.3.3", "1.2.3-rc.1", "1.2.3-0.x-y", "1.2.3+build.5", "v1.2.3-rc.1+b"]


@pytest.mark.parametrize("version", FLOATING, ids=repr)
@pytest.mark.parametrize("resource_type", [RELEASE, CHART_V3, CHART_V4])
def test_a_floating_version_of_a_helm_resource_is_refused(resource_type: str, version: object) -> None:
    assert paths(resource_type, {"chart": "x", "version": version, **REPO}) == ["version"]


@pytest.mark.parametrize("version", EXACT)
@pytest.mark.parametrize("resource_type", [RELEASE, CHART_V3, CHART_V4])
def test_an_exact_version_of_a_helm_resource_passes(resource_type: str, version: str) -> None:
    assert paths(resource_type, {"chart": "x", "version": version, **REPO}) == []


@pytest.mark.parametrize("version", FLOATING, ids=repr)
def test_a_floating_version_in_an_application_is_refused(version: object) -> None:
    assert paths(APPLICATION, application(chart(version))) == ["spec.source.targetRevision"]


@pytest.mark.parametrize("version", EXACT)
def test_an_exact_version_in_an_application_passes(version: str) -> None:
    assert paths(APPLICATION, application(chart(version))) == []


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        pytest.param({"chart": "x", **REPO}, ["version"], id="no version"),
        pytest.param({"chart": "x", "version": UNKNOWN, **REPO}, [], id="unknown version"),
        pytest.param({"chart": UNKNOWN, "version": "^1", **REPO}, ["version"], id="unknown chart, range"),
        pytest.param({"chart": UNKNOWN, **REPO}, [], id="unknown chart, no version"),
        pytest.param({"chart": "x", "repositoryOpts": UNKNOWN}, ["version"], id="unknown repository"),
        pytest.param({"chart": "./charts/x"}, [], id="folder"),
        pytest.param({"chart": "../x"}, [], id="folder above"),
        pytest.param({"chart": "/srv/charts/x"}, [], id="absolute folder"),
        pytest.param({"chart": "x"}, [], id="folder beside the program"),
        pytest.param({"chart": "build/x-1.2.3.tgz"}, [], id="package on this machine"),
        pytest.param({"chart": "stable/x"}, ["version"], id="repository known to helm"),
        pytest.param({"chart": "x", "fetchOpts": {"repo": "https://c"}}, ["version"], id="v3 fetchOpts"),
        pytest.param({"chart": "x", "repo": "stable"}, ["version"], id="v3 repo"),
        pytest.param({"chart": "https://c/x-1.2.3.tgz"}, [], id="package by URL"),
        pytest.param({"chart": "https://c/x-1.2.3.tgz?sig=a"}, [], id="package by URL with query"),
        pytest.param({"chart": "https://c/x.tgz"}, ["chart"], id="package by URL without version"),
        pytest.param({"chart": "https://c/x-1.2.tgz", "version": "1.2.3"}, ["chart"], id="URL wins"),
        pytest.param({"chart": "oci://r/x", "version": "1.2.3"}, [], id="OCI"),
        pytest.param({"chart": "oci://r/x"}, ["version"], id="OCI without version"),
        pytest.param({"chart": "oci://r:5000/x:1.2.3"}, [], id="OCI with tag"),
        pytest.param({"chart": "oci://r:5000/x:latest"}, ["chart"], id="OCI with floating tag"),
        pytest.param({"chart": f"oci://r/x@sha256:{'a' * 64}"}, [], id="OCI by digest"),
        pytest.param({"chart": "oci://r/x:1.2.3", "version": "1"}, ["version"], id="OCI, version given too"),
        pytest.param({}, [], id="nothing there, as for a component"),
    ],
)
def test_where_a_helm_resource_takes_its_version_from(
    properties: dict[str, Any], expected: list[str]
) -> None:
    assert paths(RELEASE, properties) == expected


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        pytest.param(
            application(chart("1.2.3"), chart("*"), chart(None)),
            ["spec.sources[1].targetRevision", "spec.sources[2].targetRevision"],
            id="each of several sources",
        ),
        pytest.param(application({"repoURL": "https://g/x.git", "targetRevision": "HEAD"}), [], id="Git"),
        pytest.param(application(chart("1", chart="")), [], id="empty chart is Git"),
        pytest.param(application(chart(UNKNOWN)), [], id="unknown version"),
        pytest.param(application(chart("1.2", chart=UNKNOWN)), ["spec.source.targetRevision"], id="any kind"),
        pytest.param(application(chart(COMMIT, chart=UNKNOWN)), [], id="unknown kind, commit"),
        pytest.param(application(chart("1.2.3", chart=UNKNOWN)), [], id="unknown kind, version"),
        pytest.param(
            application(chart("{{.values.v}}")), ["spec.source.targetRevision"], id="no template here"
        ),
        pytest.param({"spec": UNKNOWN}, [], id="unknown spec"),
        pytest.param({"spec": {"sources": UNKNOWN, "source": UNKNOWN}}, [], id="unknown sources"),
        pytest.param({"spec": {}}, [], id="no source"),
    ],
)
def test_an_application(properties: dict[str, Any], expected: list[str]) -> None:
    assert paths(APPLICATION, properties) == expected
    assert paths(f"{APPLICATION}Patch", properties) == expected


USED = "spec.template.spec.source.targetRevision"
G0, G1 = "spec.generators[0]", "spec.generators[1]"
LIST = {"list": {"elements": [{"version": "1.2.3"}, {"version": "1.2"}, {"version": "~1"}]}}
SETS = [
    pytest.param(application_set(clusters("1.2.3"), clusters("2.0.0")), [], id="pinned in every ring"),
    pytest.param(
        application_set(clusters("1.2.3"), clusters("1.2")), [f"{G1}.clusters.values.version"], id="one ring"
    ),
    pytest.param(
        application_set(clusters("*"), clusters("")),
        [f"{G0}.clusters.values.version", f"{G1}.clusters.values.version"],
        id="two rings",
    ),
    pytest.param(application_set(clusters(UNKNOWN)), [], id="unknown value"),
    pytest.param(application_set({"clusters": {"values": UNKNOWN}}), [], id="unknown values"),
    pytest.param(
        application_set(UNKNOWN, clusters("1")), [f"{G1}.clusters.values.version"], id="one unknown"
    ),
    pytest.param({"spec": {"generators": UNKNOWN} | {}}, [], id="unknown generators"),
    pytest.param(application_set(clusters("1.2.3"), revision="1.2"), [USED], id="literal in the template"),
    pytest.param(application_set(clusters("1"), revision="1.2.3"), [], id="value not used"),
    pytest.param(application_set(revision="1.2"), [USED], id="no generators, literal"),
    pytest.param(application_set(), [], id="no generators, template"),
    pytest.param(application_set({"clusters": {}}), [USED], id="nobody gives it"),
    pytest.param(
        application_set(clusters("{{.metadata.labels.v}}")),
        [f"{G0}.clusters.values.version"],
        id="from a label",
    ),
    pytest.param(application_set(clusters("1"), revision="{{.metadata.labels.v}}"), [USED], id="a label"),
    pytest.param(
        application_set(clusters("1.2.3"), revision='{{ index .values "version" }}'), [], id="index, pinned"
    ),
    pytest.param(
        application_set(clusters("1.2"), revision='{{index .values "version"}}'),
        [f"{G0}.clusters.values.version"],
        id="index, floating",
    ),
    pytest.param(
        application_set(clusters("1.2.3"), revision='{{ .values.version | default "1.2" }}'),
        [USED],
        id="floating default",
    ),
    pytest.param(
        application_set(clusters("1.2.3"), revision='{{ default "1.2.4" .values.version }}'), [], id="default"
    ),
    pytest.param(
        application_set(clusters("1.2.3"), revision="{{ .values.version | lower }}"), [USED], id="pipe"
    ),
    pytest.param(
        application_set(clusters("2.3"), revision="1.{{.values.version}}"), [], id="composed, exact"
    ),
    pytest.param(application_set(clusters("2"), revision="1.{{.values.version}}"), [USED], id="composed"),
    pytest.param(application_set(clusters("1.2.3"), revision="{{- .values.version -}}"), [], id="trimmed"),
    pytest.param(
        application_set(clusters("1.2"), revision="{{values.version}}", go=False),
        [f"{G0}.clusters.values.version"],
        id="plain template",
    ),
    pytest.param(
        application_set(clusters("1.2.3"), revision="{{ values.version }}", go=False), [], id="plain, exact"
    ),
    pytest.param(
        application_set(LIST, revision="{{.version}}"),
        [f"{G0}.list.elements[1].version", f"{G0}.list.elements[2].version"],
        id="list",
    ),
    pytest.param(
        application_set(
            {"list": {"elementsYaml": "- {version: 1.2.3}\n- {version: '1.2'}"}}, revision="{{.version}}"
        ),
        [f"{G0}.list.elementsYaml[1].version"],
        id="list as YAML",
    ),
    pytest.param(
        application_set({"list": {"elementsYaml": "{{.x | toYaml}}"}}, revision="{{.version}}"),
        [USED],
        id="list as a template",
    ),
    pytest.param(
        application_set(
            {"list": {"elements": [{"values.version": "1"}]}}, revision="{{values.version}}", go=False
        ),
        [f'{G0}.list.elements[0]["values.version"]'],
        id="key with a dot",
    ),
    pytest.param(
        application_set({"list": {"elements": [{"version": 1.2}]}}, revision="{{.version}}"),
        [f"{G0}.list.elements[0].version"],
        id="number",
    ),
    pytest.param(
        application_set({"list": {"elements": [UNKNOWN, {"version": "1"}]}}, revision="{{.version}}"),
        [f"{G0}.list.elements[1].version"],
        id="unknown element",
    ),
    pytest.param(
        application_set({"matrix": {"generators": [LIST, {"clusters": {}}]}}, revision="{{.version}}"),
        [
            f"{G0}.matrix.generators[0].list.elements[1].version",
            f"{G0}.matrix.generators[0].list.elements[2].version",
        ],
        id="matrix",
    ),
    pytest.param(
        application_set({"matrix": {"generators": [LIST, clusters("{{.version}}")]}}),
        [
            f"{G0}.matrix.generators[0].list.elements[1].version",
            f"{G0}.matrix.generators[0].list.elements[2].version",
        ],
        id="matrix, one child through the other",
    ),
    pytest.param(
        application_set(
            {"merge": {"mergeKeys": ["server"], "generators": [clusters("1.2.3"), clusters("1")]}}
        ),
        [f"{G0}.merge.generators[1].clusters.values.version"],
        id="merge, override floats",
    ),
    pytest.param(
        application_set(
            {"merge": {"mergeKeys": ["server"], "generators": [{"clusters": {}}, clusters("1.2.3")]}}
        ),
        [],
        id="merge, only the override gives it",
    ),
    pytest.param(
        application_set({"git": {"revision": COMMIT, "files": [{"path": "*"}]}}, revision="{{.version}}"),
        [USED],
        id="from files in Git",
    ),
    pytest.param(
        application_set({"git": {"revision": COMMIT, "values": {"version": "1.2.3"}}}), [], id="values of Git"
    ),
    pytest.param(
        application_set({"plugin": {"values": {"version": "1"}}}),
        [f"{G0}.plugin.values.version"],
        id="plugin",
    ),
    pytest.param(
        application_set({"pullRequest": {"github": {}}}, revision="{{.head_sha}}"),
        [USED],
        id="a commit is no version",
    ),
    pytest.param(
        application_set(clusters("1.2.3", template={"spec": {"source": {"targetRevision": "1.2"}}})),
        [f"{G0}.clusters.template.spec.source.targetRevision"],
        id="generator's own template",
    ),
    pytest.param(
        application_set(clusters("1", template={"spec": {"source": {"targetRevision": "1.2.3"}}})),
        [],
        id="generator's own template, exact",
    ),
    pytest.param(
        application_set(clusters("1.2.3", template={"spec": {"sources": [chart("*")]}})),
        [f"{G0}.clusters.template.spec.sources[0].targetRevision"],
        id="generator's own sources",
    ),
    pytest.param(
        application_set(clusters("1.2.3"), templatePatch="spec:\n  source:\n    targetRevision: '1.2'\n"),
        ["spec.templatePatch: spec.source.targetRevision"],
        id="patch",
    ),
    pytest.param(
        application_set(
            clusters("1.2.3"), templatePatch="spec: {source: {targetRevision: {{.values.version}}}}"
        ),
        [],
        id="patch with an unquoted action",
    ),
    pytest.param(
        application_set(
            clusters("1.2"), templatePatch="spec:\n  source:\n    targetRevision: {{.values.version}}\n"
        ),
        [f"{G0}.clusters.values.version"],
        id="patch with an action that floats",
    ),
    pytest.param(
        application_set(clusters("1"), templatePatch='{"spec": {"source": {"targetRevision": "1.2.3"}}}'),
        [],
        id="patch overrides",
    ),
    pytest.param(
        application_set(
            clusters("1.2.3"),
            templatePatch="{{- if .x }}\nspec:\n  source:\n    targetRevision: 1.2\n{{- else }}\nspec:\n"
            "  source: {targetRevision: 'latest'}\n{{- end }}",
        ),
        ["spec.templatePatch (line 4)", "spec.templatePatch (line 7)"],
        id="patch with both branches floating",
    ),
    pytest.param(
        application_set(
            clusters("1.2.3"),
            templatePatch="spec:\n  {{- if .x }}\n  source:\n    targetRevision: '{{.values.version}}'\n"
            "  {{- end }}\n",
        ),
        [],
        id="patch with a condition, exact",
    ),
    pytest.param(
        application_set(
            clusters("1.2.3"), templatePatch="metadata:\n  labels:\n    {{ toYaml .x | nindent 4 }}\n"
        ),
        [],
        id="patch of something else",
    ),
    pytest.param(application_set(clusters("1.2.3"), templatePatch=UNKNOWN), [], id="unknown patch"),
    pytest.param(
        application_set(
            clusters("1.2.3"),
            templatePatch="spec:\n  source: null\n  sources: [{chart: x, targetRevision: '1'}]",
        ),
        ["spec.templatePatch: spec.sources[0].targetRevision"],
        id="patch that turns one source into several",
    ),
    pytest.param(
        application_set(
            {"matrix": {"generators": [{"list": {"elements": [{"v": "1.2.3"}, {}]}}, {"clusters": {}}]}},
            revision="{{.v}}",
        ),
        [USED],
        id="matrix, an element lacks it",
    ),
    pytest.param(
        application_set({"list": UNKNOWN}, {"clusters": None}, revision="1.2"), [USED], id="literal anyway"
    ),
    pytest.param(
        application_set({"list": {"elements": []}}, revision="1.2"), [USED], id="empty list, literal"
    ),
    pytest.param(
        application_set(clusters("1"), templatePatch="spec: {source: null}"),
        [],
        id="patch that takes the source away",
    ),
    pytest.param(
        application_set(
            {"merge": {"mergeKeys": ["server"], "generators": [clusters("1"), clusters("1.2.3")]}}
        ),
        [f"{G0}.merge.generators[0].clusters.values.version"],
        id="merge, what is overridden for some floats",
    ),
    pytest.param(
        application_set(
            {
                "matrix": {
                    "generators": [
                        {"git": {"files": [], "revision": COMMIT}},
                        {"list": {"elements": [{"v": "1.2.3"}]}},
                    ]
                }
            },
            revision="{{.v}}",
        ),
        [],
        id="matrix, what stands here before what a file may hold",
    ),
    pytest.param(
        application_set(
            clusters("1.2.3"),
            templatePatch="spec: {source: {targetRevision: '{{if .x}}1.2.3{{else}}1.2{{end}}'}}",
        ),
        ["spec.templatePatch (line 1)"],
        id="condition inside a revision",
    ),
]


@pytest.mark.parametrize(("properties", "expected"), SETS)
def test_an_application_set(properties: dict[str, Any], expected: list[str]) -> None:
    assert paths(SET, properties) == expected


def test_too_many_combinations_are_refused_quickly() -> None:
    elements = {"list": {"elements": [{"a": str(index), "b": str(index)} for index in range(1000)]}}
    properties = application_set(
        {"matrix": {"generators": [elements, {"list": {"elements": [{"c": str(i)} for i in range(1000)]}}]}},
        revision="{{.a}}.{{.b}}.{{.c}}",
    )
    (finding,) = RULE.findings(SET, properties)
    assert "more combinations" in finding.why


def test_a_message_says_what_where_why_and_what_to_do() -> None:
    (finding,) = RULE.findings(SET, application_set(clusters("1.2")))
    assert str(finding) == (
        'spec.generators[0].clusters.values.version is "1.2": a version of fewer than three parts floats: '
        "to Helm it means 1.2.* (used by spec.template.spec.source.targetRevision). "
        'Write one exact version with three parts, such as "1.3.1".'
    )


def test_a_message_holds_no_password_of_a_url() -> None:
    (finding,) = RULE.findings(RELEASE, {"chart": "https://user:hunter2@c/x.tgz"})
    assert "hunter2" not in str(finding)


def test_other_resources_are_none_of_its_business() -> None:
    for resource_type in (
        "kubernetes:core/v1:ConfigMap",
        "gcp:container/cluster:Cluster",
        "pulumi:pulumi:Stack",
        "",
    ):
        assert paths(resource_type, {"chart": "x", "version": "1", "spec": {"source": chart("1")}}) == []
