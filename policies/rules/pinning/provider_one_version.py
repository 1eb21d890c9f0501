"""Rule provider-one-version: a stack uses one version of each provider."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from ..rule import Finding
from ..stack_rule import Stack, StackRule

_PREFIX: Final = "pulumi:providers:"
_REMEDY: Final = "Leave version out of the resource options, so that the SDK's is taken everywhere"


def _look(stack: Stack) -> Iterator[Finding]:
    versions: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for resource in stack.resources:
        version = resource.properties.get("version")
        if isinstance(version, str) and version:
            versions[resource.type].setdefault(version, resource.name)
            if len(versions[resource.type]) > 1 and versions[resource.type][version] == resource.name:
                other, name = next(iter(versions[resource.type].items()))
                if other != version:
                    why = f"provider {name} of the same package has version {other}"
                    yield Finding(path="version", value=version, why=why, remedy=_REMEDY, urn=resource.urn)


RULE: Final = StackRule(
    name="provider-one-version",
    title="A stack uses one version of each provider",
    mandatory=False,
    reason=(
        "Two versions are two programs with their own bugs, and one more process each; mostly one of them is "
        "left over from an upgrade."
    ),
    remedy=_REMEDY + ".",
    source="https://www.pulumi.com/docs/iac/concepts/resources/options/version/",
    looks_at=("pulumi:providers:NAME of the whole stack: version",),
    concerns=lambda resource_type: resource_type.startswith(_PREFIX),
    look=_look,
)
