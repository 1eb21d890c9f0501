"""One mistake in a good configuration, and what has to be told about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from model import ConfigurationError, Problem, load_stack
from tests.model.conftest import CATALOGUE, FLEET, STACK

FLEET_FILE = "stacks/acme.fleet.yaml"
CATALOGUE_FILE = "stacks/catalog.yaml"
STACK_FILE = "stacks/Pulumi.acme.yaml"
_TEXTS = {FLEET_FILE: FLEET, CATALOGUE_FILE: CATALOGUE, STACK_FILE: STACK}


@dataclass(frozen=True)
class Case:
    """`old` becomes `new` in `file` (once, or the whole text where `old` is None); then `path` is at
    fault."""

    name: str
    file: str
    old: str | None
    new: str
    path: str
    remedy: str
    why: str = ""


def fleet(name: str, old: str | None, new: str, path: str, remedy: str, why: str = "") -> Case:
    return Case(name, FLEET_FILE, old, new, path, remedy, why)


def catalogue(name: str, old: str | None, new: str, path: str, remedy: str, why: str = "") -> Case:
    return Case(name, CATALOGUE_FILE, old, new, path, remedy, why)


def stack(name: str, old: str | None, new: str, path: str, remedy: str, why: str = "") -> Case:
    return Case(name, STACK_FILE, old, new, path, remedy, why)


def told(case: Case, folder: Callable[..., Path]) -> tuple[Problem, ...]:
    """Every problem of a configuration with that one change in it; the one that the case is about is among them."""
    text = _TEXTS[case.file]
    if case.old is not None:
        assert case.old in text
    changed = case.new if case.old is None else text.replace(case.old, case.new, 1)
    names = {FLEET_FILE: "fleet", CATALOGUE_FILE: "catalogue", STACK_FILE: "stack"}
    root = folder(**{names[case.file]: changed})
    with pytest.raises(ConfigurationError) as caught:
        load_stack(root, "acme")
    problems = caught.value.problems
    here = [problem for problem in problems if (problem.file, problem.path) == (case.file, case.path)]
    assert here, str(caught.value)
    assert any(case.remedy in problem.remedy and case.why in problem.why for problem in here), str(
        caught.value
    )
    assert all(problem.remedy and problem.why for problem in problems)
    return problems
