"""The rules as one pack of the CLI. Owns what they share in a run: the record of exemptions."""

from pulumi_policy import Policy

from . import catalogue
from .exemption import Ledger


def policies() -> list[Policy]:
    """Every rule as a policy, all with one ledger; those that read the ledger come last."""
    ledger = Ledger()
    return [rule.policy(ledger) for rule in catalogue()]
