"""Versions as numbers: which is newer, and by how much.

Owns the order of three-part versions, as SemVer has it. Commits and digests have no order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


@dataclass(frozen=True, order=True)
class Version:
    """A version in the order of SemVer: a pre-release comes before its release, build metadata counts for
    nothing."""

    major: int
    minor: int
    patch: int
    released: tuple[bool, tuple[tuple[bool, int, str], ...]] = (True, ())


def parsed_version(text: str) -> Version | None:
    """A three-part version; None for anything else, a commit say."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    parts = tuple(
        (False, int(part), "") if part.isdigit() else (True, 0, part)
        for part in (found[4].split(".") if found[4] else ())
    )
    return Version(int(found[1]), int(found[2]), int(found[3]), (not parts, parts))


def distance(one: Version, other: Version) -> tuple[int, int]:
    """By how many major versions `one` is ahead of `other`, and by how many minor ones within the same major."""
    majors = one.major - other.major
    return majors, one.minor - other.minor if not majors else 0
