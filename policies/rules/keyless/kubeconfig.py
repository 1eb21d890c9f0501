"""Rule kubeconfig-keyless: a kubeconfig says how to get a token, and holds none."""

import re
from collections.abc import Iterator
from typing import Final

from .. import kubernetes_secret
from ..kubernetes_secret import holders, names_credential
from ..place import Place, inputs, read_yaml
from ..rule import Finding, Resource, Rule

_PROVIDER: Final = "pulumi:providers:kubernetes"
_REMEDY: Final = (
    "Let a plugin ask for a token at each call: users[].user.exec with the command of the cloud, such as "
    '"gke-gcloud-auth-plugin"'
)
_VERIFY: Final = (
    "Take it out; give certificate-authority-data where the certificate is signed by nobody public"
)
_KEYS: Final = (re.compile(r"\busers\b[\"']?\s*:"), re.compile(r"\bclusters\b[\"']?\s*:"))
"""What stands in every kubeconfig; reading every long text as YAML would take its time."""
_FIELDS: Final = {
    "token": "a token that is written down works wherever it is copied to",
    "password": "this is basic authentication, with a password that is written down",
    "client-key-data": "a client key that is written down works wherever it is copied to",
    "client-key": "it names the file of a client key, which works wherever it is copied to",
    "auth-provider": "it keeps tokens in the file, and kubectl does not know it any more since 1.26",
}


def _concerns(resource_type: str) -> bool:
    return resource_type == _PROVIDER or kubernetes_secret.concerns(resource_type)


def _look(resource: Resource) -> Iterator[Finding]:
    if resource.type == _PROVIDER:
        yield from _kubeconfig(inputs(resource).at("kubeconfig"))
        return
    for holder in holders(resource):
        for place in holder.held.values():
            yield from _kubeconfig(place)


def _kubeconfig(place: Place) -> Iterator[Finding]:
    """What is wrong with a kubeconfig; nothing where the text is none. Paths go on from `place` into the text."""
    config = Place(place.value)
    separator = "."
    if isinstance(place.value, str):
        if not all(key.search(place.value) for key in _KEYS):
            return
        config, separator = Place(read_yaml(place.value)), ": "
    for found, why in _credentials(config):
        inside = Place(found.value, f"{place.path}{separator}{found.path}")
        yield inside.offends(why, _REMEDY, hidden=True)
    for named in config.at("clusters").each():
        unverified = named.at("cluster", "insecure-skip-tls-verify")
        if unverified.is_true:
            inside = Place(unverified.value, f"{place.path}{separator}{unverified.path}")
            yield inside.offends("whoever answers at that address is handed the token", _VERIFY)


def _credentials(config: Place) -> Iterator[tuple[Place, str]]:
    for named in config.at("users").each():
        user = named.at("user")
        for field, why in _FIELDS.items():
            if user.at(field).is_set:
                yield user.at(field), why
        for variable in user.at("exec", "env").each():
            if names_credential(variable.at("name").text) and variable.at("value").is_set:
                yield variable.at("value"), "the plugin is handed a credential that is written down"


RULE: Final = Rule(
    name="kubeconfig-keyless",
    title="Kubeconfigs hold no credential",
    mandatory=True,
    reason=(
        "A kubeconfig is passed around as a file; with a token, a password or a key in it, it is the right to "
        "whatever its user may, for whoever holds a copy."
    ),
    remedy=_REMEDY + ".",
    source=(
        "https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins"
    ),
    looks_at=(
        "pulumi:providers:kubernetes: kubeconfig (its text or object; not the file that a path names)",
        "Secret and ConfigMap: every text that is a kubeconfig",
        f"there users[].user: {', '.join(_FIELDS)}, exec.env[]; clusters[].cluster.insecure-skip-tls-verify",
    ),
    concerns=_concerns,
    look=_look,
)
