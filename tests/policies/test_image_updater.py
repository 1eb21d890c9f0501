"""Rule image-updater-bounded, by tables: annotations and the ImageUpdater resource."""

from typing import Any

import pytest

from policies.rules.pinning.image_updater import RULE
from policies.rules.properties import UNKNOWN

from .test_chart_version import APPLICATION, SET

GROUP = "argocd-image-updater.argoproj.io"
UPDATER = f"kubernetes:{GROUP}/v1alpha1:ImageUpdater"

CASES = [
    pytest.param("r/x", None, None, True, id="semver without a constraint"),
    pytest.param("r:5000/x", None, None, True, id="a port is no constraint"),
    pytest.param("r/x:*", "semver", None, True, id="star"),
    pytest.param("r/x:>=1.2", "semver", None, True, id="open above"),
    pytest.param("r/x:latest", "semver", None, True, id="latest"),
    pytest.param("r/x:~1.2 || *", "semver", None, True, id="one open alternative"),
    pytest.param("r/x:~1.2", None, None, False, id="tilde"),
    pytest.param("r/x:^1.2 || ^2.1", "semver", None, False, id="alternatives"),
    pytest.param("r/x:1.x", "semver", None, False, id="wildcard"),
    pytest.param("r/x:>=1.2 <2", "semver", None, False, id="closed above"),
    pytest.param("r/x", "newest-build", None, True, id="newest build of anything"),
    pytest.param("r/x", "latest", "any", True, id="old name, any tag"),
    pytest.param("r/x", "newest-build", "regexp:.*", True, id="a pattern for everything"),
    pytest.param("r/x", "name", "", True, id="alphabetical"),
    pytest.param("r/x", "newest-build", "regexp:^main-[0-9a-f]{7}$", False, id="a pattern"),
    pytest.param("r/x", "digest", None, True, id="digest of no tag"),
    pytest.param("r/x:latest", "digest", None, True, id="digest of latest"),
    pytest.param("r/x:1.4", "digest", None, False, id="digest of a version"),
    pytest.param("{{.values.image}}", None, None, False, id="a template"),
    pytest.param("r/x", "{{.values.strategy}}", None, False, id="a strategy from a template"),
    pytest.param(UNKNOWN, None, None, False, id="unknown"),
]


def annotations(image: object, strategy: str | None, tags: str | None, alias: str = "a.") -> dict[str, Any]:
    listed = f"{alias.rstrip('.')}={image}" if alias and isinstance(image, str) else image
    given = {"image-list": listed, f"{alias}update-strategy": strategy, f"{alias}allow-tags": tags}
    return {f"{GROUP}/{key}": value for key, value in given.items() if value is not None}


@pytest.mark.parametrize("alias", ["a.", ""])
@pytest.mark.parametrize(("image", "strategy", "tags", "refused"), CASES)
def test_annotations(
    image: object, strategy: str | None, tags: str | None, refused: bool, alias: str
) -> None:
    metadata = {"annotations": annotations(image, strategy, tags, alias)}
    path = f'metadata.annotations["{GROUP}/image-list"]'
    found = RULE.findings(APPLICATION, {"metadata": metadata})
    assert [finding.path for finding in found] == ([path] if refused else [])
    found = RULE.findings(SET, {"spec": {"template": {"metadata": metadata}}})
    assert [finding.path for finding in found] == ([f"spec.template.{path}"] if refused else [])


@pytest.mark.parametrize("level", ["image", "reference", "spec"])
@pytest.mark.parametrize(("image", "strategy", "tags", "refused"), CASES)
def test_the_resource(
    image: object, strategy: str | None, tags: str | None, refused: bool, level: str
) -> None:
    given = {"updateStrategy": strategy, "allowTags": tags}
    settings = {"commonUpdateSettings": {key: value for key, value in given.items() if value is not None}}
    one = {"alias": "a", "imageName": image} | (settings if level == "image" else {})
    reference = {"namePattern": "*", "images": [one]} | (settings if level == "reference" else {})
    spec = {"applicationRefs": [reference]} | (settings if level == "spec" else {})
    found = RULE.findings(UPDATER, {"spec": spec})
    assert [finding.path for finding in found] == (
        ["spec.applicationRefs[0].images[0].imageName"] if refused else []
    )


def test_each_image_of_a_list_has_its_own_strategy() -> None:
    given = {
        f"{GROUP}/image-list": "a=r/a:~1.2, b=r/b:1.4 ,r/c:*",
        f"{GROUP}/b.update-strategy": "digest",
        f"{GROUP}/update-strategy": "semver",
    }
    (finding,) = RULE.findings(APPLICATION, {"metadata": {"annotations": given}})
    assert finding.value == "r/c:*"


def test_a_message_says_what_to_write() -> None:
    (finding,) = RULE.findings(APPLICATION, {"metadata": {"annotations": annotations("r/x", None, None)}})
    assert "r/x is followed to any newer version" in str(finding)
    assert '"NAME:~1.4"' in str(finding)
