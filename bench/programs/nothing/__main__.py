"""What the CLI starts: serves the one rule."""

from nothing import policies  # type: ignore[import-not-found]  # found only when the CLI runs the folder
from pulumi_policy import PolicyPack

PolicyPack(name="nothing", policies=policies())
