"""What a fleet is, as plain typed Python: no Pulumi, no network, no clock.

`load` reads the files in `stacks/` (`load_stack` begins at the stack file) and gives a `Configuration`, or a
`ConfigurationError` with every mistake in them.
"""

from model.load import Configuration, load, load_stack
from model.problems import ConfigurationError, Problem
from model.stamping import StampedApplication, stamp

__all__ = [
    "Configuration",
    "ConfigurationError",
    "Problem",
    "StampedApplication",
    "load",
    "load_stack",
    "stamp",
]
