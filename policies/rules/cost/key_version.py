"""Rule key-versions: versions of keys and secrets do not pile up."""

from collections.abc import Iterator
from typing import Final

from ..gcp import is_one_of
from ..place import Place, inputs
from ..rule import Finding, Resource, Rule
from ..schemas import limit

_KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
_VERSION: Final = "gcp:secretmanager/secretVersion:SecretVersion"
_SHORTEST: Final = 30
_DAY: Final = 86_400


def _look(resource: Resource) -> Iterator[Finding]:
    whole = inputs(resource)
    if resource.type == _VERSION:
        kept = whole.at("deletionPolicy")
        if kept.text.upper() in ("ABANDON", "DISABLE"):
            why = "a version that is replaced stays, and is billed by the month"
            yield kept.offends(why, 'Write "DELETE", unless earlier values have to be read')
        return
    days = resource.parameters["days"]
    period = whole.at("rotationPeriod")
    seconds = Place(period.text.removesuffix("s")).number
    if seconds is not None and seconds < days * _DAY:
        why = "each rotation leaves a version behind that is billed for ever"
        yield period.offends(why, f'Write "{days * _DAY:.0f}s" ({days:g} days) or more')
    level = whole.at("versionTemplate", "protectionLevel")
    if level.is_set and level.text.upper() != "SOFTWARE":
        why = "each version of such a key costs many times one that is kept in software"
        yield level.offends(why, 'Write "SOFTWARE", unless a rule asks for hardware')


RULE: Final = Rule(
    name="key-versions",
    title="Versions of keys and secrets do not pile up",
    mandatory=False,
    reason="Every version that is not destroyed is billed by the month, and nothing destroys it by itself.",
    remedy=(
        "Rotate keys less often, keep them in software, and delete versions of secrets that are replaced."
    ),
    source="https://cloud.google.com/kms/pricing",
    looks_at=(
        "gcp:kms CryptoKey: rotationPeriod, versionTemplate.protectionLevel",
        "gcp:secretmanager SecretVersion: deletionPolicy",
    ),
    parameters={"days": limit("The fewest days between two rotations", _SHORTEST)},
    concerns=is_one_of(_KEY, _VERSION),
    look=_look,
)
