"""What Kubernetes Secrets and ConfigMaps hold, as texts.

Owns the step from `data` (base64 in a Secret) and `stringData` to texts. Does not own what any of them means.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .kubernetes import KubernetesObject, kind_of, objects
from .place import Place, from_base64
from .properties import joined
from .rule import Resource

SECRET_TYPE: Final = "argocd.argoproj.io/secret-type"  # noqa: S105 (a label)
"""The label by which Argo CD knows its Secrets."""

_CREDENTIAL: Final = re.compile(r"token|passw|secret|key|credential", re.IGNORECASE)
_FILE: Final = re.compile(r"(?:file|path|dir)$", re.IGNORECASE)


@dataclass(frozen=True)
class Holder:
    """A Secret or ConfigMap: its kind, its object, and what it holds by key, decoded; unknowns are left out."""

    kind: str
    body: Place
    held: dict[str, Place]

    @property
    def argocd_type(self) -> str:
        """What Argo CD takes a Secret for, such as ``cluster``; empty for any other."""
        return self.body.at("metadata", "labels", SECRET_TYPE).text if self.kind == "Secret" else ""


def concerns(resource_type: str) -> bool:
    """Whether a resource is a Secret or ConfigMap, a Patch of one, or a list of such."""
    group, kind = kind_of(resource_type)
    return group == "" and kind.removesuffix("List") in ("Secret", "ConfigMap", "") and kind != ""


def holders(resource: Resource) -> Iterator[Holder]:
    """The Secrets and ConfigMaps that a resource is or lists."""
    for one in objects(resource):
        if one.group == "" and one.kind in ("Secret", "ConfigMap"):
            yield Holder(one.kind, Place(one.body, one.path), dict(_held(one)))


def names_credential(name: str) -> bool:
    """Whether a variable of this name is likely to hold a credential itself, not the path of a file."""
    return _CREDENTIAL.search(name) is not None and _FILE.search(name) is None


def _held(one: KubernetesObject) -> Iterator[tuple[str, Place]]:
    """Key and decoded value; a Secret's `stringData` wins over its `data`, as in Kubernetes."""
    whole = Place(one.body, one.path)
    encoded = ("data",) if one.kind == "Secret" else ("binaryData",)
    for field in ("data", "binaryData", "stringData"):
        for key, place in whole.at(field).entries():
            if not isinstance(place.value, str):
                continue
            text = from_base64(place.value) if field in encoded else None
            yield key, Place(place.value if text is None else text, joined(joined(one.path, field), key))
