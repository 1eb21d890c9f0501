"""Rule image-digest: a container image names its digest, the one reference that always means the same.

Advisory, and silent where image-pinned speaks: many charts and teams pin by tag, and that rule keeps them to
tags that name a version.
"""

from collections.abc import Iterator
from typing import Final

from ..rule import Finding, Resource, Rule
from .image import concerns, images, moving_fault

_REMEDY: Final = 'Write the digest behind the tag ("NAME:TAG@sha256:…"; crane digest NAME:TAG prints it)'


def _look(resource: Resource) -> Iterator[Finding]:
    for image in images(resource):
        if image.digest is None and moving_fault(image) is None:
            why = "a tag can be moved to another image"
            yield Finding(path=image.path, value=image.value, why=why, remedy=_REMEDY)


RULE: Final = Rule(
    name="image-digest",
    title="Container images name their digest",
    mandatory=False,
    reason="Whoever can push to a repository can move a tag; a digest is the image itself.",
    remedy=_REMEDY + ".",
    source="https://kubernetes.io/docs/concepts/containers/images/#image-digests",
    looks_at=("the same images as image-pinned, where that has nothing to say",),
    concerns=concerns,
    look=_look,
)
