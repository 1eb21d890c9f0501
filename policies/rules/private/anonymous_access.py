"""Rule no-anonymous-access: a cluster grants nothing to callers that it does not know by name."""

from collections.abc import Iterator
from typing import Final

from ..gcp import CLUSTER, is_one_of
from ..place import inputs
from ..rule import Finding, Resource, Rule

_REMEDY: Final = (
    'Set anonymousAuthenticationConfig.mode to "LIMITED", the switches of rbacBindingConfig to false'
)
_BINDINGS: Final = {
    "enableInsecureBindingSystemUnauthenticated": "roles can then be bound to callers without a name",
    "enableInsecureBindingSystemAuthenticated": "roles can then be bound to everybody who has a Google account",
}


def _look(resource: Resource) -> Iterator[Finding]:
    cluster = inputs(resource)
    mode = cluster.at("anonymousAuthenticationConfig", "mode")
    if mode.text.upper() == "ENABLED":
        yield mode.offends("the API server answers callers without a name beyond its health", _REMEDY)
    for field, why in _BINDINGS.items():
        switch = cluster.at("rbacBindingConfig", field)
        if switch.is_true:
            yield switch.offends(why, _REMEDY)


RULE: Final = Rule(
    name="no-anonymous-access",
    title="Clusters grant nothing to callers without a name",
    mandatory=True,
    reason=(
        "On GKE every Google account in the world is in the group system:authenticated: a role that is bound to it "
        "by mistake is a role for everybody who reaches the API server."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/docs/best-practices/rbac",
    looks_at=(
        "gcp:container Cluster: anonymousAuthenticationConfig.mode, rbacBindingConfig (what is not set is for GKE to "
        "decide, and is no offence)",
    ),
    concerns=is_one_of(CLUSTER),
    look=_look,
)
