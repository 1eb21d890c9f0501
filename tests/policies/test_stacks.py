"""The pack on this project's own stacks, on paper, under the real CLI.

Proves that nothing mandatory is violated but what docs/policies.md exempts, with the settings that stand there.
"""

import re
from pathlib import Path

import pytest
import yaml

from cli.policies import pack_config
from sandbox.tools import ensure, silent
from whatif.preview import preview

from .conftest import FOLDER

CHECKOUT = FOLDER.parent
PAGE = CHECKOUT / "docs" / "policies.md"


def mandatory_and_exempt(stack: str, settings: Path | None) -> tuple[list[tuple[str, str]], list[str]]:
    """Rule and resource of each mandatory finding, and the messages about exemptions."""
    cli = ensure("pulumi", silent) / "pulumi"
    found = preview(CHECKOUT, stack, cli=cli, policy_pack=FOLDER, policy_config=settings)
    mandatory = [
        (one["rule"], one["urn"].rpartition("::")[2]) for one in found.policies if one["level"] == "mandatory"
    ]
    return mandatory, [one["message"] for one in found.policies if one["rule"].startswith("exemption-")]


@pytest.mark.sandbox
def test_the_sandboxs_stack_violates_nothing_mandatory() -> None:
    assert mandatory_and_exempt("sandbox", None) == ([], [])


@pytest.mark.sandbox
def test_with_the_documented_settings_neither_does_production(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    settings = yaml.safe_load(block)["config"] | {"gke-fleet:today": "2026-12-01"}
    config = pack_config(settings, tmp_path / "policies.json")
    mandatory, exempt = mandatory_and_exempt("prod", config)
    assert mandatory == []
    (message,) = exempt
    assert "one finding is exempt until 2027-06-30" in message
