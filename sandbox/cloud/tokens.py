"""Access tokens: opaque to everybody but this cloud, for one account, with an end.

A token is signed with a key that is kept on disk, so those given out before a restart of the cloud stay good.
Whether the account still exists is asked again on every use.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

LIFETIME = 3600
_PREFIX = "ya29.sandbox."


@dataclass(frozen=True, kw_only=True)
class Token:
    """An access token and how many seconds it is good for."""

    access_token: str
    expires_in: int


class Tokens:
    """Issues and reads access tokens. `key` is secret; `usable` says whether an account (by e-mail) may be used."""

    def __init__(
        self, key: bytes, usable: Callable[[str], bool], now: Callable[[], float] = time.time
    ) -> None:
        self._key = key
        self._usable = usable
        self._now = now

    def issue(self, email: str, lifetime: int = LIFETIME) -> Token:
        """A fresh token of an account, good for `lifetime` seconds."""
        claims = {"account": email, "end": self._now() + lifetime, "nonce": secrets.token_hex(8)}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode())
        return Token(access_token=f"{_PREFIX}{body.decode()}.{self._sign(body)}", expires_in=lifetime)

    def account(self, token: str) -> str | None:
        """The e-mail of the account a token stands for; None if it is foreign, over, or the account is gone."""
        if not (token.isascii() and token.startswith(_PREFIX)):
            return None
        body, _, signature = token.removeprefix(_PREFIX).partition(".")
        if not hmac.compare_digest(signature, self._sign(body.encode())):
            return None
        claims = json.loads(base64.urlsafe_b64decode(body))
        if claims["end"] <= self._now():
            return None
        account = str(claims["account"])
        return account if self._usable(account) else None

    def _sign(self, body: bytes) -> str:
        return hmac.new(self._key, body, hashlib.sha256).hexdigest()
