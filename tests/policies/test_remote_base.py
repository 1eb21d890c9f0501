"""Rules chart-dependencies-locked, remote-base-pinned and values-image-pinned, by tables."""

from typing import Any

import pytest

from policies.rules.pinning import chart_dependencies, remote_base, values_image
from policies.rules.properties import UNKNOWN

from .test_chart_version import APPLICATION, CHART_V3, CHART_V4, COMMIT, RELEASE, SET
from .test_image import DIGEST

DIRECTORIES = ["kubernetes:kustomize:Directory", "kubernetes:kustomize/v2:Directory"]
FILES = ["kubernetes:yaml:ConfigFile", "kubernetes:yaml/v2:ConfigFile"]


@pytest.mark.parametrize("resource_type", [RELEASE, CHART_V3, CHART_V4])
def test_dependencies_that_are_updated_at_installation(resource_type: str) -> None:
    rule = chart_dependencies.RULE
    found = rule.findings(resource_type, {"chart": "./x", "dependencyUpdate": True, "devel": True})
    assert [finding.path for finding in found] == ["dependencyUpdate", "devel"]
    for fine in (False, None, UNKNOWN):
        assert rule.findings(resource_type, {"chart": "./x", "dependencyUpdate": fine}) == ()
    assert rule.findings(APPLICATION, {"dependencyUpdate": True}) == ()


@pytest.mark.parametrize(
    ("directory", "refused"),
    [
        ("https://github.com/o/r//base", True),
        ("https://github.com/o/r//base?ref=main", True),
        ("https://github.com/o/r//base?ref=v1.2.3", True),
        (f"https://github.com/o/r//base?ref={COMMIT[:12]}", True),
        (f"https://github.com/o/r//base?ref={COMMIT}", False),
        (f"https://github.com/o/r//base?timeout=90&ref={COMMIT}", False),
        ("github.com/o/r/base?ref=main", True),
        (f"github.com/o/r/base?version={COMMIT}", False),
        ("git@github.com:o/r//base", True),
        ("ssh://git@github.com/o/r", True),
        ("./base", False),
        ("../o/r/base", False),
        ("manifests/o/r", False),
        ("/srv/base", False),
        (UNKNOWN, False),
        (None, False),
    ],
    ids=repr,
)
def test_a_base_by_url(directory: object, refused: bool) -> None:
    for resource_type in DIRECTORIES:
        found = remote_base.RULE.findings(resource_type, {"directory": directory})
        assert [finding.path for finding in found] == (["directory"] if refused else [])
    properties = {"spec": {"source": {"kustomize": {"components": ["../x", directory]}}}}
    found = remote_base.RULE.findings(APPLICATION, properties)
    assert [finding.path for finding in found] == (["spec.source.kustomize.components[1]"] if refused else [])


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("https://raw.githubusercontent.com/argoproj/argo-cd/stable/manifests/install.yaml", True),
        ("https://raw.githubusercontent.com/argoproj/argo-cd/v3.5.1/manifests/install.yaml", False),
        (f"https://raw.githubusercontent.com/argoproj/argo-cd/{COMMIT}/manifests/install.yaml", False),
        ("https://example.com/latest.yaml", True),
        ("manifests/install.yaml", False),
        (UNKNOWN, False),
    ],
    ids=repr,
)
def test_manifests_by_url(url: object, refused: bool) -> None:
    for resource_type in FILES:
        assert len(remote_base.RULE.findings(resource_type, {"file": url})) == refused
    group = remote_base.RULE.findings("kubernetes:yaml/v2:ConfigGroup", {"files": ["a.yaml", url]})
    assert [finding.path for finding in group] == (["files[1]"] if refused else [])
    assert len(remote_base.RULE.findings("kubernetes:yaml:ConfigGroup", {"files": url})) == refused


VALUES = [
    pytest.param({"image": {"tag": "latest"}}, [".image.tag"], id="tag under image"),
    pytest.param({"global": {"image": {"tag": "main"}}}, [".global.image.tag"], id="Argo CD's own"),
    pytest.param({"webhook": {"repository": "x", "tag": "stable"}}, [".webhook.tag"], id="beside repository"),
    pytest.param({"initImage": {"tag": "edge"}}, [".initImage.tag"], id="another image"),
    pytest.param({"imageTag": "nightly"}, [".imageTag"], id="imageTag"),
    pytest.param({"image": "nginx:latest"}, [".image"], id="whole reference"),
    pytest.param({"jobs": [{"image": "r:5000/x:main"}]}, [".jobs[0].image"], id="in a list"),
    pytest.param({"image": {"tag": "latest", "digest": DIGEST}}, [], id="with a digest"),
    pytest.param({"image": f"x:latest@{DIGEST}"}, [], id="reference with a digest"),
    pytest.param({"image": {"tag": "v3.5.1"}}, [], id="a version"),
    pytest.param({"image": {"tag": ""}}, [], id="empty: the chart's own"),
    pytest.param({"image": {"tag": 1.25}}, [], id="a number"),
    pytest.param({"image": {"tag": UNKNOWN}, "other": UNKNOWN}, [], id="unknown"),
    pytest.param({"image": "nginx"}, [], id="a name whose tag may be elsewhere"),
    pytest.param({"image": {"tag": "{{ .values.tag }}"}}, [], id="a template"),
    pytest.param({"git": {"tag": "latest"}, "tag": "latest"}, [], id="tags that are no image's"),
]


@pytest.mark.parametrize(("values", "expected"), VALUES)
def test_images_in_values(values: dict[str, Any], expected: list[str]) -> None:
    release = values_image.RULE.findings(RELEASE, {"values": values})
    assert [finding.path for finding in release] == [f"values{path}" for path in expected]
    source = {"helm": {"valuesObject": values}}
    application = values_image.RULE.findings(APPLICATION, {"spec": {"sources": [{}, source]}})
    assert [finding.path for finding in application] == [
        f"spec.sources[1].helm.valuesObject{path}" for path in expected
    ]
    generator = {"clusters": {"template": {"spec": {"source": source}}}}
    spec = {"generators": [{"matrix": {"generators": [generator]}}], "template": {"spec": {"source": source}}}
    inside = "spec.generators[0].matrix.generators[0].clusters.template.spec.source.helm.valuesObject"
    assert {finding.path for finding in values_image.RULE.findings(SET, {"spec": spec})} == {
        f"{place}{path}"
        for place in ("spec.template.spec.source.helm.valuesObject", inside)
        for path in expected
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"helm": {"values": "image:\n  tag: latest\n"}}, ["helm.values: .image.tag"]),
        ({"helm": {"values": "image: {tag: '{{.values.tag}}'}"}}, []),
        ({"helm": {"values": "a: [unclosed"}}, []),
        ({"helm": {"parameters": [{"name": "image.tag", "value": "latest"}]}}, ["helm.parameters[0].value"]),
        ({"helm": {"parameters": [{"name": "git.tag", "value": "latest"}]}}, []),
        ({"helm": {"parameters": [{"name": "a.imageTag", "value": "main"}]}}, ["helm.parameters[0].value"]),
        ({"kustomize": {"images": ["nginx=r/nginx:latest", "a:1.2.3", "b"]}}, ["kustomize.images[0]"]),
        ({"kustomize": {"images": [UNKNOWN, f"a=b@{DIGEST}"]}}, []),
    ],
)
def test_images_in_other_options_of_a_source(source: dict[str, Any], expected: list[str]) -> None:
    found = values_image.RULE.findings(APPLICATION, {"spec": {"source": source}})
    assert [finding.path for finding in found] == [f"spec.source.{path}" for path in expected]


def test_a_template_patch_is_looked_into() -> None:
    patch = "spec:\n  source:\n    helm:\n      valuesObject:\n        image: {tag: latest}\n"
    found = values_image.RULE.findings(SET, {"spec": {"templatePatch": patch}})
    assert [finding.path for finding in found] == [
        "spec.templatePatch: .spec.source.helm.valuesObject.image.tag"
    ]
