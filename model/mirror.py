"""Where an upstream repository is found behind a mirror.

Private clusters have no way to the internet, so a stack may name one mirror for every Helm and Git
repository.
"""

from __future__ import annotations


def through(mirror: str, repository: str) -> str:
    """The address of an upstream `repository` (https URL) behind `mirror` (https URL).

    The upstream host becomes the first folder: `https://charts.external-secrets.io` behind
    `https://mirror.acme.dev` is `https://mirror.acme.dev/charts.external-secrets.io`.
    """
    return f"{mirror.rstrip('/')}/{repository.removeprefix('https://').rstrip('/')}"
