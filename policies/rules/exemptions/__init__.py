"""Rules about the exemptions from other rules. They come last: they read what the others' exemptions did."""

from . import expired, granted, unused

RULES = (expired.RULE, unused.RULE, granted.RULE)
"""In the order in which documentation and reports show them."""
