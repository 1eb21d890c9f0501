"""What one Application delivers: everything that decides it, read from the outputs of a stack.

Owns the checks. Outputs may come from a program that nobody trusts, and what is read here becomes words of a
command: so every part has to have its form, or it is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_REPOSITORY = re.compile(r"(https|oci)://[a-z0-9][a-z0-9.-]*(:\d{1,5})?(/[A-Za-z0-9_][A-Za-z0-9._-]*)*/?")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_PATH = re.compile(r"(?!.*(^|/)\.\.(/|$))[A-Za-z0-9_.][A-Za-z0-9._/-]*")
_VERSION = re.compile(r"v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MINOR = re.compile(r"\d+\.\d+")


class Unrendered(Exception):
    """Something cannot be rendered: why, and what to do about it."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(f"{why}; {remedy}")


class Form(StrEnum):
    """What an add-on is made from."""

    CHART = "chart"
    KUSTOMIZE = "kustomize"
    DIRECTORY = "directory"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where something is got from. `repository`: https:// or oci:// address; `name`: the chart, empty for a
    folder; `version`: a chart's version, a commit, or a digest."""

    repository: str
    name: str
    version: str

    @property
    def is_oci(self) -> bool:
        return self.repository.startswith("oci://")

    @property
    def place(self) -> str:
        """Host and path."""
        return self.repository.partition("://")[2].rstrip("/")

    def __str__(self) -> str:
        return f"{self.name or 'the folder'} {self.version} of {self.repository}"


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """`release`: the name of the chart's release; `path`: the folder in the source, empty for a chart; `values`: JSON
    text; `kubernetes`: the cluster's minor, None where the revision does not say."""

    release: str
    form: Form
    source: Source
    path: str
    namespace: str
    values: str
    skip_crds: bool
    kubernetes: str | None


def delivered(application: Mapping[str, Any], values: Mapping[str, Any]) -> Delivered:
    """What an entry of the output `applications` delivers; `values` is the output of that name: digest -> JSON text.

    Raises Unrendered where the outputs do not say, or say something without the form that it has to have.
    """
    digest = application.get("values")
    text = values.get(digest) if isinstance(digest, str) else None
    if not isinstance(text, str):
        raise Unrendered(
            "the revision does not export what its Applications deliver",
            "compare revisions whose program exports the output `values`",
        )
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Unrendered(f"the output values.{digest} is not a JSON object", "look at the program's export")
    form = _form(said.get("kind"))
    chart = form is Form.CHART
    wanted = str(said.get("chart" if chart else "path", ""))
    version, repository = str(application.get("version", "")), str(said.get("repository", ""))
    settings = said.get("settings")
    helm = (settings if isinstance(settings, dict) else {}).get("helm")
    helm = helm if isinstance(helm, dict) else {}
    release = str(helm.get("releaseName") or application.get("addon", ""))
    namespace = str(said.get("namespace") or application.get("namespace", ""))
    pinned = _VERSION if chart else _DIGEST if repository.startswith("oci://") else _COMMIT
    checks = {
        "release": (_NAME, release),
        "namespace": (_NAME, namespace),
        "version": (pinned, version),
        "repository": (_REPOSITORY, repository),
        "chart" if chart else "path": (_NAME if chart else _PATH, wanted),
    }
    wrong = [
        f"{name} {value!r}"[:200] for name, (shape, value) in checks.items() if not shape.fullmatch(value)
    ]
    if wrong:
        raise Unrendered(
            f"the outputs say what has not the form that it has to have: {', '.join(wrong)}",
            "name an https:// or oci:// repository, and an exact version, full commit or digest",
        )
    minor = application.get("kubernetes")
    return Delivered(
        release=release,
        form=form,
        source=Source(repository=repository, name=wanted if chart else "", version=version),
        path="" if chart else wanted,
        namespace=namespace,
        values=json.dumps(said.get("values") or {}, sort_keys=True),
        skip_crds=bool(helm.get("skipCrds")),
        kubernetes=minor if isinstance(minor, str) and _MINOR.fullmatch(minor) else None,
    )


def _form(kind: Any) -> Form:
    try:
        return Form(kind)
    except ValueError:
        known = ", ".join(form.value for form in Form)
        said = f"the outputs name a kind of source that is not known: {kind!r}"[:200]
        raise Unrendered(said, f"known are {known}") from None
