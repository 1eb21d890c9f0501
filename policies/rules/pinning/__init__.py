"""Rules about pinning: what is delivered tomorrow from an unchanged program is what was reviewed today."""

from . import (
    chart_dependencies,
    chart_version,
    git_revision,
    image_digest,
    image_tag,
    image_updater,
    provider_one_version,
    provider_version,
    remote_base,
    ring_one_version,
    values_image,
)

RULES = (
    chart_version.RULE,
    chart_dependencies.RULE,
    git_revision.RULE,
    remote_base.RULE,
    image_tag.RULE,
    image_digest.RULE,
    values_image.RULE,
    image_updater.RULE,
    ring_one_version.RULE,
    provider_version.RULE,
    provider_one_version.RULE,
)
"""In the order in which documentation and reports show them."""
