"""Rule cluster-secret-unique: no two cluster Secrets stand for the same name or the same server."""

from collections.abc import Iterator
from typing import Final

from ..argocd.cluster_secret import cluster_secrets, field, is_secret
from ..properties import joined
from ..rule import Finding
from ..stack_rule import Stack, StackRule

_REMEDY: Final = "Give every cluster one Secret, with a name and a server of its own"


def _look(stack: Stack) -> Iterator[Finding]:
    seen: dict[tuple[str, str, str], str] = {}
    for resource in stack.resources:
        for body, path in cluster_secrets(resource):
            namespace = str((body.get("metadata") or {}).get("namespace"))
            for key in ("name", "server"):
                value = field(body, key)
                if not value:
                    continue
                other = seen.setdefault((namespace, key, value.rstrip("/")), resource.name)
                if other != resource.name:
                    why = f"the cluster Secret {other} has the same {key}"
                    where = joined(joined(path, "data"), key)
                    yield Finding(path=where, value=value, why=why, remedy=_REMEDY, urn=resource.urn)


RULE: Final = StackRule(
    name="cluster-secret-unique",
    title="Each cluster has one Secret",
    mandatory=True,
    reason=(
        "Of two Secrets with one name a generator keeps one and says nothing, and a destination by name fails; "
        "with one server the two take turns."
    ),
    remedy=_REMEDY + ".",
    source="https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#clusters",
    looks_at=("cluster Secrets of the whole stack: name and server, by namespace",),
    concerns=is_secret,
    look=_look,
)
