"""`cli.plan`: what it says of a stack depends on the day, which a setting of the stack can name."""

import shutil
from pathlib import Path

import pytest
import yaml

from cli.checkout import Checkout, here
from cli.failure import ExitCode, Failure
from cli.plan import plan


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """The stacks of this checkout; in `sandbox` one cluster has a version of its own until the end of May."""
    shutil.copytree(here().stacks, tmp_path / "stacks")
    file = tmp_path / "stacks" / "sandbox.fleet.yaml"
    fleet = yaml.safe_load(file.read_text())
    own = {"version": "1.3.1", "reason": "a release that waits", "until": "2031-05-31"}
    fleet["clusters"][-1]["addons"] = {"external-secrets": own}
    file.write_text(yaml.safe_dump(fleet))
    return Checkout(tmp_path)


def on(checkout: Checkout, day: str) -> None:
    file = checkout.stacks / "Pulumi.sandbox.yaml"
    settings = yaml.safe_load(file.read_text())
    settings["config"]["gke-fleet:today"] = day
    file.write_text(yaml.safe_dump(settings))


def test_two_weeks_before_its_end_an_override_is_spoken_of(checkout: Checkout) -> None:
    on(checkout, "2031-05-16")
    assert not [notice for notice in plan(checkout, "sandbox").notices if "until 2031-05-31" in notice]
    on(checkout, "2031-05-17")
    assert [notice for notice in plan(checkout, "sandbox").notices if "until 2031-05-31" in notice]


def test_after_its_end_the_configuration_is_wrong(checkout: Checkout) -> None:
    on(checkout, "2031-06-01")
    with pytest.raises(Failure, match="2031-05-31") as caught:
        plan(checkout, "sandbox")
    assert caught.value.code == ExitCode.CONFIGURATION


def test_the_files_are_named_as_a_person_types_them(checkout: Checkout) -> None:
    planned = plan(checkout, "prod")
    assert (planned.fleet_file, planned.catalogue_file) == ("stacks/prod.fleet.yaml", "stacks/catalog.yaml")
    assert planned.empty_source[1] == "empty"
