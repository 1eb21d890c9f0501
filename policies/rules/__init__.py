"""The list of rules. Owns their order; each rule is a module of its own, in a folder named by its subject."""

from .pinning import chart_version, git_revision, image_digest, image_tag
from .rule import Rule


def catalogue() -> tuple[Rule, ...]:
    """Every rule of the pack, in the order in which documentation and reports show them."""
    return (
        chart_version.RULE,
        git_revision.RULE,
        image_tag.RULE,
        image_digest.RULE,
    )


__all__ = ["catalogue", "Rule"]
