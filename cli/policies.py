"""How strict the policy pack is on a stack, for the CLI: the stack file's setting as its configuration file.

Owns the translation, and the check of rule names, parameters and exemptions against the rules, before anything is
started. Does not own the setting's form (`model.stack_policies`), the rules, nor when the CLI is run.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cli.failure import ExitCode, Failure
from model.problems import ConfigurationError, Problem, did_you_mean
from model.stack_policies import POLICIES

_TODAY = "gke-fleet:today"
_LEVELS = ("mandatory", "advisory", "disabled")


def pack_config(settings: Mapping[str, Any], out: Path, *, file: str = "the stack file") -> Path | None:
    """Write to `out` what `--policy-pack-config` takes; None where the stack file says nothing of policies.

    `settings`: what stands under `config` in the stack file; `file`: its name, for messages. The day on which
    exemptions end is the one of `gke-fleet:today`, where that is set. Raises Failure (exit code 2) with every
    mistake.
    """
    said = settings.get(POLICIES)
    if not said:
        return None
    problems = list(_problems(said, file))
    if problems:
        raise Failure(ExitCode.CONFIGURATION, str(ConfigurationError(problems)))
    written = json.dumps(_configuration(said, settings.get(_TODAY)), indent=2)
    out.write_text(f"{written}\n", encoding="utf-8")
    return out


def _configuration(said: Mapping[str, Any], today: str | None) -> dict[str, dict[str, Any]]:
    written: dict[str, dict[str, Any]] = {}
    for name, given in (said.get("rules") or {}).items():
        rule = dict(given or {})
        level = rule.pop("level", None)
        written[name] = ({"enforcementLevel": str(level)} if level else {}) | rule
    for exemption in said.get("exemptions") or ():
        one = {key: str(value) for key, value in exemption.items() if key != "rule"}
        rule = written.setdefault(exemption["rule"], {})
        rule.setdefault("exemptions", []).append(one)
        if today:
            rule["today"] = today
    return written


def _problems(said: Mapping[str, Any], file: str) -> Iterator[Problem]:
    # Only here: the SDK of the rules costs every command half a second.
    from policies.rules import catalogue
    from policies.rules.exemption import exemption_faults
    from policies.rules.parameter import Fault, parameter_faults, written

    rules = {rule.name: rule for rule in catalogue()}

    def problem(path: str, fault: Fault) -> Problem:
        value = "" if fault.value is None else written(fault.value)
        return Problem(
            file=file, path=f"config.{POLICIES}.{path}", value=value, why=fault.why, remedy=fault.remedy
        )

    def unknown(path: str, name: object) -> Problem:
        why = "the policy pack has no such rule"
        return problem(path, Fault(path="", value=name, why=why, remedy=did_you_mean(str(name), rules)))

    for name, given in (said.get("rules") or {}).items():
        path = f"rules.{name}"
        if name not in rules:
            yield unknown(path, name)
            continue
        parameters = {key: value for key, value in (given or {}).items() if key != "level"}
        level = (given or {}).get("level")
        if level is not None and level not in _LEVELS:
            remedy = f"write one of {', '.join(_LEVELS)}"
            yield problem(
                f"{path}.level", Fault(path="", value=level, why="there is no such level", remedy=remedy)
            )
        for fault in parameter_faults(rules[name].parameters, parameters):
            yield problem(f"{path}.{fault.path}", fault)
        if "exemptions" in parameters:
            why, remedy = "the stack file has one list for all rules", f"write it under {POLICIES}.exemptions"
            yield problem(f"{path}.exemptions", Fault(path="", value=None, why=why, remedy=remedy))
    for index, exemption in enumerate(said.get("exemptions") or ()):
        path = f"exemptions[{index}]"
        if exemption.get("rule") not in rules:
            yield unknown(f"{path}.rule", exemption.get("rule"))
        one = {key: str(value) for key, value in exemption.items() if key != "rule"}
        for fault in exemption_faults([one]):
            yield problem(fault.path.replace("exemptions[0]", path), fault)
