"""Rules image-pinned and image-digest, by tables."""

from typing import Any

import pytest

from policies.rules.pinning import image_digest, image_tag
from policies.rules.properties import UNKNOWN

DIGEST = f"sha256:{'a' * 64}"
POD = {"spec": {"containers": [{"name": "x", "image": "nginx"}]}}


def deployment(*images: object) -> dict[str, Any]:
    containers = [{"name": "x", "image": image} for image in images]
    return {"spec": {"template": {"spec": {"containers": containers}}}}


def pinned(properties: dict[str, Any], resource_type: str = "kubernetes:apps/v1:Deployment") -> list[str]:
    return [finding.path for finding in image_tag.RULE.findings(resource_type, properties)]


def digested(properties: dict[str, Any], resource_type: str = "kubernetes:apps/v1:Deployment") -> list[str]:
    return [finding.path for finding in image_digest.RULE.findings(resource_type, properties)]


IMAGE = "spec.template.spec.containers[0].image"


@pytest.mark.parametrize(
    "image",
    [
        "nginx", "docker.io/library/nginx", "localhost:5000/nginx", "nginx:latest",
        "nginx:stable",
        "nginx:main", "nginx:edge", "nginx:master", "nginx:nightly", "nginx:LATEST",
        "nginx:latest-alpine3.19",
        "nginx:stable-slim", "nginx:alpine-edge", "nginx:", "nginx@", "nginx@sha256:abc",
        "nginx:1.2.3@sha256:abc", f"nginx@md5:{'a' * 64}",
    ],
)  # fmt: skip
def test_an_image_that_names_no_version_is_refused_once(image: str) -> None:
    assert pinned(deployment(image)) == [IMAGE]
    assert digested(deployment(image)) == []


@pytest.mark.parametrize(
    "image", ["nginx:1.2.3", "localhost:5000/nginx:v1.2", "n:main-3f2a1bc", "n:nightly-20260101"]
)
def test_a_tag_that_names_a_version_is_only_advised_against(image: str) -> None:
    assert pinned(deployment(image)) == []
    assert digested(deployment(image)) == [IMAGE]


@pytest.mark.parametrize("image", [f"nginx@{DIGEST}", f"r:5000/n:latest@{DIGEST}", f"n@sha512:{'b' * 128}"])
def test_a_digest_is_what_both_ask_for(image: str) -> None:
    assert pinned(deployment(image)) == []
    assert digested(deployment(image)) == []


@pytest.mark.parametrize(
    "image", [UNKNOWN, None, "", "$(IMAGE)", "{{ .image }}", "${image}", 3.0, ["nginx"], {}], ids=repr
)
def test_what_is_not_there_or_filled_in_later_is_not_reported(image: object) -> None:
    assert pinned(deployment(image)) == []
    assert digested(deployment(image)) == []


@pytest.mark.parametrize(
    "kind",
    [
        "apps/v1:Deployment",
        "apps/v1:DeploymentPatch",
        "apps/v1:StatefulSet",
        "apps/v1:DaemonSet",
        "apps/v1:ReplicaSet",
        "batch/v1:Job",
        "core/v1:ReplicationController",
        "argoproj.io/v1alpha1:Rollout",
        "serving.knative.dev/v1:Service",
    ],
)
def test_every_kind_with_a_pod_template(kind: str) -> None:
    assert pinned(deployment("nginx"), f"kubernetes:{kind}") == [IMAGE]


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        pytest.param("core/v1:Pod", POD, ["spec.containers[0].image"], id="pod"),
        pytest.param(
            "core/v1:Pod",
            {
                "spec": {
                    key: [{"image": "x"}] for key in ("containers", "initContainers", "ephemeralContainers")
                }
            },
            ["spec.containers[0].image", "spec.initContainers[0].image", "spec.ephemeralContainers[0].image"],
            id="every list of containers",
        ),
        pytest.param(
            "batch/v1:CronJob",
            {"spec": {"jobTemplate": deployment("x")}},
            ["spec.jobTemplate.spec.template.spec.containers[0].image"],
            id="cron job",
        ),
        pytest.param(
            "jobset.x-k8s.io/v1alpha2:JobSet",
            {"spec": {"replicatedJobs": [{"template": deployment("x")}]}},
            ["spec.replicatedJobs[0].template.spec.template.spec.containers[0].image"],
            id="custom resource, deeper",
        ),
        pytest.param(
            "core/v1:PodTemplate", {"template": POD}, ["template.spec.containers[0].image"], id="pod template"
        ),
        pytest.param(
            "core/v1:PodList", {"items": [POD]}, ["items[0].spec.containers[0].image"], id="list of pods"
        ),
        pytest.param(
            "core/v1:List",
            {"items": [{"apiVersion": "v1", "kind": "Pod", **POD}]},
            ["items[0].spec.containers[0].image"],
            id="list of anything",
        ),
        pytest.param("core/v1:ConfigMap", {"data": {"template": "image: nginx"}}, [], id="text"),
        pytest.param("example.com/v1:Thing", POD, [], id="containers that are no pod's"),
    ],
)
def test_where_images_stand(kind: str, properties: dict[str, Any], expected: list[str]) -> None:
    assert pinned(properties, f"kubernetes:{kind}") == expected


def test_other_providers_are_left_alone() -> None:
    assert pinned(deployment("nginx"), "gcp:cloudrun/service:Service") == []


def test_levels() -> None:
    assert image_tag.RULE.mandatory
    assert not image_digest.RULE.mandatory
