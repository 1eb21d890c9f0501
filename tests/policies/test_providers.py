"""Rules provider-version-pinned and provider-one-version, by tables."""

import pytest

from policies.rules.pinning import provider_one_version, provider_version
from policies.rules.properties import UNKNOWN
from policies.rules.rule import Resource

GCP = "pulumi:providers:gcp"


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"version": "10.2.0"}, []),
        ({"version": "10.2.0-alpha.1"}, []),
        ({"version": UNKNOWN}, []),
        ({}, ["version"]),
        ({"version": ""}, ["version"]),
        ({"version": "10"}, ["version"]),
        ({"version": ">=10.0.0"}, ["version"]),
        ({"version": "latest"}, ["version"]),
        ({"version": "1.2.3", "pluginDownloadURL": "http://plugins.example.com"}, ["pluginDownloadURL"]),
        (
            {"version": "1.2.3", "pluginDownloadURL": "https://p.example.com/latest/x"},
            ["pluginDownloadURL"],
        ),
        ({"version": "1.2.3", "pluginDownloadURL": "github://api.github.com/o/r"}, []),
        ({"version": "1.2.3", "pluginDownloadURL": "https://p.example.com/1.2.3"}, []),
    ],
)
def test_a_provider(properties: dict[str, object], expected: list[str]) -> None:
    found = provider_version.RULE.findings(GCP, properties)
    assert [finding.path for finding in found] == expected


def test_what_is_no_provider_is_left_alone() -> None:
    for resource_type in ("pulumi:pulumi:Stack", "pulumi:providers:pulumi", "gcp:container/cluster:Cluster"):
        assert provider_version.RULE.findings(resource_type, {}) == ()


def provider(name: str, version: object, kind: str = GCP) -> Resource:
    return Resource(
        type=kind, name=name, urn=f"urn:pulumi:s::p::{kind}::{name}", properties={"version": version}
    )


def test_two_versions_of_one_package_are_said_once_for_each_further_one() -> None:
    stack = [
        provider("default_10_2_0", "10.2.0"),
        provider("default_9_1_0", "9.1.0"),
        provider("other", "10.2.0"),
        provider("later", UNKNOWN),
        provider("k8s", "4.34.2", "pulumi:providers:kubernetes"),
    ]
    (finding,) = provider_one_version.RULE.findings(stack)
    assert finding.urn.endswith("::default_9_1_0")
    assert "default_10_2_0 of the same package has version 10.2.0" in finding.why
    assert not provider_one_version.RULE.mandatory
