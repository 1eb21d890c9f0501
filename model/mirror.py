"""Where an upstream repository is found behind a mirror.

Private clusters have no way to the internet, so a stack may name one mirror for every Helm, Git and OCI
repository.
"""

from __future__ import annotations


def through(mirror: str, repository: str) -> str:
    """The address of an upstream `repository` (https:// or oci://) behind `mirror` (https URL).

    The upstream host becomes the first folder: `https://charts.external-secrets.io` behind
    `https://mirror.acme.dev` is `https://mirror.acme.dev/charts.external-secrets.io`. An OCI repository keeps its
    scheme: the registry behind the mirror has the upstream host as the first part of its repositories' names.
    """
    scheme, _, rest = repository.partition("://")
    return f"{scheme}://{mirror.removeprefix('https://').rstrip('/')}/{rest.rstrip('/')}"
