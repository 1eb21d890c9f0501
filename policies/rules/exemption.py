"""Exemptions: resources to which a rule is not held, for a stated reason and until a stated day.

Owns their form in a rule's configuration, what they match, the day they are held against, and the record of
what each did in a run. Does not own the rules that report on that record (`exemptions/`).
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Final

from .parameter import Fault, Schema, faults, parameter_faults

_DAY: Final = 'a day such as "2027-06-30", the last on which the exemption holds'

CONFIGURATION: Final[Mapping[str, Schema]] = {
    "exemptions": {
        "type": "array",
        "description": "resources to which the rule is not held",
        "default": [],
        "items": {
            "type": "object",
            "required": ["resource", "reason", "until"],
            "additionalProperties": False,
            "properties": {
                "resource": {
                    "type": "string",
                    "description": "name, TYPE::NAME or URN of the resource; * stands for anything",
                },
                "reason": {"type": "string", "description": "why the rule does not hold there"},
                "until": {"type": "string", "description": _DAY},
            },
        },
    },
    "today": {
        "type": "string",
        "description": "the day that exemptions are held against, the host's if it is empty",
        "default": "",
    },
}
"""What the configuration of every rule may say besides its own parameters."""


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """One exemption of a rule. `until` is the last day on which it holds."""

    rule: str
    resource: str
    reason: str
    until: date

    def covers(self, urn: str) -> bool:
        """Whether the pattern matches the resource's name, its type and name, or its URN. Case counts."""
        types, _, name = urn.removeprefix("urn:pulumi:").partition("::")[2].partition("::")[2].partition("::")
        kind = types.rpartition("$")[2]
        return any(fnmatchcase(text, self.resource) for text in (name, f"{kind}::{name}", urn))


def exemption_faults(given: object) -> Iterator[Fault]:
    """Every mistake in a list of exemptions of one rule."""
    found = list(faults(given, CONFIGURATION["exemptions"], "exemptions"))
    yield from found
    if found or not isinstance(given, list):
        return
    fields = CONFIGURATION["exemptions"]["items"]["properties"]
    for index, one in enumerate(given):
        path = f"exemptions[{index}]"
        for key in ("resource", "reason"):
            if not one[key].strip():
                remedy = f"write {fields[key]['description']}"
                yield Fault(path=f"{path}.{key}", value=one[key], why="it is empty", remedy=remedy)
        if day(one["until"]) is None:
            why = "this is no day"
            yield Fault(path=f"{path}.until", value=one["until"], why=why, remedy=f"write {_DAY}")


def configuration_faults(
    parameters: Mapping[str, Schema], configuration: Mapping[str, Any]
) -> Iterator[Fault]:
    """Every mistake in the configuration of a rule with these parameters."""
    yield from parameter_faults(parameters, configuration)
    if configuration.get("exemptions") is not None:
        yield from exemption_faults(configuration["exemptions"])
    given = configuration.get("today") or ""
    if given != "" and (not isinstance(given, str) or day(given) is None):
        remedy = 'write a day such as "2027-06-30", or nothing for the day of the host'
        yield Fault(path="today", value=given, why="this is no day", remedy=remedy)


def exemptions(rule: str, configuration: Mapping[str, Any]) -> tuple[Exemption, ...]:
    """The exemptions in a rule's configuration, which has no faults."""
    return tuple(
        Exemption(
            rule=rule,
            resource=one["resource"],
            reason=one["reason"].strip(),
            until=date.fromisoformat(one["until"]),
        )
        for one in configuration.get("exemptions") or ()
    )


def day(text: str) -> date | None:
    """The day that `text` is, written YYYY-MM-DD; None where it is none."""
    try:
        return date.fromisoformat(text) if len(text) == len("2027-06-30") else None
    except ValueError:
        return None


def today(configuration: Mapping[str, Any]) -> date:
    """The day that exemptions are held against, by a configuration without faults."""
    return date.fromisoformat(configuration.get("today") or date.today().isoformat())


@dataclass
class Ledger:
    """What the exemptions of one run did: one for a pack, told by every rule, read when all are done."""

    used: Counter[Exemption] = field(default_factory=Counter)
    days: dict[Exemption, date] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def exempted(self, rule: str, configuration: Mapping[str, Any]) -> Callable[[str], bool]:
        """The question whether a finding of `rule` on the resource of a URN is exempt; asking records it.

        `configuration`: the rule's, without faults.
        """
        if not configuration.get("exemptions"):
            return lambda urn: False
        known = exemptions(rule, configuration)
        now = today(configuration)
        with self._lock:
            for one in known:
                self.used[one] += 0
                self.days[one] = now

        def asked(urn: str) -> bool:
            matching = [one for one in known if one.covers(urn)]
            with self._lock:
                for one in matching:
                    self.used[one] += 1
            return any(one.until >= now for one in matching)

        return asked

    def expired(self) -> list[Exemption]:
        """Those whose last day has passed, in the order in which they were told."""
        return [one for one in self.used if one.until < self.days[one]]
