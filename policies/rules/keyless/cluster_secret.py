"""Rule cluster-secret-keyless: Argo CD calls clusters as somebody, not with a secret.

What gets a token at the moment of the call (`execProviderConfig`, `awsAuthConfig`) is no secret.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..kubernetes_secret import concerns, holders, names_credential
from ..place import Place, read_json
from ..rule import Finding, Resource, Rule

_REMEDY: Final = (
    "Leave it out, and let Argo CD ask for a token at each call: execProviderConfig with the command "
    '"argocd-k8s-auth" and the argument of the cloud, such as "gcp"'
)
_VERIFY: Final = "Take it out; give caData where the server's certificate is signed by nobody public"
_FIELDS: Final = (
    (("bearertoken",), "bearerToken", "a bearer token that is written down works wherever it is copied to"),
    (("password",), "password", "this is basic authentication, with a password that is written down"),
    (
        ("tlsclientconfig", "keydata"),
        "tlsClientConfig.keyData",
        "a client key that is written down works wherever it is copied to",
    ),
    (
        ("tlsclientconfig", "certdata"),
        "tlsClientConfig.certData",
        "a client certificate is of use only with its key, and cannot be revoked",
    ),
)


def _look(resource: Resource) -> Iterator[Finding]:
    for holder in holders(resource):
        config = holder.held.get("config")
        if holder.argocd_type == "cluster" and config is not None:
            yield from _config(Place(_folded(read_json(config.value))), config.path)


def _config(config: Place, path: str) -> Iterator[Finding]:
    for keys, name, why in _FIELDS:
        place = Place(config.at(*keys).value, f"{path}: {name}")
        if place.is_set:
            yield place.offends(why, _REMEDY, hidden=True)
    insecure = Place(config.at("tlsclientconfig", "insecure").value, f"{path}: tlsClientConfig.insecure")
    if insecure.is_true:
        yield insecure.offends("whoever answers at that address is handed the token", _VERIFY)
    for name, value in config.at("execproviderconfig", "env").entries():
        if names_credential(name) and value.is_set:
            place = Place(value.value, f"{path}: execProviderConfig.env.{name}")
            yield place.offends(
                "the command is handed a credential that is written down", _REMEDY, hidden=True
            )


def _folded(value: Any, *, levels: int = 2) -> Any:
    """Fields with names in lower case, as deep as they are read: Argo CD takes them whatever their case."""
    if not levels or not isinstance(value, Mapping):
        return value
    return {key.lower(): _folded(inner, levels=levels - 1) for key, inner in value.items()}


RULE: Final = Rule(
    name="cluster-secret-keyless",
    title="Cluster Secrets of Argo CD hold no credential",
    mandatory=True,
    reason=(
        "Such a Secret is a way into a cluster for whoever reads the namespace of Argo CD or a backup of it; a "
        "token that is asked for at each call ends within the hour and says who called."
    ),
    remedy=_REMEDY + ".",
    source="https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#clusters",
    looks_at=(
        "Secret with the label argocd.argoproj.io/secret-type: cluster, stringData and data: config with bearerToken, "
        "password, tlsClientConfig.keyData, .certData and .insecure, execProviderConfig.env",
    ),
    concerns=concerns,
    look=_look,
)
