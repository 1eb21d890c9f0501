"""The settings of a stack file (`stacks/Pulumi.<stack>.yaml`): which fleet it holds, and what a change may do to it.

Owns the keys of this program; the form of limits and policies is in `model.stack_limits` and `model.stack_policies`.
The file is Pulumi's: encryption and keys of other namespaces are not
looked at. Pulumi checks types against Pulumi.yaml as well, but one at a time and only once a stack exists.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from model.document import Document, Step
from model.entry import parsed
from model.problems import Problem, did_you_mean
from model.stack_limits import ACKNOWLEDGED, LIMITS, acknowledged_problems, limits_problems, unknown_rings
from model.stack_policies import POLICIES, PolicySettings

NAMESPACE = "gke-fleet"
FLEET_SETTING: tuple[Step, ...] = ("config", f"{NAMESPACE}:fleet")
PART_SETTING: tuple[Step, ...] = ("config", f"{NAMESPACE}:part")
MIRROR_SETTING: tuple[Step, ...] = ("config", f"{NAMESPACE}:mirror")
TODAY_SETTING: tuple[Step, ...] = ("config", f"{NAMESPACE}:today")
_KEYS = (
    "fleet",
    "part",
    "mirror",
    "readinessTimeout",
    "gitToken",
    "today",
    "limits",
    "acknowledged",
    "policies",
)


@dataclass(frozen=True, kw_only=True)
class StackSettings:
    """What a stack file says; None where it says nothing."""

    fleet: str | None
    part: str | None
    mirror: str | None
    today: str | None = None


def stack_settings(document: Document) -> StackSettings:
    """The settings in a stack file that was read; mistakes are added to the document's problems."""
    content = document.content
    config = content.get("config") if isinstance(content, dict) else None
    if not isinstance(config, dict):
        if not document.problems:
            remedy = f"write `config:` and under it `{NAMESPACE}:fleet: NAME`"
            document.problems.append(document.problem(("config",), None, "it is missing", remedy))
        return StackSettings(fleet=None, part=None, mirror=None)
    for key in config:
        space, _, name = key.partition(":")
        if space == NAMESPACE and name not in _KEYS:
            remedy = did_you_mean(key, [f"{NAMESPACE}:{known}" for known in _KEYS])
            document.problems.append(
                document.problem(("config", key), None, "there is no such setting", remedy)
            )
    fleet = _text(document, config, "fleet")
    if fleet is None and f"{NAMESPACE}:fleet" not in config:
        remedy = f"add `{NAMESPACE}:fleet:` and the name of a file NAME.fleet.yaml"
        document.problems.append(document.problem(FLEET_SETTING, None, "it is missing", remedy))
    _check_timeout(document, config)
    document.problems += limits_problems(document, ("config", LIMITS), config.get(LIMITS))
    document.problems += acknowledged_problems(document, ("config", ACKNOWLEDGED), config.get(ACKNOWLEDGED))
    if config.get(POLICIES) is not None:
        parsed(PolicySettings, document, ("config", POLICIES), config[POLICIES], document.problems)
    return StackSettings(
        fleet=fleet,
        part=_text(document, config, "part"),
        mirror=_text(document, config, "mirror"),
        today=_text(document, config, "today"),
    )


def ring_problems(document: Document, rings: Iterable[str]) -> list[Problem]:
    """Rings that the settings of a stack file name and the catalogue does not have."""
    config = document.content.get("config") if isinstance(document.content, dict) else None
    limits = config.get(LIMITS) if isinstance(config, dict) else None
    return unknown_rings(document, ("config", LIMITS), limits, rings)


def _text(document: Document, config: dict[str, Any], name: str) -> str | None:
    key = f"{NAMESPACE}:{name}"
    value = config.get(key)
    if value is None or isinstance(value, str):
        return value
    why = "text belongs there"
    document.problems.append(document.problem(("config", key), value, why, "put the value in quotes"))
    return None


def _check_timeout(document: Document, config: dict[str, Any]) -> None:
    key = f"{NAMESPACE}:readinessTimeout"
    value = config.get(key, 0)
    if not str(value).isdigit() or isinstance(value, bool):
        remedy = "write whole seconds, 0 for no waiting"
        document.problems.append(
            document.problem(("config", key), value, "it is not a number of seconds", remedy)
        )
