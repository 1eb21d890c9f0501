"""Rule image-updater-bounded: Image Updater picks within bounds that somebody chose.

Owns the reading of its two ways of configuration, annotations and the ImageUpdater resource, and of its
constraints. Does not own who writes what it picked back.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..argocd.place import is_application, places
from ..argocd.template import has_action
from ..kubernetes import kind_of, objects
from ..properties import items, joined, mapping
from ..rule import Finding, Resource, Rule
from .image import moving_fault, parsed

_GROUP: Final = "argocd-image-updater.argoproj.io"
_STRATEGIES: Final = {"latest": "newest-build", "name": "alphabetical"}
_ANY_TAG: Final = re.compile(r"any|regexp:\^?(\.[*+])?\$?")
_SEMVER_REMEDY: Final = (
    'Write a constraint that ends somewhere behind the name, such as "NAME:~1.4" or "NAME:1.x"'
)
_TAGS_REMEDY: Final = (
    "Take the strategy semver with a constraint, or set allowTags (allow-tags) to a pattern such as "
    '"regexp:^v1[.]"'
)
_DIGEST_REMEDY: Final = 'Name the tag whose digest is followed, such as "NAME:1.4"'


@dataclass(frozen=True, kw_only=True)
class _Followed:
    """An image that Image Updater follows: name with constraint, strategy, and the tags that are allowed."""

    image: object
    strategy: object
    tags: object
    path: str


def _concerns(resource_type: str) -> bool:
    return is_application(resource_type) or kind_of(resource_type) == (_GROUP, "ImageUpdater")


def _look(resource: Resource) -> Iterator[Finding]:
    for one in (*_annotated(resource), *_declared(resource)):
        image, strategy = one.image, one.strategy or "semver"
        if not isinstance(image, str) or not isinstance(strategy, str):
            continue
        if has_action(image) or has_action(strategy) or has_action(one.tags):
            continue
        name, constraint = _split(image)
        strategy = _STRATEGIES.get(strategy, strategy)
        if strategy == "semver" and not _bounded(constraint):
            why = f"{name} is followed to any newer version, a new major one too"
            yield Finding(path=one.path, value=image, why=why, remedy=_SEMVER_REMEDY)
        elif strategy == "digest":
            fault = moving_fault(parsed(f"image:{constraint}" if constraint else "image", ""))
            if fault:
                yield Finding(path=one.path, value=image, why=fault, remedy=_DIGEST_REMEDY)
        elif strategy in ("newest-build", "alphabetical") and _any_tag(one.tags):
            why = f"the strategy {strategy} takes whatever tag was pushed last, or sorts last, of {name}"
            yield Finding(path=one.path, value=image, why=why, remedy=_TAGS_REMEDY)


def _split(image: str) -> tuple[str, str]:
    """Name and constraint. The name may have a port in it."""
    folder, slash, last = image.rpartition("/")
    name, _, constraint = last.partition(":")
    return f"{folder}{slash}{name}", constraint.strip()


def _bounded(constraint: str) -> bool:
    """Whether every alternative of a semver constraint has an upper end."""
    return all(
        re.search(r"[~^<]", one) or re.match(r"\s*[=v]?\d", one) for one in constraint.split("||")
    ) and bool(constraint)


def _any_tag(tags: object) -> bool:
    return tags is None or (
        isinstance(tags, str) and (not tags or _ANY_TAG.fullmatch(tags.strip()) is not None)
    )


def _annotated(resource: Resource) -> Iterator[_Followed]:
    for place in places(resource):
        annotations = mapping(place.metadata.get("annotations"))
        listed = annotations.get(f"{_GROUP}/image-list")
        if not isinstance(listed, str):
            continue
        for entry in listed.split(","):
            alias, equals, image = entry.strip().partition("=")
            prefixes = [f"{alias.strip()}.", ""] if equals and "/" not in alias else [""]
            if image or alias:
                yield _Followed(
                    image=(image if len(prefixes) > 1 else entry).strip(),
                    strategy=_first(annotations, prefixes, "update-strategy"),
                    tags=_first(annotations, prefixes, "allow-tags"),
                    path=place.at("metadata", "annotations", f"{_GROUP}/image-list"),
                )


def _first(annotations: Mapping[str, Any], prefixes: list[str], name: str) -> object:
    given = (annotations.get(f"{_GROUP}/{prefix}{name}") for prefix in prefixes)
    return next((value for value in given if value is not None), None)


def _declared(resource: Resource) -> Iterator[_Followed]:
    for one in objects(resource):
        if (one.group, one.kind) != (_GROUP, "ImageUpdater"):
            continue
        spec, path = mapping(one.body.get("spec")), joined(one.path, "spec")
        for reference, where in items(spec.get("applicationRefs"), f"{path}.applicationRefs"):
            for image, inside in items(mapping(reference).get("images"), f"{where}.images"):
                settings = [
                    mapping(mapping(level).get("commonUpdateSettings")) for level in (image, reference, spec)
                ]
                yield _Followed(
                    image=mapping(image).get("imageName"),
                    strategy=next(
                        (each["updateStrategy"] for each in settings if each.get("updateStrategy")), None
                    ),
                    tags=next((each["allowTags"] for each in settings if each.get("allowTags")), None),
                    path=f"{inside}.imageName",
                )


RULE: Final = Rule(
    name="image-updater-bounded",
    title="Image Updater picks within bounds",
    mandatory=True,
    reason=(
        "Image Updater moves versions without a review. A constraint is the review: without one it takes a new "
        "major version, a build of any branch, or what somebody pushed by mistake."
    ),
    remedy=f"{_SEMVER_REMEDY}. {_TAGS_REMEDY}. {_DIGEST_REMEDY}.",
    source="https://argocd-image-updater.readthedocs.io/en/stable/basics/update-strategies/",
    looks_at=(
        f"Application, and every layer of an ApplicationSet: the annotations {_GROUP}/image-list, "
        "update-strategy and allow-tags, those of an alias too",
        "ImageUpdater: spec.applicationRefs[].images[], with commonUpdateSettings of all three levels",
    ),
    concerns=_concerns,
    look=_look,
)
