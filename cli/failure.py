"""How a command says no: exit codes, and the one exception that carries one.

Owns the meaning of the exit codes (documented in the README, kept from release to release). Does not own the
errors of model/ or sandbox/: `cli.app` turns those into a `Failure`.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit code means."""

    FINE = 0
    REFUSED = 1
    """A policy, the program or the engine says no."""
    CONFIGURATION = 2
    """A file or an argument is wrong."""
    MISSING = 3
    """This machine lacks something: a tool, disk, a running sandbox."""
    UNHEALTHY = 4
    """Argo CD did not report everything Synced and Healthy in time."""
    BLAST_RADIUS = 5
    """A change exceeds the limits of its stack, or is not the one that was approved."""


class Failure(Exception):
    """One clear error for a person: what went wrong and what to do about it."""

    def __init__(self, code: ExitCode, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.remedy = remedy
