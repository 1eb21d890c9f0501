"""What counts as pinned.

Owns the three forms and the words that say why another form floats; knows no resource.
"""

import re
from typing import Final

from ..properties import Unknown

_PART = r"(?:0|[1-9][0-9]*)"
_WORD = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
VERSION: Final = re.compile(rf"v?{_PART}\.{_PART}\.{_PART}(?:-{_WORD})?(?:\+{_WORD})?")
COMMIT: Final = re.compile(r"[0-9a-fA-F]{40}")
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")

VERSION_REMEDY: Final = 'Write one exact version with three parts, such as "1.3.1"'
COMMIT_REMEDY: Final = (
    "Write the full commit SHA, 40 hexadecimal digits (git ls-remote REPOSITORY REF prints it)"
)
OCI_REMEDY: Final = (
    'Write the digest ("sha256:" and 64 hexadecimal digits) or one exact version with three parts'
)

_RANGE = re.compile(r"[*^~<>=|,]|\s|(^|\.)[xX](\.|$)")


def version_fault(value: object) -> str | None:
    """Why `value` is not one exact chart version; None where it is, or where it is not known yet.

    Argo CD takes "1.2" for exact and hands it to Helm, to which it is the range 1.2.*: so two parts are
    refused (argo-cd util/versions, Masterminds/semver constraints).
    """
    if isinstance(value, Unknown):
        return None
    if value is None or value == "":
        return "without a version the newest chart is taken, on every day another"
    if not isinstance(value, str):
        return "a version is a string; a number loses its last zero and its third part"
    if VERSION.fullmatch(value):
        return None
    if value.strip().lower() in ("latest", "stable"):
        return "this names whatever is newest, not a version"
    if re.fullmatch(r"v?[0-9]+(\.[0-9]+)?", value):
        return f"a version of fewer than three parts floats: to Helm it means {value}.*"
    if _RANGE.search(value):
        return "a range is resolved again at every refresh"
    return "this is not an exact version of three parts"


def commit_fault(value: object) -> str | None:
    """Why `value` is not a full commit SHA; None where it is one, or is not known yet."""
    if isinstance(value, Unknown):
        return None
    if value is None or value == "":
        return "without a revision the newest commit of the default branch is taken"
    if not isinstance(value, str):
        return "a revision is a string"
    if COMMIT.fullmatch(value):
        return None
    if value == "HEAD":
        return "HEAD is the newest commit of the default branch"
    if value.startswith("refs/tags/"):
        return "a tag can be moved to another commit"
    if value.startswith("refs/heads/"):
        return "a branch moves with every commit"
    if re.fullmatch(r"[0-9a-fA-F]{64}", value):
        return "Argo CD takes a commit of 64 digits for the name of a branch or tag"
    if re.fullmatch(r"[0-9a-f]{7,39}", value):
        return (
            "a shortened commit is looked up as the name of a branch or tag first, and can become ambiguous"
        )
    if VERSION.fullmatch(value):
        return "in Git a version names a tag, and a tag can be moved to another commit"
    if _RANGE.search(value):
        return "a range is resolved to the newest tag at every refresh"
    return "this names a branch or a tag, and both move"


def oci_fault(value: object) -> str | None:
    """Why `value` is neither a digest nor an exact version; None where it is, or is not known yet."""
    if isinstance(value, str) and DIGEST.fullmatch(value):
        return None
    fault = version_fault(value)
    return fault and fault.replace("newest chart", "newest artifact").replace(
        "to Helm it", "as a constraint it"
    )
