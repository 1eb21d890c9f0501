"""Rule no-token-secrets: no Secret asks Kubernetes for a token that never ends."""

from collections.abc import Iterator
from typing import Final

from ..kubernetes_secret import concerns, holders
from ..rule import Finding, Resource, Rule

_TYPE: Final = "kubernetes.io/service-account-token"
_REMEDY: Final = (
    "Take it out: pods get tokens that end by themselves (serviceAccountToken volumes), people ask for one with "
    "kubectl create token"
)


def _look(resource: Resource) -> Iterator[Finding]:
    for holder in holders(resource):
        kind = holder.body.at("type")
        if holder.kind == "Secret" and kind.text == _TYPE:
            yield kind.offends(
                "Kubernetes writes a token of the ServiceAccount into it that never ends", _REMEDY
            )


RULE: Final = Rule(
    name="no-token-secrets",
    title="No Secret holds the token of a ServiceAccount",
    mandatory=True,
    reason="The token works from anywhere that reaches the API server, for as long as the Secret is there.",
    remedy=_REMEDY + ".",
    source="https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets",
    looks_at=(f"Secret: type {_TYPE}",),
    concerns=concerns,
    look=_look,
)
