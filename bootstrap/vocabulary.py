"""The words of a bootstrap file that a fleet file does not have.

Owns the form of each single value. Does not own what holds between values (`bootstrap.load`).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from model.vocabulary import wrong


class Use(StrEnum):
    """What the fleet does in a project beyond holding clusters there, and the deployer needs a right for."""

    NETWORKS = "networks"
    SECRETS = "secrets"
    DNS_ENDPOINT = "dnsEndpoint"


def _digits(noun: str, remedy: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(r"[1-9][0-9]{0,18}", value):
            raise wrong(f"it is not {noun}", remedy)
        return value

    return AfterValidator(check)


def _billing_account(value: str) -> str:
    if not re.fullmatch(r"[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}", value):
        raise wrong(
            "it is not a billing account",
            "write it as `gcloud billing accounts list` prints it: 012345-6789AB-CDEF01",
        )
    return value


def _bucket(value: str) -> str:
    remedy = "use 3 to 53 lower-case letters, digits and hyphens, with a letter or digit at both ends"
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,51}[a-z0-9]", value):
        raise wrong("it is not the name of a bucket", remedy)
    if value.startswith("goog") or "google" in value:
        raise wrong("Google takes no bucket whose name starts with goog or holds google", remedy)
    return value


def _github_owner(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,37}[A-Za-z0-9])?", value):
        raise wrong("it is not the name of a GitHub user or organization", "write the part before the slash")
    return value


def _github_repository(value: str) -> str:
    if "/" in value:
        raise wrong("that holds a slash", "write the part after the slash; the owner has a key of its own")
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", value):
        raise wrong("it is not the name of a GitHub repository", "use letters, digits, `.`, `-` and `_`")
    return value


def _github_environment(value: str) -> str:
    # A colon would let one subject read as another, and GitHub escapes other characters in it.
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", value):
        raise wrong(
            "the subject of a token cannot be built from that name",
            "use at most 40 letters, digits, `.`, `-` and `_`, and name the environment on GitHub so",
        )
    return value


OrganizationId = Annotated[
    str, _digits("the id of an organization", "use the digits that `gcloud organizations list` prints")
]
FolderId = Annotated[str, _digits("the id of a folder", "use the digits alone, without `folders/`")]
GithubId = Annotated[
    str,
    _digits(
        "a numeric id of GitHub",
        "use the number that `gh api repos/OWNER/REPOSITORY` prints as `id`, or as `owner.id`",
    ),
]
BillingAccount = Annotated[str, AfterValidator(_billing_account)]
BucketName = Annotated[str, AfterValidator(_bucket)]
"""At most 53 characters: the owner's own bucket adds `-bootstrap`, and Google takes 63."""
GithubOwner = Annotated[str, AfterValidator(_github_owner)]
GithubRepository = Annotated[str, AfterValidator(_github_repository)]
GithubEnvironment = Annotated[str, AfterValidator(_github_environment)]
