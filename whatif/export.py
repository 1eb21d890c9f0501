"""A `pulumi stack export` as the base of a comparison: what is really deployed.

Owns reading the file and taking every secret out of it before anything else sees it: none is decrypted, and one that
stands in plain text (`--show-secrets`) goes no further than this module. Does not own the import: the CLI does it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugins.codec import REDACTED, SECRET_MARK, SIGNATURE
from whatif.events import ROOT, provider_processes, shown


class NotAnExport(Exception):
    """The file is no export of this stack. The message says why, `remedy` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, kw_only=True)
class Export:
    """An export without its secrets.

    `content`: as the CLI imports it, but for `secrets_providers`. `resources`: their states. `outputs`: the stack's.
    `pending`: operations that were not finished when it was made, as sentences.
    """

    content: Mapping[str, Any]
    resources: tuple[Mapping[str, Any], ...]
    outputs: Mapping[str, Any]
    pending: tuple[str, ...]

    @property
    def providers(self) -> dict[str, int]:
        """package -> number of provider resources in it."""
        return provider_processes(str(one.get("type", "")) for one in self.resources)

    @property
    def parents(self) -> dict[str, str]:
        """URN -> URN of its parent."""
        return {str(one["urn"]): str(one["parent"]) for one in self.resources if one.get("parent")}

    def importable(self, salt: str) -> str:
        """The JSON text that `pulumi stack import` takes into a stack whose passphrase has `salt`."""
        deployment = dict(self.content["deployment"])
        deployment["secrets_providers"] = {"type": "passphrase", "state": {"salt": salt}}
        return json.dumps({**self.content, "deployment": deployment})


def read(file: Path, project: str, stack: str) -> Export:
    """The export in `file`, which has to be of `stack` of `project`. Raises NotAnExport."""
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise NotAnExport(f"{file}: it cannot be read as JSON: {error}", _how(stack)) from None
    deployment = content.get("deployment") if isinstance(content, dict) else None
    resources = deployment.get("resources") if isinstance(deployment, dict) else None
    if not isinstance(deployment, dict) or not isinstance(resources, list | type(None)):
        raise NotAnExport(
            f"{file}: deployment.resources is missing, so it is no export of a stack", _how(stack)
        )
    if any(not isinstance(one, dict) or not isinstance(one.get("urn"), str) for one in resources or ()):
        raise NotAnExport(f"{file}: deployment.resources holds something without a URN", _how(stack))
    for one in resources or ():
        made_for = one["urn"].split("::", 2)
        expected = [f"urn:pulumi:{stack}", project]
        if made_for[:2] != expected:
            named = f"{made_for[0].removeprefix('urn:pulumi:')} of project {made_for[1] if len(made_for) > 1 else '?'}"
            raise NotAnExport(
                f"{file}: it is an export of stack {named}, not of {stack} of project {project}", _how(stack)
            )
    pending = tuple(
        f"{one.get('type', 'an operation')} of {(one.get('resource') or {}).get('urn', 'a resource')} was not finished "
        "when the export was made"
        for one in deployment.get("pending_operations") or ()
    )
    kept = {name: value for name, value in deployment.items() if name != "pending_operations"}
    redacted = _redacted({**content, "deployment": kept})
    states = tuple(redacted["deployment"].get("resources") or ())
    root: Mapping[str, Any] = next((one for one in states if one.get("type") == ROOT), {})
    return Export(
        content=redacted, resources=states, outputs=shown(root.get("outputs") or {}), pending=pending
    )


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET_MARK:
            return {SIGNATURE: SECRET_MARK, "plaintext": json.dumps(REDACTED)}
        return {name: _redacted(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_redacted(each) for each in value]
    return value


def _how(stack: str) -> str:
    return f"make it with `pulumi stack export --stack {stack} --file FILE`"
