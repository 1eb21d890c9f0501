"""The program: read the settings of this stack, make what they say, export what the fleet's files need."""

import sys
from pathlib import Path

import pulumi

# Pulumi runs this folder, and the folder above it holds the packages, this one among them.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bootstrap.foundation import Foundation, FoundationArgs
from bootstrap.load import load
from model.problems import ConfigurationError


def main() -> None:
    """Make what the file that is named like the stack says."""
    stack = pulumi.get_stack()
    try:
        settings = load(Path(__file__).resolve().parent, stack)
    except ConfigurationError as error:
        raise pulumi.RunError(str(error)) from None
    foundation = Foundation(stack, FoundationArgs(settings=settings, stack=stack))
    for name, value in foundation.outputs.items():
        pulumi.export(name, value)


main()
