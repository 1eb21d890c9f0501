"""Rules about the contract between clusters and what is delivered to them."""

from . import cluster_identity, declared_labels, missing_key, template_labels

RULES = (
    declared_labels.RULE,
    template_labels.RULE,
    missing_key.RULE,
    cluster_identity.RULE,
)
"""In the order in which documentation and reports show them."""
