"""The pack as the CLI runs it: a process with the protocol of analyzers, from a folder that stands alone.

Proves what reaches the engine (names, levels, messages, unknowns, secrets, failures). Does not prove what
the engine does with it; test_cli.py does.
"""

import time
from importlib.metadata import version

import yaml
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.rules import catalogue

from .conftest import FOLDER, Pack
from .test_chart_version import APPLICATION, RELEASE, REPO, application, chart
from .test_image import deployment

SECRET = "1b47061264138c4ac30d75fd1eb44270"
SIGNATURE = "4dabf18193072939515e22adb298388d"


def test_the_pack_offers_the_rules_of_the_catalogue(pack: Pack) -> None:
    info = pack.analyzer.GetAnalyzerInfo(empty_pb2.Empty(), timeout=30)
    assert info.name == "gke-fleet"
    levels = {policy.name: policy.enforcementLevel for policy in info.policies}
    assert levels == {
        rule.name: analyzer_pb2.MANDATORY if rule.mandatory else analyzer_pb2.ADVISORY for rule in catalogue()
    }
    for policy, rule in zip(info.policies, catalogue(), strict=True):
        assert (policy.remediation_steps, policy.url) == (rule.remedy, rule.source)


def test_a_violation_reaches_the_engine(pack: Pack) -> None:
    (found,) = pack.analyze(RELEASE, {"chart": "x", "version": "1.2", **REPO})
    assert found.policyName == "chart-version-pinned"
    assert found.enforcementLevel == analyzer_pb2.MANDATORY
    assert 'version is "1.2"' in found.message


def test_several_rules_are_asked_about_one_resource(pack: Pack) -> None:
    git = {"repoURL": "https://git.example.com/x.git", "targetRevision": "HEAD"}
    found = [
        *pack.analyze(APPLICATION, application(chart("*"), git)),
        *pack.analyze("kubernetes:apps/v1:Deployment", deployment("nginx", "nginx:1.2.3")),
    ]
    assert [one.policyName for one in found] == [
        "chart-version-pinned",
        "git-revision-pinned",
        "image-pinned",
        "image-digest",
    ]


def test_what_is_pinned_passes(pack: Pack) -> None:
    assert pack.analyze(RELEASE, {"chart": "x", "version": "1.2.3", **REPO}) == []


def test_an_unknown_is_no_violation_and_hides_none(pack: Pack) -> None:
    sources = application(chart(UNKNOWN_STRING_VALUE), chart("1.2"), chart(UNKNOWN_STRING_VALUE))
    (found,) = pack.analyze(APPLICATION, sources)
    assert "spec.sources[1].targetRevision" in found.message


def test_a_secret_is_looked_into(pack: Pack) -> None:
    secret = {SIGNATURE: SECRET, "value": "1.2"}
    (found,) = pack.analyze(RELEASE, {"chart": "x", "version": secret, **REPO})
    assert found.policyName == "chart-version-pinned"


def test_a_rule_can_be_set_to_another_level(pack: Pack) -> None:
    advisory = analyzer_pb2.PolicyConfig(enforcementLevel=analyzer_pb2.ADVISORY)
    disabled = analyzer_pb2.PolicyConfig(enforcementLevel=analyzer_pb2.DISABLED)
    request = analyzer_pb2.ConfigureAnalyzerRequest(
        policyConfig={"image-pinned": advisory, "chart-version-pinned": disabled}
    )
    pack.analyzer.Configure(request, timeout=30)
    try:
        assert pack.analyze(RELEASE, {"chart": "x", "version": "1.2", **REPO}) == []
        (found,) = pack.analyze("kubernetes:core/v1:Pod", {"spec": {"containers": [{"image": "nginx"}]}})
        assert found.enforcementLevel == analyzer_pb2.ADVISORY
    finally:
        pack.analyzer.Configure(analyzer_pb2.ConfigureAnalyzerRequest(), timeout=30)


def test_a_resource_costs_little(pack: Pack) -> None:
    """A ceiling that only a mistake in the walk breaks: the figure is near 5 ms, most of it the SDK's."""
    started = time.perf_counter()
    for index in range(50):
        pack.analyze(APPLICATION, application(*(chart("1.2.3") for _ in range(5))), name=str(index))
    assert (time.perf_counter() - started) / 50 < 0.1


def test_the_pack_file_names_a_runtime_and_a_version() -> None:
    project = yaml.safe_load((FOLDER / "PulumiPolicy.yaml").read_text())
    assert project["runtime"]["name"] == "python"
    assert "virtualenv" not in project["runtime"]["options"]
    assert len(project["version"].split(".")) == 3


def test_the_packs_own_requirements_are_those_of_the_project() -> None:
    lines = (FOLDER / "requirements.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    assert pins == {name: version(name) for name in ("pulumi", "pulumi-policy")}
