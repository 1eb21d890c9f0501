"""Rule provider-version-pinned: a provider's plugin comes in one exact version, from one place."""

import re
from collections.abc import Iterator
from typing import Final

from ..rule import Finding, Resource, Rule
from .forms import version_fault

_PROVIDER: Final = re.compile(r"pulumi:providers:(?!pulumi$).+")
_REMEDY: Final = (
    "Take the SDK's package in an exact version, which brings this one, or write version in the resource "
    "options"
)
_URL_REMEDY: Final = "Write an https URL of a release, or leave it out"


def _look(resource: Resource) -> Iterator[Finding]:
    version = resource.properties.get("version")
    if fault := version_fault(version):
        fault = fault.replace("newest chart", "newest plugin").replace("to Helm it", "to the CLI it")
        yield Finding(path="version", value=version, why=fault, remedy=_REMEDY)
    url = resource.properties.get("pluginDownloadURL")
    if isinstance(url, str) and (url.startswith("http://") or "latest" in re.split(r"[/?&=]", url)):
        why = "what is fetched from there can be another program tomorrow, or somebody else's on the way"
        yield Finding(path="pluginDownloadURL", value=url, why=why, remedy=_URL_REMEDY)


RULE: Final = Rule(
    name="provider-version-pinned",
    title="Providers come in one exact version",
    mandatory=True,
    reason=(
        "The plugin decides what a program does to the cloud. Without a version the newest one on the machine, "
        "or of the registry, is taken."
    ),
    remedy=_REMEDY + ".",
    source="https://www.pulumi.com/docs/iac/concepts/resources/options/version/",
    looks_at=("pulumi:providers:NAME, the default ones too: version, pluginDownloadURL",),
    concerns=lambda resource_type: _PROVIDER.fullmatch(resource_type) is not None,
    look=_look,
)
