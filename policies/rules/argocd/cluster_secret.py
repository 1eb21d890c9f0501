"""Cluster Secrets, and which of them a generator of an ApplicationSet selects.

Owns the reading of both as far as rules need it. Does not own what a cluster Secret may hold.
Source: argo-cd docs/operator-manual/declarative-setup (clusters) and applicationset/Generators-Cluster.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ..kubernetes import kind_of, objects
from ..properties import Unknown, items, mapping
from ..rule import Resource
from .template import has_action

TYPE_LABEL: Final = "argocd.argoproj.io/secret-type"


def is_secret(resource_type: str) -> bool:
    """Whether a type token is a Secret's, or may be a list of them."""
    return kind_of(resource_type) in (("", "Secret"), ("", "SecretList"), ("", "List"))


def cluster_secrets(resource: Resource) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The cluster Secrets in a resource, with their paths; those whose labels are not known are left out."""
    for one in objects(resource):
        if one.group == "" and one.kind == "Secret" and labels(one.body).get(TYPE_LABEL) == "cluster":
            yield one.body, one.path


def labels(body: Mapping[str, Any], kind: str = "labels") -> Mapping[str, Any]:
    """The labels (or annotations) of an object."""
    return mapping(mapping(body.get("metadata")).get(kind))


def field(body: Mapping[str, Any], key: str) -> str | None:
    """A field of a Secret as text; None where it is missing, not known, or no text."""
    plain = mapping(body.get("stringData")).get(key)
    if isinstance(plain, str):
        return plain
    encoded = mapping(body.get("data")).get(key)
    try:
        return base64.b64decode(encoded, validate=True).decode() if isinstance(encoded, str) else None
    except (binascii.Error, ValueError):
        return None


Selection = Callable[[Mapping[str, Any]], bool | None]
"""Whether the labels of a cluster Secret are taken; None where that cannot be told by reading."""


def selection(selector: object) -> Selection:
    """What a label selector asks, read once for any number of cluster Secrets."""
    if isinstance(selector, Unknown):
        return lambda known: None
    wanted, expressions = mapping(selector).get("matchLabels"), mapping(selector).get("matchExpressions")
    asked = [_equals(key, value) for key, value in mapping(wanted).items()]
    asked += [_expression(mapping(one)) for one, _ in items(expressions, "")]
    unsure = isinstance(wanted, Unknown) or isinstance(expressions, Unknown)

    def taken(known: Mapping[str, Any]) -> bool | None:
        answers = [ask(known) for ask in asked]
        if False in answers:
            return False
        return None if unsure or None in answers else True

    return taken


def _equals(key: str, value: object) -> Selection:
    if _open(value):
        return lambda known: None
    return lambda known: None if _open(known.get(key)) else known.get(key) == value


def _expression(one: Mapping[str, Any]) -> Selection:
    key, operator, values = str(one.get("key")), one.get("operator"), one.get("values")
    if operator == "Exists":
        return lambda known: key in known
    if operator == "DoesNotExist":
        return lambda known: key not in known
    if operator not in ("In", "NotIn") or not isinstance(values, list) or any(map(_open, values)):
        return lambda known: None
    among = frozenset(value for value in values if isinstance(value, str))

    def taken(known: Mapping[str, Any]) -> bool | None:
        value = known.get(key)
        return None if _open(value) else (isinstance(value, str) and value in among) is (operator == "In")

    return taken


def _open(value: object) -> bool:
    return isinstance(value, Unknown) or has_action(value)
