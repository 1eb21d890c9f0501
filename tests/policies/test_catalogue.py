"""The catalogue of rules: complete, one rule a module, each with all that documentation and messages need."""

import importlib
import pkgutil
import re
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest

import policies.rules
from policies.rules import GROUPS, Rule, StackRule, catalogue
from policies.rules.document import markdown
from policies.rules.parameter import faults

FOLDER = Path(policies.rules.__file__).parent


def test_every_module_that_holds_a_rule_is_in_the_catalogue_once() -> None:
    modules = pkgutil.walk_packages([str(FOLDER)], prefix="policies.rules.")
    held = [getattr(importlib.import_module(module.name), "RULE", None) for module in modules]
    rules = [rule for rule in held if rule is not None]
    assert sorted(rule.name for rule in rules) == sorted(rule.name for rule in catalogue())
    assert len({rule.name for rule in rules}) == len(rules)


@pytest.mark.parametrize("rule", catalogue(), ids=lambda rule: rule.name)
def test_a_rule_says_everything(rule: Rule | StackRule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.name)
    for text in (rule.title, rule.reason, rule.remedy, *rule.looks_at):
        assert text.strip() == text != ""
    assert rule.source.startswith("https://")
    assert rule.looks_at
    policy = rule.policy()
    assert policy.enforcement_level.value == ("mandatory" if rule.mandatory else "advisory")
    assert policy.tags == [rule.group]
    assert (policy.name, policy.description, policy.url) == (rule.name, rule.title, rule.source)


def test_the_pack_imports_nothing_of_the_checkout(tmp_path: Path) -> None:
    """The rules load with their folder on the path and neither the checkout nor a working directory."""
    imported = "import sys; sys.path.insert(0, sys.argv[1]); import rules; print(len(rules.catalogue()))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", imported, str(FOLDER.parent)],
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip() == str(len(catalogue()))


def test_the_reference_page_holds_the_rules_as_they_are() -> None:
    """To write it anew: python -m policies.rules.document > policies/RULES.md"""
    assert (FOLDER.parent / "RULES.md").read_text() == markdown()


def test_every_group_of_the_catalogue_has_rules_and_stands_together() -> None:
    groups = [group for group, _ in groupby(catalogue(), lambda rule: rule.group)]
    assert groups == [group.replace("_", " ") for group in GROUPS]


@pytest.mark.parametrize("rule", catalogue(), ids=lambda rule: rule.name)
def test_the_defaults_of_parameters_are_what_their_schemas_ask_for(rule: Rule | StackRule) -> None:
    for name, schema in rule.parameters.items():
        assert schema.get("description"), name
        assert list(faults(schema["default"], schema, name)) == []
    assert rule.settings({}) == {name: schema["default"] for name, schema in rule.parameters.items()}
