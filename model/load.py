"""From files to a checked configuration: all of it, or every mistake in it.

Owns the order of reading and the settings of a stack. The form of a single value is checked by its type in
`model.vocabulary`, what holds inside a file by `model.fleet_file` and `model.catalogue_file`, and between the two
by `model.delivery_checks`. Nothing stops at the first mistake: head, add-ons and clusters are read one by one, so
that a mistake in one entry hides none in another.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from model.catalogue import Catalogue
from model.catalogue_file import CatalogueFile
from model.delivery_checks import delivery_problems
from model.document import Document, read
from model.entry import parsed
from model.fleet import Fleet
from model.fleet_file import FleetFile
from model.inventory import inventory
from model.part import Part, UnknownPart, part_among
from model.problems import ConfigurationError, Problem, did_you_mean
from model.stack_file import (
    FLEET_SETTING,
    MIRROR_SETTING,
    PART_SETTING,
    TODAY_SETTING,
    ring_problems,
    stack_settings,
)
from model.stamping import StampedApplication, argocd_itself, stamp
from model.vocabulary import HttpsUrl, Until

CATALOGUE_FILE = "catalog.yaml"


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A fleet and its catalogue, checked against each other; repositories are behind the mirror already."""

    fleet: Fleet
    catalogue: Catalogue
    part: Part
    today: str | None = None
    """The day on which nothing in it has expired, as 2026-11-24; None where nobody looked."""

    @property
    def applications(self) -> tuple[StampedApplication, ...]:
        """Every Application that the hub will hold: Argo CD itself, then every add-on on every cluster."""
        return (argocd_itself(self.fleet, self.catalogue), *stamp(self.fleet, self.catalogue))


def load(
    stack_root: Path,
    fleet_name: str,
    mirror: str | None = None,
    part: str | None = None,
    *,
    stack: str | None = None,
    today: str | None = None,
) -> Configuration:
    """Read `<fleet_name>.fleet.yaml` and `catalog.yaml` in `stack_root`, the folder `stacks` of a checkout.

    `mirror` is an https URL, `part` is "all", "hub" or "members/CELL"; None or "" is the default of either. `stack`
    names the stack that these come from, for errors alone. `today` is a day as in 2026-11-24, on which nothing may
    have expired; None does not look. Raises ConfigurationError with every mistake in these files and settings.
    """
    settings = Document(f"{stack_root.name}/Pulumi.{stack or fleet_name}.yaml")
    problems = _setting_problems(settings, mirror, today)
    return _loaded(stack_root, fleet_name, mirror or None, part, settings, problems, today or None)


def load_stack(stack_root: Path, stack: str, today: str | None = None) -> Configuration:
    """The configuration of a stack, without Pulumi: what `Pulumi.<stack>.yaml` in `stack_root` names.

    `today`: as in `load`; a setting of the stack goes before it.
    Raises ConfigurationError with every mistake in the stack file, the fleet file and the catalogue.
    """
    shown = f"{stack_root.name}/Pulumi.{stack}.yaml"
    file = stack_root / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        names = sorted(
            f.name.removeprefix("Pulumi.").removesuffix(".yaml") for f in stack_root.glob("Pulumi.*.yaml")
        )
        raise ConfigurationError(
            [Document(shown).problem((), stack, "there is no stack of that name", did_you_mean(stack, names))]
        )
    document = read(file, shown)
    settings = stack_settings(document)
    problems = document.problems + _setting_problems(document, settings.mirror, settings.today)
    if settings.fleet is None:
        raise ConfigurationError(problems)
    return _loaded(
        stack_root,
        settings.fleet,
        settings.mirror or None,
        settings.part,
        document,
        problems,
        settings.today or today,
    )


def _loaded(
    stack_root: Path,
    fleet_name: str,
    mirror: str | None,
    part: str | None,
    settings: Document,
    problems: list[Problem],
    today: str | None,
) -> Configuration:
    catalogue = CatalogueFile(read(stack_root / CATALOGUE_FILE, f"{stack_root.name}/{CATALOGUE_FILE}"))
    file = stack_root / f"{fleet_name}.fleet.yaml"
    problems = [*problems, *catalogue.problems]
    if catalogue.rings is not None:
        problems += ring_problems(settings, catalogue.rings)
    if not file.is_file():
        names = [f.name.removesuffix(".fleet.yaml") for f in sorted(stack_root.glob("*.fleet.yaml"))]
        why = f"there is no {stack_root.name}/{file.name}"
        remedy = f"create that file, or name another fleet: {did_you_mean(fleet_name, names)}"
        raise ConfigurationError([*problems, settings.problem(FLEET_SETTING, fleet_name, why, remedy)])
    fleet = FleetFile(fleet_name, read(file, f"{stack_root.name}/{file.name}"))
    problems += fleet.problems + delivery_problems(fleet, catalogue, inventory(stack_root), today)
    held = Part()
    try:
        held = part_among(part, fleet.cells)
    except UnknownPart as error:
        problems.append(settings.problem(PART_SETTING, part, error.why, error.remedy))
    if problems:
        raise ConfigurationError(problems)
    return Configuration(
        fleet=fleet.complete(),
        catalogue=catalogue.complete().mirrored(mirror),
        part=held,
        today=today,
    )


def _setting_problems(document: Document, mirror: str | None, today: str | None) -> list[Problem]:
    problems: list[Problem] = []
    if mirror:
        parsed(TypeAdapter(HttpsUrl), document, MIRROR_SETTING, mirror, problems)
    if today:
        parsed(TypeAdapter(Until), document, TODAY_SETTING, today, problems)
    return problems
