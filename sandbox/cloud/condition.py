"""IAM conditions, of the one form that is used here.

Owns reading and evaluating
`api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/...'])`: whoever has a role under it
may give and take the listed roles only (https://cloud.google.com/iam/docs/setting-limits-on-granting-roles). Any other
condition is refused where it is made, because to misjudge one would permit either too much or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_FORM = re.compile(
    r"""\s*api\.getAttribute\(\s*(["'])iam\.googleapis\.com/modifiedGrantsByRole\1\s*,\s*\[\s*\]\s*\)"""
    r"""\s*\.hasOnly\(\s*\[(?P<roles>[^\[\]]*)\]\s*\)\s*"""
)
_ROLE = re.compile(r"""(["'])((?:roles|projects/[^/'"]+/roles|organizations/\d+/roles)/[A-Za-z0-9_.]+)\1""")


def roles(expression: str) -> frozenset[str]:
    """The roles that an expression lists. Raises ValueError for any other expression."""
    match = _FORM.fullmatch(expression)
    if match is None:
        raise ValueError(expression)
    entries = [entry.strip() for entry in match["roles"].split(",")]
    found = [_ROLE.fullmatch(entry) for entry in entries if entry]
    if not all(found):
        raise ValueError(expression)
    return frozenset(role[2] for role in found if role is not None)


def allows(inputs: Mapping[str, Any], modified: frozenset[str]) -> bool:
    """Whether a grant with `inputs` counts for a request that changes grants of the roles in `modified`."""
    condition = inputs.get("condition")
    return not condition or modified <= roles(str(condition["expression"]))
