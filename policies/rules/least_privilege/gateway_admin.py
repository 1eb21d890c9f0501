"""Rule no-gateway-admin: through Connect Gateway no machine opens streams, but for who serves terminals."""

from collections.abc import Iterator
from typing import Final

from .. import iam
from ..rule import Finding, Resource, Rule
from ..schemas import names

_ROLE: Final = "roles/gkehub.gatewayAdmin"
_TERMINALS: Final = ("*argocd-server*", "*argo-cd-server*")
_REMEDY: Final = (
    "Give roles/gkehub.gatewayEditor; where people open terminals in Argo CD, give argocd-server an account apart "
    "and that one alone this role"
)


def _look(resource: Resource) -> Iterator[Finding]:
    for grant in iam.grants(resource):
        if grant.role.text != _ROLE or not grant.is_to_machine:
            continue
        if not grant.is_to(resource.parameters["terminals"]):
            why = f"with {_ROLE} it can run commands in every pod that RBAC lets it"
            yield grant.member.offends(why, _REMEDY)


RULE: Final = Rule(
    name="no-gateway-admin",
    title="No machine opens terminals through the gateway",
    mandatory=True,
    reason=(
        "What the role adds to gatewayEditor are streams: exec, attach and port-forward. A controller never needs "
        "them; who takes it over would."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/kubernetes-engine/enterprise/multicluster-management/gateway/setup",
    looks_at=(
        f"IAM Member, Binding and Policy resources: service accounts and workloads with {_ROLE} (people and groups "
        "may have it)",
    ),
    parameters={"terminals": names("Patterns of members that serve terminals to people", _TERMINALS)},
    concerns=iam.concerns,
    look=_look,
)
