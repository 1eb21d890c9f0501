"""The tables of `docs/bootstrap.md`, from the same values that the program grants by.

Owns what stands between the marks of that page: `python -m bootstrap.reference` writes it anew.
"""

from __future__ import annotations

from pathlib import Path

from bootstrap.rights import CUSTOM_ROLES, RIGHTS, Account
from bootstrap.state import BUCKET_ROLES, KEY_ROLES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "bootstrap.md"
BEGIN = "<!-- the tables from here on are written by `python -m bootstrap.reference` -->"
END = "<!-- end of the written tables -->"


def tables() -> str:
    """Who has which role where and why, then the custom roles: Markdown."""
    return "\n".join([*_rights(Account.DEPLOYER), "", *_rights(Account.PREVIEW), "", *_custom(), ""])


def page_with_tables(page: str) -> str:
    """The text of the page with fresh tables. Raises ValueError where a mark is missing."""
    before, mark, rest = page.partition(BEGIN)
    _, other, after = rest.partition(END)
    if not mark or not other:
        raise ValueError(f"{PAGE.name} has not both marks: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def _rights(account: Account) -> list[str]:
    rows = [
        (right.role, f"{right.where}{', within a limit' if right.limited else ''}", right.why)
        for right in RIGHTS
        if right.account is account
    ]
    if account in BUCKET_ROLES:
        role, why = BUCKET_ROLES[account]
        rows.append((role, "the bucket of the fleet's states", why))
    if account in KEY_ROLES:
        role, why = KEY_ROLES[account]
        rows.append((role, "the key", why))
    head = [f"| role of `{account}` | on | what for |", "|---|---|---|"]
    return head + [f"| `{role}` | {where} | {why} |" for role, where, why in rows]


def _custom() -> list[str]:
    head = ["| custom role of a project | permissions |", "|---|---|"]
    return head + [
        f"| `{role.id}` | {', '.join(f'`{each}`' for each in role.permissions)} |" for role in CUSTOM_ROLES
    ]


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
