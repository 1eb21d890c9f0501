"""`./fleet up STACK --as-previewed`: which commands the CLI is given.

A recorder stands in for the CLI with the official plugins, so it is not proven here that the CLI keeps to a plan.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cli import up as module
from cli.checkout import here


class Recorder:
    """Takes the place of an Engine."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.configured: list[str] = []

    def run(self, arguments: Sequence[str], *, log: Path | None = None) -> int:
        self.commands.append(list(arguments))
        given = arguments[list(arguments).index("--policy-pack-config") + 1]
        self.configured.append(Path(given).read_text())
        return 0


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder()
    monkeypatch.setattr(module, "official", lambda checkout, command: made)
    return made


def option(command: list[str], name: str) -> str | None:
    return command[command.index(name) + 1] if name in command else None


def test_nothing_happens_beyond_what_the_preview_said(recorder: Recorder) -> None:
    module.up(here(), "prod", seconds=1, as_previewed=True)
    preview, update = recorder.commands
    assert preview[0] == "preview"
    assert update[:3] == ["up", "--yes", "--skip-preview"]
    assert option(preview, "--save-plan") == option(update, "--plan") is not None


def test_without_it_there_is_no_plan_and_the_stack_s_policies_hold_in_both(recorder: Recorder) -> None:
    module.up(here(), "prod", seconds=1)
    preview, update = recorder.commands
    assert option(preview, "--save-plan") is option(update, "--plan") is None
    assert all("repository-secret-keyless" in one for one in recorder.configured)
    assert option(preview, "--policy-pack") == option(update, "--policy-pack")
