"""The policy pack with the settings of a stack, as the CLI takes both.

Owns where the setting is read and the arguments for the CLI. Does not own what the setting means (`cli.policies`).
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

import whatif.preview
from cli import tables
from cli.checkout import Checkout
from cli.plan import plan
from cli.policies import pack_config


def stack_config(stacks: Path, stack: str) -> Mapping[str, Any]:
    """What stands under `config` in the file of a stack; nothing where there is no such file: the stack may be new."""
    try:
        found = yaml.safe_load((stacks / f"Pulumi.{stack}.yaml").read_text())
    except FileNotFoundError:
        return {}
    config = found.get("config") if isinstance(found, dict) else None
    return config if isinstance(config, dict) else {}


def stack_pack_config(checkout: Checkout, stack: str, folder: Path) -> Path | None:
    """The configuration of the pack for a stack, written to `folder`; None where the stack file says nothing.

    Raises Failure (exit code 2) with every mistake in it.
    """
    file = f"{checkout.stacks.name}/Pulumi.{stack}.yaml"
    return pack_config(stack_config(checkout.stacks, stack), folder / "policies.json", file=file)


def pack_arguments(checkout: Checkout, stack: str, folder: Path) -> list[str]:
    """The CLI's arguments for the pack; its configuration is written to `folder`, which must outlive the run."""
    return whatif.preview.pack_arguments(checkout.policies, stack_pack_config(checkout, stack, folder))


def show(checkout: Checkout, stack: str, output: Path | None) -> None:
    """Write the configuration of the pack for a stack to `output`, or to standard output.

    Raises Failure (exit code 2) where there is no such stack, or its file is wrong.
    """
    plan(checkout, stack)
    with tempfile.TemporaryDirectory(prefix="gke-fleet-policies-") as folder:
        written = stack_pack_config(checkout, stack, Path(folder))
        text = written.read_text() if written is not None else "{}\n"
    tables.hand_over(text, output)
