"""What is wrong with a configuration, said so that it can be put right without reading code.

Owns `Problem` and the one exception that carries all of them. Does not decide what is wrong: the checks do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One mistake in one configuration file."""

    file: str
    """The file, relative to the checkout: `stacks/prod.fleet.yaml`."""
    path: str
    """Where in the file, in the notation of Pulumi's previews: `clusters[2].project`; empty for the whole
    file."""
    value: str
    """What stands there, as it was written; empty where nothing does."""
    why: str
    """Why that is a mistake."""
    remedy: str
    """What to do about it."""
    line: int | None = None
    """The line in the file, counted from 1, where it is known."""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        subject = self.path or "the file"
        shown = f" is {self.value!r}:" if self.value else ":"
        return f"{place}: {subject}{shown} {self.why}\n    remedy: {self.remedy}"


class ConfigurationError(Exception):
    """The configuration cannot be used. `problems` holds every mistake that was found, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems, key=_order))
        super().__init__(str(self))

    def __str__(self) -> str:
        count = len(self.problems)
        heading = "1 configuration error" if count == 1 else f"{count} configuration errors"
        return "\n".join([heading, *(f"  {problem}" for problem in self.problems)])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Text that helps with a misspelt word: the nearest known one if there is any, then all of them."""
    choices = {choice.lower(): choice for choice in known}
    near = difflib.get_close_matches(word.lower(), choices, n=1, cutoff=0.6)
    listed = ", ".join(choices.values()) if choices else "none"
    return f"did you mean `{choices[near[0]]}`? known: {listed}" if near else f"known: {listed}"


def _order(problem: Problem) -> tuple[str, int, str, str]:
    return (problem.file, problem.line or 0, problem.path, problem.why)
