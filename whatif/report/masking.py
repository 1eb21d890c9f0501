"""What looks like a credential does not leave by a report.

Owns the forms of credentials that are known by their looks, in a text and in a whole answer. It is the last line of
defence, not the first: secrets of the stack are never decrypted (whatif/export.py), and the engine masks those that
it knows. A password without a form of its own is not found here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from whatif.answer import Answer

MASK = "[masked]"

_Part = TypeVar("_Part", bound=BaseModel)

_FORMS = (
    r"eyJ[\w+/=-]{16,}(?:\.[\w-]+){0,2}",  # base64 of a JSON object: a JWT, a Docker configuration
    r"(?:gh[opusr]_|github_pat_|glpat-|gldt-)[\w-]{8,}",
    r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{12,}",
    r"(?<![A-Za-z0-9])ya29\.[\w.-]{4,}",
    r"(?<![A-Za-z0-9])AIza[\w-]{16,}",
    r"(?<![A-Za-z0-9])pul-[0-9a-f]{32,}",  # an access token of Pulumi Cloud
    r"(?<![A-Za-z0-9])xox[abeprs]-[\w-]{8,}",
    r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{20,}",  # bcrypt, as Argo CD keeps its admin password
    r"v1:[A-Za-z0-9+/=]{8,}:[A-Za-z0-9+/=:]{8,}",  # a Pulumi ciphertext, and the salt of a passphrase
    r"LS0tLS1CRUdJTi(?!BDRVJU|BQVUJMSUM)[A-Za-z0-9+/=]+",  # PEM in base64, certificates and public keys aside
    # What stands before these stays: it says what was there.
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,30}://)(?!git@)[^\s/?#\"'<>]{1,2000}@",
    r"(?P<bearer>\b[Bb]earer\s{1,8})(?!tokens?\b|auth)[\w.~+/=-]+",
    r"(?P<basic>\b[Aa]uthorization:\s{0,8}[Bb]asic\s{1,8})[\w.~+/=-]+",
)
_CREDENTIAL = re.compile("|".join(_FORMS), re.ASCII)
_FIELD = re.compile(
    r"(?P<field>\b(?:private_?key(?:_?id)?|client_?secret|refresh_?token|access_?token|id_?token|encrypted_?key"
    r"|encryption_?salt|\w{0,40}password)\\*[\"']?\s{0,40}[:=]\s{0,40}\\*[\"']?)[^\s\"'\\,{}\[\]]+"
    r"(?:\\*[\"']?\s(?:->|=>)\s\\*[\"']?[^\s\"'\\,{}\[\]]+)?",
    re.ASCII | re.IGNORECASE,
)
_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BODY = re.compile(r"(?:\\+[nrt]|[\s+|>~-]|[A-Za-z0-9/=:,])*")
_SUSPECT = re.compile(
    r"eyJ|gh[opusr]_|github_pat_|gl(?:pat|dt)-|AKIA|ASIA|ya29|AIza|pul-|xox|\$2|v1:|LS0t|://|earer|asic|-----BEGIN"
    r"|(?i:key|token|salt|secret|password)"
)


def masked(text: str) -> str:
    """`text` with `MASK` for each thing that looks like a credential."""
    if not _SUSPECT.search(text):
        return text
    text = _without_keys(text)
    return _FIELD.sub(_mask, _CREDENTIAL.sub(_mask, text))


def _mask(found: re.Match[str]) -> str:
    groups = found.groupdict()
    if groups.get("scheme"):
        return f"{groups['scheme']}{MASK}@"
    return next((kept for kept in groups.values() if kept), "") + MASK


def _without_keys(text: str) -> str:
    """Private keys in PEM: up to their end; where none follows, as far as it looks like the body of one."""
    parts: list[str] = []
    done = 0
    ends = [found.end() for found in _END.finditer(text)]
    at = 0
    for begin in _BEGIN.finditer(text):
        if begin.start() < done:
            continue
        while at < len(ends) and ends[at] <= begin.end():
            at += 1
        parts += [text[done : begin.start()], MASK]
        if at < len(ends):
            done = ends[at]
        else:
            body = _BODY.match(text, begin.end())
            done = body.end() if body else begin.end()
    return "".join([*parts, text[done:]]) if parts else text


def masked_answer(answer: Answer) -> Answer:
    """`answer` with each of its texts masked, names of properties among them."""
    return _part(answer)


def _part(part: _Part) -> _Part:
    changed: dict[str, Any] = {}
    for name in type(part).model_fields:
        before = getattr(part, name)
        after = _value(before)
        if after is not before:
            changed[name] = after
    return part.model_copy(update=changed) if changed else part


def _value(value: Any) -> Any:
    """The same object where nothing had to be masked."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, BaseModel):
        return _part(value)
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, list | tuple):
        if value and all(isinstance(each, str) for each in value):
            return _lines(value)
        parts = [_value(each) for each in value]
        same = all(after is before for after, before in zip(parts, value, strict=True))
        return value if same else type(value)(parts)
    return value


def _text(text: str) -> str:
    shown = masked(text)
    if shown == text:
        return text
    # The mask may be longer than what it hides, and the answer's texts have a greatest length.
    return (
        shown if len(shown) <= max(len(text), 1_000) else shown[: len(text) - 1] + "\N{HORIZONTAL ELLIPSIS}"
    )


def _lines(texts: list[str] | tuple[str, ...]) -> Any:
    """Texts that may be the lines of one: a key in PEM is seen over several of them."""
    shown = [_text(each) for each in texts]
    if any("-----BEGIN" in each for each in texts):
        shown = [_text(each) for each in _without_keys("\n".join(texts)).split("\n")]
    return texts if list(texts) == shown else type(texts)(shown)


def _mapping(value: Mapping[str, Any]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    same = True
    for name, each in value.items():
        shown, after = _text(name), _value(each)
        same = same and shown == name and after is each
        while shown in found:
            shown += "'"
        found[shown] = after
    return value if same else found
