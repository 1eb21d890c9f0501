"""The base of a comparison, as far as an answer needs it.

Owns its form. Does not own how it is put onto paper (`whatif.against`), nor where it is kept (`whatif.kept`).
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from whatif.answer import Policy


class Base(BaseModel):
    """What is known of a base.

    `outputs`: the stack's. `providers`: package -> processes of its plugin in an ordinary run. `resources`: how many,
    without the stack itself. `policies`: what the pack finds. `parents`: URN -> URN of its parent. `notices`: what the
    program warns of. `settings`: the stack file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    outputs: dict[str, Any] = {}
    providers: dict[str, int] = {}
    resources: int = 0
    policies: tuple[Policy, ...] = ()
    parents: dict[str, str] = {}
    notices: tuple[str, ...] = ()
    settings: dict[str, Any] = {}
