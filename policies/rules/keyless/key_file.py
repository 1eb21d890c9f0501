"""Rule no-key-files: no resource of any kind carries the file of a key.

The file is known by what stands in it: a private key beside its name, or the refresh token of a person. It is
found in texts of any kind, in base64 too (Secrets, the output of a key resource). A private key alone is none:
certificates have one.
"""

from collections.abc import Iterator
from typing import Final

from ..place import Place, from_base64, inputs
from ..rule import Finding, Resource, Rule

_STARTS: Final = ("ew", "ey", "ZX")
"""How the base64 of a text that starts with a brace starts, and how the base64 of that does."""
_SHORTEST: Final = 100
_WRAPPINGS: Final = 3

_REMEDY: Final = (
    "Take the file out and revoke the key; give the workload an identity (Workload Identity Federation), whose "
    'file, of the type "external_account", holds no secret'
)


def _any(resource_type: str) -> bool:
    return bool(resource_type)


def _look(resource: Resource) -> Iterator[Finding]:
    for text in _texts(inputs(resource)):
        if why := _fault(text.text):
            yield text.offends(why, _REMEDY, hidden=True)


def _texts(place: Place) -> Iterator[Place]:
    if isinstance(place.value, str):
        if len(place.value) >= _SHORTEST:
            yield place
        return
    for inner in place.each():
        yield from _texts(inner)
    for _, inner in place.entries():
        yield from _texts(inner)


def _fault(text: str) -> str | None:
    for _ in range(_WRAPPINGS):
        if "private_key" in text and "PRIVATE KEY-----" in text:
            return "it holds the key file of a service account"
        if "refresh_token" in text and "authorized_user" in text:
            return "it holds the refresh token of a person"
        start = text.lstrip()
        inner = from_base64(start) if start.startswith(_STARTS) else None
        if inner is None:
            return None
        text = inner
    return None


RULE: Final = Rule(
    name="no-key-files",
    title="No resource carries the file of a key",
    mandatory=True,
    reason=(
        "Whoever reads the resource, its backup or a pod that mounts it can be that account from anywhere, and "
        "a key that was copied out once is not taken back by deleting the resource."
    ),
    remedy=_REMEDY + ".",
    source="https://cloud.google.com/docs/authentication/application-default-credentials",
    looks_at=(
        "every text of every resource, in base64 too: Secrets, ConfigMaps, environment variables, values of charts, "
        "credentials of providers",
    ),
    concerns=_any,
    look=_look,
)
