"""`docs/bootstrap.md` says what the project does: its tables are the ones that the program grants by."""

from __future__ import annotations

import re

import pytest

from bootstrap.reference import BEGIN, END, PAGE, page_with_tables, tables
from bootstrap.rights import RIGHTS, Account
from bootstrap.state import BUCKET_ROLES, KEY_ROLES
from tests.program.graph import CHECKOUT, Graph


def test_the_tables_are_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_tables(page), "run: python -m bootstrap.reference"


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="both marks"):
        page_with_tables(f"{BEGIN} but no end")
    assert page_with_tables(f"a{BEGIN}old{END}b") == f"a{BEGIN}\n\n{tables()}\n{END}b"


@pytest.mark.engine
@pytest.mark.parametrize("account", Account)
def test_every_granted_role_is_in_the_table_and_every_role_of_the_table_is_granted_somewhere(
    graphs: dict[str, Graph], account: Account
) -> None:
    granted = {
        re.sub(r"^projects/[^/]+/roles/", "", resource.inputs["role"])
        for graph in graphs.values()
        for resource in graph
        if f"serviceAccount:{account}@" in str(resource.inputs.get("member", ""))
    }
    rows = re.findall(
        r"^\| `([^`]+)` \|", tables().split(f"| role of `{account}` |")[1].split("\n\n")[0], re.M
    )
    assert set(rows) == granted
    assert len(rows) == len(set(rows))


def test_every_right_has_a_reason_of_its_own() -> None:
    reasons = [right.why for right in RIGHTS] + [
        why for _, why in (*BUCKET_ROLES.values(), *KEY_ROLES.values())
    ]
    assert len(reasons) == len(set(reasons))
    assert all(len(reason.split()) >= 3 for reason in reasons)


def test_the_page_names_files_and_settings_that_exist() -> None:
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"\b((?:bootstrap|stacks|docs)/[A-Za-z.]+\.(?:yaml|md))\b", page))
    assert {"bootstrap/prod.yaml", "stacks/prod.fleet.yaml"} <= named
    assert [name for name in sorted(named) if not (CHECKOUT / name).is_file()] == []
