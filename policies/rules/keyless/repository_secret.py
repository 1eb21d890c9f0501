"""Rule repository-secret-keyless: Argo CD reads repositories without a secret that is written down."""

from collections.abc import Iterator
from typing import Final

from ..kubernetes_secret import concerns, holders
from ..rule import Finding, Resource, Rule

_TYPES: Final = ("repository", "repo-creds", "repository-write", "repo-write-creds")
_ANY_FIELD: Final = "scm-creds"
_FIELDS: Final = {
    "password": "a password or token that is written down works wherever it is copied to",
    "bearerToken": "a bearer token that is written down works wherever it is copied to",
    "sshPrivateKey": "an SSH key that is written down works wherever it is copied to",
    "githubAppPrivateKey": "the key of a GitHub App opens every repository that the App is installed in",
    "tlsClientCertKey": "a client key that is written down works wherever it is copied to",
    "gcpServiceAccountKey": "this is the key file of a service account",
}
_REMEDY: Final = (
    "Take it out: let Argo CD read what needs no secret (a mirror in its network, a repository that is public), or "
    "have External Secrets write short-lived tokens into the Secret"
)


def _look(resource: Resource) -> Iterator[Finding]:
    for holder in holders(resource):
        for key, place in holder.held.items():
            if holder.argocd_type in _TYPES and key in _FIELDS and place.is_set:
                yield place.offends(_FIELDS[key], _REMEDY, hidden=True)
            elif holder.argocd_type == _ANY_FIELD and place.is_set:
                yield place.offends(
                    "a token for the API of a Git host that is written down", _REMEDY, hidden=True
                )


RULE: Final = Rule(
    name="repository-secret-keyless",
    title="Repository Secrets of Argo CD hold no credential",
    mandatory=True,
    reason=(
        "The credential opens the repository for whoever reads the namespace of Argo CD, a backup or the state of "
        "the program; one that may write changes what every cluster runs."
    ),
    remedy=_REMEDY + ".",
    source="https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#repositories",
    looks_at=(
        "Secret with the label argocd.argoproj.io/secret-type: repository, repo-creds, repository-write or "
        f"repo-write-creds, stringData and data: {', '.join(_FIELDS)}",
        "the same with scm-creds: every key",
    ),
    concerns=concerns,
    look=_look,
)
