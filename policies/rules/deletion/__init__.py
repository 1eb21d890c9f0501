"""Rules about safe deletion: nothing that runs goes because something else did."""

from . import (
    background,
    cluster_protection,
    empty_prune,
    finalizer,
    preserve,
    protect_option,
    sync_choice,
)

RULES = (
    preserve.RULE,
    sync_choice.RULE,
    background.RULE,
    finalizer.RULE,
    empty_prune.RULE,
    cluster_protection.RULE,
    protect_option.RULE,
)
"""In the order in which documentation and reports show them."""
